//! The view of the transition shows nobody more than the table does.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use zdm_runtime::Zdm;
use zdm_runtime::database::control;
use zdm_tests::postgres::Server;
use zdm_tests::releases::Releases;

use crate::transition::models::Customer;
use crate::transition::zdm::{CODE, customers::Customers};
use crate::{TO_THE_END, VERSION, pool};

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_holds_through_the_view_of_the_transition() {
    let server = Server::start();
    let url = server.database("app");
    let releases = Releases::new(url.clone(), "names");
    releases.declared("old", &[&["init"], &["expand"]]);
    let prepared = format!(
        "CREATE ROLE app LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON customers TO app; {}
         INSERT INTO customers SELECT id, id::text, id FROM generate_series(1, 6) AS id;
         ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
         CREATE POLICY even ON customers USING (id % 2 = 0)",
        control::grants("app")
    );
    let mut owner = PgConnection::connect(&url).await.unwrap();
    let prepared = sqlx::raw_sql(AssertSqlSafe(prepared));
    prepared.execute(&mut owner).await.unwrap();
    releases.declared("transition", &[&["generate", VERSION], &["expand"]]);

    let pool = pool(&server.url_of("app", "app")).await;
    let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
    let customers = Customers::new(&zdm).unwrap();
    let conn = &mut *pool.acquire().await.unwrap();
    let row = |id: i64| Customer {
        id,
        age: i32::try_from(id).ok(),
        amount: id,
    };
    for command in [&["status"][..]].iter().chain(TO_THE_END) {
        releases.until_done(command);
        let seen = customers.list(conn, None, 10).await.unwrap();
        assert_eq!(seen, [2, 4, 6].map(row), "{command:?}");
        assert_eq!(customers.get(conn, 1).await.unwrap(), None);
        assert!(!customers.set_amount(conn, 1, 7).await.unwrap());
        assert!(!customers.delete(conn, 3).await.unwrap());
        assert!(customers.insert(conn, &row(7)).await.is_err());
        assert!(customers.update(conn, &row(2)).await.unwrap());
    }
    let all = "SELECT count(*) FROM customers WHERE age = amount";
    let all: i64 = sqlx::query_scalar(all).fetch_one(&mut owner).await.unwrap();
    assert_eq!(all, 6);
}
