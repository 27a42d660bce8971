use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(from("full_name"), up = "lower(full_name)", one_way)]
    pub first: String,
    #[zdm(from("full_name"), up = "upper(full_name)", one_way)]
    pub last: String,
}
