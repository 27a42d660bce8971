use zdm_runtime::Migratable;

#[derive(Migratable)]
#[zdm(table = "users")]
pub struct User {
    #[zdm(primary_key, auto)]
    pub id: i64,
    pub the_name_by_which_all_of_the_members_of_the_club_know_the_first: String,
    pub the_name_by_which_all_of_the_members_of_the_club_know_the_other: Option<String>,
}
