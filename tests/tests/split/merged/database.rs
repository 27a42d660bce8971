//! What both tables hold of a user's address.

use zdm_runtime::database::{Connection, Value};

/// Street, house and postal code as text, one behind the other.
pub(crate) type Address = Option<String>;

/// Of rows that satisfy a condition on the user's id, in its order: what `users` and what `addresses` hold; `None` is nothing.
pub(crate) async fn all(connection: &mut Connection, condition: &str) -> Vec<(Address, Address)> {
    let both = "SELECT \
        users.street || ' ' || users.house || ' ' || coalesce(users.postal, '-'), \
        addresses.street || ' ' || addresses.house || ' ' || coalesce(addresses.postal_code, '-') \
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
pub(crate) async fn sides(connection: &mut Connection, id: i64) -> (Address, Address) {
    let found = all(connection, &format!("id = {id}")).await.pop();
    found.unwrap_or_else(|| panic!("there is no user {id}"))
}

/// A user that both tables agree about.
pub(crate) fn both(address: &str) -> (Address, Address) {
    let address = Some(address.to_owned());
    (address.clone(), address)
}

pub(crate) const NEITHER: (Address, Address) = (None, None);
