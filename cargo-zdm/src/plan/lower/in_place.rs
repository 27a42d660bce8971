//! Statements for a database that alters in place: constraints arrive unvalidated and are validated beside running
//! writes, and NOT NULL comes by way of a validated check, so that no step scans under a lock that blocks writers.

use zdm_model::names;

use super::{Drafted, Lowering};
use crate::diff::Part;
use crate::plan::alteration::{Alteration, Growing};
use crate::plan::{
    Action, CheckShape, KeyShape, Nullable, Remade, Statement, TableShape, Undo, UniqueShape,
};

impl Lowering<'_> {
    pub(super) fn alter(&mut self, drafted: &Drafted) {
        let table = &drafted.table;
        let mut actions = self.drop_referenced(table, &drafted.alteration);
        if actions.is_empty() {
            actions = self.actions(table, &drafted.alteration);
        }
        if actions.len() == 1 {
            let undo = self.undo(table, &drafted.alteration);
            if let Some(mut action) = actions.pop() {
                self.take_along(table, &mut action.statement, &undo);
                self.push(drafted, action, undo);
            }
            return;
        }
        let mut last = match &drafted.alteration {
            Alteration::Grow(growing) => self.validations(table, growing.growth()),
            _ => Vec::new(),
        };
        // What comes in several steps is taken back by the undo of the step that made it effective: a validation
        // leaves nothing behind, and a check that NOT NULL has replaced is gone already.
        for action in actions {
            let undo = match &action.statement {
                Statement::CreateIndex { index, .. } => {
                    // The first step is taken back last.
                    let mut undo = std::mem::take(&mut last);
                    undo.extend(self.actions(table, &Alteration::DropIndex(index.name.clone())));
                    by(undo)
                }
                Statement::ExchangeKey { growth, .. } => {
                    let back = Growing::ExchangeBack(growth.clone());
                    by(self.grow(table, &back))
                }
                Statement::SetPrimaryKey { .. } | Statement::DropReferenced { .. } => {
                    self.undo(table, &drafted.alteration)
                }
                Statement::AddUnique { unique, .. } => drop_constraint(table, &unique.name),
                Statement::AddCheck { check, .. } => drop_constraint(table, &check.name),
                Statement::AddForeignKey { foreign_key, .. } => {
                    by(self.actions(table, &Alteration::DropForeignKey(foreign_key.name.clone())))
                }
                Statement::SetNotNull { column, .. } => {
                    by(self.actions(table, &Alteration::DropNotNull(column.clone())))
                }
                _ => Undo::Covered,
            };
            self.push(drafted, action, undo);
        }
    }

    fn undo(&self, table: &str, alteration: &Alteration) -> Undo {
        match alteration.inverse(table, &self.shapes) {
            Ok(inverse) => Undo::By {
                actions: self.repeatable(table, &inverse),
                loses: alteration.loses(table),
            },
            Err(reason) => Undo::Impossible(reason),
        }
    }

    /// An undo of several statements that was interrupted begins again with the first. There is no `ADD CONSTRAINT IF NOT
    /// EXISTS`, and a foreign key's statement does not drop first, which would lock readers out on the way forward.
    pub(super) fn repeatable(&self, table: &str, alteration: &Alteration) -> Vec<Action> {
        let mut actions = Vec::new();
        let left = match alteration {
            Alteration::AddForeignKey(key) => Some(&key.name),
            Alteration::AddUnique(unique) => Some(&unique.name),
            Alteration::AddExclusion(exclusion) => Some(&exclusion.name),
            // What was validated is there.
            Alteration::AddCheck(check) if check.not_valid => Some(&check.name),
            _ => None,
        };
        actions.extend(left.map(|name| Action {
            summary: format!("drop what an interrupted undo left of {name}"),
            statement: Statement::DropConstraint {
                table: table.to_owned(),
                constraint: name.clone(),
                index: false,
            },
        }));
        actions.extend(self.actions(table, alteration));
        actions
    }

    pub(super) fn actions(&self, table: &str, alteration: &Alteration) -> Vec<Action> {
        if let Some(action) = self.common(table, alteration) {
            return vec![action];
        }
        let named = || table.to_owned();
        match alteration {
            Alteration::Grow(growing) => self.grow(table, growing),
            Alteration::ReplacePrimaryKey(key) => self.replace_primary_key(table, key),
            Alteration::SetNotNull(column) => self.set_not_null(table, column),
            Alteration::AddUnique(unique) => self.add_unique(table, unique),
            Alteration::AddCheck(check) => {
                let add = Action {
                    summary: format!("add the check {} to {table} for new rows", check.name),
                    statement: Statement::AddCheck {
                        table: named(),
                        check: check.clone(),
                    },
                };
                if check.not_valid {
                    vec![add]
                } else {
                    with_validation(table, &check.name, add)
                }
            }
            Alteration::AddForeignKey(key) => {
                let add = Action {
                    summary: format!("add the foreign key {} to {table} for new rows", key.name),
                    statement: Statement::AddForeignKey {
                        table: named(),
                        foreign_key: key.clone(),
                    },
                };
                if key.not_valid {
                    vec![add]
                } else {
                    with_validation(table, &key.name, add)
                }
            }
            _ => {
                let summary = alteration.summary(table);
                let statement = self.statement(table, alteration);
                statement
                    .map(|statement| Action { summary, statement })
                    .into_iter()
                    .collect()
            }
        }
    }

    /// The statement of an alteration that takes one alone; `common` has those that every dialect has.
    fn statement(&self, table: &str, alteration: &Alteration) -> Option<Statement> {
        let named = || table.to_owned();
        Some(match alteration {
            Alteration::SetType(column, sql_type, compares) => Statement::SetType {
                table: named(),
                column: column.clone(),
                sql_type: sql_type.clone(),
                compares: *compares,
                locked: self.locked_with(table, column),
            },
            Alteration::ReplaceGenerated(column) => Statement::ReplaceGenerated {
                table: named(),
                column: column.clone(),
            },
            Alteration::SetDefault(column, Some(default)) => Statement::SetDefault {
                table: named(),
                column: column.clone(),
                default: default.clone(),
            },
            Alteration::SetDefault(column, None) => Statement::DropDefault {
                table: named(),
                column: column.clone(),
            },
            Alteration::SetCounting(column, from, to) => Statement::SetCounting {
                table: named(),
                column: column.clone(),
                from: *from,
                to: *to,
            },
            Alteration::SetComment(column, comment) => Statement::SetComment {
                table: named(),
                column: column.clone(),
                comment: comment.clone(),
            },
            Alteration::DropNotNull(column) => Statement::DropNotNull(Nullable {
                table: named(),
                column: column.clone(),
                check: None,
            }),
            Alteration::SetPrimaryKey(key) => set_primary_key(table, key),
            Alteration::DropPrimaryKey => dropped(table, &self.key_name(table)),
            Alteration::AddExclusion(exclusion) => Statement::AddExclusion {
                table: named(),
                exclusion: exclusion.clone(),
            },
            Alteration::Validate(constraint) => Statement::ValidateConstraint {
                table: named(),
                constraint: constraint.clone(),
            },
            Alteration::DropCheck(name)
            | Alteration::DropUnique(name)
            | Alteration::DropExclusion(name) => dropped(table, name),
            Alteration::DropForeignKey(name) => Statement::DropForeignKey {
                table: named(),
                constraint: name.clone(),
            },
            Alteration::Rename(Part::Index, from, to) => Statement::RenameIndex {
                table: named(),
                from: from.clone(),
                to: to.clone(),
            },
            Alteration::Rename(_, from, to) => Statement::RenameConstraint {
                table: named(),
                from: from.clone(),
                to: to.clone(),
            },
            Alteration::Name(naming) => naming.statement(table),
            Alteration::Net(netting) => Statement::Net(netting.step(table)),
            Alteration::Keep(keeping) => Statement::Keep(keeping.step(table)),
            Alteration::CreateFunction(function) => Statement::CreateFunction {
                table: named(),
                function: function.clone(),
            },
            Alteration::DropFunction(function) => Statement::DropFunction {
                table: named(),
                function: function.name.clone(),
                parameters: function
                    .parameters
                    .iter()
                    .map(|(_, sql_type)| sql_type.clone())
                    .collect(),
            },
            Alteration::CreateEnum(_)
            | Alteration::DropEnum(_)
            | Alteration::AddEnumValue(_)
            | Alteration::LeaveEnumValue(_)
            | Alteration::CreateTable(_)
            | Alteration::DropTable(_)
            | Alteration::AddColumn(_)
            | Alteration::DropColumn(_)
            | Alteration::CreateIndex(_)
            | Alteration::DropIndex(_)
            | Alteration::CreateTriggers(_)
            | Alteration::DropTriggers(_)
            | Alteration::Grow(_)
            | Alteration::ReplacePrimaryKey(_)
            | Alteration::SetNotNull(_)
            | Alteration::AddUnique(_)
            | Alteration::AddCheck(_)
            | Alteration::AddForeignKey(_) => return of_enum(table, alteration),
        })
    }

    /// The index is built beside running writes; the constraint takes it as its own.
    fn add_unique(&self, table: &str, unique: &UniqueShape) -> Vec<Action> {
        let mut actions = self.actions(table, &Alteration::CreateIndex(unique.index()));
        actions.push(Action {
            summary: format!("make {} a unique constraint of {table}", unique.name),
            statement: Statement::AddUnique {
                table: table.to_owned(),
                unique: unique.clone(),
            },
        });
        actions
    }

    fn key_name(&self, table: &str) -> String {
        let own = || names::primary_key_name(table);
        self.shapes
            .table(table)
            .map_or_else(own, TableShape::key_name)
    }

    fn set_not_null(&self, table: &str, column: &str) -> Vec<Action> {
        let check = CheckShape {
            name: not_null_name(table, column),
            expr: format!("{} IS NOT NULL", self.dialect.ident(column)),
            not_valid: false,
            no_inherit: false,
        };
        let constraint = check.name.clone();
        let mut actions = with_validation(
            table,
            &constraint,
            Action {
                summary: format!("refuse NULL in {table}.{column} for new rows"),
                statement: Statement::AddCheck {
                    table: table.to_owned(),
                    check,
                },
            },
        );
        actions.push(Action {
            summary: format!(
                "make {table}.{column} NOT NULL, which the check proves without a scan"
            ),
            statement: Statement::SetNotNull {
                table: table.to_owned(),
                column: column.to_owned(),
            },
        });
        actions.push(Action {
            summary: format!("drop the check {constraint}, which NOT NULL has replaced"),
            statement: Statement::DropConstraint {
                table: table.to_owned(),
                constraint,
                index: false,
            },
        });
        actions
    }
}

