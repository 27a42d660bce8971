//! From a transition's attributes to the three expressions of a pair: `up`, `down` and whether a row's sides agree.
//!
//! What is missing is built in where nothing is lost on the way up.

use zdm_model::{Column, Expression, LogicalType, OnInvalid, Table, Transition};

use super::expressions::Written;
use super::{ChangeError, Context};
use crate::diff::Place;
use crate::plan::{Function, Pair};

/// A pair, and the function that its `up` calls.
pub(super) struct Conversion {
    pub(super) pair: Pair,
    pub(super) function: Option<Function>,
}

/// One column on its way from old to new.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) at: &'a Place,
    pub(super) table: &'a Table,
    pub(super) old: &'a [Column],
    pub(super) new: &'a Column,
    pub(super) transition: &'a Transition,
}

/// The two halves with the text of the comparison, over bare column names.
struct Halves {
    up: String,
    down: Vec<String>,
    consistent: String,
}

impl Way<'_> {
    /// The pair of a column that replaces others.
    pub(super) fn replacing(self) -> Result<Conversion, ChangeError> {
        let built_in = self.built_in();
        let up = match self.declared("up", self.transition.up.as_ref())? {
            Some(up) => up.to_owned(),
            None => self.built_in_half(built_in.as_ref().map(|halves| halves.up.as_str()))?,
        };
        let names: Vec<&str> = self.old.iter().map(|column| column.name.as_str()).collect();
        self.check("up", &up, &names)?;
        let mut down = Vec::new();
        for (index, old) in self.old.iter().enumerate() {
            let attribute = format!("down({} = …)", old.name);
            let declared = self
                .transition
                .down
                .iter()
                .find(|(name, _)| *name == old.name);
            let text =
                if let Some(text) = self.declared(&attribute, declared.map(|(_, text)| text))? {
                    text.to_owned()
                } else {
                    let half = built_in.as_ref().and_then(|halves| halves.down.get(index));
                    self.built_in_half(half.map(String::as_str))?
                };
            self.check(&attribute, &text, &[&self.new.name])?;
            down.push(text);
        }
        if let Some((name, _)) = self
            .transition
            .down
            .iter()
            .find(|(name, _)| !names.contains(&name.as_str()))
        {
            return Err(self.mistake(
                format!("`down` gives a value for `{name}`, which it does not replace"),
                format!("It replaces `{}`", names.join("`, `")),
            ));
        }
        let (up, function) = self.total(up)?;
        let consistent = match built_in {
            Some(halves) if self.transition.up.is_none() && self.transition.down.is_empty() => {
                halves.consistent
            }
            _ => self.either_way(&up, &down),
        };
        Ok(Conversion {
            pair: self.pair(up, down, consistent),
            function,
        })
    }

    /// The pair of a column that `up` fills.
    pub(super) fn filling(self) -> Result<Conversion, ChangeError> {
        let Some(up) = self.declared("up", self.transition.up.as_ref())? else {
            return Err(self.mistake(
                "nothing says what existing rows carry".to_owned(),
                "Give it `up = \"…\"` over the row's other columns".to_owned(),
            ));
        };
        if self.new.nullable {
            return Err(self.mistake(
                "`up` fills an `Option`: a NULL that code writes could not be told from a row that waits to be filled"
                    .to_owned(),
                "Make the field no `Option`, or leave `up` out and let existing rows be NULL".to_owned(),
            ));
        }
        let stays: Vec<&str> = self
            .table
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .filter(|name| !self.context.goes(&self.table.name, name))
            .collect();
        self.check("up", up, &stays)?;
        let (up, function) = self.total(up.to_owned())?;
        let consistent = format!("{} IS NOT NULL", self.ident(&self.new.name));
        Ok(Conversion {
            pair: self.pair(up, Vec::new(), consistent),
            function,
        })
    }

    fn pair(&self, up: String, down: Vec<String>, consistent: String) -> Pair {
        Pair {
            table: self.table.name.clone(),
            key: self.table.key_columns().cloned().collect(),
            new: self.new.clone(),
            old: self.old.to_vec(),
            up,
            down,
            consistent,
            on_invalid: self.transition.on_invalid.clone(),
            optional: self.new.nullable,
        }
    }

    fn ident(&self, name: &str) -> String {
        self.context.dialect.ident(name)
    }

    fn subject(&self) -> String {
        format!("{}.{}", self.table.name, self.new.name)
    }

    fn mistake(&self, problem: String, way_on: String) -> ChangeError {
        ChangeError::Declaration {
            at: Box::new(self.at.clone()),
            subject: self.subject(),
            problem,
            way_on,
        }
    }

    fn check(
        &self,
        attribute: &str,
        text: &str,
        allowed: &[&str],
    ) -> Result<Vec<String>, ChangeError> {
        let subject = self.subject();
        let written = Written {
            at: self.at,
            subject: &subject,
            attribute,
            text,
        };
        written.is_steady(self.context.dialect)?;
        written.names_only(self.context.dialect, allowed)
    }

    fn declared<'b>(
        &self,
        attribute: &str,
        expression: Option<&'b Expression>,
    ) -> Result<Option<&'b str>, ChangeError> {
        let dialect = self.context.dialect.name();
        match expression {
            None => Ok(None),
            Some(expression) => expression.for_dialect(dialect).map(Some).ok_or_else(|| {
                self.mistake(
                    format!("`{attribute}` is not given for {dialect}"),
                    format!("Add `{dialect} = \"…\"` to it"),
                )
            }),
        }
    }

    /// Both halves of a conversion that loses nothing on the way up, where there is one.
    fn built_in(&self) -> Option<Halves> {
        let [old] = self.old else {
            return None;
        };
        let dialect = self.context.dialect;
        let (from, to) = (self.ident(&old.name), self.ident(&self.new.name));
        let (old_type, new_type) = (dialect.type_of(old), dialect.type_of(self.new));
        let same = old.logical_type == self.new.logical_type
            && (old_type.eq_ignore_ascii_case(&new_type) || widens_text(&old_type, &new_type));
        if same {
            return Some(Halves {
                consistent: format!("{to} IS NOT DISTINCT FROM {from}"),
                up: from,
                down: vec![to],
            });
        }
        if old.sql_type.is_some() || self.new.sql_type.is_some() {
            return None;
        }
        let dual = dialect.lossless(old.logical_type, self.new.logical_type)?;
        let put = |text: &str| text.replace("{old}", &from).replace("{new}", &to);
        let up = put(&dual.up);
        let consistent = match &dual.compare {
            None => format!("{to} IS NOT DISTINCT FROM {up}"),
            Some(compare) => format!("({to} IS NOT DISTINCT FROM {up} OR {})", put(compare)),
        };
        Some(Halves {
            up,
            down: vec![put(&dual.down)],
            consistent,
        })
    }

    /// A half that is not declared: built in, and not stopped by a NULL that the other side refuses.
    fn built_in_half(&self, half: Option<&str>) -> Result<String, ChangeError> {
        let old: Vec<&str> = self.old.iter().map(|column| column.name.as_str()).collect();
        let suggestion = || {
            let down: Vec<String> = old.iter().map(|name| format!("{name} = \"…\"")).collect();
            let down = if let [_] = old[..] {
                "down = \"…\"".to_owned()
            } else {
                format!("down({})", down.join(", "))
            };
            format!(
                "Declare both: `up = \"…\"` over `{}`, and `{down}` over `{}`. Code writes both sides while old and \
                 new instances run together, so both are needed",
                old.join("`, `"),
                self.new.name
            )
        };
        let Some(half) = half else {
            return Err(self.mistake(
                format!(
                    "no conversion between `{}` and it is built in",
                    old.join("`, `")
                ),
                suggestion(),
            ));
        };
        let Some(source) = self.old.first() else {
            return Ok(half.to_owned());
        };
        match (source.nullable, self.new.nullable) {
            (true, false) if self.transition.up.is_none() => Err(self.mistake(
                format!("`{}` may be NULL, but it may not", source.name),
                format!(
                    "Say what NULL becomes, both ways: `up = \"coalesce({}, …)\"`, `down = \"{}\"`; or make the field \
                     an `Option`",
                    source.name, self.new.name
                ),
            )),
            (false, true) if self.transition.down.is_empty() => Err(self.mistake(
                format!("it may be NULL, but `{}`, which old code reads, may not", source.name),
                format!(
                    "Say what NULL becomes for old code: `up = \"{}\"`, `down = \"coalesce({}, …)\"`",
                    source.name, self.new.name
                ),
            )),
            _ => Ok(half.to_owned()),
        }
    }

    /// Agreement by either direction: neither side has to be able to express all of the other.
    fn either_way(&self, up: &str, down: &[String]) -> String {
        let new = self.ident(&self.new.name);
        let back: Vec<String> = self
            .old
            .iter()
            .zip(down)
            .map(|(old, down)| {
                format!(
                    "{} IS NOT DISTINCT FROM {}",
                    self.ident(&old.name),
                    operand(down)
                )
            })
            .collect();
        let back = if let [one] = &back[..] {
            one.clone()
        } else {
            format!("({})", back.join(" AND "))
        };
        format!("({new} IS NOT DISTINCT FROM {} OR {back})", operand(up))
    }

    /// Makes `up` total, as `valid_if` and `on_invalid` say: by a function where the database has such, else by a CASE.
    fn total(&self, up: String) -> Result<(String, Option<Function>), ChangeError> {
        let transition = self.transition;
        let valid_if = self.declared("valid_if", transition.valid_if.as_ref())?;
        let Some(on_invalid) = &transition.on_invalid else {
            self.needs_no_rule(valid_if)?;
            return Ok((up, None));
        };
        let (invalid, needs_option) = match on_invalid {
            OnInvalid::Quarantine | OnInvalid::Null => ("NULL", true),
            OnInvalid::Reject => ("NULL", false),
            OnInvalid::Default(default) => {
                self.check("on_invalid", default, &[])?;
                (default.as_str(), false)
            }
        };
        if needs_option && !self.new.nullable {
            return Err(self.mistake(
                "rows that cannot be converted carry NULL, but the field is no `Option`".to_owned(),
                "Make it an `Option`, or choose `on_invalid = default(\"…\")` or `\"reject\"`"
                    .to_owned(),
            ));
        }
        let mut inputs: Vec<&str> = self.old.iter().map(|column| column.name.as_str()).collect();
        if inputs.is_empty() {
            inputs = self
                .table
                .columns
                .iter()
                .map(|column| column.name.as_str())
                .collect();
        }
        let mut named = self.check("up", &up, &inputs)?;
        if let Some(valid_if) = valid_if {
            named.extend(self.check("valid_if", valid_if, &inputs)?);
        }
        if self.context.dialect.capabilities().total_functions {
            inputs.retain(|name| named.iter().any(|column| column == name));
            return Ok(self.function(&up, &inputs, valid_if, invalid));
        }
        let Some(valid_if) = valid_if else {
            return Err(self.mistake(
                format!(
                    "{} converts what it cannot read without an error, so nothing would be found invalid",
                    self.context.dialect.vendor()
                ),
                "Give it `valid_if = \"…\"`: the condition under which `up` gives the right value".to_owned(),
            ));
        };
        let total = format!("CASE WHEN ({valid_if}) IS FALSE THEN {invalid} ELSE {up} END");
        Ok((total, None))
    }

    fn needs_no_rule(&self, valid_if: Option<&str>) -> Result<(), ChangeError> {
        let rules =
            "Add `on_invalid = \"quarantine\"`, `\"null\"`, `default(\"…\")` or `\"reject\"`"
                .to_owned();
        if valid_if.is_some() {
            return Err(self.mistake(
                "`valid_if` tells which values `up` cannot convert, but nothing says what becomes of them".to_owned(),
                rules,
            ));
        }
        let reads_text = self
            .old
            .iter()
            .any(|old| old.logical_type == LogicalType::Text);
        let silent = !self.context.dialect.capabilities().total_functions;
        if silent && reads_text && is_number(self.new.logical_type) {
            return Err(self.mistake(
                format!(
                    "{} casts a text that is no number to 0 without an error",
                    self.context.dialect.vendor()
                ),
                format!("Give it `valid_if = \"…\"`, the condition under which `up` gives the right value. {rules}"),
            ));
        }
        Ok(())
    }

    fn function(
        &self,
        up: &str,
        inputs: &[&str],
        valid_if: Option<&str>,
        invalid: &str,
    ) -> (String, Option<Function>) {
        let dialect = self.context.dialect;
        let name = function_name(self.context.id, &self.table.name, &self.new.name);
        let parameters = inputs
            .iter()
            .filter_map(|name| self.table.column(name))
            .map(|column| (column.name.clone(), dialect.type_of(column)))
            .collect();
        let arguments: Vec<String> = inputs.iter().map(|name| self.ident(name)).collect();
        let call = format!("zdm.{}({})", dialect.ident(&name), arguments.join(", "));
        let function = Function {
            name,
            parameters,
            returns: dialect.type_of(self.new),
            expression: up.to_owned(),
            valid_if: valid_if.map(str::to_owned),
            invalid: invalid.to_owned(),
        };
        (call, Some(function))
    }
}

