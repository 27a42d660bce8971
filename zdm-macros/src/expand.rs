//! The code that the derive writes.
//!
//! Comes in: what zdm-model read. Goes out: tokens.
//! Must not know: attributes.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Data, DeriveInput, Fields};
use zdm_model::fingerprint::{Part, description};
use zdm_model::{Call, Model, Newtype};

/// The table's constants, and the comparison with what the generated code was made for.
pub(crate) fn model(model: &Model) -> TokenStream {
    let ident = &model.ident;
    let table = &model.table.name;
    let parts = description(&model.table)
        .into_iter()
        .map(|part| self::part(model, &part));
    let stale = format!(
        "the generated code of `{ident}` is stale: the struct has changed since. Run `cargo zdm generate`"
    );
    let guard = quote_spanned! {ident.span()=>
        const _: () = ::core::assert!(
            <#ident as ::zdm_runtime::Generated>::FINGERPRINT
                == <#ident as ::zdm_runtime::Migratable>::FINGERPRINT,
            #stale
        );
    };
    let calls = model.calls.iter().map(|found| call(model, found));
    quote! {
        #[automatically_derived]
        impl ::zdm_runtime::Migratable for #ident {
            const TABLE: &'static str = #table;
            const FINGERPRINT: u64 = {
                #[allow(unused_imports)]
                use ::zdm_runtime::schema::NotAnOption as _;
                ::zdm_runtime::schema::fingerprint(&[#(#parts),*])
            };
        }
        #guard
        #(#calls)*
    }
}

/// Has rustc look at a function where it is declared: generated code calls it elsewhere.
fn call(model: &Model, call: &Call) -> TokenStream {
    let (path, span) = (&call.path, call.path.span());
    let ty = |position: &usize| &model.fields[*position].ty;
    let of = ty(&call.column);
    let inputs = call.inputs.iter();
    let inputs: Vec<_> = inputs
        .map(|input| {
            input
                .as_ref()
                .map_or_else(|| quote!(_), |at| ty(at).to_token_stream())
        })
        .collect();
    let names: Vec<_> = (0..inputs.len())
        .map(|number| format_ident!("input_{number}", span = span))
        .collect();
    let outcome = if call.may_fail {
        quote!(::zdm_runtime::function::attempted)
    } else {
        quote!(::zdm_runtime::function::value)
    };
    quote_spanned! {span=>
        const _: () = {
            #[allow(dead_code, clippy::too_many_arguments)]
            fn with() {
                let _ = |#(#names: #inputs),*| #outcome::<#of, _>(#path(#(#names),*));
            }
        };
    }
}

/// The constants of the wrapped type.
pub(crate) fn newtype(newtype: &Newtype) -> TokenStream {
    let Newtype { ident, inner } = newtype;
    let optional = format!(
        "`{ident}` wraps an `Option`: let it wrap the value, and the field be an `Option<{ident}>`"
    );
    quote! {
        #[automatically_derived]
        impl ::zdm_runtime::ColumnType for #ident {
            const LOGICAL: &'static str = <#inner as ::zdm_runtime::ColumnType>::LOGICAL;
            const NULLABLE: bool = {
                ::core::assert!(!<#inner as ::zdm_runtime::ColumnType>::NULLABLE, #optional);
                false
            };
        }
    }
}

/// The mistakes, and beside them impls that keep the rest of the crate from failing as well.
pub(crate) fn errors(input: &DeriveInput, errors: Vec<syn::Error>) -> TokenStream {
    let errors = errors.into_iter().map(syn::Error::into_compile_error);
    let ident = &input.ident;
    let (parameters, arguments, condition) = input.generics.split_for_impl();
    let is_tuple =
        matches!(&input.data, Data::Struct(data) if matches!(data.fields, Fields::Unnamed(_)));
    let stand_in = if is_tuple {
        quote! {
            #[automatically_derived]
            impl #parameters ::zdm_runtime::ColumnType for #ident #arguments #condition {
                const LOGICAL: &'static str = "";
                const NULLABLE: bool = false;
            }
        }
    } else {
        quote! {
            #[automatically_derived]
            impl #parameters ::zdm_runtime::Migratable for #ident #arguments #condition {
                const TABLE: &'static str = "";
                const FINGERPRINT: u64 = 0;
            }
        }
    };
    quote! { #(#errors)* #stand_in }
}

fn part(model: &Model, part: &Part) -> TokenStream {
    match part {
        Part::Text(text) => quote!(#text),
        Part::Logical(position) => {
            let ty = &model.fields[*position].ty;
            quote!(<#ty as ::zdm_runtime::ColumnType>::LOGICAL)
        }
        Part::Nullability(position) => {
            let ty = &model.fields[*position].ty;
            let nullable = if model.table.columns[*position].sql_type.is_some() {
                quote!(::zdm_runtime::schema::Nullability::<#ty>::NULLABLE)
            } else {
                quote!(<#ty as ::zdm_runtime::ColumnType>::NULLABLE)
            };
            quote!(::zdm_runtime::schema::nullability(#nullable))
        }
    }
}
