//! The compiler's constants and the command line's reading of the same struct agree.

use zdm_model::{Declared, EnumModel, RustType, fingerprint, option_of, spelled, vec_of};
use zdm_runtime::{Generated, Migratable, MigratableEnum};

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
    assert_eq!(
        fingerprint(&model.table, &[]),
        <User as Migratable>::FINGERPRINT
    );
}

macro_rules! declare_enum {
    ($(#[$attribute:meta])* enum $name:ident { $($variants:tt)* }) => {
        #[derive(MigratableEnum, Debug)]
        #[allow(dead_code)]
        $(#[$attribute])*
        enum $name { $($variants)* }

        const MOOD: &str = stringify!($(#[$attribute])* enum $name { $($variants)* });
    };
}

declare_enum! {
    #[zdm(name = "Mood")]
    enum Mood { Happy, #[zdm(rename = "so-so")] SoSo }
}

declare! {
    struct Day {
        #[zdm(primary_key)]
        id: i64,
        mood: Mood,
        other: Option<Mood>,
        moods: Vec<Mood>,
    }
}

fn with_mood(ty: &syn::Type) -> RustType {
    let text = spelled(ty);
    if let Some(inner) = option_of(ty) {
        return RustType {
            nullable: Some(true),
            ..with_mood(inner)
        };
    }
    if text == "Mood" {
        return RustType::of_enum(text, "Mood");
    }
    let element = vec_of(ty).map(with_mood);
    let array = element.and_then(|element| element.vec_of_enum(text));
    array.unwrap_or_else(|| RustType::of(ty))
}

#[test]
fn derive_and_command_line_agree_on_enums() {
    let mood = EnumModel::parse(&syn::parse_str(MOOD).expect("an enum")).ok();
    let mood = mood.expect("no mistakes").enumeration;
    let input = syn::parse_str(Day::SOURCE).expect("a struct");
    let Ok(Declared::Model(model)) = Declared::parse(&input, &with_mood) else {
        panic!("no model");
    };
    let of = |enums: &[zdm_model::Enumeration]| fingerprint(&model.table, enums);
    assert_eq!(
        of(std::slice::from_ref(&mood)),
        <Day as Migratable>::FINGERPRINT
    );
    let mut more = mood;
    more.values.push("sad".to_owned());
    assert_ne!(of(&[more]), <Day as Migratable>::FINGERPRINT);
}
