use zdm_runtime::Migratable;

#[derive(Migratable)]
struct User {
    #[zdm(primary_key, auto)]
    id: i64,
    a_name_that_is_so_very_long_that_it_would_be_cut_by_one_of_the_databases: String,
    #[zdm(index)]
    a_name_that_is_long_enough_to_make_its_index_too_long_again: String,
}

fn main() {}
