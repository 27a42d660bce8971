use zdm_runtime::Migratable;

fn length(phone: String) -> usize {
    phone.len()
}

fn checked(phone: String) -> Result<String, String> {
    Ok(phone)
}

fn counted(phone: String) -> Result<i32, String> {
    i32::try_from(phone.len()).map_err(|error| error.to_string())
}

#[derive(Migratable)]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub phone: String,
    #[zdm(from("phone"), with = "crate::length")]
    pub another_type: String,
    #[zdm(from("phone"), with = "crate::checked")]
    pub no_rule: String,
    #[zdm(from("phone"), with = "crate::counted", on_invalid = "reject")]
    pub result_of_another: i64,
    #[zdm(from("id"), with = "crate::checked", on_invalid = "reject")]
    pub another_argument: String,
}

impl zdm_runtime::Generated for User {
    const FINGERPRINT: u64 = <User as zdm_runtime::Migratable>::FINGERPRINT;
}

fn main() {}
