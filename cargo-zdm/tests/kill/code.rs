//! The application as instances have it: the generated code of each deploy, which reads everything and writes a little.

use zdm_runtime::Zdm;
use zdm_runtime::database::Dialect;

use crate::rows::{Person, Rows, number, text};

/// A deploy of the demo's application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// Before the migration.
    V1,
    /// In transition.
    V2,
    /// Finalized.
    V3,
}

/// What an instance does while it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visit {
    /// Reads every row.
    Read,
    /// Reads every row, renames one, inserts one, deletes one, and reads them again.
    Write,
    /// Gives a row in quarantine a value that can be converted.
    Mend,
}

/// What an instance met that it should not have.
pub(crate) type Problem = Box<dyn std::error::Error>;

/// An instance of a version starts, is ready, does its work, and ends.
pub(crate) async fn visit(
    url: &str,
    version: Version,
    visit: Visit,
    rows: &mut Rows,
) -> Result<(), Problem> {
    match Dialect::of_url(url).unwrap() {
        Dialect::Postgres => match version {
            Version::V1 => postgres::v1(url, visit, rows).await,
            Version::V2 => postgres::v2(url, visit, rows).await,
            Version::V3 => postgres::v3(url, visit, rows).await,
        },
        Dialect::Sqlite => match version {
            Version::V1 => sqlite::v1(url, visit, rows).await,
            Version::V2 => sqlite::v2(url, visit, rows).await,
            Version::V3 => sqlite::v3(url, visit, rows).await,
        },
    }
}

/// One function per deploy on a database.
macro_rules! deploys {
    ($database:ident, $pool:ident, $($version:ident { $name:ident, $write:expr, $read:expr })*) => {
        mod $database {
            use super::*;

            $(pub(super) async fn $version(
                url: &str,
                visit: Visit,
                rows: &mut Rows,
            ) -> Result<(), Problem> {
                use crate::demo::app::$database::$version::models::User;
                use crate::demo::app::$database::$version::zdm::{CODE, cargo_zdm_demo_users};

                let user = |person: &Person| User {
                    id: person.id,
                    $name: person.name.clone(),
                    age: person.age.and_then($write),
                    email: person.email.clone(),
                };
                let person = |user: User| Person {
                    id: user.id,
                    name: user.$name,
                    age: user.age.and_then($read),
                    email: user.email,
                };
                let people = |users: Vec<User>| users.into_iter().map(person).collect::<Vec<_>>();
                let pool = sqlx::$pool::connect(url).await?;
                let zdm = Zdm::connect(pool.clone(), &CODE).await?;
                zdm.ready()?;
                let users = cargo_zdm_demo_users::CargoZdmDemoUsers::new(&zdm)?;
                let mut conn = pool.acquire().await?;
                same(&people(users.list(&mut conn, None, 1000).await?), &rows.all())?;
                match visit {
                    Visit::Read => {}
                    Visit::Mend => {
                        let mended = rows.mend();
                        same(&users.update(&mut conn, &user(&mended)).await?, &true)?;
                    }
                    Visit::Write => {
                        let renamed = rows.rename();
                        same(&users.update(&mut conn, &user(&renamed)).await?, &true)?;
                        users.insert(&mut conn, &user(&rows.insert())).await?;
                        let gone = rows.remove();
                        same(&users.delete(&mut conn, gone.id).await?, &true)?;
                    }
                }
                same(&people(users.list(&mut conn, None, 1000).await?), &rows.all())?;
                drop(conn);
                zdm.close().await?;
                pool.close().await;
                Ok(())
            })*
        }
    };
}

deploys!(postgres, PgPool,
    v1 { name, |age| Some(text(age)), |age: String| number(&age) }
    v2 { full_name, Some, Some }
    v3 { full_name, Some, Some }
);
deploys!(sqlite, SqlitePool,
    v1 { name, |age| Some(text(age)), |age: String| number(&age) }
    v2 { full_name, Some, Some }
    v3 { full_name, Some, Some }
);

fn same<T: std::fmt::Debug + PartialEq>(found: &T, expected: &T) -> Result<(), Problem> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{found:?} instead of {expected:?}").into())
}
