use zdm_runtime::Migratable;

mod phone {
    pub fn normalize(phone: String) -> String {
        phone
    }

    pub fn both(old: i16, _: Option<Vec<u8>>) -> Option<String> {
        Some(old.to_string())
    }

    pub fn area(phone: String, country: Option<String>) -> Result<i32, std::num::ParseIntError> {
        country.unwrap_or(phone).parse()
    }
}

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub phone: String,
    pub country: Option<String>,
    #[zdm(from("phone"), with = "crate::phone::normalize", unique)]
    pub phone_key: String,
    #[zdm(from("phone", "country"), with = "crate::phone::area", on_invalid = "quarantine")]
    pub area: i32,
    #[zdm(from("old", "older"), with = "crate::phone::both", one_way)]
    pub both: Option<String>,
}

impl zdm_runtime::Generated for User {
    const FINGERPRINT: u64 = <User as zdm_runtime::Migratable>::FINGERPRINT;
}

fn main() {}
