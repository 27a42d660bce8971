use zdm_runtime::Migratable;

mod phone {
    pub fn normalize(phone: String) -> String {
        phone
    }
}

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub phone: String,
    #[zdm(from("phone"), with = "crate::phone::normalise")]
    pub phone_key: String,
}

impl zdm_runtime::Generated for User {
    const FINGERPRINT: u64 = <User as zdm_runtime::Migratable>::FINGERPRINT;
}

fn main() {
    phone::normalize(String::new());
}
