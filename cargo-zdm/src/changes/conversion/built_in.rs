//! What is missing is built in where nothing is lost on the way up.

use zdm_model::Column;
use zdm_runtime::manifest::BuiltIn;

use super::Way;
use crate::changes::ChangeError;
use crate::dialect::widens_text;

/// The two halves with the text of the comparison, over bare column names.
pub(super) struct Halves {
    pub(super) up: String,
    pub(super) down: Vec<String>,
    pub(super) consistent: String,
    /// What the way down loses of a value that it accepts.
    pub(super) down_loses: Option<String>,
}

impl Way<'_> {
    /// Both halves of a conversion that loses nothing on the way up, where there is one.
    pub(super) fn built_in(&self) -> Option<Halves> {
        let [old] = self.old else {
            return None;
        };
        let dialect = self.context.dialect;
        let (from, to) = (self.ident(&old.name), self.ident(&self.new.name));
        let (old_type, new_type) = (dialect.type_of(old), dialect.type_of(self.new));
        let same = old.logical_type == self.new.logical_type
            && (old_type.eq_ignore_ascii_case(&new_type) || widens_text(&old_type, &new_type));
        if same {
            let widened = !old_type.eq_ignore_ascii_case(&new_type);
            return Some(Halves {
                down_loses: dialect.widened_text_loses().filter(|_| widened),
                consistent: dialect.identical(old, self.new),
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
            down_loses: dual.loses.clone(),
        })
    }

    /// What is proved where both halves are the built-in ones, declared or not.
    pub(super) fn proved(&self, halves: &Halves, up: &str, down: &[String]) -> Option<BuiltIn> {
        let [old] = self.old else {
            return None;
        };
        let null_has_a_place = self.new.nullable || !old.nullable;
        let is_built_in = halves.up == up && halves.down == down;
        (is_built_in && null_has_a_place && self.transition.on_invalid.is_none()).then(|| BuiltIn {
            refuses: self.new.nullable != old.nullable || !self.is_same_type(old),
            down_loses: halves.down_loses.clone(),
            up_loses: None,
        })
    }

    fn is_same_type(&self, old: &Column) -> bool {
        let type_of = |column| self.context.dialect.type_of(column);
        old.logical_type == self.new.logical_type
            && type_of(old).eq_ignore_ascii_case(&type_of(self.new))
    }

    /// A half that is not declared: built in, and not stopped by a NULL that the other side refuses.
    pub(super) fn built_in_half(&self, half: Option<&str>) -> Result<String, ChangeError> {
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
                 new instances run together, so both are needed; where nothing computes old from new: `one_way` instead of `down`",
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
}
