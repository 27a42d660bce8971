use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(renamed_from = "users")]
pub struct Member {
    #[zdm(primary_key, auto, from("id"), final_name = "id")]
    pub id: i64,
    pub name: String,
}
