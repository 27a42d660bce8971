//! Every operation of the generated code at every stage, against real databases. The stage is moved behind the code's
//! back, so that every first statement of a stage carries an old epoch.

use zdm_runtime::database::{Connection, control};
use zdm_runtime::{Stage, Zdm};

pub(crate) const MIGRATION: &str = "0123456789ab";

/// One test per database: the same steps with each one's types.
macro_rules! at_every_stage {
    ($test:ident, $module:ident, $pool:ty, $url:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        #[allow(
            clippy::too_many_lines,
            reason = "one stage after the other, all operations of each"
        )]
        async fn $test() {
            use crate::$module::models::{Badge, OrderLine, Person, Tag, Task, Ticket, User};
            use crate::$module::zdm::{
                CODE, badges, order_lines, people, tags, tasks, tickets, users,
            };

            let (_guard, url) = $url;
            let mut operator = Connection::open(&url).await.unwrap();
            prepare(&mut operator).await;
            let pool = <$pool>::connect(&url).await.unwrap();
            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            zdm.ready().unwrap();
            let mut conn = pool.acquire().await.unwrap();
            let conn = &mut *conn;

            let users = users::Users::new(&zdm).unwrap();
            let people = people::People::new(&zdm).unwrap();
            let tasks = tasks::Tasks::new(&zdm).unwrap();
            let badges = badges::Badges::new(&zdm).unwrap();
            let lines = order_lines::OrderLines::new(&zdm).unwrap();
            let tags = tags::Tags::new(&zdm).unwrap();
            let tickets = tickets::Tickets::new(&zdm).unwrap();
            let user = |id, name: &str| User {
                id,
                full_name: name.to_owned(),
                email: None,
                greeted: false,
            };
            let person = |id, age| Person {
                id,
                age,
                r#type: "guest".to_owned(),
            };

            for (at, stage) in Stage::ALL.into_iter().enumerate() {
                let first = i64::try_from(at).unwrap() * 10;
                enter(&mut operator, stage, 10_000).await;
                let (old, new) = match stage {
                    Stage::Off => (true, false),
                    Stage::Complete => (false, true),
                    _ => (true, true),
                };

                let id = users.insert(conn, &user(0, "Ada")).await.unwrap();
                assert_eq!(users.get(conn, id).await.unwrap(), Some(user(id, "Ada")));
                let stored =
                    |name: &str| (old.then(|| name.to_owned()), new.then(|| name.to_owned()));
                assert_eq!(
                    sides(&mut operator, "users", "name", "full_name", id).await,
                    stored("Ada")
                );
                assert!(users.set_full_name(conn, id, "Grace").await.unwrap());
                assert!(users.set_email(conn, id, Some("g@x")).await.unwrap());
                let mut grace = user(id, "Grace");
                grace.email = Some("g@x".to_owned());
                assert_eq!(users.get(conn, id).await.unwrap(), Some(grace));
                assert_eq!(
                    sides(&mut operator, "users", "name", "full_name", id).await,
                    stored("Grace")
                );
                users.upsert(conn, &user(id, "Joan")).await.unwrap();
                users
                    .upsert(conn, &user(first + 1000, "Mary"))
                    .await
                    .unwrap();
                assert_eq!(
                    users.get_many(conn, &[id, first + 1000, -1]).await.unwrap(),
                    [user(id, "Joan"), user(first + 1000, "Mary")]
                );
                assert_eq!(
                    sides(&mut operator, "users", "name", "full_name", id).await,
                    stored("Joan")
                );
                assert!(users.update(conn, &user(id, "Hedy")).await.unwrap());
                assert_eq!(
                    sides(&mut operator, "users", "name", "full_name", id).await,
                    stored("Hedy")
                );
                assert_eq!(
                    users.list(conn, Some(id), 1).await.unwrap(),
                    [user(first + 1000, "Mary")]
                );
                assert!(users.delete(conn, first + 1000).await.unwrap());
                assert!(!users.delete(conn, first + 1000).await.unwrap());
                assert!(users.delete(conn, id).await.unwrap());
                assert!(!users.update(conn, &user(id, "nobody")).await.unwrap());
                assert!(!users.set_full_name(conn, id, "nobody").await.unwrap());
                assert_eq!(users.list(conn, None, 9).await.unwrap(), []);

                people.insert(conn, &person(first, Some(7))).await.unwrap();
                assert_eq!(
                    people.get(conn, first).await.unwrap(),
                    Some(person(first, Some(7)))
                );
                people.update(conn, &person(first, None)).await.unwrap();
                assert_eq!(
                    people.get(conn, first).await.unwrap(),
                    Some(person(first, None))
                );
                people.set_age(conn, first, Some(8)).await.unwrap();
                assert!(people.set_type(conn, first, "host").await.unwrap());
                assert_eq!(
                    sides(&mut operator, "people", "age", "age_int", first).await,
                    (old.then(|| "8".to_owned()), new.then(|| "8".to_owned()))
                );

                if old {
                    // What new cannot hold survives a load and save; what is written in another spelling keeps it.
                    for (id, text, age) in [(first + 1, "x", None), (first + 2, "007", Some(7))] {
                        let both = if new { age } else { None };
                        store_person(&mut operator, id, text, both).await;
                        let loaded = people.get(conn, id).await.unwrap().unwrap();
                        assert_eq!(loaded, person(id, age));
                        assert!(people.update(conn, &loaded).await.unwrap());
                        people.upsert(conn, &loaded).await.unwrap();
                        let kept = sides(&mut operator, "people", "age", "age_int", id).await;
                        assert_eq!(
                            kept,
                            (Some(text.to_owned()), both.map(|age| age.to_string()))
                        );
                    }
                }

                // A handwritten statement takes part through fragments.
                let flags = people.flags().refresh(conn).await.unwrap();
                let update = format!(
                    "UPDATE people SET {} WHERE {} = $2 AND {}",
                    people::fragments::set_age(flags, "$1"),
                    people::fragments::age(flags),
                    people::fragments::guard("$3"),
                );
                for (epoch, changed) in [(flags.epoch() - 1, 0), (flags.epoch(), 1)] {
                    let done = sqlx::query(sqlx::AssertSqlSafe(update.clone()))
                        .bind(80 + i32::try_from(at).unwrap())
                        .bind(8)
                        .bind(epoch)
                        .execute(&mut *conn)
                        .await
                        .unwrap();
                    assert_eq!(done.rows_affected(), changed, "{update}");
                }
                let query = format!(
                    "SELECT {} FROM people WHERE id = $1",
                    people::fragments::SELECT_LIST
                );
                let row = sqlx::query(sqlx::AssertSqlSafe(query))
                    .bind(first)
                    .fetch_one(&mut *conn)
                    .await
                    .unwrap();
                let read = people.read(&row, flags).unwrap().unwrap();
                assert_eq!(read.age, Some(80 + i32::try_from(at).unwrap()));

                let task = Task {
                    id: uuid::Uuid::from_u128(u128::try_from(first).unwrap()),
                    title: "tidy".to_owned(),
                    weight: 9,
                };
                tasks.insert(conn, &task).await.unwrap();
                assert_eq!(tasks.get(conn, task.id).await.unwrap(), Some(task));

                // At `complete` nothing asks whether old could hold it. The read did: it compared both sides at every stage,
                // and `down` failed on the row.
                let label = if old { "7" } else { "gold" };
                let badge = Badge {
                    id: first,
                    label: label.to_owned(),
                };
                badges.insert(conn, &badge).await.unwrap();
                assert_eq!(badges.get(conn, first).await.unwrap(), Some(badge.clone()));
                assert_eq!(
                    badges.list(conn, Some(first - 1), 1).await.unwrap(),
                    [badge]
                );

                let line = |product: &str, quantity| OrderLine {
                    order_id: first,
                    product: product.to_owned(),
                    quantity,
                };
                lines.insert(conn, &line("a", 1)).await.unwrap();
                lines.upsert(conn, &line("a", 2)).await.unwrap();
                lines.insert(conn, &line("b", 1)).await.unwrap();
                assert!(lines.set_quantity(conn, first, "b", 3).await.unwrap());
                let keys = [(first, "a".to_owned()), (first, "b".to_owned())];
                assert_eq!(
                    lines.get_many(conn, &keys).await.unwrap(),
                    [line("a", 2), line("b", 3)]
                );
                assert_eq!(
                    lines.list(conn, Some((first, "a")), 9).await.unwrap(),
                    [line("b", 3)]
                );

                let tag = Tag {
                    name: format!("{stage}"),
                };
                tags.insert(conn, &tag).await.unwrap();
                tags.upsert(conn, &tag).await.unwrap();
                assert_eq!(tags.list(conn, None, 99).await.unwrap().len(), at + 1);

                let ticket = tickets.insert(conn, &Ticket { id: 0 }).await.unwrap();
                tickets.upsert(conn, &Ticket { id: ticket }).await.unwrap();
                assert_eq!(tickets.list(conn, None, 99).await.unwrap().len(), at + 1);
            }
            drop(users);
            zdm.close().await.unwrap();
        }
    };
}

