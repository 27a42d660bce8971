use super::{Spent, remove};

#[test]
fn a_name_that_was_taken_over_is_the_columns() {
    let text = r#"struct User {
    #[zdm(column = "age_int", from("age"), up = "f(age)", final_name = "age")]
    age: i32,
    #[zdm(sql_type = "text", column = "new_town", from("Town"), final_name = "Town", index)]
    town: String,
    #[zdm(column = "zipCode", sql_type = "text")]
    #[zdm(from("zipCode"), up = "f(zip)", final_name = "zipCode")]
    zip_code: String,
    #[zdm(column = "full_name", from("name"))]
    name: String,
}
"#;
    let over = spent(&["age", "town", "zip_code", "name"], &[]);
    let kept = remove(text, "User", &over).unwrap();
    assert_eq!(
        kept,
        r#"struct User {
    age: i32,
    #[zdm(sql_type = "text", column = "Town", index)]
    town: String,
    #[zdm(column = "zipCode", sql_type = "text")]
    zip_code: String,
    #[zdm(column = "full_name")]
    name: String,
}
"#
    );
}

fn spent(fields: &[&str], dropped: &[&str]) -> Spent {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Spent {
        fields: owned(fields),
        dropped: owned(dropped),
        moved: false,
    }
}

#[test]
fn only_spent_words_go_and_every_other_byte_stays() {
    let text = r#"// A comment — with an é.
#[derive(Migratable)]
#[zdm(table = "users")]
struct User {
    #[zdm(primary_key, auto)]
    id:   i64, // odd   spacing
    #[zdm(renamed_from = "name")]
    full_name: String,
    #[zdm(column = "age_int", from("age"), up = "f(age, 1)",
          down(age = "g(age_int)"), sql_type = "integer", on_invalid = "null")]
    age: Option<i32>,
    #[zdm(from("x"), index)]
    y: i32,
}
struct Other {
    #[zdm(renamed_from = "name")]
    full_name: String,
}
"#;
    let expected = r#"// A comment — with an é.
#[derive(Migratable)]
#[zdm(table = "users")]
struct User {
    #[zdm(primary_key, auto)]
    id:   i64, // odd   spacing
    full_name: String,
    #[zdm(column = "age_int", sql_type = "integer")]
    age: Option<i32>,
    #[zdm(index)]
    y: i32,
}
struct Other {
    #[zdm(renamed_from = "name")]
    full_name: String,
}
"#;
    let spent = spent(&["full_name", "age", "y"], &[]);
    assert_eq!(remove(text, "User", &spent).unwrap(), expected);
}

#[test]
fn what_is_left_of_several_lines_stands_as_rustfmt_puts_it() {
    let text = r#"struct User {
    #[zdm(
        column = "age_years",
        from("age"),
        up = "CAST(age AS INTEGER)",
        sql_type = "integer",
        on_invalid = "quarantine"
    )]
    age: Option<i32>,
}
"#;
    let expected = r#"struct User {
    #[zdm(column = "age_years", sql_type = "integer")]
    age: Option<i32>,
}
"#;
    let spent = spent(&["age"], &[]);
    assert_eq!(remove(text, "User", &spent).unwrap(), expected);
}

#[test]
fn fields_that_are_not_meant_keep_their_attributes() {
    let text = "struct User {\n    #[zdm(renamed_from = \"name\")]\n    full_name: String,\n}\n";
    assert_eq!(
        remove(text, "User", &spent(&["email"], &["full_name"])).unwrap(),
        text
    );
}

#[test]
fn drops_of_columns_that_are_gone_go() {
    let text = r#"#[zdm(drops("fax"))]
#[zdm(table = "users", drops("telex", default = "''"), drops("pager"))]
struct User {
    #[zdm(primary_key)]
    id: i64,
}
"#;
    let expected = r#"#[zdm(table = "users", drops("pager"))]
struct User {
    #[zdm(primary_key)]
    id: i64,
}
"#;
    let spent = spent(&[], &["fax", "telex"]);
    assert_eq!(remove(text, "User", &spent).unwrap(), expected);
}
