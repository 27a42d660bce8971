//! Writes into a struct what became of a column that is gone, and leaves every other byte alone.
//!
//! Comes in: the models, the column, what became of it. Goes out: the struct's file with one attribute more.
//! Must not know: who decided, what follows from it.

use syn::spanned::Spanned as _;
use syn::visit::Visit;
use syn::{ItemStruct, Visibility};

use super::{Options, PipelineError, code, finalize};
use crate::files::FileTree;
use crate::source::{FoundModel, Models};

/// What became of a column that no field has any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// This field holds its values.
    RenamedTo(String),
    /// Its values go.
    Dropped,
}

impl Fate {
    /// The attribute that says so.
    pub fn attribute(&self, column: &str) -> String {
        match self {
            Self::RenamedTo(_) => format!("#[zdm(renamed_from = {column:?})]"),
            Self::Dropped => format!("#[zdm(drops({column:?}))]"),
        }
    }
}

/// The file of the table's struct, relative to the root, with the attribute.
pub(crate) fn written(
    options: &Options,
    models: &Models,
    (table, column): (&str, &str),
    fate: &Fate,
) -> Result<FileTree, PipelineError> {
    let mut tree = FileTree::default();
    for model in models
        .models
        .iter()
        .filter(|model| model.table_name == table)
    {
        let text = code::text(&model.file)?.unwrap_or_default();
        let changed = with_attribute(&text, model, column, fate).map_err(|error| {
            PipelineError::UserSource {
                file: model.file.clone(),
                reason: error.to_string(),
            }
        })?;
        tree.insert(finalize::relative(&options.root, &model.file), changed);
    }
    Ok(tree)
}

/// The attribute goes behind those that are there already, on a line of its own where its neighbours have one.
fn with_attribute(
    text: &str,
    model: &FoundModel,
    column: &str,
    fate: &Fate,
) -> syn::Result<String> {
    let file = syn::parse_file(text)?;
    let mut place = Place {
        model,
        fate,
        at: None,
    };
    place.visit_file(&file);
    let Some(at) = place.at else {
        let missing = match fate {
            Fate::RenamedTo(field) => format!("`{}` has no field `{field}`", model.ident),
            Fate::Dropped => format!("there is no struct `{}`", model.ident),
        };
        return Err(syn::Error::new_spanned(&file, missing));
    };
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let before = &text[line..at];
    let separator = if before.trim().is_empty() {
        let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        format!("{end}{before}")
    } else {
        " ".to_owned()
    };
    let attribute = fate.attribute(column);
    let (head, tail) = text.split_at(at);
    Ok(format!("{head}{attribute}{separator}{tail}"))
}

/// Where the attribute goes: before the first word that is none.
struct Place<'a> {
    model: &'a FoundModel,
    fate: &'a Fate,
    at: Option<usize>,
}

impl Visit<'_> for Place<'_> {
    fn visit_item_struct(&mut self, found: &ItemStruct) {
        let same_line = found.ident.span().start().line == self.model.line;
        if found.ident != self.model.ident || !same_line {
            return;
        }
        self.at = match self.fate {
            Fate::Dropped => Some(start(&found.vis, found.struct_token.span())),
            Fate::RenamedTo(wanted) => found
                .fields
                .iter()
                .filter_map(|field| Some((field, field.ident.as_ref()?)))
                .find(|(_, ident)| bare(&ident.to_string()) == bare(wanted))
                .map(|(field, ident)| start(&field.vis, ident.span())),
        };
    }
}

fn bare(name: &str) -> &str {
    name.trim_start_matches("r#")
}

fn start(visibility: &Visibility, word: proc_macro2::Span) -> usize {
    let first = match visibility {
        Visibility::Inherited => word,
        written => written.span(),
    };
    first.byte_range().start
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(line: usize) -> FoundModel {
        FoundModel {
            table_name: "users".to_owned(),
            ident: "User".to_owned(),
            crate_path: "crate::User".to_owned(),
            package: "shop".to_owned(),
            root_file: "src/lib.rs".into(),
            way: Vec::new(),
            file: "src/lib.rs".into(),
            line,
            visibility: "pub".to_owned(),
            skipped_fields: Vec::new(),
            version: None,
            conditions: Vec::new(),
        }
    }

    fn renamed(field: &str) -> Fate {
        Fate::RenamedTo(field.to_owned())
    }

    const TEXT: &str = r"mod other { struct User { full_name: String } }
// A comment — with an é.
/// A user.
#[derive(Migratable)]
pub(crate) struct User {
    id:   i64, // odd   spacing
    /// Both names.
    #[zdm(index)]
    pub full_name: String,
    #[zdm(unique)] r#type: i32,
}
";

    #[test]
    fn a_rename_stands_on_the_field_and_every_other_byte_stays() {
        let written = with_attribute(TEXT, &model(5), "name", &renamed("full_name")).unwrap();
        let line = "    #[zdm(renamed_from = \"name\")]\n    pub full_name";
        assert_eq!(written, TEXT.replace("    pub full_name", line));
        let written = with_attribute(TEXT, &model(5), "kind", &renamed("type")).unwrap();
        let word = "#[zdm(renamed_from = \"kind\")] r#type";
        assert_eq!(written, TEXT.replace("r#type", word));
    }

    #[test]
    fn a_drop_stands_on_the_struct() {
        let written = with_attribute(TEXT, &model(5), "name", &Fate::Dropped).unwrap();
        let line = "#[zdm(drops(\"name\"))]\npub(crate) struct User";
        assert_eq!(written, TEXT.replace("pub(crate) struct User", line));
    }

    #[test]
    fn lines_end_as_the_file_s_own() {
        let text = TEXT.replace('\n', "\r\n");
        let written = with_attribute(&text, &model(5), "name", &Fate::Dropped).unwrap();
        assert!(written.contains("#[zdm(drops(\"name\"))]\r\npub(crate)"));
    }

    #[test]
    fn a_struct_that_moved_meanwhile_is_not_guessed() {
        with_attribute(TEXT, &model(7), "name", &Fate::Dropped).unwrap_err();
        with_attribute(TEXT, &model(5), "name", &renamed("nick")).unwrap_err();
    }
}
