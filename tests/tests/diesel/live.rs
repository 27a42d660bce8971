//! Every operation of the generated code at every stage, on connections of diesel-async. The stage is moved behind the code's back,
//! so that every first statement of a stage carries an old epoch.

use std::collections::BTreeMap;

use diesel::sql_types::{BigInt, Integer, Text};
use diesel_async::AsyncConnection as _;
use futures_util::TryStreamExt as _;
use zdm_runtime::database::Connection;
use zdm_runtime::diesel_async as client;
use zdm_runtime::{Error, Stage, Zdm};
use zdm_tests::diesel::pool;

use crate::postgres::models::{
    Account, Badge, Contact, Label, Member, Mood, OrderLine, Page, Parcel, Person, Sample, Tag,
    Task, Ticket, User,
};
use crate::postgres::zdm::accounts::{AccountOld, Accounts};
use crate::postgres::zdm::contacts::{ContactOld, Contacts};
use crate::postgres::zdm::{
    CODE, badges, members, order_lines, pages, parcels, people, samples, tags, tasks, tickets,
    users,
};
use crate::tables::{enter, postgres, prepare, sides, store_person};

const SAMPLES: &str = "CREATE TABLE samples (id uuid PRIMARY KEY, truth boolean NOT NULL, small smallint NOT NULL, \
    medium integer NOT NULL, large bigint, single real NOT NULL, double double precision, bytes bytea NOT NULL, more_bytes bytea, \
    at timestamptz NOT NULL, local timestamp NOT NULL, day date, hour time NOT NULL, document jsonb NOT NULL, mood mood NOT NULL, \
    other_mood mood, moods mood[] NOT NULL, short varchar(20) NOT NULL, label text NOT NULL, other_label text, words text[] NOT NULL)";

async fn prepare_all(operator: &mut Connection) {
    prepare(operator).await;
    for statement in [
        "CREATE TYPE mood AS ENUM ('glad', 'sad')",
        SAMPLES,
        "CREATE TABLE members (id bigint PRIMARY KEY, name text, full_name text, city text, town text)",
        "INSERT INTO {zdm}fence (table_name, epoch) VALUES ('samples', 1), ('members', 1)",
        "INSERT INTO {zdm}migration (migration, version, name, content_hash, route, expanded_at) \
         VALUES ('ba9876543210', 3, 'towns', '', 'five_phases', 1)",
        "INSERT INTO {zdm}stage (migration, stage, read_basis_points, salt, epoch, drained_epoch, entered_at) \
         VALUES ('ba9876543210', 'off', 0, 'ba9876543210', 1, 1, 0)",
        "INSERT INTO {zdm}stage_table (migration, table_name) \
         VALUES ('0123456789ab', 'members'), ('ba9876543210', 'members')",
    ] {
        operator.execute(statement, &[]).await.unwrap();
    }
}

fn user(id: i64, name: &str) -> User {
    User {
        id,
        full_name: name.to_owned(),
        email: None,
        greeted: false,
    }
}

/// Which sides a write has.
fn written(stage: Stage) -> (bool, bool) {
    match stage {
        Stage::Off => (true, false),
        Stage::Complete => (false, true),
        _ => (true, true),
    }
}

fn stored(stage: Stage, before: &str, after: &str) -> (Option<String>, Option<String>) {
    let (old, new) = written(stage);
    (
        old.then(|| before.to_owned()),
        new.then(|| after.to_owned()),
    )
}

