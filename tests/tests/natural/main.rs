//! Accounts get another primary key while foreign keys stay on the old one, and what a key of two was referred to by stays too. Writers
//! of the generated code of both releases run through every phase, back and forward again, and through an exchange that fails in the
//! middle. No statement may fail, nothing that was committed may be lost, and no row may ever refer to nothing.

/// The release before.
pub mod old {
    #[allow(missing_docs, reason = "a user's struct need not be documented")]
    pub mod models;
    pub mod zdm;
}

/// The release after.
pub mod last {
    #[allow(missing_docs, reason = "a user's struct need not be documented")]
    pub mod models;
    pub mod zdm;
}

mod writers;

use std::sync::Arc;

use sqlx::{Connection as _, PgConnection};
use zdm_tests::postgres::Server;
use zdm_tests::releases::Releases;

use self::writers::Ledger;

const VERSION: &str = "natural";

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_fails_while_keys_become_natural() {
    let server = Server::start();
    let url = server.database("app");
    let releases = Releases::new(url.clone(), "natural");
    releases.declared("old", &[&["init"], &["expand"]]);
    let ledger = Arc::new(Ledger::default());
    let old = writers::old(&url, &ledger).await;
    let stray = writers::stray(&url, &ledger).await;
    releases.declared("last", &[&["generate", VERSION]]);
    for command in [
        &["expand"][..],
        &["rollback"],
        &["resume", VERSION],
        &["expand"],
    ] {
        releases.until_done(command);
        old.written().await;
    }
    let last = writers::last(&url, &ledger).await;
    old.written().await;
    let complete = &["switch", "--to", "complete"][..];
    releases.waits(complete, "run code from before the migration");
    old.end().await;
    let back = &["rollback", "--to", "off"][..];
    for command in [complete, back, &["resume", VERSION], complete] {
        releases.until_done(command);
        last.written().await;
    }

    for middle in [
        // What refers to accounts has none of its foreign keys at that moment.
        "NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'fk_entries_account_id')",
        "current_query() LIKE '%VALIDATE CONSTRAINT fk_entries_account_id%'",
        "NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'fk_uses_role_account_id')",
    ] {
        fails_in(&url, middle).await;
        let run = releases.ended(&["contract"]);
        assert_eq!(run.status.code(), Some(3), "{middle}: {run:#?}");
        execute(&url, "DROP EVENT TRIGGER ends").await;
        last.written().await;
        stray.written().await;
    }
    releases.until_done(&["contract"]);
    last.written().await;
    stray.written().await;
    stray.end().await;
    last.end().await;
    writers::compare(&url, &ledger).await;
    what_is_left(&url).await;
}

/// From now on a statement fails that finds this, as a kill before it would end it.
async fn fails_in(url: &str, found: &str) {
    let function = format!(
        "CREATE OR REPLACE FUNCTION ends() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
            IF {found} THEN
                RAISE EXCEPTION 'ended here';
            END IF;
        END $$"
    );
    execute(url, &function).await;
    execute(url, "CREATE EVENT TRIGGER ends ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION ends()").await;
}

async fn execute(url: &str, sql: &str) {
    let mut conn = PgConnection::connect(url).await.unwrap();
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

/// Keys and what refers to them, each with the index that it stands on.
async fn what_is_left(url: &str) {
    let mut conn = PgConnection::connect(url).await.unwrap();
    let constraints: Vec<String> = sqlx::query_scalar(
        "SELECT conname || ' ' || conindid::regclass || CASE WHEN convalidated THEN '' ELSE ' not valid' END
            || CASE WHEN condeferred THEN ' deferred' ELSE '' END || CASE contype WHEN 'f' THEN ' ' || confdeltype::text ELSE '' END
         FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('f', 'p') ORDER BY 1",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    assert_eq!(
        constraints,
        [
            "accounts_pkey accounts_pkey",
            "entries_pkey entries_pkey",
            "fk_accounts_invited_by uq_accounts_id n",
            "fk_entries_account_id uq_accounts_id c",
            "fk_permissions_account_id uq_accounts_id deferred c",
            "fk_uses_role_account_id uq_permissions_account_id_role c",
            "permissions_pkey permissions_pkey",
            "uses_pkey uses_pkey",
        ]
    );
    let indexes: Vec<String> = sqlx::query_scalar(
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index
         WHERE indrelid IN ('accounts'::regclass, 'permissions'::regclass) ORDER BY 1",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    assert_eq!(
        indexes,
        [
            "CREATE UNIQUE INDEX accounts_pkey ON public.accounts USING btree (email)",
            "CREATE UNIQUE INDEX permissions_pkey ON public.permissions USING btree (id)",
            "CREATE UNIQUE INDEX uq_accounts_id ON public.accounts USING btree (id)",
            "CREATE UNIQUE INDEX uq_permissions_account_id_role ON public.permissions USING btree (account_id, role)",
        ]
    );
    conn.close().await.unwrap();
}
