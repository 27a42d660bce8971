// Every kind of value that diesel has to know the type of.

/// How somebody feels.
#[derive(zdm_runtime::MigratableEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Glad,
    Sad,
}

/// A newtype of the application's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Label(pub String);

impl diesel::serialize::ToSql<diesel::sql_types::Text, diesel::pg::Pg> for Label {
    fn to_sql<'b>(
        &'b self,
        out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
    ) -> diesel::serialize::Result {
        diesel::serialize::ToSql::<diesel::sql_types::Text, diesel::pg::Pg>::to_sql(&self.0, out)
    }
}

impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for Label {
    fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
        Ok(Self(diesel::deserialize::FromSql::<
            diesel::sql_types::Text,
            diesel::pg::Pg,
        >::from_sql(value)?))
    }
}

/// A row with a value of each kind.
#[derive(zdm_runtime::Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "samples")]
pub struct Sample {
    #[zdm(primary_key)]
    pub id: uuid::Uuid,
    pub truth: bool,
    pub small: i16,
    pub medium: i32,
    pub large: Option<i64>,
    pub single: f32,
    pub double: Option<f64>,
    pub bytes: Vec<u8>,
    pub more_bytes: Option<Vec<u8>>,
    pub at: chrono::DateTime<chrono::Utc>,
    pub local: chrono::NaiveDateTime,
    pub day: Option<chrono::NaiveDate>,
    pub hour: chrono::NaiveTime,
    pub document: serde_json::Value,
    pub mood: crate::postgres::models::Mood,
    pub other_mood: Option<crate::postgres::models::Mood>,
    pub moods: Vec<crate::postgres::models::Mood>,
    #[zdm(sql_type = "varchar(20)")]
    pub short: String,
    #[zdm(sql_type = "text")]
    pub label: crate::postgres::models::Label,
    #[zdm(sql_type = "text")]
    pub other_label: Option<crate::postgres::models::Label>,
    #[zdm(sql_type = "text[]")]
    pub words: Vec<String>,
}

/// Two columns under new names, by two migrations that move in turn.
#[derive(zdm_runtime::Migratable, Debug, Clone, PartialEq)]
#[zdm(table = "members")]
pub struct Member {
    #[zdm(primary_key)]
    pub id: i64,
    #[zdm(renamed_from = "name")]
    pub full_name: String,
    #[zdm(renamed_from = "city")]
    pub town: Option<String>,
}
