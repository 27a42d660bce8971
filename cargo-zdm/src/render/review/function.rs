//! What the review page says of a column to which a Rust function of the application gives its values.
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

pub(super) fn one_way() -> String {
    "`one_way`: nothing comes back. A write takes both values, and one whose new value is not what the function gives for its old one is \
     refused"
        .to_owned()
}

pub(super) fn sealed(seal: &str) -> String {
    format!(
        "**compared** by `{seal}`, which says what both sides of a row were when somebody last wrote both; it goes with old in contract"
    )
}
