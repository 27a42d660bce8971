use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(column = "birthYear")]
    #[zdm(
        from("birthYear"),
        up = "CAST(\"birthYear\" AS integer)",
        down = "coalesce(CAST(\"birthYear_new\" AS text), 'none')",
        on_invalid = "null",
        final_name = "birthYear"
    )]
    pub birth_year: Option<i32>,
}
