//! What `use` declares in a module.
//!
//! Comes in: the tree of a `use`. Goes out: names in a [`Module`].
//! Must not know: what the paths lead to.

use syn::ext::IdentExt;
use syn::{Ident, UseTree};

use super::scan::{Module, Name};

/// The derive that an import gives another name, under which models would be passed over.
pub(super) fn renamed(tree: &UseTree) -> Option<&Ident> {
    match tree {
        UseTree::Path(tree) => renamed(&tree.tree),
        UseTree::Group(group) => group.items.iter().find_map(renamed),
        UseTree::Rename(tree) => {
            let derive = tree.ident == "Migratable" || tree.ident == "MigratableEnum";
            (derive && tree.rename != "_").then_some(&tree.ident)
        }
        UseTree::Name(_) | UseTree::Glob(_) => None,
    }
}

/// Adds to a module what a `use` names.
pub(super) fn import(module: &mut Module, tree: &UseTree, mut path: Vec<String>, visible: bool) {
    match tree {
        UseTree::Path(tree) => {
            path.push(tree.ident.unraw().to_string());
            import(module, &tree.tree, path, visible);
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                import(module, tree, path.clone(), visible);
            }
        }
        UseTree::Glob(_) => module.globs.push((path, visible)),
        UseTree::Name(name) => {
            let name = name.ident.unraw().to_string();
            if name != "self" {
                path.push(name);
            }
            if let Some(last) = path.last().cloned() {
                module.names.insert(last, Name::Import { path, visible });
            }
        }
        UseTree::Rename(rename) => {
            if rename.ident != "self" {
                path.push(rename.ident.unraw().to_string());
            }
            let name = rename.rename.unraw().to_string();
            module.names.insert(name, Name::Import { path, visible });
        }
    }
}
