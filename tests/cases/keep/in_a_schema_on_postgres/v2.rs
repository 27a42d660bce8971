use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(schema = "billing", table = "invoices")]
pub struct Invoice {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(renamed_from = "state", default = "'open'")]
    pub status: String,
    #[zdm(renamed_from = "token", default = "gen_random_uuid()::text")]
    pub secret: String,
    #[zdm(column = "order", from("user"), up = "user::bigint", down = "\"order\"::integer")]
    pub order: Option<i64>,
}
