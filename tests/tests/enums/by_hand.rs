//! Handwritten queries of the release that knows both types: values travel as texts.

use sqlx::{AssertSqlSafe, PgConnection};
use zdm_runtime::Enumeration as _;

use crate::transition::models::{Mood, Person};
use crate::transition::zdm::persons::{Persons, fragments};

/// A row that these queries alone write.
const OWN: i64 = 100;

/// Its mood is written, and found by it.
pub(crate) async fn write_and_read(persons: &Persons, conn: &mut PgConnection, mood: Mood) {
    let person = Person {
        id: OWN,
        mood: Mood::Calm,
        before: None,
    };
    persons.upsert(conn, &person).await.unwrap();
    let mut flags = persons.flags().current();
    loop {
        let update = format!(
            "UPDATE {} SET {} WHERE id = $1 AND {}",
            fragments::TABLE,
            fragments::set_mood(flags, "$2"),
            fragments::guard("$3"),
        );
        let done = sqlx::query(AssertSqlSafe(update))
            .bind(OWN)
            .bind(mood.value())
            .bind(flags.epoch())
            .execute(&mut *conn)
            .await
            .unwrap();
        if done.rows_affected() > 0 {
            break;
        }
        flags = persons.flags().refresh(&mut *conn).await.unwrap();
    }
    loop {
        let select = format!(
            "SELECT {} FROM {} WHERE {} = $1 AND id = $2",
            fragments::SELECT_LIST,
            fragments::TABLE,
            fragments::mood(flags),
        );
        let rows = sqlx::query(AssertSqlSafe(select))
            .bind(mood.value())
            .bind(OWN)
            .fetch_all(&mut *conn)
            .await
            .unwrap();
        if let Some(found) = persons.read_all(conn, &rows, flags).await.unwrap() {
            let [person] = &found[..] else {
                panic!("{found:?}");
            };
            assert_eq!(person.mood, mood);
            return;
        }
        flags = persons.flags().refresh(&mut *conn).await.unwrap();
    }
}
