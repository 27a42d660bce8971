use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    #[zdm(from("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_new"), final_name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_new")]
    age: i64,
    #[zdm(final_name = "town")]
    city: String,
    #[zdm(from("born"), up = "born", down = "birthday", final_name = "birth")]
    birthday: i32,
    #[zdm(column = "city_new", from("size"), final_name = "size")]
    size: i64,
    city_new: String,
    #[zdm(column = "tmp", from("a"), up = "a", down = "tmp", final_name = "a")]
    a: i64,
    #[zdm(column = "tmp", from("b"), up = "b", down = "tmp", final_name = "b")]
    b: i64,
}

fn main() {}
