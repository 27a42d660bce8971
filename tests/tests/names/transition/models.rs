//! Both take their old columns' names in the end.

use zdm_runtime::Migratable;

/// A customer.
#[derive(Migratable, Debug, Clone, PartialEq)]
#[zdm(check(name = "customers_amount_check", expr = "amount >= 0"))]
pub struct Customer {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(
        index,
        column = "age_years",
        from("age"),
        up = "age::integer",
        down = "coalesce(age_years::text, '')",
        on_invalid = "null",
        final_name = "age"
    )]
    pub age: Option<i32>,
    #[zdm(default = "0", from("amount"), final_name = "amount")]
    pub amount: i64,
}
