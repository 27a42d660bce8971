use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "people")]
pub struct Person {
    #[zdm(primary_key)]
    pub id: i64,
    pub age: String,
}
