use crate::{Declared, Exclusion, ForeignKey, Index, RustType, Table, Unique};

fn table(source: &str) -> Table {
    let input = syn::parse_str(source).expect("a struct");
    match Declared::parse(&input, &RustType::of).expect("a model") {
        Declared::Model(model) => model.table,
        Declared::Newtype(_) => panic!("a newtype"),
    }
}

#[test]
fn an_index_may_be_over_expressions_and_carry_columns() {
    let table = table(
        r#"#[zdm(index(name = "by_mail", on("lower(email)", "born DESC"), using = "gin", include(user), unique,
                       nulls_not_distinct, with = "fillfactor = 70", where = "born > 0"))]
        struct Member {
            #[zdm(primary_key)] id: i64,
            #[zdm(column = "user_id")] user: i64,
            email: String,
            born: i32,
        }"#,
    );
    let expected = Index {
        name: "by_mail".into(),
        columns: vec![],
        elements: vec!["lower(email)".into(), "born DESC".into()],
        method: Some("gin".into()),
        include: vec!["user_id".into()],
        unique: true,
        nulls_not_distinct: true,
        storage: Some("fillfactor = 70".into()),
        predicate: Some("born > 0".into()),
    };
    assert_eq!(table.indexes, [expected]);
}

#[test]
fn foreign_keys_checks_and_exclusions_say_all_that_they_are() {
    let table = table(
        r#"#[zdm(
            foreign_key(columns(room, day), references = "slots(a, b)", on_delete = "SET NULL (day)", on_update = "cascade",
                        match_full, initially_deferred, not_valid, name = "slot"),
            check(name = "later", expr = "day > 0", not_valid, no_inherit),
            exclude(name = "apart", using = "gist", elements("room WITH =", "span(day) with &&"), where = "day > 0", deferrable)
        )]
        struct Booking {
            #[zdm(primary_key)] id: i64,
            room: i64,
            #[zdm(references = "days(id)", on_update = "set null")] day: Option<i64>,
        }"#,
    );
    let expected = ForeignKey {
        name: "slot".into(),
        columns: vec!["room".into(), "day".into()],
        references: "slots".into(),
        referenced_columns: vec!["a".into(), "b".into()],
        on_delete: Some("set null".into()),
        on_delete_columns: vec!["day".into()],
        on_update: Some("cascade".into()),
        match_full: true,
        deferrable: true,
        initially_deferred: true,
        not_valid: true,
    };
    assert_eq!(table.foreign_keys[1], expected);
    assert_eq!(expected.sets("day").as_deref(), Some("on delete set null"));
    assert_eq!(expected.sets("room").as_deref(), Some("on update cascade"));
    assert_eq!(expected.sets("id"), None);
    let action = table.foreign_keys[0].on_update.as_deref();
    assert_eq!(action, Some("set null"));
    assert!(table.checks[0].not_valid && table.checks[0].no_inherit);
    let apart = &table.exclusions[0];
    assert_eq!(apart.method.as_deref(), Some("gist"));
    let operands: Vec<_> = apart
        .elements
        .iter()
        .map(|text| Exclusion::operand(text))
        .collect();
    assert_eq!(operands, [Some(("room", "=")), Some(("span(day)", "&&"))]);
    assert!(apart.deferrable && !apart.initially_deferred);
}

#[test]
fn a_unique_constraint_and_the_keys_name_are_declared_on_the_struct() {
    let declared = |name: &str| {
        table(&format!(
            r#"#[zdm(primary_key(id, name = "{name}"), unique(columns(user, email), initially_deferred, include(born)))]
            struct Member {{
                id: i64,
                #[zdm(column = "user_id")] user: i64,
                email: String,
                born: i32,
            }}"#
        ))
    };
    let table = declared("the_key");
    assert_eq!(table.primary_key, ["id"]);
    assert_eq!(table.primary_key_name.as_deref(), Some("the_key"));
    let expected = Unique {
        name: "uq_members_user_id_email".into(),
        columns: vec!["user_id".into(), "email".into()],
        include: vec!["born".into()],
        nulls_not_distinct: false,
        deferrable: true,
        initially_deferred: true,
    };
    assert_eq!(table.uniques, [expected]);
    assert!(table.indexes.is_empty());
    assert_eq!(declared("members_pkey").primary_key_name, None);
}
