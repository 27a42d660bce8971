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
    #[zdm(from("old"), with = "crate::length", one_way)]
    pub one_way_of_another_type: String,
    #[zdm(from("older"), with = "crate::checked", one_way)]
    pub one_way_without_rule: String,
    #[zdm(from("oldest", "oldest_of_all"), with = "crate::length", one_way)]
    pub one_way_of_more: i64,
}

impl zdm_runtime::Generated for User {
    const FINGERPRINT: u64 = <User as zdm_runtime::Migratable>::FINGERPRINT;
}

fn main() {}
