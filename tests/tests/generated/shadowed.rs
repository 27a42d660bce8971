//! A repository compares both sides of what it reads as the application says.

use std::sync::{Arc, Mutex};

use zdm_runtime::database::Connection;
use zdm_runtime::{Shadow, Stage, Zdm};

use crate::live::{enter, postgres, prepare, sqlite};

/// One test per database: the same steps with each one's types.
macro_rules! compares_as_the_application_says {
    ($test:ident, $module:ident, $pool:ty, $shown:expr, $url:expr) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            use crate::$module::models::User;
            use crate::$module::zdm::{CODE, users::Users};

            let (_guard, url) = $url;
            let mut operator = Connection::open(&url).await.unwrap();
            prepare(&mut operator).await;
            let sides = "INSERT INTO users (id, name, full_name) VALUES \
                (1, 'same', 'same'), (2, ' Ada', 'Ada'), (3, 'gone', 'kept'), (4, 'unread', NULL)";
            operator.execute(sides, &[]).await.unwrap();
            let pool = <$pool>::connect(&url).await.unwrap();
            let zdm = Zdm::connect(pool.clone(), &CODE).await.unwrap();
            let mut conn = pool.acquire().await.unwrap();
            let conn = &mut *conn;
            let mismatches = || {
                let found = zdm.mismatches().into_iter();
                found.map(|(_, seen)| seen).sum::<u64>()
            };
            let mut counted = 0;
            let mut new_ones = || {
                let before = std::mem::replace(&mut counted, mismatches());
                counted - before
            };

            let shown = Arc::new(Mutex::new(Vec::new()));
            let (shows, plain) = (shown.clone(), Users::new(&zdm).unwrap());
            let trims = |old: &User, new: &User| old.full_name.trim() == new.full_name;
            let of = |shadow| Users::new(&zdm).unwrap().with_shadow(shadow);
            let compared = of(Shadow::new().compare(trims));
            let ignored = of(Shadow::new()
                .ignore(|old: &User, _| old.full_name == "gone")
                .ignore(move |old, new| trims(old, new)));
            let cleaned = of(Shadow::new().clean(move |user: &User| {
                let text = format!("{} letters", user.full_name.len());
                shows.lock().unwrap().push(text.clone());
                text
            }));
            let strict = of(Shadow::new().compare(|_: &User, _| false));
            let half = of(Shadow::new().compare(|_: &User, _| false).sample(5_000));

            for stage in Stage::ALL {
                enter(&mut operator, stage, 0).await;
                let compares = matches!(stage, Stage::Shadow | Stage::Live);
                // Rows 2, 3 and 4; 3 and 4; 4; the same without what both call one; all that can be read; every second row.
                for (repository, found) in [
                    (&plain, 3),
                    (&compared, 2),
                    (&ignored, 1),
                    (&cleaned, 3),
                    (&strict, 4),
                    (&half, 2),
                ] {
                    let reads_old = !matches!(stage, Stage::RampDown | Stage::Complete);
                    if reads_old {
                        let read = repository.list(conn, None, 9).await.unwrap();
                        assert_eq!(read.len(), 4, "{stage}");
                        assert_eq!(read[1].full_name, " Ada", "{stage}");
                    } else {
                        let read = repository.list(conn, None, 3).await.unwrap();
                        assert_eq!(read[1].full_name, "Ada", "{stage}");
                    }
                    let expected = if compares { found } else { 0 };
                    assert_eq!(new_ones(), expected, "{stage}");
                }
            }
            // At both stages the rows whose sides are readable, each with its old side and its new one.
            let sides = $shown.map(|letters| format!("{letters} letters"));
            assert_eq!(*shown.lock().unwrap(), [sides.clone(), sides].concat());
        }
    };
}

compares_as_the_application_says!(
    sqlite_compares_as_the_application_says,
    sqlite,
    sqlx::SqlitePool,
    // sqlx reads NULL of SQLite as an empty text.
    [4, 3, 4, 4, 6, 0],
    sqlite()
);
compares_as_the_application_says!(
    postgres_compares_as_the_application_says,
    postgres,
    sqlx::PgPool,
    [4, 3, 4, 4],
    postgres()
);