/// The longest identifier that PostgreSQL does not cut (manual, "Identifiers and Key Words").
const LONGEST_IDENTIFIER: usize = 63;

fn function_name(id: &str, table: &str, column: &str) -> String {
    let full = format!("{id}_{table}_{column}_up");
    if full.len() <= LONGEST_IDENTIFIER {
        return full;
    }
    let hash = blake3::hash(full.as_bytes()).to_hex();
    format!("{id}_{}_up", &hash.as_str()[..16])
}

fn is_number(logical: LogicalType) -> bool {
    matches!(
        logical,
        LogicalType::Bool
            | LogicalType::Int2
            | LogicalType::Int4
            | LogicalType::Int8
            | LogicalType::Float4
            | LogicalType::Float8
    )
}

/// `varchar(50)` fits into `varchar(255)` and `text`.
fn widens_text(old: &str, new: &str) -> bool {
    match (text_length(old), text_length(new)) {
        (Some(old), Some(new)) => new >= old,
        _ => false,
    }
}

fn text_length(sql_type: &str) -> Option<u64> {
    let name = sql_type.trim().to_ascii_lowercase();
    if name == "text" || name == "varchar" || name == "character varying" {
        return Some(u64::MAX);
    }
    let length = name
        .strip_prefix("varchar")
        .or_else(|| name.strip_prefix("character varying"))?;
    let length = length.trim().strip_prefix('(')?.strip_suffix(')')?;
    length.trim().parse().ok()
}

