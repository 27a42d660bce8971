//! A model where no module leads is a mistake with file and line, never passed over.

use cargo_zdm::source;

use super::{MANIFEST, mistakes, model, options, project, read};

/// A struct in one line, so that the lines of what is around it are easy to count.
const LOCAL: &str = "#[derive(Debug, Migratable)] struct Local { #[zdm(primary_key)] id: i64 }";

#[test]
fn a_model_in_a_body_is_refused_where_it_stands() {
    for (what, before, after) in [
        ("a function", "fn f() {", "}"),
        ("a function", "fn f() { if true { mod deep {", "} } }"),
        ("an `impl`", "struct A; impl A { fn f() {", "} }"),
        ("a trait", "trait A { fn f() {", "} }"),
        ("a constant", "const _: () = {", "};"),
        ("a static", "static A: () = {", "};"),
        ("a function", "#[cfg(feature = \"x\")] fn f() {", "}"),
    ] {
        let found = mistakes(&[
            ("src/lib.rs", "mod a;"),
            ("src/a.rs", &format!("{before}\n{LOCAL}\n{after}")),
        ]);
        let [found] = &found[..] else {
            panic!("{before}: {found:#?}");
        };
        assert!(found.starts_with("src/a.rs:2: "), "{found}");
        assert!(found.contains(&format!("inside {what}")), "{found}");
        assert!(found.contains("move the struct to a module"), "{found}");
    }
}

#[test]
fn a_model_that_a_macro_makes_is_refused_where_it_stands() {
    for derive in [
        "Migratable",
        "Clone, zdm_runtime::Migratable",
        "::zdm_macros::Migratable",
    ] {
        for (before, after) in [
            ("macro_rules! model { ($name:ident) => {", "}; }"),
            ("model! {", "}"),
            ("some::model!(", ");"),
        ] {
            let local = LOCAL.replace("Debug, Migratable", derive);
            let found = mistakes(&[("src/lib.rs", &format!("{before}\n{local}\n{after}"))]);
            let [found] = &found[..] else {
                panic!("{before}: {found:#?}");
            };
            assert!(found.starts_with("src/lib.rs:2: "), "{found}");
            assert!(
                found.contains("write the struct out in a module"),
                "{found}"
            );
        }
    }
}

#[test]
fn what_only_tests_see_and_what_is_no_code_is_passed_over() {
    let quiet = format!(
        "#[cfg(test)] fn a() {{ {LOCAL} }}\n\
         #[test] fn b() {{ {LOCAL} }}\n\
         #[tokio::test(flavor = \"current_thread\")] async fn c() {{ {LOCAL} }}\n\
         #[cfg(all(test, unix))] macro_rules! d {{ () => {{ {LOCAL} }}; }}\n\
         struct A; impl A {{ #[cfg(test)] fn f() {{ {LOCAL} }} fn g() {{ #[cfg(test)] {LOCAL} }} }}\n\
         fn e() {{ #[derive(Debug)] #[cfg(test)] mod deep {{ {LOCAL} }} }}\n\
         /// {LOCAL}\nfn f() {{ // {LOCAL}\n/* {LOCAL} */ /// {LOCAL}\nlet _ = \"{LOCAL}\"; let Migratable = 1; }}\n\
         assert_impl!(User: Migratable);\n"
    );
    let models = read(&[("src/lib.rs", &format!("{quiet}{}", model("User", "")))]).expect("models");
    assert_eq!(models.models.len(), 1);
    let loud = mistakes(&[(
        "src/lib.rs",
        &format!("fn a() {{ #[cfg(test)] fn b() {{}}\n{LOCAL} }}\n{quiet}"),
    )]);
    assert_eq!(loud.len(), 1, "{loud:#?}");
    assert!(loud[0].starts_with("src/lib.rs:2: "), "{loud:#?}");
}

