//! Files that `include!("…")` puts into a module.
//!
//! Comes in: the macro call. Goes out: what the file holds, as if it stood in the module.
//! Must not know: what is a model.

use camino::Utf8Path;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprLit, ItemMacro, Lit};

use super::item_attributes::under_conditions;
use super::module_tree::Place;
use super::scan::{Module, Pending, Reader, Scan};

/// No chain of `include!` is longer.
const LONGEST_CHAIN: usize = 16;

/// The file of `include!("…")`. A path that another macro makes is known to the compiler alone.
pub(super) fn path(item: &ItemMacro) -> Option<String> {
    let name = &item.mac.path.segments.last()?.ident;
    match item.mac.parse_body::<Expr>() {
        Ok(Expr::Lit(ExprLit {
            lit: Lit::Str(path),
            ..
        })) if name == "include" => Some(path.value()),
        _ => None,
    }
}

impl Reader<'_> {
    /// Reads a file that stands in the module as if it were written there.
    pub(super) fn include(
        &self,
        scan: &mut Scan,
        item: &ItemMacro,
        path: &str,
        module: &mut Module,
    ) {
        let Some(mut context) = under_conditions(&item.attrs, &module.context) else {
            return;
        };
        let refused = |reason: &str| {
            let message = format!("the included file `{path}` cannot be read: {reason}");
            self.source.at(item.mac.tokens.span(), message)
        };
        if self.depth == LONGEST_CHAIN {
            let circle = "the files include each other in a circle";
            scan.diagnostics.push(refused(circle));
            return;
        }
        let folder = self.pending.file.parent();
        let pending = Pending {
            file: folder.unwrap_or(Utf8Path::new("")).join(path),
            ..self.pending.clone()
        };
        let reader = match Reader::open(&pending, self.project, self.depth + 1) {
            Ok(Some(reader)) => reader,
            Ok(None) => return,
            // The compiler does not miss a file that is switched off.
            Err(_) if !context.conditions.is_empty() => return,
            Err(error) => {
                scan.diagnostics.push(refused(&error.to_string()));
                return;
            }
        };
        context.way.push(self.pending.file.clone());
        let items = reader.parse(scan);
        let around = std::mem::replace(&mut module.context, context);
        let place = Place::of_file(&pending.file, true);
        reader.items(scan, items, module, &place);
        module.context = around;
    }
}
