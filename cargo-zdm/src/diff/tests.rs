use super::*;
use zdm_model::{Drop, LogicalType, Transition};

fn column(name: &str, logical_type: LogicalType) -> Column {
    Column {
        name: name.to_owned(),
        field: name.to_owned(),
        rust_type: "T".to_owned(),
        logical_type,
        sql_type: None,
        collation: None,
        nullable: false,
        auto: false,
        counted: None,
        default: None,
        generated: None,
        is_virtual: false,
        comment: None,
        transition: None,
        moved_from: None,
        source: "src/models.rs:3".to_owned(),
    }
}

fn renamed(name: &str, from: &str) -> Column {
    Column {
        transition: Some(Transition {
            from: vec![from.to_owned()],
            renamed: true,
            ..Transition::default()
        }),
        ..column(name, LogicalType::Text)
    }
}

fn users(columns: Vec<Column>) -> Schema {
    Schema {
        tables: vec![Table {
            name: "users".to_owned(),
            comment: None,
            columns,
            primary_key: vec!["id".to_owned()],
            source: "src/models.rs:1".to_owned(),
            ..Table::default()
        }],
        ..Schema::default()
    }
}

fn id() -> Column {
    column("id", LogicalType::Int8)
}

#[test]
fn equal_schemas_have_no_deltas() {
    let schema = users(vec![id(), column("name", LogicalType::Text)]);
    assert_eq!(diff(&schema, &schema), Ok(Vec::new()));
}

#[test]
fn a_declared_rename_is_one_delta() {
    let before = users(vec![id(), column("name", LogicalType::Text)]);
    let after = users(vec![id(), renamed("full_name", "name")]);
    let deltas = diff(&before, &after).expect("declared");
    assert!(
        matches!(&deltas[..], [Delta::ColumnReplaced { old, new, .. }] if old[0].name == "name" && new.name == "full_name")
    );
}

#[test]
fn a_spent_transition_is_no_delta() {
    let before = users(vec![id(), column("full_name", LogicalType::Text)]);
    let after = users(vec![id(), renamed("full_name", "name")]);
    assert_eq!(diff(&before, &after), Ok(Vec::new()));
}

#[test]
fn an_undeclared_rename_is_never_guessed() {
    let before = users(vec![id(), column("name", LogicalType::Text)]);
    let after = users(vec![id(), column("full_name", LogicalType::Text)]);
    let error = diff(&before, &after).expect_err("ambiguous");
    assert_eq!(
        error.0,
        [Problem::Ambiguity {
            at: Place {
                table: "users".to_owned(),
                source: "src/models.rs:1".to_owned(),
            },
            removed: "name".to_owned(),
            candidates: vec!["full_name".to_owned()],
        }]
    );
    let message = error.to_string();
    assert!(
        message.contains("#[zdm(renamed_from = \"name\")]"),
        "{message}"
    );
    assert!(message.contains("#[zdm(drops(\"name\"))]"), "{message}");
}

#[test]
fn drops_says_that_a_column_beside_a_new_one_goes() {
    let before = users(vec![id(), column("name", LogicalType::Text)]);
    let mut after = users(vec![id(), column("nick", LogicalType::Text)]);
    after.tables[0].drops.push(Drop {
        column: "name".to_owned(),
        default: Some("''".to_owned()),
    });
    let deltas = diff(&before, &after).expect("declared");
    assert!(
        matches!(&deltas[..], [Delta::ColumnAdded(..), Delta::ColumnRemoved(_, old, Some(default))] if old.name == "name" && default == "''")
    );
}

#[test]
fn a_column_that_goes_alone_is_a_drop() {
    let before = users(vec![id(), column("name", LogicalType::Text)]);
    let after = users(vec![id()]);
    let deltas = diff(&before, &after).expect("no candidates");
    assert!(matches!(&deltas[..], [Delta::ColumnRemoved(_, _, None)]));
}

#[test]
fn mistakes_in_transitions_are_reported_together() {
    let before = users(vec![
        id(),
        column("name", LogicalType::Text),
        column("kept", LogicalType::Text),
    ]);
    let after = users(vec![
        id(),
        renamed("first", "name"),
        renamed("last", "name"),
        renamed("copy", "kept"),
        renamed("ghost", "nowhere"),
        column("kept", LogicalType::Text),
    ]);
    let error = diff(&before, &after).expect_err("three mistakes");
    assert!(matches!(
        &error.0[..],
        [
            Problem::SharedSource { .. },
            Problem::SourceStays { .. },
            Problem::UnknownSource { .. }
        ]
    ));
}

#[test]
fn every_property_of_a_column_is_compared() {
    let before = users(vec![id(), column("name", LogicalType::Text)]);
    let mut changed = column("name", LogicalType::Int4);
    changed.nullable = true;
    changed.default = Some("1".to_owned());
    changed.auto = true;
    let deltas = diff(&before, &users(vec![id(), changed])).expect("same names");
    assert!(matches!(
        &deltas[..],
        [
            Delta::TypeChanged(..),
            Delta::NullabilityChanged(..),
            Delta::DefaultChanged(..),
            Delta::AutoChanged(..)
        ]
    ));
}

#[test]
fn indexes_checks_and_keys_pair_by_name() {
    let mut before = users(vec![id()]);
    let mut after = users(vec![id()]);
    let index = |name: &str, unique| Index {
        name: name.to_owned(),
        columns: vec!["id".to_owned()],
        unique,
        ..Index::default()
    };
    before.tables[0].indexes = vec![index("a", false), index("b", false)];
    let other = Index {
        columns: vec!["id".to_owned(), "id".to_owned()],
        ..index("c", false)
    };
    after.tables[0].indexes = vec![index("b", true), other];
    after.tables[0].checks = vec![Check {
        name: "positive".to_owned(),
        expr: "id > 0".to_owned(),
        ..Check::default()
    }];
    let deltas = diff(&before, &after).expect("same columns");
    assert!(matches!(
        &deltas[..],
        [
            Delta::IndexRemoved(..),
            Delta::IndexChanged(..),
            Delta::IndexAdded(..),
            Delta::CheckAdded(..)
        ]
    ));
}

#[test]
fn the_same_under_another_name_is_renamed_where_no_other_is_the_same() {
    let check = |name: &str, expr: &str| Check {
        name: name.to_owned(),
        expr: expr.to_owned(),
        ..Check::default()
    };
    let deltas = |from: &[Check], to: &[Check]| {
        let (mut before, mut after) = (users(vec![id()]), users(vec![id()]));
        before.tables[0].checks = from.to_vec();
        after.tables[0].checks = to.to_vec();
        diff(&before, &after).expect("same columns")
    };
    let renamed = deltas(
        &[check("a", "id > 0"), check("b", "id < 9")],
        &[check("b", "id < 9"), check("c", "id > 0")],
    );
    assert!(
        matches!(&renamed[..], [Delta::Renamed(_, Part::Check, from, to)] if from == "a" && to == "c"),
        "{renamed:?}"
    );
    // Nobody says which of the two it is.
    let ambiguous = deltas(
        &[check("a", "id > 0")],
        &[check("b", "id > 0"), check("c", "id > 0")],
    );
    assert!(
        matches!(
            &ambiguous[..],
            [
                Delta::CheckRemoved(..),
                Delta::CheckAdded(..),
                Delta::CheckAdded(..)
            ]
        ),
        "{ambiguous:?}"
    );
    let other = deltas(&[check("a", "id > 0")], &[check("b", "id > 1")]);
    assert!(matches!(
        &other[..],
        [Delta::CheckRemoved(..), Delta::CheckAdded(..)]
    ));
}
