use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key, auto = "always", from("id"), final_name = "id")]
    pub id: i64,
    pub name: String,
}
