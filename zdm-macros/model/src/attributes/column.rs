//! The words on a field.
//!
//! Comes in: a field's attributes. Goes out: [`ColumnAttributes`].
//! Must not know: the field's type, the other fields.

use syn::parse::ParseStream;
use syn::{Attribute, Ident};

use super::expression::{self, Down};
use super::function::Function;
use super::values::{self, Reference};
use super::{Errors, Given, keep, read_attributes, vocabulary};
use crate::{Counted, Expression, MovedFrom, OnInvalid};

/// What a field's `#[zdm(…)]` says.
#[derive(Debug, Clone, Default)]
pub(crate) struct ColumnAttributes {
    pub(crate) primary_key: Option<Given<()>>,
    /// `auto` or `auto = "always"`.
    pub(crate) auto: Option<Given<Option<Counted>>>,
    pub(crate) column: Option<Given<String>>,
    pub(crate) sql_type: Option<Given<String>>,
    pub(crate) collation: Option<Given<String>>,
    pub(crate) comment: Option<Given<String>>,
    pub(crate) default: Option<Given<String>>,
    pub(crate) generated: Option<Given<String>>,
    pub(crate) is_virtual: Option<Given<()>>,
    pub(crate) skip: Option<Given<()>>,
    pub(crate) version: Option<Given<()>>,
    pub(crate) unique: Option<Given<()>>,
    /// `index` or `index = "name"`.
    pub(crate) index: Option<Given<Option<String>>>,
    pub(crate) references: Option<Given<Reference>>,
    pub(crate) on_delete: Option<Given<String>>,
    pub(crate) on_update: Option<Given<String>>,
    pub(crate) renamed_from: Option<Given<String>>,
    /// `moved_from = "addresses.town"`: the column of another table, which stays.
    pub(crate) moved_from: Option<Given<MovedFrom>>,
    pub(crate) final_name: Option<Given<String>>,
    pub(crate) from: Option<Given<Vec<Given<String>>>>,
    pub(crate) up: Option<Given<Expression>>,
    pub(crate) with: Option<Given<Function>>,
    pub(crate) down: Option<Given<Down>>,
    pub(crate) one_way: Option<Given<()>>,
    pub(crate) valid_if: Option<Given<Expression>>,
    pub(crate) on_invalid: Option<Given<OnInvalid>>,
    /// `up_loses("leading zeros")`: kinds of values that do not come back, which is known and meant.
    pub(crate) up_loses: Option<Given<Vec<Given<String>>>>,
    pub(crate) down_loses: Option<Given<Vec<Given<String>>>>,
}

impl ColumnAttributes {
    /// Reads a field's attributes.
    pub(crate) fn read(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut column = Self::default();
        read_attributes(attributes, errors, |word, input| column.word(word, input));
        column
    }

    /// The columns that it replaces. What a function takes stays, unless something is said of the way back.
    pub(crate) fn replaced(&self) -> Option<&Given<Vec<Given<String>>>> {
        let stays = self.with.is_some() && self.down.is_none() && self.one_way.is_none();
        self.from.as_ref().filter(|_| !stays)
    }

    /// Whether no word was given.
    pub(crate) fn is_empty(&self) -> bool {
        let Self {
            primary_key,
            auto,
            column,
            sql_type,
            collation,
            comment,
            default,
            generated,
            is_virtual,
            skip,
            version,
            unique,
            index,
            references,
            on_delete,
            on_update,
            renamed_from,
            moved_from,
            final_name,
            from,
            up,
            with,
            down,
            one_way,
            valid_if,
            on_invalid,
            up_loses,
            down_loses,
        } = self;
        [primary_key, is_virtual, skip, version, unique, one_way]
            .iter()
            .all(|flag| flag.is_none())
            && [column, sql_type, default, generated]
                .iter()
                .all(|text| text.is_none())
            && [
                collation,
                comment,
                on_delete,
                on_update,
                renamed_from,
                final_name,
            ]
            .iter()
            .all(|text| text.is_none())
            && [up, valid_if].iter().all(|expression| expression.is_none())
            && auto.is_none()
            && index.is_none()
            && references.is_none()
            && moved_from.is_none()
            && [from, up_loses, down_loses]
                .iter()
                .all(|names| names.is_none())
            && with.is_none()
            && down.is_none()
            && on_invalid.is_none()
    }

    fn word(&mut self, word: &Ident, input: ParseStream) -> syn::Result<()> {
        use expression::{down, expression, on_invalid};
        use values::{action, names, reference, text};
        match word.to_string().as_str() {
            "primary_key" => keep(&mut self.primary_key, word, ()),
            "auto" if input.peek(syn::Token![=]) => {
                keep(&mut self.auto, word, Some(values::counted(word, input)?))
            }
            "auto" => keep(&mut self.auto, word, None),
            "skip" => keep(&mut self.skip, word, ()),
            "version" => keep(&mut self.version, word, ()),
            "unique" => keep(&mut self.unique, word, ()),
            "column" => keep(&mut self.column, word, text(word, input)?),
            "sql_type" => keep(&mut self.sql_type, word, text(word, input)?),
            "collation" => keep(&mut self.collation, word, text(word, input)?),
            "comment" => keep(&mut self.comment, word, values::comment(word, input)?),
            "default" => keep(&mut self.default, word, text(word, input)?),
            "generated" => keep(&mut self.generated, word, text(word, input)?),
            "virtual" => keep(&mut self.is_virtual, word, ()),
            "renamed_from" => keep(&mut self.renamed_from, word, text(word, input)?),
            "moved_from" => keep(&mut self.moved_from, word, values::moved_from(word, input)?),
            "final_name" => keep(&mut self.final_name, word, text(word, input)?),
            "index" if input.peek(syn::Token![=]) => {
                keep(&mut self.index, word, Some(text(word, input)?))
            }
            "index" => keep(&mut self.index, word, None),
            "references" => keep(&mut self.references, word, reference(word, input)?),
            "on_delete" => keep(&mut self.on_delete, word, action(word, input)?),
            "on_update" => keep(&mut self.on_update, word, action(word, input)?),
            "from" => keep(&mut self.from, word, names(word, input)?),
            "up" => keep(&mut self.up, word, expression(word, input)?),
            "with" => keep(&mut self.with, word, Function::read(word, input)?),
            "down" => keep(&mut self.down, word, down(word, input)?),
            "one_way" => keep(&mut self.one_way, word, ()),
            "valid_if" => keep(&mut self.valid_if, word, expression(word, input)?),
            "on_invalid" => keep(&mut self.on_invalid, word, on_invalid(word, input)?),
            "up_loses" => keep(&mut self.up_loses, word, names(word, input)?),
            "down_loses" => keep(&mut self.down_loses, word, names(word, input)?),
            _ => Err(vocabulary::unknown(
                word,
                &vocabulary::COLUMN,
                Some((&vocabulary::TABLE, "the struct, not on a field")),
            )),
        }
    }
}
