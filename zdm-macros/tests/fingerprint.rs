//! The compiler's constants and the command line's reading of the same struct agree.

use zdm_model::{Declared, RustType, fingerprint};
use zdm_runtime::{Generated, Migratable};

macro_rules! declare {
    ($(#[$attribute:meta])* struct $name:ident { $($fields:tt)* }) => {
        #[derive(Migratable)]
        #[allow(dead_code)]
        $(#[$attribute])*
        struct $name { $($fields)* }

        impl Generated for $name {
            const FINGERPRINT: u64 = <Self as Migratable>::FINGERPRINT;
        }

        impl $name {
            const SOURCE: &'static str =
                stringify!($(#[$attribute])* struct $name { $($fields)* });
        }
    };
}

declare! {
    #[zdm(table = "people", index(columns(team_id, email), unique, where = "team_id > 0"))]
    #[zdm(check(name = "adult", expr = "age >= 18"))]
    struct User {
        #[zdm(primary_key, auto)]
        id: i64,
        #[zdm(renamed_from = "name", sql_type = "varchar(255)")]
        full_name: Option<String>,
        #[zdm(unique)]
        email: String,
        age: Option<i16>,
        #[zdm(references = "teams(id)", on_delete = "cascade")]
        team_id: i32,
        #[zdm(default = "now()")]
        created_at: chrono::DateTime<chrono::Utc>,
        day: chrono::NaiveDate,
        time: chrono::NaiveTime,
        local: chrono::NaiveDateTime,
        key: uuid::Uuid,
        meta: serde_json::Value,
        raw: Vec<u8>,
        ratio: f32,
        share: f64,
        active: bool,
    }
}

#[test]
fn derive_and_command_line_agree_on_every_type() {
    let input = syn::parse_str(User::SOURCE).expect("a struct");
    let Ok(Declared::Model(model)) = Declared::parse(&input, &RustType::of) else {
        panic!("no model");
    };
    assert_eq!(model.table.name, User::TABLE);
    assert_eq!(fingerprint(&model.table), <User as Migratable>::FINGERPRINT);
}