#[tokio::test(flavor = "multi_thread")]
#[allow(
    clippy::too_many_lines,
    reason = "one stage after the other, all operations of each"
)]
async fn every_stage_is_served() {
    let (_guard, url) = postgres();
    let mut operator = Connection::open(&url).await.unwrap();
    prepare_all(&mut operator).await;
    let pool = pool(&url);
    let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
    zdm.ready().unwrap();
    let mut conn = pool.get().await.unwrap();
    let conn = &mut *conn;

    let users = users::Users::new(&zdm).unwrap();
    let people = people::People::new(&zdm).unwrap();
    let tasks = tasks::Tasks::new(&zdm).unwrap();
    let badges = badges::Badges::new(&zdm).unwrap();
    let lines = order_lines::OrderLines::new(&zdm).unwrap();
    let tags = tags::Tags::new(&zdm).unwrap();
    let tickets = tickets::Tickets::new(&zdm).unwrap();
    let parcels = parcels::Parcels::new(&zdm).unwrap();
    let pages = pages::Pages::new(&zdm).unwrap();
    let person = |id, age| Person {
        id,
        age,
        r#type: "guest".to_owned(),
    };

    for (at, stage) in Stage::ALL.into_iter().enumerate() {
        let first = i64::try_from(at).unwrap() * 10;
        enter(&mut operator, stage, 10_000).await;
        let (old, new) = written(stage);

        let id = users.insert(conn, &user(0, "Ada")).await.unwrap();
        assert_eq!(users.get(conn, id).await.unwrap(), Some(user(id, "Ada")));
        let names = sides(&mut operator, "users", "name", "full_name", id).await;
        assert_eq!(names, stored(stage, "Ada", "Ada"));
        assert!(users.set_full_name(conn, id, "Grace").await.unwrap());
        assert!(users.set_email(conn, id, Some("g@x")).await.unwrap());
        let mut grace = user(id, "Grace");
        grace.email = Some("g@x".to_owned());
        assert_eq!(users.get(conn, id).await.unwrap(), Some(grace));
        users.upsert(conn, &user(id, "Joan")).await.unwrap();
        users
            .upsert(conn, &user(first + 1000, "Mary"))
            .await
            .unwrap();
        assert_eq!(
            users.get_many(conn, &[id, first + 1000, -1]).await.unwrap(),
            [user(id, "Joan"), user(first + 1000, "Mary")]
        );
        let names = sides(&mut operator, "users", "name", "full_name", id).await;
        assert_eq!(names, stored(stage, "Joan", "Joan"));
        assert!(users.update(conn, &user(id, "Hedy")).await.unwrap());
        let names = sides(&mut operator, "users", "name", "full_name", id).await;
        assert_eq!(names, stored(stage, "Hedy", "Hedy"));
        let listed = users.list(conn, Some(id), 1).await.unwrap();
        assert_eq!(listed, [user(first + 1000, "Mary")]);

        // Several at once, by conditions, and as a stream.
        let rows = ["Ann", "Bea", "Cid"].map(|name| user(0, name));
        let keys = users.insert_many(conn, &rows).await.unwrap();
        let changes = users::UserChanges {
            full_name: Some("Dora"),
            email: Some(Some("d@x")),
        };
        let called = |name: &'static str| {
            move |flags, parameters: &mut client::Parameters<'_>| {
                let name = parameters.bind::<Text, _>(name);
                format!(
                    "{} = {name} ORDER BY id LIMIT 9",
                    users::fragments::full_name(flags)
                )
            }
        };
        let found = users.list_where(conn, called("Bea")).await.unwrap();
        assert_eq!(found, [user(keys[1], "Bea")]);
        assert!(users.change(conn, keys[1], &changes).await.unwrap());
        let first_two = |_, parameters: &mut client::Parameters<'_>| {
            let (from, to) = (
                parameters.bind::<BigInt, _>(keys[0]),
                parameters.bind::<BigInt, _>(keys[1]),
            );
            format!("id BETWEEN {from} AND {to}")
        };
        assert_eq!(
            users.change_where(conn, &changes, first_two).await.unwrap(),
            2
        );
        let found = users.list_where(conn, called("Dora")).await.unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|user| (user.id, user.email.as_deref()))
            .collect();
        assert_eq!(found, [(keys[0], Some("d@x")), (keys[1], Some("d@x"))]);
        let streamed: BTreeMap<_, _> = users
            .stream(conn, 2)
            .map_ok(|user| (user.id, user.full_name))
            .try_collect()
            .await
            .unwrap();
        assert_eq!(streamed.len(), 5);
        assert_eq!(streamed[&keys[2]], "Cid");
        assert_eq!(users.delete_where(conn, first_two).await.unwrap(), 2);

        for id in [first + 1000, id, keys[2]] {
            assert!(users.delete(conn, id).await.unwrap());
            assert!(!users.delete(conn, id).await.unwrap());
        }
        assert!(!users.update(conn, &user(id, "nobody")).await.unwrap());
        assert!(!users.set_full_name(conn, id, "nobody").await.unwrap());
        assert_eq!(users.list(conn, None, 9).await.unwrap(), []);

        people.insert(conn, &person(first, Some(7))).await.unwrap();
        let read = people.get(conn, first).await.unwrap();
        assert_eq!(read, Some(person(first, Some(7))));
        people.update(conn, &person(first, None)).await.unwrap();
        let read = people.get(conn, first).await.unwrap();
        assert_eq!(read, Some(person(first, None)));
        people.set_age(conn, first, Some(8)).await.unwrap();
        assert!(people.set_type(conn, first, "host").await.unwrap());
        let ages = sides(&mut operator, "people", "age", "age_int", first).await;
        assert_eq!(ages, stored(stage, "8", "8"));
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

        // Handwritten statements of diesel's own take part through fragments.
        let flags = people.flags().refresh(conn).await.unwrap();
        let update = format!(
            "UPDATE people SET {} WHERE {} = $2 AND {}",
            people::fragments::set_age(flags, "$1"),
            people::fragments::age(flags),
            people::fragments::guard("$3"),
        );
        let age = 80 + i32::try_from(at).unwrap();
        for (epoch, changed) in [(flags.epoch() - 1, 0), (flags.epoch(), 1)] {
            let query = diesel::sql_query(update.as_str())
                .bind::<Integer, _>(age)
                .bind::<Integer, _>(8)
                .bind::<BigInt, _>(epoch);
            let done = diesel_async::RunQueryDsl::execute(query, conn)
                .await
                .unwrap();
            assert_eq!(done, changed, "{update}");
        }
        let list = people::fragments::SELECT_LIST;
        let query = diesel::sql_query(format!("SELECT {list} FROM people WHERE id = $1"));
        let rows = client::rows(query.bind::<BigInt, _>(first), conn)
            .await
            .unwrap();
        let read = people.read_all(conn, &rows, flags).await.unwrap().unwrap();
        assert_eq!(read[0].age, Some(age));

        let task = Task {
            id: uuid::Uuid::from_u128(u128::try_from(first).unwrap()),
            title: "tidy".to_owned(),
            weight: 9,
        };
        tasks.insert(conn, &task).await.unwrap();
        assert_eq!(tasks.get(conn, task.id).await.unwrap(), Some(task));

        let label = if old { "7" } else { "gold" };
        let badge = Badge {
            id: first,
            label: label.to_owned(),
        };
        badges.insert(conn, &badge).await.unwrap();
        assert_eq!(badges.get(conn, first).await.unwrap(), Some(badge));

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
        let found = lines.get_many(conn, &keys).await.unwrap();
        assert_eq!(found, [line("a", 2), line("b", 3)]);
        let found = lines.list(conn, Some((first, "a")), 9).await.unwrap();
        assert_eq!(found, [line("b", 3)]);
        let changes = order_lines::OrderLineChanges { quantity: Some(4) };
        assert!(lines.change(conn, first, "b", &changes).await.unwrap());

        let tag = Tag {
            name: format!("{stage}"),
        };
        tags.insert(conn, &tag).await.unwrap();
        tags.upsert(conn, &tag).await.unwrap();
        assert_eq!(tags.list(conn, None, 99).await.unwrap().len(), at + 1);
        let ticket = tickets.insert(conn, &Ticket { id: 0 }).await.unwrap();
        tickets.upsert(conn, &Ticket { id: ticket }).await.unwrap();
        assert_eq!(tickets.list(conn, None, 99).await.unwrap().len(), at + 1);

        let parcel = Parcel {
            id: first,
            origin: "DE".to_owned(),
            number: "42".to_owned(),
        };
        parcels.insert(conn, &parcel).await.unwrap();
        assert_eq!(parcels.get(conn, first).await.unwrap(), Some(parcel));

        let mut page = Page {
            id: 0,
            title: "Start".to_owned(),
            visits: 1,
            version: 0,
        };
        page.id = pages.insert(conn, &page).await.unwrap();
        assert!(pages.update(conn, &page).await.unwrap());
        let overtaken = pages.update(conn, &page).await.unwrap_err();
        assert!(matches!(overtaken, Error::Overtaken { .. }), "{overtaken}");
    }
    zdm.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn both_values_are_taken_at_every_stage() {
    let (_guard, url) = postgres();
    let mut operator = Connection::open(&url).await.unwrap();
    prepare_all(&mut operator).await;
    let pool = pool(&url);
    let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
    let mut conn = pool.get().await.unwrap();
    let conn = &mut *conn;
    let accounts = Accounts::new(&zdm).unwrap();
    let contacts = Contacts::new(&zdm).unwrap();
    let account = |id, email: &str| Account {
        id,
        email: email.to_owned(),
        note: None,
    };
    let old = |email: &str| AccountOld {
        email: email.to_owned(),
    };

    for (at, stage) in Stage::ALL.into_iter().enumerate() {
        enter(&mut operator, stage, 10_000).await;
        let (writes_old, _) = written(stage);
        let ada = account(0, "ada@x");
        let id = accounts.insert(conn, &ada, &old("Ada@X")).await.unwrap();
        let emails = sides(&mut operator, "accounts", "email", "email_key", id).await;
        assert_eq!(emails, stored(stage, "Ada@X", "ada@x"));
        assert!(
            accounts
                .set_email(conn, id, "bob@x", "BOB@x")
                .await
                .unwrap()
        );
        assert!(accounts.set_note(conn, id, Some("alone")).await.unwrap());
        let hedy = account(id, "hedy@x");
        accounts.upsert(conn, &hedy, &old("Hedy@x")).await.unwrap();
        assert!(accounts.update(conn, &hedy, &old("HEDY@x")).await.unwrap());
        let emails = sides(&mut operator, "accounts", "email", "email_key", id).await;
        assert_eq!(emails, stored(stage, "HEDY@x", "hedy@x"));

        // Values that do not belong together are refused as long as old is written, and nothing is stored.
        let refused = accounts.update(conn, &hedy, &old("eve@x")).await;
        if writes_old {
            let error = refused.unwrap_err();
            assert!(matches!(error, Error::SidesDisagree { .. }), "{error}");
        } else {
            refused.unwrap();
        }
        let read = accounts.get(conn, id).await.unwrap();
        assert_eq!(read, Some(hedy));
        assert!(accounts.delete(conn, id).await.unwrap());

        let contact = |id| Contact {
            id,
            name: "Ada Byron".to_owned(),
            town: "Ockham".to_owned(),
        };
        let names = || ContactOld {
            first_name: "Ada".to_owned(),
            last_name: Some("Byron".to_owned()),
        };
        let first = i64::try_from(at).unwrap() * 10;
        let rows = [(contact(first), names()), (contact(first + 1), names())];
        contacts.insert_many(conn, &rows).await.unwrap();
        let keys = [first, first + 1];
        let found = contacts.get_many(conn, &keys).await.unwrap();
        assert_eq!(found, [contact(first), contact(first + 1)]);
    }
    zdm.close().await.unwrap();
}

