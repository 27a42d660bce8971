//! The walk through a file's syntax.
//!
//! Comes in: syntax. Goes out: what each node holds, told to the [`Reader`].
//! Must not know: how texts are put together.

use std::collections::HashSet;

use syn::ext::IdentExt as _;
use syn::visit::{self, Visit};
use syn::{
    BinOp, Expr, ExprCall, ExprMethodCall, ImplItemConst, ImplItemFn, ItemConst, ItemFn, ItemMod,
    ItemStatic, ItemStruct, ItemUse, LitStr, Local, Macro, Pat, TraitItemFn,
};

use super::{How, Reader};
use crate::references::{diesel, macros};
use crate::source::is_for_tests;

/// The last name of a function's path; of `QueryBuilder::new` the type's.
pub(super) fn name_of(function: &Expr) -> String {
    let Expr::Path(path) = function else {
        return String::new();
    };
    let mut segments = path.path.segments.iter().rev();
    let last = segments.next().map(|last| last.ident.to_string());
    match last.as_deref() {
        Some("new") => segments
            .next()
            .map(|owner| owner.ident.to_string())
            .unwrap_or_default(),
        last => last.unwrap_or_default().to_owned(),
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    /// Attributes say nothing to a database; what documents them is for people.
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let tests = is_for_tests(&item.attrs);
        self.within(tests, false, |reader| visit::visit_item_mod(reader, item));
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        let tests = is_for_tests(&item.attrs);
        self.within(tests, true, |reader| visit::visit_item_fn(reader, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        let tests = is_for_tests(&item.attrs);
        self.within(tests, true, |reader| {
            visit::visit_impl_item_fn(reader, item);
        });
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        self.within(false, true, |reader| {
            visit::visit_trait_item_fn(reader, item);
        });
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let tests = is_for_tests(&item.attrs);
        self.within(tests, false, |reader| visit::visit_item_impl(reader, item));
    }

    fn visit_item_const(&mut self, item: &'ast ItemConst) {
        let tests = is_for_tests(&item.attrs);
        self.within(tests, false, |reader| {
            let function = reader.function;
            reader.constant(item.ident.unraw().to_string(), &item.expr, function);
            visit::visit_item_const(reader, item);
        });
    }

    fn visit_item_static(&mut self, item: &'ast ItemStatic) {
        let function = self.function;
        self.constant(item.ident.unraw().to_string(), &item.expr, function);
        visit::visit_item_static(self, item);
    }

    fn visit_impl_item_const(&mut self, item: &'ast ImplItemConst) {
        let function = self.function;
        self.constant(item.ident.unraw().to_string(), &item.expr, function);
        visit::visit_impl_item_const(self, item);
    }

    fn visit_local(&mut self, local: &'ast Local) {
        let pattern = match &local.pat {
            Pat::Type(typed) => &typed.pat,
            other => other,
        };
        if let (Pat::Ident(name), Some(value)) = (pattern, &local.init) {
            let function = self.function;
            self.constant(name.ident.unraw().to_string(), &value.expr, function);
        }
        visit::visit_local(self, local);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        diesel::import(self, &item.tree, &mut Vec::new());
    }

    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        diesel::structure(self, item);
        visit::visit_item_struct(self, item);
    }

    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        diesel::path(self, &path.path);
        visit::visit_expr_path(self, path);
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        let name = name_of(&call.func);
        if name == "QueryBuilder" {
            self.called("push", call.args.iter());
        } else {
            self.called(&name, call.args.iter());
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let name = call.method.to_string();
        self.called(&name, call.args.iter());
        self.visit_expr(&call.receiver);
        let writes = usize::from(["set", "values", "on_conflict"].contains(&&*name));
        self.given += writes;
        for given in &call.args {
            self.visit_expr(given);
        }
        self.given -= writes;
    }

    fn visit_expr_binary(&mut self, both: &'ast syn::ExprBinary) {
        match both.op {
            BinOp::Add(_) if !self.is_taken(&both.left) => {
                if let Some(pieces) = self.pieces(&Expr::Binary(both.clone())) {
                    self.tell(pieces, How::Literal);
                }
            }
            BinOp::AddAssign(_) => {
                if let Some(pieces) = self.pieces(&both.right) {
                    self.tell(pieces, How::Part);
                }
            }
            _ => {}
        }
        visit::visit_expr_binary(self, both);
    }

    fn visit_lit_str(&mut self, literal: &'ast LitStr) {
        if !self.taken.contains(&literal.span().byte_range().start) {
            let piece = self.literal(literal);
            self.tell(vec![piece], How::Literal);
        }
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        macros::called(self, called);
    }
}

impl Reader<'_> {
    pub(in crate::references) fn taken(&self) -> &HashSet<usize> {
        &self.taken
    }

    /// Whether the first literal of an expression was told already.
    fn is_taken(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Lit(lit) => self.taken.contains(&lit.lit.span().byte_range().start),
            Expr::Binary(both) => self.is_taken(&both.left),
            Expr::MethodCall(call) => self.is_taken(&call.receiver),
            Expr::Paren(inner) => self.is_taken(&inner.expr),
            Expr::Macro(called) => macros::is_taken(&self.taken, &called.mac),
            _ => false,
        }
    }
}
