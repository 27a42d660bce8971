//! Every operation of the generated code at every stage, against real databases. The stage is moved behind the code's
//! back, so that every first statement of a stage carries an old epoch.

use zdm_runtime::database::Connection;
use zdm_runtime::{Stage, Zdm};

use crate::tables::store_person;
pub(crate) use crate::tables::{MIGRATION, enter, postgres, prepare, sides, sqlite};

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
