//! A column that is split: several new ones share it, and together they give it back.

use zdm_model::Column;

use super::{Conversion, Way};
use crate::changes::ChangeError;
use crate::diff::Place;
use crate::plan::{Pair, Part};

impl<'a> Way<'a> {
    /// All columns that replace the same old one, this one among them; none where there is not one old column.
    pub(super) fn sharing(&self) -> Vec<(Place, &'a Column)> {
        let after = self.context.to.table(&self.table.name);
        let columns = after.into_iter().flat_map(|after| &after.columns);
        let sharing = columns.filter(|new| {
            let from = new.transition.as_ref().map(|transition| &transition.from);
            let comes = self.old.len() == 1 && self.table.column(&new.name).is_none();
            comes && from == Some(&self.transition.from)
        });
        let place = |new: &Column| Place {
            table: self.at.table.clone(),
            source: new.source.clone(),
        };
        sharing.map(|new| (place(new), new)).collect()
    }

    /// The pair of one of the columns that an old one is split into. Both ways and whether a row's sides agree are those of all.
    pub(super) fn splitting(
        self,
        old: &Column,
        sharing: &[(Place, &Column)],
    ) -> Result<Conversion, ChangeError> {
        // Each says first what is wrong with itself.
        let up = self.part(old)?;
        let ways = sharing.iter().filter_map(|(at, new)| {
            let transition = new.transition.as_ref()?;
            Some(Way {
                at,
                new,
                transition,
                ..self
            })
        });
        let ways: Vec<Way<'_>> = ways.collect();
        let part = |way: &Way<'_>| {
            let (column, up) = (way.new.clone(), way.part(old)?);
            Ok(Part { column, up })
        };
        let split: Vec<Part> = ways.iter().map(part).collect::<Result<_, ChangeError>>()?;
        let down = vec![self.typed_back(old, put_together(old, &ways)?)];
        Ok(Conversion {
            pair: Pair {
                consistent: self.all_agree(old, &split, &down[0]),
                down,
                inputs: self.old.to_vec(),
                split,
                ..self.pair(up)?
            },
            function: None,
        })
    }

    /// What gives this column its part of the old one.
    fn part(&self, old: &Column) -> Result<String, ChangeError> {
        let Some(up) = self.declared("up", self.transition.up.as_ref())? else {
            return Err(self.mistake(
                format!(
                    "`{}` is split, and nothing says which part of it this column has",
                    old.name
                ),
                format!("Give it `up = \"…\"` over `{}`", old.name),
            ));
        };
        let up = self.typed(up)?;
        self.check("up", &up, &[&old.name])?;
        if self.transition.one_way {
            return Err(self.mistake(
                format!(
                    "`{}` is split, and `one_way` says that nothing puts it together again",
                    old.name
                ),
                "Give one of its parts `down = \"…\"` over all of them".to_owned(),
            ));
        }
        if self.transition.on_invalid.is_some() {
            return Err(self.mistake(
                format!(
                    "`{}` is split, and a part that could not be converted would be lost when code writes another part of the row",
                    old.name
                ),
                "Let the part be what it is in the old column, a text say, and convert it in a later version".to_owned(),
            ));
        }
        if old.nullable && !self.new.nullable {
            return Err(self.mistake(
                format!(
                    "`{0}` is split and may be NULL: where `up` gives a row no value, a write of another part would empty `{0}`",
                    old.name
                ),
                format!("Make `{}` NOT NULL in a version before, or this field an `Option` until a version after", old.name),
            ));
        }
        self.needs_no_rule(&up, None)?;
        Ok(up)
    }
}

/// The one expression over all parts that gives the old column: each may repeat it, and one has to have it.
fn put_together(old: &Column, ways: &[Way<'_>]) -> Result<String, ChangeError> {
    let names: Vec<&str> = ways.iter().map(|way| way.new.name.as_str()).collect();
    let parts = names.join("`, `");
    let mut found: Option<&str> = None;
    for way in ways {
        let Some((_, down)) = way.transition.down.first() else {
            continue;
        };
        let Some(text) = way.declared("down", Some(down))? else {
            continue;
        };
        if found.is_some_and(|found| found != text) {
            return Err(way.mistake(
                format!("`{parts}` give `{}` back in different ways", old.name),
                "Leave `down` out but at one of them".to_owned(),
            ));
        }
        found = Some(text);
        let used = way.check("down", text, &names)?;
        let missing = names
            .iter()
            .find(|name| !used.iter().any(|used| used == *name));
        if let Some(missing) = missing {
            return Err(way.mistake(
                format!(
                    "`down` does not name `{missing}`: what is written there could not be taken back into `{}`",
                    old.name
                ),
                format!("Put `{}` together out of all of `{parts}`", old.name),
            ));
        }
    }
    found.map(str::to_owned).ok_or_else(|| {
        ways[0].mistake(
            format!("`{}` is split into `{parts}`, and nothing puts it together again", old.name),
            format!(
                "Give it `down = \"…\"` over `{parts}`: code writes both sides while old and new instances run together"
            ),
        )
    })
}
