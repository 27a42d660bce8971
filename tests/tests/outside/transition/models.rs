//! A conversion, a rename, a split, and a column that takes over a name.

use zdm_runtime::Migratable;

/// A customer.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct Customer {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(
        from("age"),
        up = "CAST(age AS integer)",
        down = "CAST(years AS text)",
        on_invalid = default("0")
    )]
    pub years: i32,
    #[zdm(renamed_from = "name")]
    pub full_name: String,
    #[zdm(
        from("whole"),
        up = "split_part(whole, ' ', 1)",
        down = "first || ' ' || last"
    )]
    pub first: String,
    #[zdm(from("whole"), up = "split_part(whole, ' ', 2)")]
    pub last: String,
    #[zdm(
        column = "amount_big",
        from("amount"),
        final_name = "amount",
        default = "0"
    )]
    pub amount: i64,
}

/// What nobody else writes.
#[derive(Migratable, Debug, Clone, PartialEq)]
pub struct Visit {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(renamed_from = "place")]
    pub town: String,
}
