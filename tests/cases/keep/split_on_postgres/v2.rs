use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(from("full_name"),
          up(postgres = "split_part(full_name, ' ', 1)",
             sqlite = "substr(full_name, 1, instr(full_name || ' ', ' ') - 1)"),
          down = "CASE WHEN last = '' THEN first ELSE first || ' ' || last END")]
    pub first: String,
    #[zdm(from("full_name"),
          up(postgres = "regexp_replace(full_name, '^[^ ]* ?', '')",
             sqlite = "substr(full_name, instr(full_name || ' ', ' ') + 1)"))]
    pub last: String,
}