/// One moves after the other: the first to `complete`, then the second.
#[tokio::test(flavor = "multi_thread")]
async fn two_migrations_are_served_in_turn() {
    let (_guard, url) = postgres();
    let mut operator = Connection::open(&url).await.unwrap();
    prepare_all(&mut operator).await;
    let pool = pool(&url);
    let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
    let mut conn = pool.get().await.unwrap();
    let conn = &mut *conn;
    let members = members::Members::new(&zdm).unwrap();
    let member = |id, name: &str, town: Option<&str>| Member {
        id,
        full_name: name.to_owned(),
        town: town.map(str::to_owned),
    };

    let first = Stage::ALL.map(|stage| (stage, Stage::Off));
    let second = Stage::ALL.map(|stage| (Stage::Complete, stage));
    for (at, (names, towns)) in first.into_iter().chain(second).enumerate() {
        let moved = format!(
            "UPDATE {{zdm}}stage SET read_basis_points = 10000, stage = CASE migration WHEN 'ba9876543210' THEN '{towns}' ELSE '{names}' END"
        );
        operator.execute(&moved, &[]).await.unwrap();
        let fence = "UPDATE {zdm}fence SET epoch = epoch + 1";
        operator.execute(fence, &[]).await.unwrap();
        let id = i64::try_from(at).unwrap() * 10;
        let (ada, joan) = (
            member(id, "Ada", Some("Ockham")),
            member(id + 1, "Joan", None),
        );
        members
            .insert_many(conn, &[ada.clone(), joan.clone()])
            .await
            .unwrap();
        assert_eq!(members.get(conn, id).await.unwrap(), Some(ada));
        let found = members.get_many(conn, &[id + 1]).await.unwrap();
        assert_eq!(found, [joan]);
        assert!(members.set_full_name(conn, id, "Grace").await.unwrap());
        assert!(
            members
                .set_town(conn, id + 1, Some("Arlington"))
                .await
                .unwrap()
        );
        let changes = members::MemberChanges {
            full_name: Some("Hedy"),
            town: Some(None),
        };
        assert!(members.change(conn, id + 1, &changes).await.unwrap());
        members
            .upsert(conn, &member(id, "Mary", Some("Bath")))
            .await
            .unwrap();
        let both = sides(&mut operator, "members", "name", "full_name", id).await;
        assert_eq!(both, stored(names, "Mary", "Mary"));
        let both = sides(&mut operator, "members", "city", "town", id).await;
        assert_eq!(both, stored(towns, "Bath", "Bath"));
        let listed = members.list(conn, Some(id - 1), 9).await.unwrap();
        assert_eq!(
            listed,
            [
                member(id, "Mary", Some("Bath")),
                member(id + 1, "Hedy", None)
            ]
        );
    }
    zdm.close().await.unwrap();
}

