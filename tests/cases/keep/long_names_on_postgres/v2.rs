use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    #[zdm(renamed_from = "the_name_by_which_all_of_the_members_of_the_club_know_the_first")]
    pub first: String,
    #[zdm(renamed_from = "the_name_by_which_all_of_the_members_of_the_club_know_the_other")]
    pub other: Option<String>,
}
