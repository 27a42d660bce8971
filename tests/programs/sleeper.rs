//! An application that does what it is told, a line at a time, and says what became of it: `sleeper URL`. Tests start it,
//! which stop it in the middle.
//!
//! Its statements hold the only connection, so that there are no signs of life beside them and its flags are as old as its
//! last statement.

use std::error::Error;

use zdm_runtime::Zdm;
use zdm_runtime::database::Dialect;

/// As a user's crate has it.
#[path = "../tests/generated"]
pub mod postgres {
    /// The user's structs.
    #[allow(
        missing_docs,
        reason = "what is generated is documented, a user's struct need not be"
    )]
    pub mod models {
        include!("../tests/generated/models.rs");
    }
    #[path = "postgres/mod.rs"]
    pub mod zdm;
}

/// As a user's crate has it.
#[path = "../tests/generated"]
pub mod sqlite {
    /// The user's structs.
    #[allow(
        missing_docs,
        reason = "what is generated is documented, a user's struct need not be"
    )]
    pub mod models {
        include!("../tests/generated/models.rs");
    }
    #[path = "sqlite/mod.rs"]
    pub mod zdm;
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args()
        .nth(1)
        .ok_or("the database to work on is missing")?;
    match Dialect::of_url(&url).ok_or("there is no such kind of database")? {
        Dialect::Postgres => on_postgres(&url).await,
        Dialect::Sqlite => on_sqlite(&url).await,
    }
}

/// The same words on each database, with its own code.
macro_rules! application {
    ($name:ident, $module:ident, $database:ty) => {
        async fn $name(url: &str) -> Result<(), Box<dyn Error>> {
            use crate::$module::zdm::{CODE, users};

            let one = sqlx::pool::PoolOptions::<$database>::new().max_connections(1);
            let pool = one.connect(url).await?;
            let zdm = Zdm::connect(pool.clone(), &CODE).await?;
            let users = users::Users::new(&zdm)?;
            let mut conn = pool.acquire().await?;
            println!("ready");
            for line in std::io::stdin().lines() {
                let line = line?;
                let said = match line.split_once(' ') {
                    Some(("write", name)) => match users.set_full_name(&mut conn, 1, name).await {
                        Ok(found) => format!("written {found}"),
                        Err(error) => format!("refused {error}"),
                    },
                    _ => {
                        let statement = sqlx::AssertSqlSafe(line.clone());
                        sqlx::query(statement).execute(&mut *conn).await?;
                        line
                    }
                };
                println!("{said}");
            }
            Ok(())
        }
    };
}

application!(on_sqlite, sqlite, sqlx::Sqlite);
application!(on_postgres, postgres, sqlx::Postgres);
