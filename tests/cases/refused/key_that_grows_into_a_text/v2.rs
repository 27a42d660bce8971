use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key, from("id"), final_name = "id")]
    pub id: String,
    pub name: String,
}
