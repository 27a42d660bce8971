//! The code that `#[derive(MigratableEnum)]` writes: what the type means to a database, and how sqlx reads and writes it.
//!
//! Comes in: what zdm-model read. Goes out: tokens.
//! Must not know: attributes, which drivers zdm-runtime has: its macro knows.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;
use zdm_model::{EnumModel, fingerprint};

/// The constants and the conversions of an enum.
pub(crate) fn expand(model: &EnumModel) -> TokenStream {
    let ident = &model.ident;
    let variants = &model.variants;
    let values = &model.enumeration.values;
    let name = &model.enumeration.name;
    let parts: Vec<String> = name
        .split('.')
        .map(|part| format!("\"{}\"", part.replace('"', "\"\"")))
        .collect();
    let sql_name = parts.join(".");
    let [logical, array] = fingerprint::of_enum(&model.enumeration);
    quote! {
        #[automatically_derived]
        impl ::zdm_runtime::ColumnType for #ident {
            const LOGICAL: &'static str = #logical;
            const NULLABLE: bool = false;
        }
        #[automatically_derived]
        impl ::zdm_runtime::Enumeration for #ident {
            const NAME: &'static str = #name;
            const SQL_NAME: &'static str = #sql_name;
            const VALUES: &'static [&'static str] = &[#(#values),*];
            const ARRAY: &'static str = #array;

            fn value(&self) -> &'static str {
                match self {
                    #(Self::#variants => #values,)*
                }
            }

            fn of_value(value: &str) -> ::core::option::Option<Self> {
                match value {
                    #(#values => ::core::option::Option::Some(Self::#variants),)*
                    _ => ::core::option::Option::None,
                }
            }
        }
        ::zdm_runtime::enumeration_of_postgres!(#ident);
        ::zdm_runtime::enumeration_of_sqlite!(#ident);
        ::zdm_runtime::enumeration_of_diesel!(#ident);
    }
}

/// The mistakes, and beside them impls that keep the rest of the crate from failing as well.
pub(crate) fn errors(input: &DeriveInput, errors: Vec<syn::Error>) -> TokenStream {
    let errors = errors.into_iter().map(syn::Error::into_compile_error);
    let ident = &input.ident;
    let (parameters, arguments, condition) = input.generics.split_for_impl();
    quote! {
        #(#errors)*
        #[automatically_derived]
        impl #parameters ::zdm_runtime::ColumnType for #ident #arguments #condition {
            const LOGICAL: &'static str = "";
            const NULLABLE: bool = false;
        }
    }
}
