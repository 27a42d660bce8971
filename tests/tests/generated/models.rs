// Included once per database, so that each has structs of its own.

use zdm_runtime::Migratable;

/// A column under a new name.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(renamed_from = "name", sql_type = "varchar(255)")]
    pub full_name: String,
    pub email: Option<String>,
    #[zdm(skip)]
    pub greeted: bool,
}

/// A column of another type, with rows that cannot be converted.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "people")]
pub struct Person {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(
        column = "age_int",
        from("age"),
        up = "CAST(age AS INTEGER)",
        down = "CAST(age_int AS TEXT)",
        valid_if = "age NOT LIKE '%x%'",
        on_invalid = "quarantine"
    )]
    pub age: Option<i32>,
    pub r#type: String,
}

/// A new column that existing rows are filled with.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "tasks")]
pub struct Task {
    #[zdm(primary_key)]
    pub id: uuid::Uuid,
    pub title: String,
    #[zdm(up = "length(title)")]
    pub weight: i64,
}

/// A column that can hold more than the old one could.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "badges")]
pub struct Badge {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(
        from("number"),
        up = "CAST(number AS text)",
        down = "CAST(label AS integer)"
    )]
    pub label: String,
}

/// A key of two columns, and no migration.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "order_lines", primary_key(order_id, product))]
pub struct OrderLine {
    pub order_id: i64,
    pub product: String,
    pub quantity: i32,
}

/// Nothing but a key.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "tags")]
pub struct Tag {
    #[zdm(primary_key)]
    pub name: String,
}

/// Nothing but a key that the database assigns.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "tickets")]
pub struct Ticket {
    #[zdm(primary_key, auto)]
    pub id: i64,
}

/// A column that nothing computes the old one from: writes take both values.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "accounts")]
pub struct Account {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(column = "email_key", from("email"), up = "lower(email)", one_way)]
    pub email: String,
    pub note: Option<String>,
}

/// Several old columns at once, and a column that has its way back beside them.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "contacts")]
pub struct Contact {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(
        from("first_name", "last_name"),
        up = "first_name || coalesce(' ' || last_name, '')",
        one_way
    )]
    pub name: String,
    #[zdm(renamed_from = "city")]
    pub town: String,
}

/// A column that is split into two.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "parcels")]
pub struct Parcel {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(from("code"), up = "substr(code, 1, 2)", down = "origin || number")]
    pub origin: String,
    #[zdm(from("code"), up = "substr(code, 3)")]
    pub number: String,
}

/// A column under a new name, in rows that count their writes.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "pages")]
pub struct Page {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(renamed_from = "name")]
    pub title: String,
    pub visits: i64,
    #[zdm(version)]
    pub version: i32,
}
