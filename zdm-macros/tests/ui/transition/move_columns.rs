use zdm_runtime::Migratable;

#[derive(Migratable)]
struct Without {
    #[zdm(primary_key)]
    id: i64,
    #[zdm(moved_from = "town")]
    town: Option<String>,
    #[zdm(moved_from = "a.b.addresses.zip")]
    zip: Option<String>,
    #[zdm(moved_from("addresses.land"))]
    land: Option<String>,
}

#[derive(Migratable)]
#[zdm(table = "users")]
struct User {
    #[zdm(primary_key, moved_from = "addresses.user_id")]
    id: i64,
    #[zdm(moved_from = "users.town")]
    town: Option<String>,
    #[zdm(moved_from = "addresses.zip", up = "upper(zip)")]
    zip: Option<String>,
    #[zdm(moved_from = "addresses.zip")]
    postal: Option<String>,
}

#[derive(Migratable)]
#[zdm(moved_from = "addresses.town")]
struct OnTheStruct {
    #[zdm(primary_key)]
    id: i64,
}

#[derive(Migratable)]
#[zdm(merged_from = "letters(user_id)")]
struct Both {
    #[zdm(primary_key)]
    id: i64,
    #[zdm(moved_from = "addresses.town")]
    town: Option<String>,
}

fn main() {}
