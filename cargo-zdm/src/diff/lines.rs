//! A difference in a line for people, where no plan says it better.

use std::fmt;

use super::{Delta, Part};

impl fmt::Display for Delta {
    #[expect(clippy::too_many_lines, reason = "a line for each kind of difference")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = self.place().table;
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        let part = |f: &mut fmt::Formatter<'_>, part: Part, name: &str, does: &str| {
            write!(f, "the {} `{table}.{name}` {does}", part.name())
        };
        match self {
            Self::EnumAdded(_) => write!(f, "the enum `{table}` comes"),
            Self::EnumRemoved(_) => write!(f, "the enum `{table}` goes"),
            Self::EnumChanged(old, new) => write!(
                f,
                "the values of the enum `{table}` were {} and are {}",
                old.values.join(", "),
                new.values.join(", ")
            ),
            Self::TableAdded(_) => write!(f, "the table `{table}` comes"),
            Self::TableRemoved(_) => write!(f, "the table `{table}` goes"),
            Self::ColumnAdded(_, new) => write!(f, "the column `{table}.{}` comes", new.name),
            Self::ColumnReplaced { old, new, .. } => {
                let old: Vec<_> = old.iter().map(|column| column.name.as_str()).collect();
                write!(
                    f,
                    "the column `{table}.{}` replaces {}",
                    new.name,
                    old.join(", ")
                )
            }
            Self::ColumnRemoved(_, old, _) => write!(f, "the column `{table}.{}` goes", old.name),
            Self::TypeChanged(_, old, new) if old.collation != new.collation => write!(
                f,
                "the type of `{table}.{}` changes: its collation was {} and is {}",
                new.name,
                or_none(&old.collation),
                or_none(&new.collation)
            ),
            Self::TypeChanged(_, _, new) => write!(f, "the type of `{table}.{}` changes", new.name),
            Self::NullabilityChanged(_, _, new) if new.nullable => {
                write!(f, "`{table}.{}` was NOT NULL and may be NULL", new.name)
            }
            Self::NullabilityChanged(_, _, new) => {
                write!(f, "`{table}.{}` could be NULL and is NOT NULL", new.name)
            }
            Self::DefaultChanged(_, old, new) => write!(
                f,
                "the default of `{table}.{}` was {} and is {}",
                new.name,
                or_none(&old.default),
                or_none(&new.default)
            ),
            Self::GeneratedChanged(_, old, new) => write!(
                f,
                "what generates `{table}.{}` was {} and is {}",
                new.name,
                or_none(&old.generated),
                or_none(&new.generated)
            ),
            Self::AutoChanged(_, _, new) => {
                write!(
                    f,
                    "whether the database counts `{table}.{}`, or how, changes",
                    new.name
                )
            }
            Self::CommentChanged(_, column, _) => {
                let column = column.as_ref().map(|name| format!(".{name}"));
                write!(
                    f,
                    "the comment on `{table}{}` changes",
                    column.unwrap_or_default()
                )
            }
            Self::PrimaryKeyChanged(_, old, new) => write!(
                f,
                "the primary key of `{table}` was ({}) and is ({})",
                old.join(", "),
                new.join(", ")
            ),
            Self::TableRenamed(_, new) => write!(f, "the table `{table}` is called {new}"),
            Self::KeyRenamed(_, columns) => {
                let called = |(old, new): &(String, String)| format!("{old} is called {new}");
                let columns: Vec<_> = columns.iter().map(called).collect();
                write!(f, "of the key of `{table}` {}", columns.join(", "))
            }
            Self::Renamed(_, part, old, new) => {
                write!(f, "the {} `{table}.{old}` is called {new}", part.name())
            }
            Self::CheckChanged(_, old, new) if old.expr != new.expr => write!(
                f,
                "the check `{table}.{}` was {} and is {}",
                new.name, old.expr, new.expr
            ),
            Self::IndexAdded(_, new) => part(f, Part::Index, &new.name, "comes"),
            Self::IndexRemoved(_, old) => part(f, Part::Index, &old.name, "goes"),
            Self::IndexChanged(_, _, new) => part(f, Part::Index, &new.name, "changes"),
            Self::UniqueAdded(_, new) => part(f, Part::Unique, &new.name, "comes"),
            Self::UniqueRemoved(_, old) => part(f, Part::Unique, &old.name, "goes"),
            Self::UniqueChanged(_, _, new) => part(f, Part::Unique, &new.name, "changes"),
            Self::CheckAdded(_, new) => part(f, Part::Check, &new.name, "comes"),
            Self::CheckRemoved(_, old) => part(f, Part::Check, &old.name, "goes"),
            Self::CheckChanged(_, _, new) => part(f, Part::Check, &new.name, "changes"),
            Self::ExclusionAdded(_, new) => part(f, Part::Exclusion, &new.name, "comes"),
            Self::ExclusionRemoved(_, old) => part(f, Part::Exclusion, &old.name, "goes"),
            Self::ExclusionChanged(_, _, new) => part(f, Part::Exclusion, &new.name, "changes"),
            Self::ForeignKeyAdded(_, new) => part(f, Part::ForeignKey, &new.name, "comes"),
            Self::ForeignKeyRemoved(_, old) => part(f, Part::ForeignKey, &old.name, "goes"),
            Self::ForeignKeyChanged(_, _, new) => part(f, Part::ForeignKey, &new.name, "changes"),
        }
    }
}