/// In parentheses unless it is a name, a call or a CASE by itself.
fn operand(expression: &str) -> String {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '"');
    let rest = expression.trim_start_matches(word);
    let is_name = rest.is_empty();
    let is_call = rest.len() < expression.len() && closes_at_end(rest);
    if is_name || is_call {
        expression.to_owned()
    } else {
        format!("({expression})")
    }
}

/// Whether the text is one pair of parentheses with what stands between them. Texts with quotes are not looked into.
fn closes_at_end(text: &str) -> bool {
    if !text.starts_with('(') || text.contains('\'') {
        return false;
    }
    let mut depth = 0_usize;
    for (position, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return position + 1 == text.len();
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operands_stand_in_parentheses_where_they_have_to() {
        for (expression, expected) in [
            ("age", "age"),
            ("\"Age\"", "\"Age\""),
            ("CAST(age AS integer)", "CAST(age AS integer)"),
            ("zdm.\"1_up\"(age)", "zdm.\"1_up\"(age)"),
            ("a || b", "(a || b)"),
            ("lower(a) || lower(b)", "(lower(a) || lower(b))"),
            ("coalesce(a, ')')", "(coalesce(a, ')'))"),
        ] {
            assert_eq!(operand(expression), expected);
        }
    }

    #[test]
    fn text_widens_into_longer_text_only() {
        assert!(widens_text("varchar(50)", "text"));
        assert!(widens_text("VARCHAR(50)", "character varying(50)"));
        assert!(!widens_text("text", "varchar(255)"));
        assert!(!widens_text("char(3)", "text"));
    }

    #[test]
    fn long_function_names_stay_distinct() {
        let long = "x".repeat(60);
        let one = function_name("0123456789ab", &long, "a");
        let two = function_name("0123456789ab", &long, "b");
        assert!(one.len() <= LONGEST_IDENTIFIER && one != two);
    }
}
