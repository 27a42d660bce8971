//! What the control tables say about one table, and whether a given code may serve it.
//!
//! Comes in: a connection, a table's code. Goes out: [`Loaded`] flags, or the reason why this code must not touch the table.

use std::collections::BTreeMap;

use crate::bucket;
use crate::code::{CodeState, TableCode};
use crate::control_value::{integer, optional_integer, optional_text, text};
use crate::database::control_connection::sealed::Control;
use crate::database::{DatabaseError, Value};
use crate::flags::TURNS;
use crate::{Error, Flags, Share, Stage};

/// A table's migrations as the database knows them.
#[derive(Debug, Default)]
struct Recorded {
    migration: String,
    route: String,
    expanded: bool,
    /// Or contract has begun, which is what a negative time says.
    contracted: bool,
    stage: Option<Stage>,
    /// The share of keys that this instance reads from new.
    basis_points: u32,
}

/// The routes on which contract ends what code in transition names.
const ENDED: [&str; 2] = ["five_phases", "rename"];

/// One query on the caller's own connection, so that it sees what the caller's transaction sees. Control tables from before version
/// 7 have no `read_instances`: its bare name in the inner query then means that of `absent`, which is NULL.
const STATE: &str = "SELECT f.epoch, t.migration, m.route, m.expanded_at IS NOT NULL, s.stage, s.read_basis_points, \
    m.contracted_at IS NOT NULL, \
    (SELECT read_instances FROM {zdm}stage own WHERE own.migration = t.migration) \
    FROM (SELECT CAST(NULL AS integer) AS read_instances) absent CROSS JOIN {zdm}fence f \
    LEFT JOIN {zdm}stage_table t ON t.table_name = f.table_name \
    LEFT JOIN {zdm}migration m ON m.migration = t.migration \
    LEFT JOIN {zdm}stage s ON s.migration = t.migration \
    WHERE f.table_name = $1";

/// The epoch of every table.
pub(crate) async fn epochs<C: Control>(
    connection: &mut C,
) -> Result<BTreeMap<String, i64>, DatabaseError> {
    let rows = connection
        .rows("SELECT table_name, epoch FROM {zdm}fence", &[])
        .await?;
    Ok(rows
        .iter()
        .filter_map(|row| match row.as_slice() {
            [Value::Text(Some(table)), Value::Int(Some(epoch))] => Some((table.clone(), *epoch)),
            _ => None,
        })
        .collect())
}

/// The present flags of a table for this code in an instance of this name.
pub(crate) async fn load<C: Control>(
    connection: &mut C,
    code: &TableCode,
    instance: &str,
) -> Result<Loaded, Error> {
    let rows = connection.rows(STATE, &[code.table.into()]).await?;
    let Some(first) = rows.first() else {
        return Err(no_fence(code.table));
    };
    let epoch = integer(first, 0)?;
    let mut recorded = Vec::new();
    for row in &rows {
        let Some(migration) = optional_text(row, 1)? else {
            continue;
        };
        let basis_points = match optional_text(row, 4)? {
            Some(_) => Share::recorded(integer(row, 5)?, optional_integer(row, 7)?)?
                .of_instance(&migration, instance),
            None => 0,
        };
        recorded.push(Recorded {
            migration,
            route: text(row, 2)?,
            expanded: integer(row, 3)? != 0,
            contracted: integer(row, 6)? != 0,
            stage: optional_text(row, 4)?
                .map(|stage| stage_of(&stage))
                .transpose()?,
            basis_points,
        });
    }
    judge(code, epoch, &recorded)
}

/// What the control tables say about a table, as far as its code goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Loaded {
    pub(crate) flags: Flags,
    /// The migrations whose stages the code follows, in their turn.
    pub(crate) followed: Vec<&'static str>,
}

