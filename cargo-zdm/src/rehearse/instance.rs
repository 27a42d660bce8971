//! An instance of the application: the runtime's own handle on a pool, with a code that is put together here.
//!
//! Comes in: what the code knows. Goes out: flags by table. Must not know: statements.

use zdm_runtime::database::Dialect;
use zdm_runtime::{Code, Error, MigrationCode, Pool, TableCode, TableFlags, Zdm};

use super::subject::Subject;
use crate::pipeline::rehearsed::Form;

/// The code of a form. It is never given back: generated code is static as well, and a process rehearses once.
pub(super) fn code(subject: &Subject, form: Form) -> &'static Code {
    let known = subject.rehearsed.known(form, &subject.known(form));
    let tables = known.into_iter().map(|(table, migrations)| TableCode {
        table: leaked(table),
        migrations: Vec::leak(
            migrations
                .into_iter()
                .map(|(id, name, state)| MigrationCode {
                    id: leaked(id),
                    name: leaked(name),
                    state,
                })
                .collect(),
        ),
    });
    let tables = Vec::leak(tables.collect());
    Box::leak(Box::new(Code { tables }))
}

fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// A registered instance.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    pub(super) form: Form,
    pub(super) zdm: Zdm,
    /// By the tables of the subject; `None` for one that the code does not know.
    pub(super) flags: Vec<Option<TableFlags>>,
}

impl Instance {
    pub(super) async fn start(
        subject: &Subject,
        code: &'static Code,
        form: Form,
        (url, name): (&str, &str),
    ) -> Result<Self, Error> {
        let zdm = Zdm::connect_as(pool(url).await?, code, name).await?;
        zdm.ready()?;
        let flags = subject.tabs.iter().map(|tab| {
            let known = tab.side(form);
            let known = known.and_then(|side| code.table(&side.table.name));
            known
                .map(|table| TableFlags::of(&zdm, table.table))
                .transpose()
        });
        let flags = flags.collect::<Result<_, _>>()?;
        Ok(Self { form, zdm, flags })
    }
}

/// A connection for the signs of life.
async fn pool(url: &str) -> Result<Pool, Error> {
    match Dialect::of_url(url) {
        #[cfg(feature = "postgres")]
        Some(Dialect::Postgres) => {
            let options = sqlx::postgres::PgPoolOptions::new().max_connections(1);
            Ok(options.connect(url).await?.into())
        }
        #[cfg(feature = "sqlite")]
        Some(Dialect::Sqlite) => {
            let options: sqlx::sqlite::SqliteConnectOptions = url.parse()?;
            let options = options.busy_timeout(std::time::Duration::from_mins(1));
            let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
            Ok(pool.connect_with(options).await?.into())
        }
        _ => Err(sqlx::Error::Configuration(format!("no driver for {url}").into()).into()),
    }
}
