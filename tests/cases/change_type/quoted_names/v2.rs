use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "Order", primary_key(user, Id), index(columns(user, Where)))]
pub struct Order {
    pub user: String,
    #[zdm(column = "Id")]
    pub id: i64,
    #[zdm(column = "Where", from("Select"),
          up = "CAST(\"Select\" AS INTEGER)", down = "coalesce(CAST(\"Where\" AS TEXT), '')",
          valid_if(postgres = "\"Select\" ~ '^[0-9]{1,9}$'", sqlite = "\"Select\" <> '' AND \"Select\" NOT GLOB '*[^0-9]*'"),
          on_invalid = "quarantine")]
    pub select: Option<i32>,
    #[zdm(column = "From", renamed_from = "it's \"quoted\"")]
    pub quoted: Option<String>,
}
