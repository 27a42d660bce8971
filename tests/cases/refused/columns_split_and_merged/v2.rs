use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(from("full_name", "title"), up = "title || full_name", down(full_name = "salutation", title = "salutation"))]
    pub salutation: String,
    #[zdm(from("full_name"), up = "upper(full_name)", down = "last")]
    pub last: String,
}
