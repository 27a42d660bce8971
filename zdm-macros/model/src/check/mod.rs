//! What a declaration must fulfil, as a list of checks.
//!
//! Comes in: a [`Declaration`]. Goes out: errors, each at the word that is wrong, with the way on.
//! Must not know: any database, the schema before. What depends on the old columns' types is the planner's.

mod columns;
mod constraints;
mod functions;
mod keys;
mod losses;
mod split;
mod transitions;
mod version;

use crate::attributes::Errors;
use crate::declaration::Declaration;

type Check = fn(&Declaration, &mut Errors);

/// Every check, in the order in which their errors are shown.
const CHECKS: [Check; 36] = [
    columns::there_is_one,
    columns::types_are_known,
    columns::names_are_unique,
    columns::names_fit,
    columns::table_is_ours,
    columns::table_is_renamed,
    columns::generated_is_only_read,
    columns::collation_is_of_texts,
    keys::is_declared_once,
    keys::exists,
    keys::is_never_null,
    keys::auto_is_given,
    keys::auto_is_an_integer,
    version::counts_writes,
    transitions::rename_stands_alone,
    transitions::both_directions,
    transitions::one_way_stands_for_down,
    losses::are_of_two_ways,
    transitions::down_covers_the_old_columns,
    transitions::down_has_an_old_column,
    transitions::validity_is_complete,
    transitions::invalid_rows_have_a_place,
    transitions::fill_is_needed,
    functions::stands_in_place_of_up,
    functions::takes_columns_that_stay,
    functions::invalid_rows_wait_or_stop,
    transitions::old_columns_are_gone,
    transitions::final_name_becomes_free,
    transitions::drops_are_gone,
    split::keys_have_the_same_width,
    split::values_are_kept,
    split::column_of_another_table,
    constraints::columns_exist,
    constraints::references_match,
    constraints::columns_of_actions_are_the_keys,
    constraints::actions_fit,
];

/// Runs every check.
pub(crate) fn all(declaration: &Declaration, errors: &mut Errors) {
    for check in CHECKS {
        check(declaration, errors);
    }
}
