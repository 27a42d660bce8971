use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(
        column = "age_int",
        from("age"),
        up = "age::integer",
        down = "coalesce(age_int, 0)::text",
        on_invalid = "quarantine",
        final_name = "age"
    )]
    pub age: Option<i32>,
}
