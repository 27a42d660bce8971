use zdm_runtime::Migratable;

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key, auto, from("id"), final_name = "id")]
    pub id: i64,
    #[zdm(renamed_from = "name")]
    pub full_name: String,
}
