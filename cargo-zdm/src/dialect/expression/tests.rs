use super::*;

fn postgres() -> Dialect {
    Dialect::named("postgres").expect("postgres")
}

#[test]
fn replaces_columns_and_leaves_every_other_byte() {
    let bound = postgres().bind(
        "CASE WHEN  AGE ~ '^age$' /* age */ THEN CAST(age AS date) ELSE t.age END -- age",
        &[("age", "users.age"), ("date", "users.date")],
    );
    assert_eq!(
        bound.as_deref(),
        Ok(
            "CASE WHEN  users.age ~ '^age$' /* age */ THEN CAST(users.age AS date) ELSE t.age END -- age"
        ),
    );
}

#[test]
fn replaces_across_lines_and_wide_characters() {
    let bound = postgres().bind("'é' ||\n  name || \"Name\"", &[("name", "$2")]);
    assert_eq!(bound.as_deref(), Ok("'é' ||\n  $2 || \"Name\""));
}

#[test]
fn quotes_columns_that_are_reserved_words_and_nothing_else() {
    let columns = ["user", "full", "left", "end", "name", "current_date"];
    for (expression, spelled) in [
        ("lower(user)", "lower(\"user\")"),
        ("USER || Name", "\"user\" || Name"),
        (
            "split_part(full,' full ',1) -- full",
            "split_part(\"full\",' full ',1) -- full",
        ),
        ("left(name, 3) || \"user\"", "left(name, 3) || \"user\""),
        (
            "CASE WHEN name = '' THEN user END",
            "CASE WHEN name = '' THEN \"user\" END",
        ),
        ("current_date", "\"current_date\""),
        ("session_user || t.user", "session_user || t.user"),
        ("user +", "user +"),
    ] {
        assert_eq!(postgres().spelled(expression, &columns), spelled);
    }
}

#[test]
fn does_not_take_functions_types_or_fields_for_columns() {
    let columns = postgres().columns_in(
        "zdm.\"1_up\"(age) + extract(year FROM born) + left(name, 3)::int + coalesce(n, DATE '2020-01-01')",
    );
    let expected = ["age", "born", "n", "name"].map(str::to_owned);
    assert_eq!(columns, Ok(BTreeSet::from(expected)));
}

#[test]
fn reads_elements_of_an_index() {
    let named = |element: &str| postgres().columns_in_element(element);
    let expected = |names: &[&str]| Ok(names.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(
        named("lower(Email) text_pattern_ops DESC NULLS LAST"),
        expected(&["email"])
    );
    assert_eq!(named("(a -> 'b') jsonb_path_ops"), expected(&["a"]));
    assert_eq!(named("\"Name\" COLLATE \"C\""), expected(&["Name"]));
    assert_eq!(named("a + b"), expected(&["a", "b"]));
    assert!(named("a DESC, b").is_err());
    let sqlite = Dialect::named("sqlite").expect("sqlite");
    assert_eq!(
        sqlite.columns_in_element("name COLLATE NOCASE DESC"),
        expected(&["name"])
    );
}

#[test]
fn reads_what_the_server_prints_for_trim() {
    let named = |text: &str| postgres().columns_in(text);
    let expected = |names: &[&str]| Ok(names.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(
        named("char_length(TRIM(BOTH FROM Scopes)) > 0"),
        expected(&["scopes"])
    );
    assert_eq!(named("TRIM(LEADING 'x' FROM a)"), expected(&["a"]));
    assert_eq!(
        postgres().bind("TRIM(TRAILING FROM name)", &[("name", "u.name")]),
        Ok("TRIM(TRAILING FROM u.name)".to_owned())
    );
}

#[test]
fn binds_what_the_plan_composes() {
    for name in Dialect::names() {
        let dialect = Dialect::named(name).expect(name);
        let bound = dialect.bind(
            "(CAST(age AS TEXT) IS NOT DISTINCT FROM b OR (CASE WHEN (age > 0) IS FALSE THEN NULL ELSE age END) IS NOT NULL)",
            &[("age", "excluded.age"), ("b", "CAST($2 AS TEXT)")],
        );
        assert_eq!(
            bound.as_deref(),
            Ok(
                "(CAST(excluded.age AS TEXT) IS NOT DISTINCT FROM CAST($2 AS TEXT) OR (CASE WHEN (excluded.age > 0) IS FALSE THEN NULL ELSE excluded.age END) IS NOT NULL)"
            ),
            "{name}",
        );
    }
}

#[test]
fn reads_the_operators_that_only_sqlite_has() {
    let sqlite = Dialect::named("sqlite").expect("sqlite");
    let bound = sqlite.bind(
        "a NOT GLOB '*[^0-9]*' AND b IS NOT c AND d IS 1 AND e IS NOT NULL AND f IS FALSE",
        &[("a", "t.a"), ("c", "t.c"), ("d", "t.d"), ("f", "t.f")],
    );
    assert_eq!(
        bound.as_deref(),
        Ok(
            "t.a NOT GLOB '*[^0-9]*' AND b IS NOT t.c AND t.d IS 1 AND e IS NOT NULL AND t.f IS FALSE"
        ),
    );
}

#[test]
fn refuses_what_is_no_expression_of_the_row() {
    let dialect = postgres();
    assert!(matches!(
        dialect.columns_in("age; DROP TABLE users"),
        Err(ExpressionError::Syntax { .. })
    ));
    for (text, way_on) in [
        ("upper(users.name)", "write `name`"),
        ("s.t.\"Name\" || ''", "write `\"Name\"`"),
        ("name -- of the user", "write it beside the attribute"),
        ("age + $1", "name a column or write the value"),
        ("age - min(age)", "calls `min` over several rows"),
        (
            "row_number() OVER (ORDER BY age)",
            "calls `row_number` over several rows",
        ),
    ] {
        let error = dialect.columns_in(text).expect_err(text).to_string();
        assert!(error.contains(way_on), "{text}: {error}");
    }
    let sqlite = Dialect::named("sqlite").expect("sqlite");
    let cast = sqlite.columns_in("age::text").expect_err("a cast");
    assert!(cast.to_string().contains("write `CAST(… AS …)`"), "{cast}");
    assert!(sqlite.columns_in("age || '::text'").is_ok());
    assert_eq!(
        sqlite
            .columns_in("min(age, 3)")
            .map(|columns| columns.len()),
        Ok(1)
    );
    assert!(matches!(
        dialect.columns_in("age + (SELECT max(age) FROM users)"),
        Err(ExpressionError::Subquery { .. })
    ));
}

#[test]
fn reads_what_postgres_prints() {
    let columns = |expression: &str| {
        let named = postgres().columns_in(expression).expect(expression);
        named.into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(columns("TRIM(BOTH FROM name) <> ''::text"), "name");
    assert_eq!(columns("TRIM(BOTH 'x'::text FROM name)"), "name");
    assert_eq!(
        columns("(name::text COLLATE \"C\") || pg_catalog.lower(b)"),
        "b name"
    );
    assert_eq!(columns("name COLLATE pg_catalog.\"C\" < b"), "b name");
    let path = "json_extract_path_text(doc, VARIADIC ARRAY['a'::text, b]) <> ''::text";
    assert_eq!(columns(path), "b doc");
    let bound = postgres().bind("TRIM(BOTH FROM a COLLATE \"C\")", &[("a", "$1")]);
    assert_eq!(bound.as_deref(), Ok("TRIM(BOTH FROM $1 COLLATE \"C\")"));
}
