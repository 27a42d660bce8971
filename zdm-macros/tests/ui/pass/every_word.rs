use zdm_runtime::Migratable;

/// As in the book.
#[derive(Migratable)]
#[zdm(table = "people", drops("fax"), drops("telex", default = "''"))]
#[zdm(index(columns(team_id, email), unique, where = "team_id > 0", name = "by_team"))]
#[zdm(primary_key(id, name = "people_key"))]
#[zdm(unique(columns(team_id, key), include(email), nulls_not_distinct, deferrable, initially_deferred, name = "once"))]
#[zdm(check(name = "adult", expr = "age_int >= 18"))]
#[zdm(foreign_key(columns(team_id), references = "teams(id)", on_delete = "cascade", name = "fk_team"))]
#[zdm(foreign_key(columns(team_id, key), references = "t(a, b)", on_delete = "set null (team_id)", on_update = "restrict",
                  match_full, deferrable, initially_deferred, not_valid))]
#[zdm(check(name = "rich", expr = "key IS NOT NULL", not_valid, no_inherit))]
#[zdm(exclude(name = "apart", using = "gist", elements("team_id WITH ="), where = "team_id > 0", deferrable, initially_deferred))]
pub struct User {
    #[zdm(auto)]
    pub id: i64,
    #[zdm(renamed_from = "name", sql_type = "varchar(255)")]
    pub full_name: String,
    #[zdm(column = "age_int", from("age"),
          up = "CAST(age AS INTEGER)", down = "CAST(age_int AS TEXT)",
          valid_if = "age ~ '^[0-9]{1,9}$'", on_invalid = "quarantine")]
    pub age: Option<i32>,
    #[zdm(unique, index = "idx_users_email")]
    pub email: String,
    #[zdm(references = "teams(id)", on_delete = "set null", on_update = "cascade")]
    pub team_id: Option<i64>,
    #[zdm(default = "now()")]
    pub created_at: chrono::DateTime<chrono::Utc>,
    #[zdm(from("first", "last"), up(postgres = "first || last", sqlite = "first"),
          down(first = "both", last(postgres = "''", sqlite = "both")))]
    pub both: String,
    #[zdm(from("phone"), up = "lower(phone)", one_way)]
    pub digest: String,
    #[zdm(up = "lower(email)", index)]
    pub slug: String,
    #[zdm(from("b"), up = "b", down = "b2", valid_if = "b > 0", on_invalid = default("0"))]
    pub b2: i16,
    #[zdm(version)]
    pub revision: i32,
    #[zdm(skip)]
    pub cache: Vec<u64>,
    pub r#type: Option<serde_json::Value>,
    pub key: uuid::Uuid,
    pub raw: Vec<u8>,
}

impl zdm_runtime::Generated for User {
    const FINGERPRINT: u64 = <User as zdm_runtime::Migratable>::FINGERPRINT;
}

fn main() {}