#[test]
fn a_module_with_models_that_a_macro_declares_is_refused() {
    let root = "cfg_if! {\n  if #[cfg(unix)] {\n    mod a;\n    mod b;\n    mod absent;\n  }\n}\nmod c;\n\
                cfg_if! { if #[cfg(test)] { mod d; } }";
    let user = model("User", "");
    let found = mistakes(&[
        ("src/lib.rs", root),
        ("src/a.rs", "fn f() { let mod_a = \"derive(Migratable)\"; }"),
        ("src/b.rs", "pub mod deep;"),
        ("src/b/deep.rs", &user),
        ("src/c.rs", &model("Order", "")),
        ("src/d.rs", &user),
    ]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("src/lib.rs:4: "), "{found:#?}");
    assert!(found[0].contains("src/b/deep.rs"), "{found:#?}");
    assert!(
        found[0].contains("declare `mod b;` outside of the macro"),
        "{found:#?}"
    );
}

#[test]
fn files_that_the_configuration_leaves_out_may_write_models_as_they_like() {
    let folder = project(&[
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", "mod a;\nmod b;"),
        ("src/a.rs", &model("User", "")),
        (
            "src/b.rs",
            &format!("fn tokens() {{ quote! {{ {LOCAL} }} }}"),
        ),
    ]);
    let mut options = options(folder.path());
    let refused = source::read(&options).expect_err("a mistake").to_string();
    assert!(refused.contains("[generate] models"), "{refused}");
    options.only = vec![folder.path().join("src/a.rs")];
    assert_eq!(source::read(&options).expect("models").models.len(), 1);
}

#[test]
fn a_derive_on_what_cannot_be_a_table_is_refused() {
    let found = mistakes(&[(
        "src/lib.rs",
        "#[derive(zdm_runtime::Migratable)]\nenum A { B }\n#[cfg(test)]\n#[derive(Migratable)]\nenum C { D }\n\
         #[derive(Migratable)]\nunion E { f: i64 }",
    )]);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].starts_with("src/lib.rs:2: an enum is no table"));
    assert!(found[1].starts_with("src/lib.rs:7: a union cannot be a table"));
}

#[test]
fn included_files_are_read_as_part_of_the_module() {
    let models = read(&[
        (
            "src/lib.rs",
            "mod a;\nstd::include!(concat!(env!(\"OUT_DIR\"), \"/made.rs\"));\n\
             #[cfg(feature = \"x\")] include!(\"absent.rs\");\n#[cfg(test)] include!(\"broken.rs\");",
        ),
        ("src/a.rs", "#[cfg(unix)]\ninclude!(\"parts/users.rs\");\npub type Id = i64;"),
        ("src/parts/users.rs", &format!("pub mod more;\n{}", model("User", "pub other: Id,"))),
        ("src/parts/more.rs", &model("Order", "")),
    ])
    .expect("models");
    let found: Vec<_> = models
        .models
        .iter()
        .map(|model| (model.crate_path.as_str(), model.line, &model.conditions[..]))
        .collect();
    let unix = &["unix".to_owned()][..];
    assert_eq!(
        found,
        [
            ("crate::a::more::Order", 2, unix),
            ("crate::a::User", 3, unix),
        ]
    );
    assert!(models.models[1].file.ends_with("src/parts/users.rs"));
    assert_eq!(models.schema.tables[1].source, "src/parts/users.rs:3");
}

#[test]
fn mistakes_of_included_files_are_shown_there() {
    let found = mistakes(&[
        (
            "src/lib.rs",
            "include!(\"a.rs\");\ninclude!(\"absent.rs\");\ninclude!(\"round.rs\");",
        ),
        ("src/a.rs", &format!("fn f() {{\n{LOCAL}\n}}")),
        ("src/round.rs", "\ninclude!(\"round.rs\");"),
    ]);
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found[0].starts_with("src/a.rs:2: "), "{found:#?}");
    assert!(found[1].starts_with("src/lib.rs:2: "), "{found:#?}");
    assert!(found[1].contains("cannot be read"), "{found:#?}");
    assert!(found[2].starts_with("src/round.rs:2: "), "{found:#?}");
}