fn sample(number: u128, mood: Mood) -> Sample {
    let at = chrono::DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap();
    let glad = mood == Mood::Glad;
    Sample {
        id: uuid::Uuid::from_u128(number),
        truth: glad,
        small: -7,
        medium: 1 << 30,
        large: glad.then_some(i64::MIN),
        single: 0.5,
        double: glad.then_some(0.1),
        bytes: vec![0, 255],
        more_bytes: glad.then(|| vec![1]),
        at,
        local: at.naive_utc(),
        day: glad.then(|| at.date_naive()),
        hour: at.time(),
        document: serde_json::json!({ "a": [1, null] }),
        mood,
        other_mood: glad.then_some(Mood::Sad),
        moods: vec![mood, Mood::Sad],
        short: "Zoë".to_owned(),
        label: Label("l".to_owned()),
        other_label: glad.then(|| Label("m".to_owned())),
        words: vec!["a".to_owned(), String::new()],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_every_kind_come_back() {
    let (_guard, url) = postgres();
    let mut operator = Connection::open(&url).await.unwrap();
    prepare_all(&mut operator).await;
    let pool = pool(&url);
    let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
    let mut conn = pool.get().await.unwrap();
    let conn = &mut *conn;
    let samples = samples::Samples::new(&zdm).unwrap();

    let (glad, sad) = (sample(1, Mood::Glad), sample(2, Mood::Sad));
    samples.insert(conn, &glad).await.unwrap();
    samples
        .insert_many(conn, std::slice::from_ref(&sad))
        .await
        .unwrap();
    let all = [glad.clone(), sad.clone()];
    let keys = [glad.id, sad.id];
    assert_eq!(samples.get_many(conn, &keys).await.unwrap(), all);
    assert_eq!(samples.list(conn, None, 9).await.unwrap(), all);

    // Each of them alone, and all of them at once.
    let of = glad.clone();
    samples
        .set_document(conn, sad.id, &of.document)
        .await
        .unwrap();
    samples.set_mood(conn, sad.id, &of.mood).await.unwrap();
    samples
        .set_other_mood(conn, sad.id, of.other_mood.as_ref())
        .await
        .unwrap();
    samples.set_moods(conn, sad.id, &of.moods).await.unwrap();
    samples.set_label(conn, sad.id, &of.label).await.unwrap();
    samples.set_words(conn, sad.id, &of.words).await.unwrap();
    samples
        .set_more_bytes(conn, sad.id, of.more_bytes.as_deref())
        .await
        .unwrap();
    let changed = samples.get(conn, sad.id).await.unwrap().unwrap();
    assert_eq!((changed.mood, changed.moods), (of.mood, of.moods.clone()));
    let several = samples::SampleChanges {
        truth: Some(true),
        large: Some(of.large),
        double: Some(of.double),
        day: Some(of.day),
        other_label: Some(of.other_label.as_ref()),
        mood: Some(&of.mood),
        ..samples::SampleChanges::default()
    };
    assert!(samples.change(conn, sad.id, &several).await.unwrap());
    let changed = samples.get(conn, sad.id).await.unwrap().unwrap();
    assert_eq!(changed, Sample { id: sad.id, ..of });
    samples
        .upsert(
            conn,
            &Sample {
                id: glad.id,
                ..sad.clone()
            },
        )
        .await
        .unwrap();
    assert!(
        samples
            .update(conn, &Sample { id: glad.id, ..sad })
            .await
            .unwrap()
    );
    zdm.close().await.unwrap();
}

/// The flags are asked for inside the caller's transaction; what fails there is told with diesel's own error.
#[tokio::test(flavor = "multi_thread")]
async fn errors_are_diesels() {
    let (_guard, url) = postgres();
    let mut operator = Connection::open(&url).await.unwrap();
    prepare_all(&mut operator).await;
    let pool = pool(&url);
    let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
    let mut conn = pool.get().await.unwrap();
    let users = users::Users::new(&zdm).unwrap();

    operator
        .execute("CREATE UNIQUE INDEX of_names ON users (full_name)", &[])
        .await
        .unwrap();
    enter(&mut operator, Stage::DualWrite, 0).await;
    let failed = conn
        .transaction(async |conn| {
            users.insert(conn, &user(0, "Ada")).await?;
            users.insert(conn, &user(0, "Ada")).await.map(drop)
        })
        .await;
    let error: Error = failed.unwrap_err();
    let kind = match error.diesel() {
        Some(diesel::result::Error::DatabaseError(kind, _)) => kind,
        other => panic!("{other:?}"),
    };
    assert!(
        matches!(kind, diesel::result::DatabaseErrorKind::UniqueViolation),
        "{error}"
    );
    assert_eq!(users.list(&mut conn, None, 9).await.unwrap(), []);
    let missing: Error = diesel::result::Error::NotFound.into();
    assert_eq!(missing.diesel(), Some(&diesel::result::Error::NotFound));
    zdm.close().await.unwrap();
}
