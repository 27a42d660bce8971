//! The calls of Rust functions that fill columns, for the derive, which has rustc look at them where they are declared.
//!
//! Must not know: what the functions do.

use syn::Path;

use crate::declaration::Declaration;

/// A call of the function that `with` names.
pub struct Call {
    /// The function, at the place of the attribute.
    pub path: Path,
    /// The column that it fills, as its place in the struct.
    pub column: usize,
    /// The columns that it takes, as places in the struct; `None` for one that goes, whose type only the version before knows.
    pub inputs: Vec<Option<usize>>,
    /// Something is said of values that it cannot convert.
    pub may_fail: bool,
}

impl Call {
    pub(crate) fn all(declaration: &Declaration) -> Vec<Self> {
        let place = |name: &str| {
            let found = declaration.field(name)?;
            let mut fields = declaration.fields.iter();
            fields.position(|field| field.ident == found.ident)
        };
        let fields = declaration.fields.iter().enumerate();
        let calls = fields.filter_map(|(column, field)| {
            let given = &field.attributes;
            let (with, from) = (given.with.as_ref()?, given.from.as_ref()?);
            let stays = given.replaced().is_none();
            let inputs = from.value.iter();
            let inputs = inputs.map(|input| place(&input.value).filter(|_| stays));
            Some(Self {
                path: with.value.path.clone(),
                column,
                inputs: inputs.collect(),
                may_fail: given.on_invalid.is_some(),
            })
        });
        calls.collect()
    }
}