fn judge(code: &TableCode, epoch: i64, recorded: &[Recorded]) -> Result<Loaded, Error> {
    let mut followed = Vec::new();
    for migration in code.migrations {
        let found = recorded
            .iter()
            .find(|row| row.migration == migration.id && row.expanded)
            .ok_or_else(|| Error::NotExpanded {
                table: code.table.to_owned(),
                what: format!(
                    "migration {} (`{}`) has not been expanded",
                    migration.id, migration.name
                ),
            })?;
        let Some(stage) = found.stage else {
            continue;
        };
        match migration.state {
            CodeState::Final if stage != Stage::Complete => {
                return Err(Error::CodeTooNew {
                    table: code.table.to_owned(),
                    migration: migration.id.to_owned(),
                    stage,
                });
            }
            CodeState::Transition if found.contracted && ENDED.contains(&found.route.as_str()) => {
                return Err(Error::Contracted {
                    table: code.table.to_owned(),
                    migration: migration.id.to_owned(),
                    name: migration.name.to_owned(),
                });
            }
            CodeState::Transition if found.route == "five_phases" => {
                followed.push(Followed {
                    migration: migration.id,
                    stage,
                    basis_points: found.basis_points,
                });
            }
            CodeState::Final | CodeState::Transition => {}
        }
    }
    for row in recorded {
        let known = code
            .migrations
            .iter()
            .any(|known| known.id == row.migration);
        if let (false, Some(stage)) = (known, row.stage)
            && stage != Stage::Off
        {
            return Err(Error::CodeTooOld {
                table: code.table.to_owned(),
                migration: row.migration.clone(),
                stage,
            });
        }
    }
    let epoch = u64::try_from(epoch).map_err(|_| Error::Unreadable {
        what: format!("epoch {epoch} of table `{}`", code.table),
    })?;
    Ok(Loaded {
        flags: in_turn(code.table, epoch, &followed)?,
        followed: followed.iter().map(|found| found.migration).collect(),
    })
}

/// A migration whose stages the code follows.
struct Followed {
    migration: &'static str,
    stage: Stage,
    basis_points: u32,
}

/// The first that is not `complete` moves, and nothing after it has begun: statements know no other combination.
fn in_turn(table: &str, epoch: u64, followed: &[Followed]) -> Result<Flags, Error> {
    let moves = followed
        .iter()
        .position(|found| found.stage != Stage::Complete);
    let Some(turn) = moves.or_else(|| followed.len().checked_sub(1)) else {
        return Ok(Flags::new(epoch, 0, Stage::Complete, bucket::ALL));
    };
    let moving = &followed[turn];
    let mut later = followed[turn + 1..].iter();
    if let Some(begun) = later.find(|later| later.stage != Stage::Off) {
        return Err(Error::OutOfTurn {
            table: table.to_owned(),
            first: moving.migration.to_owned(),
            first_stage: moving.stage,
            second: begun.migration.to_owned(),
            second_stage: begun.stage,
        });
    }
    if turn >= TURNS {
        return Err(Error::Unreadable {
            what: format!("more than {TURNS} migrations of table `{table}` in transition"),
        });
    }
    Ok(Flags::new(epoch, turn, moving.stage, moving.basis_points))
}

pub(crate) fn no_fence(table: &str) -> Error {
    Error::NotExpanded {
        table: table.to_owned(),
        what: "the control tables have no fence for it".to_owned(),
    }
}