/// What the check is called that proves NOT NULL.
pub(crate) fn not_null_name(table: &str, column: &str) -> String {
    format!("{}_{column}_not_null", names::bare(table))
}

fn set_primary_key(table: &str, key: &KeyShape) -> Statement {
    let own = || names::primary_key_name(table);
    Statement::SetPrimaryKey {
        table: table.to_owned(),
        constraint: key.name.clone().unwrap_or_else(own),
        index: key.index.clone(),
        replaced: None,
        remade: Remade::none(table),
    }
}

fn with_validation(table: &str, constraint: &str, add: Action) -> Vec<Action> {
    let validate = Action {
        summary: format!("compare the rows of {table} with {constraint}"),
        statement: Statement::ValidateConstraint {
            table: table.to_owned(),
            constraint: constraint.to_owned(),
        },
    };
    vec![add, validate]
}

fn by(actions: Vec<Action>) -> Undo {
    Undo::By {
        actions,
        loses: None,
    }
}

fn drop_constraint(table: &str, constraint: &str) -> Undo {
    by(vec![Action {
        summary: format!("drop {constraint} of {table}"),
        statement: dropped(table, constraint),
    }])
}

fn dropped(table: &str, constraint: &str) -> Statement {
    Statement::DropConstraint {
        table: table.to_owned(),
        constraint: constraint.to_owned(),
        index: false,
    }
}

fn of_enum(table: &str, alteration: &Alteration) -> Option<Statement> {
    let named = || table.to_owned();
    Some(match alteration {
        Alteration::CreateEnum(found) => Statement::CreateEnum {
            table: named(),
            name: found.name.clone(),
            values: found.values.clone(),
        },
        Alteration::DropEnum(found) => Statement::DropEnum {
            table: named(),
            name: found.name.clone(),
        },
        Alteration::AddEnumValue(value) => Statement::AddEnumValue {
            table: named(),
            added: value.clone(),
        },
        Alteration::LeaveEnumValue(value) => Statement::LeaveEnumValue {
            table: named(),
            left: value.clone(),
        },
        _ => return None,
    })
}
