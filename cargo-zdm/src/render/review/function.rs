//! What the review page says of a column that a Rust function of the application fills.
//!
//! Must not know: which function.

pub(super) fn on_invalid(rule: &str) -> String {
    let outcome = match rule {
        "quarantine" => {
            "the key of a row for which the function gives an `Err` waits in quarantine; a read of it fails, and nobody reads new \
             before it is settled"
        }
        "reject" => {
            "the backfill stops at a row for which the function gives an `Err`, until somebody mends what it takes; a read of it fails"
        }
        _ => {
            return "`on_invalid`: none is declared, and the function gives a value for every row"
                .to_owned();
        }
    };
    format!("`on_invalid`: `{rule}`, {outcome}")
}

pub(super) fn filled() -> String {
    "**filled** by the application, which has the function: `cargo zdm backfill` makes ready for it and says what to run".to_owned()
}
