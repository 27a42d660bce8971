use super::*;

#[test]
fn a_table_tells_what_the_pragmas_do_not() {
    let definition = Definition::of(
        "CREATE TABLE \"t(\" ( -- CHECK (nothing)
            id INTEGER CONSTRAINT named PRIMARY KEY ON CONFLICT REPLACE,
            name VARCHAR(20) COLLATE NOCASE CHECK (name <> ')' AND
                length(name) > 1) CONSTRAINT \"fk\"\"a\" REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED,
            code TEXT CONSTRAINT once UNIQUE, other TEXT UNIQUE,
            twice INT GENERATED ALWAYS AS (id * 2) STORED,
            CONSTRAINT \"both\" UNIQUE (code, [other]),
            CONSTRAINT positive CHECK ((id > 0)),
            CONSTRAINT pair FOREIGN KEY ([x], `y`) REFERENCES b (x, y) NOT DEFERRABLE
        ) STRICT",
    );
    let check = |name: Option<&str>, expr: &str| (name.map(str::to_owned), expr.to_owned());
    assert_eq!(
        definition.checks,
        [
            check(None, "name <> ')' AND length(name) > 1"),
            check(Some("positive"), "(id > 0)")
        ]
    );
    let key = |name: &str, columns: &[&str], deferrable| Key {
        name: Some(name.to_owned()),
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        deferrable,
        initially_deferred: deferrable,
    };
    assert_eq!(
        definition.foreign_keys,
        [
            key("fk\"a", &["name"], true),
            key("pair", &["x", "y"], false)
        ]
    );
    let unique = |name: Option<&str>, columns: &[&str]| {
        let columns = columns.iter().map(|name| (*name).to_owned());
        (name.map(str::to_owned), columns.collect::<Vec<_>>())
    };
    assert_eq!(
        definition.uniques,
        [
            unique(Some("once"), &["code"]),
            unique(None, &["other"]),
            unique(Some("both"), &["code", "other"])
        ]
    );
    assert_eq!(definition.collations, [("name".into(), "NOCASE".into())]);
    assert_eq!(definition.generated, [("twice".into(), "id * 2".into())]);
    assert_eq!(definition.key.as_deref(), Some("named"));
    assert!(definition.on_conflict);
}

#[test]
fn expressions_are_unwrapped_and_put_in_one_line() {
    assert_eq!(unwrapped("((age > 0))"), "age > 0");
    assert_eq!(unwrapped("(a) OR (b)"), "(a) OR (b)");
    assert_eq!(unwrapped("('a)' = b)"), "'a)' = b");
    assert_eq!(
        collapsed("a\n  = 'x  y' -- why\n AND b"),
        "a = 'x  y' AND b"
    );
    assert_eq!(
        elements(
            "CREATE INDEX \"(\" ON t USING gin (lower((a)::text), \"x,\" DESC, (a ->\n 'b,')) WHERE (c)"
        ),
        ["lower((a)::text)", "\"x,\" DESC", "(a -> 'b,')"]
    );
    assert!(is_name("\"x,\"", "x,") && !is_name("a DESC", "a"));
    assert_eq!(
        predicate("CREATE INDEX i ON t (\"where\") WHERE a\n> 1").as_deref(),
        Some("a > 1")
    );
}