pub(crate) fn stage_of(name: &str) -> Result<Stage, Error> {
    name.parse().map_err(|_| Error::Unreadable {
        what: format!("the stage `{name}`"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::MigrationCode;

    const TRANSITION: TableCode = TableCode {
        table: "users",
        migrations: &[
            MigrationCode {
                id: "a",
                name: "first",
                state: CodeState::Final,
            },
            MigrationCode {
                id: "b",
                name: "second",
                state: CodeState::Transition,
            },
        ],
    };
    const BEFORE: TableCode = TableCode {
        table: "users",
        migrations: &[MigrationCode {
            id: "a",
            name: "first",
            state: CodeState::Final,
        }],
    };

    fn recorded(migration: &str, stage: Option<Stage>) -> Recorded {
        Recorded {
            migration: migration.to_owned(),
            route: "five_phases".to_owned(),
            expanded: true,
            contracted: false,
            stage,
            basis_points: 25,
        }
    }

    #[test]
    fn the_migration_in_transition_gives_the_stage() {
        for stage in Stage::ALL {
            let rows = [
                recorded("a", Some(Stage::Complete)),
                recorded("b", Some(stage)),
            ];
            assert_eq!(
                judge(&TRANSITION, 3, &rows).unwrap(),
                Loaded {
                    flags: Flags::new(3, 0, stage, 25),
                    followed: vec!["b"],
                }
            );
        }
    }

    #[test]
    fn code_from_before_a_migration_serves_until_it_leaves_off() {
        let rows = |stage| {
            [
                recorded("a", Some(Stage::Complete)),
                recorded("b", Some(stage)),
            ]
        };
        assert_eq!(
            judge(&BEFORE, 3, &rows(Stage::Off)).unwrap().flags,
            Flags::new(3, 0, Stage::Complete, bucket::ALL)
        );
        for stage in &Stage::ALL[1..] {
            let error = judge(&BEFORE, 3, &rows(*stage)).unwrap_err();
            assert!(
                matches!(error, Error::CodeTooOld { .. }),
                "{stage}: {error}"
            );
        }
    }

    #[test]
    fn final_code_serves_complete_alone() {
        for stage in &Stage::ALL[..5] {
            let error = judge(&BEFORE, 3, &[recorded("a", Some(*stage))]).unwrap_err();
            assert!(
                matches!(error, Error::CodeTooNew { .. }),
                "{stage}: {error}"
            );
        }
        assert!(judge(&BEFORE, 3, &[recorded("a", Some(Stage::Complete))]).is_ok());
    }

    #[test]
    fn code_that_names_what_was_dropped_is_refused() {
        let mut rows = [
            recorded("a", Some(Stage::Complete)),
            recorded("b", Some(Stage::Complete)),
        ];
        assert!(judge(&TRANSITION, 3, &rows).is_ok());
        rows[0].contracted = true;
        assert!(judge(&TRANSITION, 3, &rows).is_ok());
        for route in ENDED {
            (rows[1].contracted, rows[1].route) = (true, route.to_owned());
            let error = judge(&TRANSITION, 3, &rows).unwrap_err();
            assert!(matches!(error, Error::Contracted { .. }), "{error}");
        }
    }

    #[test]
    fn a_migration_that_was_not_expanded_is_named() {
        let missing = judge(&TRANSITION, 3, &[recorded("a", Some(Stage::Complete))]).unwrap_err();
        assert!(missing.to_string().contains("`second`"), "{missing}");
        let mut undone = recorded("a", None);
        undone.expanded = false;
        assert!(matches!(
            judge(&BEFORE, 3, &[undone]).unwrap_err(),
            Error::NotExpanded { .. }
        ));
    }

    #[test]
    fn a_direct_migration_needs_no_stage() {
        let mut direct = recorded("a", None);
        direct.route = "direct".to_owned();
        assert!(judge(&BEFORE, 3, &[direct]).is_ok());
    }

    const TWO: TableCode = TableCode {
        table: "users",
        migrations: &[
            MigrationCode {
                id: "a",
                name: "first",
                state: CodeState::Transition,
            },
            MigrationCode {
                id: "direct",
                name: "between",
                state: CodeState::Transition,
            },
            MigrationCode {
                id: "b",
                name: "second",
                state: CodeState::Transition,
            },
        ],
    };

    fn two(first: Stage, second: Stage) -> [Recorded; 3] {
        let mut direct = recorded("direct", None);
        direct.route = "direct".to_owned();
        [
            recorded("a", Some(first)),
            direct,
            recorded("b", Some(second)),
        ]
    }

    #[test]
    fn of_two_in_transition_the_first_that_is_not_complete_moves() {
        for stage in Stage::ALL {
            for (turn, stages) in [two(stage, Stage::Off), two(Stage::Complete, stage)]
                .iter()
                .enumerate()
            {
                let loaded = judge(&TWO, 3, stages).unwrap();
                let turn = if stage == Stage::Complete { 1 } else { turn };
                let stage = if turn == 1 && stages[2].stage == Some(Stage::Off) {
                    Stage::Off
                } else {
                    stage
                };
                assert_eq!(loaded.flags, Flags::new(3, turn, stage, 25));
                assert_eq!(loaded.followed, ["a", "b"]);
            }
        }
    }

    #[test]
    fn what_is_not_in_turn_is_refused() {
        for first in &Stage::ALL[..5] {
            for second in &Stage::ALL[1..] {
                let error = judge(&TWO, 3, &two(*first, *second)).unwrap_err();
                assert!(matches!(error, Error::OutOfTurn { .. }), "{error}");
            }
        }
    }
}
