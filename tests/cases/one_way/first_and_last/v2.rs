use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "contacts")]
pub struct Contact {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(from("first_name", "last_name"), up = "first_name || coalesce(' ' || last_name, '')", one_way)]
    pub name: String,
    #[zdm(renamed_from = "city")]
    pub town: String,
}