pub(crate) fn sqlite() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/live.db?mode=rwc", folder.path().display());
    (folder, url)
}

pub(crate) fn postgres() -> (zdm_tests::postgres::Server, String) {
    let server = zdm_tests::postgres::Server::start();
    let url = server.database("live");
    (server, url)
}

at_every_stage!(
    sqlite_serves_every_stage,
    sqlite,
    sqlx::SqlitePool,
    sqlite()
);
at_every_stage!(
    postgres_serves_every_stage,
    postgres,
    sqlx::PgPool,
    postgres()
);

/// The tables as they are after expand: old columns give way to NULL, new ones accept it.
pub(crate) async fn prepare(operator: &mut Connection) {
    control::install(operator).await.unwrap();
    let (id, uuid) = match operator.dialect() {
        zdm_runtime::database::Dialect::Postgres => (
            "bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
            "uuid",
        ),
        zdm_runtime::database::Dialect::Sqlite => ("INTEGER PRIMARY KEY", "blob"),
    };
    for statement in [
        format!("CREATE TABLE users (id {id}, name text, full_name varchar(255), email text)"),
        "CREATE TABLE people (id bigint PRIMARY KEY, age text, age_int integer, type text NOT NULL)".to_owned(),
        "CREATE TABLE badges (id bigint PRIMARY KEY, number integer, label text)".to_owned(),
        format!("CREATE TABLE tasks (id {uuid} PRIMARY KEY, title text NOT NULL, weight bigint)"),
        "CREATE TABLE order_lines (order_id bigint, product text, quantity integer NOT NULL, PRIMARY KEY (order_id, product))".to_owned(),
        "CREATE TABLE tags (name text PRIMARY KEY)".to_owned(),
        format!("CREATE TABLE pages (id {id}, name text, title text, visits bigint NOT NULL, version integer NOT NULL)"),
        format!("CREATE TABLE tickets (id {id})"),
        format!("CREATE TABLE accounts (id {id}, email text, note text, email_key text)"),
        "CREATE TABLE contacts (id bigint PRIMARY KEY, first_name text, last_name text, city text, name text, town text)".to_owned(),
        "CREATE TABLE parcels (id bigint PRIMARY KEY, code text, origin text, number text)".to_owned(),
        format!(
            "INSERT INTO {{zdm}}migration (migration, version, name, content_hash, route, expanded_at) \
             VALUES ('{MIGRATION}', 2, 'names_and_ages', '', 'five_phases', 1)"
        ),
        format!(
            "INSERT INTO {{zdm}}stage (migration, stage, read_basis_points, salt, epoch, drained_epoch, entered_at) \
             VALUES ('{MIGRATION}', 'off', 0, '{MIGRATION}', 1, 1, 0)"
        ),
    ] {
        operator.execute(&statement, &[]).await.unwrap();
    }
    for table in [
        "users",
        "people",
        "badges",
        "tasks",
        "order_lines",
        "tags",
        "tickets",
        "accounts",
        "contacts",
        "parcels",
        "pages",
    ] {
        let fence = "INSERT INTO {zdm}fence (table_name, epoch) VALUES ($1, 1)";
        operator.execute(fence, &[table.into()]).await.unwrap();
    }
    for table in [
        "users", "people", "badges", "tasks", "accounts", "contacts", "parcels", "pages",
    ] {
        let stage_table = "INSERT INTO {zdm}stage_table (migration, table_name) VALUES ($1, $2)";
        operator
            .execute(stage_table, &[MIGRATION.into(), table.into()])
            .await
            .unwrap();
    }
}

