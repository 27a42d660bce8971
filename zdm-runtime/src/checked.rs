//! Queries that sqlx checks when they are compiled, with what stands for a table's columns at each stage.
//!
//! Comes in: a call of `sqlx::query!` or its kin with names of fragments between its texts. Goes out: that call with texts alone, once
//! for each combination of sides that the table's migrations can be at.
//! Must not know: a table's fragments; its generated macro `fragments::sql` does.

/// Runs one of sqlx's checked queries (`query!`, `query_as!`, `query_scalar!` and their unchecked forms) as the stage of the table's
/// migrations asks for it.
///
/// Between the texts of the query stand fragments of the table, by their names in its generated module `fragments`: `set_<field>("$1")`
/// is what an `UPDATE` assigns, `<field>` what a condition compares, `guard("$2")` the condition under which the query is up to date;
/// `next_version` is what every `UPDATE` assigns besides where a column counts the writes. Their parameters are texts as well. sqlx then
/// checks one query per stage, for which the database has to be between `expand` and `contract` of a migration in transition.
///
/// ```text
/// let mut flags = people.flags().current();
/// loop {
///     let done = zdm_runtime::checked!(zdm::people::fragments::sql, flags => sqlx::query!(
///         "UPDATE people SET " set_age("$2") " WHERE id = $1 AND " guard("$3"),
///         id, age, flags.epoch()
///     ).execute(&mut *conn))?;
///     let now = people.flags().refresh(&mut *conn).await?;
///     if done.rows_affected() > 0 || now.epoch() == flags.epoch() {
///         return Ok(done.rows_affected() > 0);
///     }
///     flags = now; // the stage had moved
/// }
/// ```
///
/// The first argument is the path of the table's macro, the second a variable with the [`Flags`](crate::Flags): those whose epoch is bound
/// to the guard, since the sides of one stage under the epoch of another would leave one of them behind. A query without a guard does not
/// compile. It begins with a text, has fragments of one table, and ends with the call that runs it, which is awaited here: its answer has
/// one type whatever the stage, so that rows are named with `query_as!` or `query_scalar!`. A column in transition is selected by a name
/// that says whether it may be NULL, `" full_name " AS \"full_name!\"`: sqlx may conclude another thing of each side.
#[macro_export]
macro_rules! checked {
    ($($table:ident)::+, $flags:ident => $($query:ident)::+ ! ($($text:tt)+) . $run:ident ($($conn:tt)*) $(,)?) => {
        $($table)::+! { turns $flags { [$($table)::+] [$($query)::+] [$run ($($conn)*)] } { $($text)+ } }
    };
}

/// One step of [`checked`]: the sides of one migration after the other, then one piece of the query after the other.
///
/// A state has `(writes reads …)` for each migration in transition, in their turn; those after one that is not `complete` are `off`.
#[doc(hidden)]
#[macro_export]
macro_rules! checked_at {
    (turns $state:tt ; $call:tt $text:tt) => {
        $crate::checked_at! { begin $state $call $text }
    };
    (turns [$($before:tt)*] [$now:expr] $([$later:expr])* ; $call:tt $text:tt) => {
        match $crate::Flags::stage($now) {
            $crate::Stage::Off => $crate::checked_at! {
                begin [$($before)* (old old []) $((old old [$later]))*] $call $text
            },
            $crate::Stage::DualWrite | $crate::Stage::Shadow | $crate::Stage::Live => $crate::checked_at! {
                begin [$($before)* (both old []) $((old old [$later]))*] $call $text
            },
            $crate::Stage::RampDown => $crate::checked_at! {
                begin [$($before)* (both new []) $((old old [$later]))*] $call $text
            },
            $crate::Stage::Complete => $crate::checked_at! {
                turns [$($before)* (new new [])] $([$later])* ; $call $text
            },
        }
    };
    (begin $state:tt $call:tt { $into:path, $($text:tt)+ }) => {
        $crate::checked_at! { piece $state $call [$into,] [] { $($text)+ } }
    };
    (begin $state:tt $call:tt $text:tt) => {
        $crate::checked_at! { piece $state $call [] [] $text }
    };
    (piece $state:tt $call:tt $into:tt $sql:tt {}) => {
        $crate::checked_at! { run $call $into $sql [] }
    };
    (piece $state:tt $call:tt $into:tt $sql:tt { , $($values:tt)* }) => {
        $crate::checked_at! { run $call $into $sql [$($values)*] }
    };
    (piece $state:tt { [$($table:ident)::+] $($call:tt)+ } $into:tt $sql:tt { guard ($epoch:tt) $($text:tt)* }) => {
        $($table)::+! {
            guard $state ($epoch) { $state { [$($table)::+] $($call)+ guarded } $into $sql { $($text)* } }
        }
    };
    (piece $state:tt { [$($table:ident)::+] $($call:tt)+ } $into:tt $sql:tt { $fragment:ident ($($parameters:tt)*) $($text:tt)* }) => {
        $($table)::+! {
            $fragment $state ($($parameters)*) { $state { [$($table)::+] $($call)+ } $into $sql { $($text)* } }
        }
    };
    (piece $state:tt { [$($table:ident)::+] $($call:tt)+ } $into:tt $sql:tt { $fragment:ident $($text:tt)* }) => {
        $($table)::+! {
            $fragment $state () { $state { [$($table)::+] $($call)+ } $into $sql { $($text)* } }
        }
    };
    // As sqlx's macros have it between texts.
    (piece $state:tt $call:tt $into:tt $sql:tt { + $($text:tt)* }) => {
        $crate::checked_at! { piece $state $call $into $sql { $($text)* } }
    };
    (piece $state:tt $call:tt $into:tt [] { $first:tt $($text:tt)* }) => {
        $crate::checked_at! { piece $state $call $into [$first] { $($text)* } }
    };
    (piece $state:tt $call:tt $into:tt [$($sql:tt)+] { $next:tt $($text:tt)* }) => {
        $crate::checked_at! { piece $state $call $into [$($sql)+ + $next] { $($text)* } }
    };
    (with { $state:tt $call:tt $into:tt [$($sql:tt)+] $text:tt } $($piece:tt)+) => {
        $crate::checked_at! { piece $state $call $into [$($sql)+ $(+ $piece)+] $text }
    };
    (run { $table:tt [$($query:ident)::+] [$run:ident $conn:tt] $(guarded)+ } [$($into:tt)*] [$($sql:tt)+] [$($values:tt)*]) => {
        $($query)::+!($($into)* $($sql)+, $($values)*).$run $conn.await
    };
    (run $call:tt $into:tt $sql:tt $values:tt) => {
        compile_error!(
            "a checked query needs `guard(\"$n\")` in its condition, with `flags.epoch()` bound to it: without it, a process that has missed a \
             change of the stage writes and reads the wrong side"
        )
    };
}
