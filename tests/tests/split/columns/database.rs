//! What both tables hold of a user's town.

use zdm_runtime::database::{Connection, Value};

/// Town and postal code as text, one behind the other; of `addresses` with the street before them.
pub(crate) type Town = Option<String>;

/// Of rows that satisfy a condition on the user's id, in its order: what `users` and what `addresses` hold; `None` of the latter is no
/// row.
pub(crate) async fn all(connection: &mut Connection, condition: &str) -> Vec<(Town, Town)> {
    let both = "SELECT \
        coalesce(users.town, '-') || ' ' || coalesce(users.postal, '-'), \
        street || ' ' || coalesce(addresses.town, '-') || ' ' || coalesce(addresses.postal_code, '-') \
        FROM users LEFT JOIN addresses ON user_id = id WHERE";
    let query = format!("{both} {condition} ORDER BY id");
    let rows = connection.query(&query, &[]).await.unwrap();
    rows.into_iter()
        .map(|row| match row.as_slice() {
            [Value::Text(main), Value::Text(part)] => (main.clone(), part.clone()),
            other => panic!("{other:?}"),
        })
        .collect()
}

/// Of one user.
pub(crate) async fn sides(connection: &mut Connection, id: i64) -> (Town, Town) {
    let found = all(connection, &format!("id = {id}")).await.pop();
    found.unwrap_or_else(|| panic!("there is no user {id}"))
}

/// A user that both tables agree about: the street, and what both have of the town.
pub(crate) fn both(street: &str, town: &str) -> (Town, Town) {
    (Some(town.to_owned()), Some(format!("{street} {town}")))
}

/// A user without an address.
pub(crate) fn without() -> (Town, Town) {
    (Some("- -".to_owned()), None)
}

/// Whether the two agree.
pub(crate) fn agree((main, part): &(Town, Town)) -> bool {
    match part {
        Some(part) => part.split_once(' ').map(|(_, town)| town) == main.as_deref(),
        None => main.as_deref() == Some("- -"),
    }
}
