//! The words of a dialect that generated statements need: names, types, parameters, the fence.
//!
//! Comes in: names, columns. Goes out: fragments of SQL.
//! Must not know: statements.

use zdm_model::{Column, LogicalType, names};

use crate::dialect::{Dialect, ExpressionError, unbounded};

/// A dialect as generated statements see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'a> {
    dialect: &'a Dialect,
    /// Parameters carry a type that must be written out where nothing tells it.
    pub(super) typed: bool,
    /// Before the names of the control tables.
    control: &'static str,
}

impl<'a> Words<'a> {
    /// `None` for a dialect that no client speaks.
    pub(super) fn of(dialect: &'a Dialect) -> Option<Self> {
        match dialect.name() {
            "postgres" => Some(Self {
                dialect,
                typed: true,
                control: "zdm.",
            }),
            "sqlite" => Some(Self {
                dialect,
                typed: false,
                control: "zdm_",
            }),
            _ => None,
        }
    }

    pub(super) fn dialect(self) -> &'a Dialect {
        self.dialect
    }

    pub(super) fn ident(self, name: &str) -> String {
        self.dialect.ident(name)
    }

    /// What statements name as the table: the view in its place, under the table's name, where there is one.
    pub(super) fn rows(self, table: &str, view: Option<&str>) -> String {
        match view {
            None => self.relation(table),
            Some(view) => format!("{} AS {}", self.dialect.own(view), self.within(table)),
        }
    }

    /// A table, with its schema where it has one of its own.
    pub(super) fn relation(self, table: &str) -> String {
        self.dialect.relation(table)
    }

    /// What the table is called in a statement that is about it alone.
    pub(super) fn within(self, table: &str) -> String {
        self.ident(names::bare(table))
    }

    /// Puts texts in the place of the columns that an expression names.
    pub(super) fn bind(
        self,
        expression: &str,
        replacements: &[(&str, &str)],
    ) -> Result<String, ExpressionError> {
        self.dialect.bind(expression, replacements)
    }

    /// The condition under which a value of the column is this expression's.
    pub(super) fn agrees(self, column: &Column, left: &str, right: &str) -> String {
        self.dialect.agrees(column, left, right)
    }

    /// A subquery with the present epoch of a table.
    pub(super) fn fence(self, table: &str) -> String {
        let (control, table) = (self.control, self.dialect.literal(table));
        format!("(SELECT epoch FROM {control}fence WHERE table_name = {table})")
    }

    /// The number that an auto key without a value of its own would get.
    pub(super) fn next_number(self, table: &str, column: &str) -> String {
        if self.typed {
            let table = self.dialect.literal(&self.relation(table));
            let column = self.dialect.literal(column);
            format!("nextval(pg_get_serial_sequence({table}, {column}))")
        } else {
            "NULL".to_owned()
        }
    }

    /// Whether a migration is at a stage that compares both sides.
    pub(super) fn compares(self, migration: &str) -> String {
        self.is_at(migration, "IN ('shadow', 'live')")
    }

    /// Whether a migration is at the stage that writes both sides and reads new alone: back from `complete`, old is stale there.
    pub(super) fn reads_new(self, migration: &str) -> String {
        self.is_at(migration, "= 'ramp_down'")
    }

    fn is_at(self, migration: &str, stage: &str) -> String {
        let (control, migration) = (self.control, self.dialect.literal(migration));
        format!(
            "EXISTS (SELECT 1 FROM {control}stage WHERE migration = {migration} AND stage {stage})"
        )
    }

    /// A parameter whose type its surroundings do not tell.
    pub(super) fn typed_parameter(self, column: &Column, parameter: &str) -> String {
        if let Some(cast) = cast(column) {
            format!("{}({parameter})", self.dialect.own(cast))
        } else if self.typed {
            format!("CAST({parameter} AS {})", self.written_type(column))
        } else {
            parameter.to_owned()
        }
    }

    /// A parameter as its column would hold it. `SQLite`'s comparisons go by the affinity of columns, which a parameter has
    /// only where it is cast (manual, "Datatypes In SQLite", "Type Affinity"); other types' casts change values there.
    pub(super) fn stored_parameter(self, column: &Column, parameter: &str) -> String {
        const KEPT: [&str; 4] = ["integer", "real", "text", "blob"];
        let declared = self.dialect.type_of(column);
        let bare = self.dialect.uncollated_type_of(column);
        let collation = declared.trim().strip_prefix(bare.as_str());
        let collation = collation.unwrap_or_default();
        if self.typed || KEPT.contains(&unbounded(&bare).as_str()) {
            format!("CAST({parameter} AS {bare}){collation}")
        } else {
            format!("{parameter}{collation}")
        }
    }

    /// A parameter that is assigned to its column, or compared with it.
    pub(super) fn assigned_parameter(self, column: &Column, parameter: &str) -> String {
        if cast(column).is_none() && self.written_type(column) == self.encoded_type(column) {
            parameter.to_owned()
        } else {
            self.typed_parameter(column, parameter)
        }
    }

    /// A stored value in a select list. A list that names a `varchar(10)` breaks prepared statements when it becomes a
    /// `varchar(20)`; one that casts to the unbounded base type does not.
    pub(super) fn listed(self, column: &Column) -> String {
        self.listed_as(column, &self.ident(&column.name))
    }

    /// The same of a value that stands in another place than the column itself.
    pub(super) fn listed_as(self, column: &Column, name: &str) -> String {
        let own = [LogicalType::Custom, LogicalType::Enum].contains(&column.logical_type)
            && cast(column).is_none();
        if self.typed && column.sql_type.is_some() && !own {
            format!("{name}::{}", self.encoded_type(column))
        } else {
            name.to_owned()
        }
    }

    /// A computed value in a select list, as the field's type is decoded from it.
    pub(super) fn computed(self, column: &Column, expression: &str) -> String {
        if self.typed {
            format!("CAST({expression} AS {})", self.encoded_type(column))
        } else {
            expression.to_owned()
        }
    }

    /// A value as handwritten queries compare it with what they bind.
    pub(super) fn compared(self, column: &Column, expression: String) -> String {
        match cast(column) {
            Some(_) => self.computed(column, &expression),
            None => expression,
        }
    }

    /// The column's type without its bounds: a cast to `varchar(10)` would cut silently what an assignment refuses.
    pub(super) fn written_type(self, column: &Column) -> String {
        match &column.sql_type {
            Some(sql_type) if column.logical_type != LogicalType::Enum => unbounded(sql_type),
            _ => self.encoded_type(column),
        }
    }

    /// The type of a parameter that the field is bound to.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(super) fn bound_type(self, column: &Column) -> String {
        self.encoded_type(column)
    }

    /// The type that a client reads and writes the field as.
    pub(super) fn encoded_type(self, column: &Column) -> String {
        match (&column.sql_type, column.logical_type) {
            _ if cast(column).is_some() => self.dialect.type_name(LogicalType::Text).to_owned(),
            (_, LogicalType::Enum) => self.dialect.type_of(column),
            (Some(sql_type), LogicalType::Custom) => unbounded(sql_type),
            (_, logical) => self.dialect.type_name(logical).to_owned(),
        }
    }
}

/// The function that makes a value of the column of its text, where the name of its type goes over to another: statements
/// before and after would mean two types by it, so that values travel as texts.
pub(super) fn cast(column: &Column) -> Option<&str> {
    column.transition.as_ref()?.cast.as_deref()
}
