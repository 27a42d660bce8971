use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    phone: String,
    #[zdm(with = "crate::key")]
    no_columns: String,
    #[zdm(from("phone"), with = "crate::key", up = "lower(phone)")]
    beside_up: String,
    #[zdm(from("old"), with = "crate::key")]
    replaces: String,
    #[zdm(from("old"), with = "crate::key", down = "down")]
    down: String,
    #[zdm(from("older"), with = "crate::key", one_way)]
    one_way: String,
    #[zdm(from("oldest"), with = "crate::key", one_way)]
    one_way_optional: Option<String>,
    #[zdm(with = "crate::key", one_way)]
    one_way_of_nothing: String,
    #[zdm(from("phone"), with = "crate::key", one_way)]
    one_way_of_what_stays: String,
    #[zdm(from("other"), with = "crate::key", one_way, final_name = "other")]
    one_way_final: String,
    #[zdm(from("phone"), with = "crate::key")]
    optional: Option<String>,
    #[zdm(from("phone", "phone"), with = "key")]
    not_from_the_root: String,
    #[zdm(from("phone"), with = "crate::key::<String>")]
    generic: String,
    #[zdm(from("phone"), with = "crate::key", on_invalid = "null")]
    no_null: String,
    #[zdm(from("itself"), with = "crate::key")]
    itself: String,
    #[zdm(from("name"), up = "name", down = "full_name")]
    full_name: String,
    #[zdm(from("full_name"), with = "crate::key")]
    in_transition: String,
    #[zdm(renamed_from = "x", with = "crate::key")]
    renamed: String,
}

fn main() {}