/// A row as old code or a backfill has left it.
async fn store_person(operator: &mut Connection, id: i64, age: &str, age_int: Option<i32>) {
    let age_int = age_int.map_or("NULL".to_owned(), |age| age.to_string());
    let insert =
        format!("INSERT INTO people (id, age, age_int, type) VALUES ($1, $2, {age_int}, 'guest')");
    operator
        .execute(&insert, &[id.into(), age.into()])
        .await
        .unwrap();
}

/// What a hop does, without its gates and without the wait.
pub(crate) async fn enter(operator: &mut Connection, stage: Stage, basis_points: i64) {
    operator.begin().await.unwrap();
    let moved = "UPDATE {zdm}stage SET stage = $1, read_basis_points = $2, epoch = epoch + 1";
    operator
        .execute(moved, &[stage.name().into(), basis_points.into()])
        .await
        .unwrap();
    operator
        .execute("UPDATE {zdm}fence SET epoch = epoch + 1", &[])
        .await
        .unwrap();
    operator.commit().await.unwrap();
}

/// What a row holds on both sides, as text.
pub(crate) async fn sides(
    operator: &mut Connection,
    table: &str,
    old: &str,
    new: &str,
    id: i64,
) -> (Option<String>, Option<String>) {
    let query =
        format!("SELECT CAST({old} AS text), CAST({new} AS text) FROM {table} WHERE id = $1");
    let rows = operator.query(&query, &[id.into()]).await.unwrap();
    match rows[0].as_slice() {
        [
            zdm_runtime::database::Value::Text(old),
            zdm_runtime::database::Value::Text(new),
        ] => (old.clone(), new.clone()),
        other => panic!("{other:?}"),
    }
}
