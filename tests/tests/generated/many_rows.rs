//! The writes and reads of several rows at once, at every stage. Before each the code has seen a stage that writes and reads other
//! sides, and its first statement is one for that.

use futures_util::TryStreamExt as _;
use zdm_runtime::database::Connection;
use zdm_runtime::{ControlConnection, Stage, TableFlags, Zdm};

use crate::live::{enter, postgres, prepare, sides, sqlite};

/// Lets the code see the stage at the other end, and then enters this one behind its back.
async fn behind<C: ControlConnection>(
    operator: &mut Connection,
    flags: &TableFlags,
    conn: &mut C,
    stage: Stage,
) {
    let other = match stage {
        Stage::Off | Stage::DualWrite | Stage::Shadow => Stage::Complete,
        Stage::Live | Stage::RampDown | Stage::Complete => Stage::Off,
    };
    enter(operator, other, 10_000).await;
    assert_eq!(flags.refresh(conn).await.unwrap().stage(), other);
    enter(operator, stage, 10_000).await;
}

/// One test per database: the same steps with each one's types.
macro_rules! at_every_stage {
    ($test:ident, $module:ident, $pool:ty, $url:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        #[allow(
            clippy::too_many_lines,
            reason = "one stage after the other, all operations of each"
        )]
        async fn $test() {
            use crate::$module::models::{
                Account, Badge, Contact, OrderLine, Parcel, Person, Tag, Task, Ticket, User,
            };
            use crate::$module::zdm::{
                CODE, accounts, badges, contacts, order_lines, parcels, people, tags, tasks,
                tickets, users,
            };

            let (_guard, url) = $url;
            let mut operator = Connection::open(&url).await.unwrap();
            prepare(&mut operator).await;
            let pool = <$pool>::connect(&url).await.unwrap();
            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            let mut conn = pool.acquire().await.unwrap();
            let conn = &mut *conn;

            let users = users::Users::new(&zdm).unwrap();
            let people = people::People::new(&zdm).unwrap();
            let tasks = tasks::Tasks::new(&zdm).unwrap();
            let badges = badges::Badges::new(&zdm).unwrap();
            let lines = order_lines::OrderLines::new(&zdm).unwrap();
            let tags = tags::Tags::new(&zdm).unwrap();
            let tickets = tickets::Tickets::new(&zdm).unwrap();
            let accounts = accounts::Accounts::new(&zdm).unwrap();
            let contacts = contacts::Contacts::new(&zdm).unwrap();
            let parcels = parcels::Parcels::new(&zdm).unwrap();
            let user = |id, name: &str, email: Option<&str>| User {
                id,
                full_name: name.to_owned(),
                email: email.map(str::to_owned),
                greeted: false,
            };

            for (at, stage) in Stage::ALL.into_iter().enumerate() {
                let first = i64::try_from(at).unwrap() * 10;
                let (old, new) = match stage {
                    Stage::Off => (true, false),
                    Stage::Complete => (false, true),
                    _ => (true, true),
                };
                let stored =
                    |name: &str| (old.then(|| name.to_owned()), new.then(|| name.to_owned()));

                behind(&mut operator, users.flags(), conn, stage).await;
                let rows = [
                    user(0, "Ada", None),
                    user(0, "Grace", Some("g@x")),
                    user(0, "it's \"one\"\\", None),
                ];
                let ids = users.insert_many(conn, &rows).await.unwrap();
                let is = |at: usize| User {
                    id: ids[at],
                    ..rows[at].clone()
                };
                assert_eq!(
                    users.get_many(conn, &ids).await.unwrap(),
                    [is(0), is(1), is(2)]
                );
                for (id, row) in ids.iter().zip(&rows) {
                    let found = sides(&mut operator, "users", "name", "full_name", *id).await;
                    assert_eq!(found, stored(&row.full_name));
                }
                assert_eq!(users.insert_many(conn, &[]).await.unwrap(), [0_i64; 0]);

                behind(&mut operator, users.flags(), conn, stage).await;
                let all = users.stream(conn, 2).try_collect::<Vec<_>>();
                assert_eq!(all.await.unwrap(), [is(0), is(1), is(2)]);

                behind(&mut operator, users.flags(), conn, stage).await;
                let found = users.list_where(conn, |flags, parameters| {
                    let (name, low) = (parameters.bind("G%"), parameters.bind(ids[0]));
                    let column = users::fragments::full_name(flags);
                    format!("{column} LIKE {name} AND id > {low} ORDER BY id LIMIT 1")
                });
                assert_eq!(found.await.unwrap(), [is(1)]);

                behind(&mut operator, users.flags(), conn, stage).await;
                let changes = users::UserChanges {
                    full_name: Some("Joan"),
                    email: Some(None),
                };
                assert!(users.change(conn, ids[1], &changes).await.unwrap());
                let joan = user(ids[1], "Joan", None);
                assert_eq!(users.get(conn, ids[1]).await.unwrap(), Some(joan));
                let found = sides(&mut operator, "users", "name", "full_name", ids[1]).await;
                assert_eq!(found, stored("Joan"));
                let nothing = users::UserChanges::default();
                assert!(!users.change(conn, ids[1], &nothing).await.unwrap());
                assert!(!users.change(conn, -1, &changes).await.unwrap());

                behind(&mut operator, users.flags(), conn, stage).await;
                let changed = users.change_where(conn, &changes, |flags, parameters| {
                    let (one, other) = (parameters.bind("Ada"), parameters.bind("Joan"));
                    let column = users::fragments::full_name(flags);
                    // An `OR` stays inside its brackets: the guard is asked of both.
                    format!("{column} = {one} OR {column} = {other}")
                });
                assert_eq!(changed.await.unwrap(), 2);

                behind(&mut operator, users.flags(), conn, stage).await;
                let gone = users.delete_where(conn, |flags, parameters| {
                    let column = users::fragments::full_name(flags);
                    format!("{column} = {} OR 1 = 0", parameters.bind("Joan"))
                });
                assert_eq!(gone.await.unwrap(), 2);
                let none = users.delete_where(conn, |_, _| "id < 0".to_owned());
                assert_eq!(none.await.unwrap(), 0);
                assert!(users.delete(conn, ids[2]).await.unwrap());

                behind(&mut operator, people.flags(), conn, stage).await;
                let person = |id, age| Person {
                    id,
                    age,
                    r#type: "guest".to_owned(),
                };
                let rows = [person(first, Some(7)), person(first + 1, None)];
                people.insert_many(conn, &rows).await.unwrap();
                let keys = [first, first + 1];
                assert_eq!(people.get_many(conn, &keys).await.unwrap(), rows);
                let changes = people::PersonChanges {
                    age: Some(Some(9)),
                    r#type: Some("host"),
                };
                assert!(people.change(conn, first + 1, &changes).await.unwrap());
                assert_eq!(
                    sides(&mut operator, "people", "age", "age_int", first + 1).await,
                    stored("9")
                );

                behind(&mut operator, tasks.flags(), conn, stage).await;
                let task = |number: u128| Task {
                    id: uuid::Uuid::from_u128(u128::try_from(at).unwrap() * 10 + number),
                    title: format!("task {number}"),
                    weight: 9,
                };
                tasks.insert_many(conn, &[task(1), task(2)]).await.unwrap();
                let keys = [task(1).id, task(2).id];
                assert_eq!(
                    tasks.get_many(conn, &keys).await.unwrap(),
                    [task(1), task(2)]
                );

                behind(&mut operator, badges.flags(), conn, stage).await;
                let badge = Badge {
                    id: first,
                    label: "7".to_owned(),
                };
                badges
                    .insert_many(conn, std::slice::from_ref(&badge))
                    .await
                    .unwrap();
                assert_eq!(badges.get(conn, first).await.unwrap(), Some(badge));

                enter(&mut operator, stage, 10_000).await;
                let line = |product: &str, quantity| OrderLine {
                    order_id: first,
                    product: product.to_owned(),
                    quantity,
                };
                let rows = [line("a", 1), line("b", 2), line("c", 3)];
                lines.insert_many(conn, &rows).await.unwrap();
                let changes = order_lines::OrderLineChanges { quantity: Some(8) };
                assert!(lines.change(conn, first, "b", &changes).await.unwrap());
                let all = lines.stream(conn, 2).try_collect::<Vec<_>>();
                let all = all.await.unwrap();
                assert_eq!(all.len(), 3 * (at + 1));
                assert_eq!(all[3 * at..], [line("a", 1), line("b", 8), line("c", 3)]);

                let tag = |name: &str| Tag {
                    name: format!("{stage} {name}"),
                };
                tags.insert_many(conn, &[tag("a"), tag("b")]).await.unwrap();
                let all = tags.stream(conn, 1).try_collect::<Vec<_>>();
                assert_eq!(all.await.unwrap().len(), 2 * (at + 1));
                let rows = [Ticket { id: 0 }, Ticket { id: 0 }];
                let ids = tickets.insert_many(conn, &rows).await.unwrap();
                assert_eq!(tickets.get_many(conn, &ids).await.unwrap().len(), 2);

                // Writes that take both values, and parts of one column.
                let account = |email: &str| {
                    let (note, old) = (None, email.to_owned());
                    let email = email.to_lowercase();
                    let account = Account { id: 0, email, note };
                    (account, accounts::AccountOld { email: old })
                };
                behind(&mut operator, accounts.flags(), conn, stage).await;
                let rows = [account("Ada@x"), account("B@x")];
                let ids = accounts.insert_many(conn, &rows).await.unwrap();
                assert_eq!(accounts.get_many(conn, &ids).await.unwrap().len(), 2);
                let changes = accounts::AccountChanges {
                    note: Some(Some("seen")),
                };
                assert!(accounts.change(conn, ids[1], &changes).await.unwrap());
                let rows = [(
                    Contact {
                        id: first,
                        name: "Ada King".to_owned(),
                        town: "London".to_owned(),
                    },
                    contacts::ContactOld {
                        first_name: "Ada".to_owned(),
                        last_name: Some("King".to_owned()),
                    },
                )];
                contacts.insert_many(conn, &rows).await.unwrap();
                behind(&mut operator, parcels.flags(), conn, stage).await;
                let parcel = |id, number: &str| Parcel {
                    id,
                    origin: "DE".to_owned(),
                    number: number.to_owned(),
                };
                let rows = [parcel(first, "1"), parcel(first + 1, "22")];
                parcels.insert_many(conn, &rows).await.unwrap();
                let changes = parcels::ParcelChanges {
                    number: Some("333"),
                    ..parcels::ParcelChanges::default()
                };
                assert!(parcels.change(conn, first, &changes).await.unwrap());
                let keys = [first, first + 1];
                assert_eq!(
                    parcels.get_many(conn, &keys).await.unwrap(),
                    [parcel(first, "333"), parcel(first + 1, "22")]
                );
            }

            // More than one statement takes.
            let before = tags.stream(conn, 1_000).try_collect::<Vec<_>>();
            let before = before.await.unwrap().len();
            let many: Vec<_> = (0..2_500)
                .map(|number| Tag {
                    name: format!("many {number:04}"),
                })
                .collect();
            tags.insert_many(conn, &many).await.unwrap();
            let after = tags.stream(conn, 1_000).try_collect::<Vec<_>>();
            assert_eq!(after.await.unwrap().len(), before + many.len());
            zdm.close().await.unwrap();
        }
    };
}

at_every_stage!(
    sqlite_serves_several_rows,
    sqlite,
    sqlx::SqlitePool,
    sqlite()
);
at_every_stage!(
    postgres_serves_several_rows,
    postgres,
    sqlx::PgPool,
    postgres()
);
