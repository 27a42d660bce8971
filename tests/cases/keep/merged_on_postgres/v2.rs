use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(from("first", "last"), up = "first || ' ' || last",
          down(first(postgres = "split_part(full_name, ' ', 1)",
                     sqlite = "substr(full_name, 1, instr(full_name || ' ', ' ') - 1)"),
               last(postgres = "substr(full_name, length(split_part(full_name, ' ', 1)) + 2)",
                    sqlite = "substr(full_name, instr(full_name || ' ', ' ') + 1)")))]
    pub full_name: String,
}
