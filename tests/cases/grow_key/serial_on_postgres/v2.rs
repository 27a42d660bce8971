use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(primary_key(id, name = "users_key"))]
pub struct User {
    #[zdm(auto = "serial", column = "wide_id", from("id"), final_name = "id", comment = "never given twice")]
    pub id: i32,
    pub name: String,
}
