//! A Rust function in an attribute: `with = "crate::phone::normalize"`.
//!
//! Comes in: the input behind `with`. Goes out: its path, whose every part stands where the text stands.
//! Must not know: whether there is such a function; rustc does.

use syn::parse::ParseStream;
use syn::{Ident, LitStr, Path, PathArguments};

use super::values::{content, literal};

/// A function by its path.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) path: Path,
    /// The path as it is written, without spaces.
    pub(crate) text: String,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.text.fmt(f)
    }
}

impl Function {
    /// `= "crate::path::to::function"`.
    pub(super) fn read(word: &Ident, input: ParseStream) -> syn::Result<Self> {
        let literal: LitStr = literal(word, input)?;
        let text = content(&literal)?.replace(' ', "");
        let wrong = |problem: &str| {
            syn::Error::new(
                literal.span(),
                format!("{problem}: `{word} = \"crate::phone::normalize\"`"),
            )
        };
        let path: Path = literal
            .parse()
            .map_err(|_| wrong("expected the path of a function"))?;
        let of_crate = path.leading_colon.is_some()
            || path
                .segments
                .first()
                .is_some_and(|first| first.ident == "crate");
        if !of_crate || path.segments.len() < 2 {
            return Err(wrong(
                "generated code calls the function from another module, so its path begins with `crate::`, or with `::` and the \
                 name of another crate",
            ));
        }
        let mut parts = path.segments.iter();
        if parts.any(|part| !matches!(part.arguments, PathArguments::None)) {
            return Err(wrong(
                "the function is named without type parameters; give one that has none",
            ));
        }
        Ok(Self { path, text })
    }
}
