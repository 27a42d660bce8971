//! Code that follows several migrations of a table.

use zdm_runtime::manifest::{Manifest, Route};
use zdm_runtime::{Code, CodeState, Error, MigrationCode, Stage, TableCode, TableFlags, history};

use crate::fixture::{Database, MIGRATION, Operator, manifest};

/// Two migrations in transition, and between them a version that has no stages to follow.
pub(crate) static SEVERAL: Code = Code {
    tables: &[TableCode {
        table: "users",
        migrations: &[
            MigrationCode {
                id: MIGRATION,
                name: "users_full_name",
                state: CodeState::Transition,
            },
            MigrationCode {
                id: "direct",
                name: "note",
                state: CodeState::Transition,
            },
            MigrationCode {
                id: "second",
                name: "users_age",
                state: CodeState::Transition,
            },
        ],
    }],
};

/// All of them expanded.
pub(crate) async fn several(database: &Database) -> Operator {
    let mut operator = Operator::of(database).await;
    for (version, id, route) in [
        (3, "direct", Route::Direct),
        (4, "second", Route::FivePhases),
    ] {
        let manifest = Manifest {
            id: id.to_owned(),
            version,
            route,
            ..manifest()
        };
        history::expanded(&mut operator.connection, &manifest, "hash", "test")
            .await
            .unwrap();
    }
    operator
}

#[tokio::test]
async fn of_several_migrations_in_transition_the_one_that_moves_is_followed() {
    for database in [Database::postgres(), Database::sqlite()] {
        let database = database.expanded().await;
        let mut operator = several(&database).await;
        let zdm = database.zdm(&SEVERAL).await;
        zdm.ready().unwrap();
        let flags = TableFlags::of(&zdm, "users").unwrap();
        for (turn, migration, other) in [(0, MIGRATION, Stage::Off), (1, "second", Stage::Complete)]
        {
            let mut live = None;
            for stage in &Stage::ALL[1..] {
                operator.stands(migration, *stage).await;
                zdm.beat().await.unwrap();
                let now = flags.current();
                assert_eq!(
                    (now.of(turn).stage(), now.of(1 - turn).stage()),
                    (*stage, other)
                );
                if now.of(turn).compares() {
                    flags.mismatch(&7);
                    live = Some(now);
                }
            }
            // A row that was read before the last hops.
            flags.mismatch_at(live.unwrap(), &8);
            zdm.beat().await.unwrap();
            let counted = operator
                .number(&format!(
                    "SELECT mismatches FROM {{zdm}}mismatch WHERE migration = '{migration}'"
                ))
                .await;
            assert_eq!(counted, 3, "{migration}");
        }
        assert_eq!(zdm.mismatches(), [("users", 6)]);

        operator.stands(MIGRATION, Stage::Live).await;
        zdm.beat().await.unwrap();
        let refused = zdm.ready().unwrap_err();
        assert!(matches!(refused, Error::OutOfTurn { .. }), "{refused}");
    }
}
