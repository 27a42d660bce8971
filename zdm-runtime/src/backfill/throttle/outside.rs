//! The team's own signals: a query and an HTTP endpoint.

use std::time::Duration;

use super::{Signal, ThrottleError, Verdict};
use crate::database::{Connection, Value};

/// How long a signal may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the query answers holds, unless it is no row, NULL, 0, false or an empty text.
pub(super) async fn query(
    connection: &mut Connection,
    query: Option<&str>,
) -> Result<Verdict, ThrottleError> {
    let Some(query) = query else {
        return Ok(Verdict::Go);
    };
    let rows = connection
        .query_only("", query, &[], PATIENCE)
        .await
        .map_err(|error| ThrottleError::unreadable(Signal::Query, &error))?;
    let value = match rows.first().and_then(|row| row.first()) {
        None | Some(Value::Int(None | Some(0)) | Value::Text(None)) => return Ok(Verdict::Go),
        Some(Value::Int(Some(number))) => number.to_string(),
        Some(Value::Text(Some(text))) => text.trim().to_owned(),
    };
    Ok(match value.as_str() {
        "" | "0" | "f" | "false" => Verdict::Go,
        said => Verdict::Hold(format!("the query of zdm.toml says {said}")),
    })
}

/// Any status of success lets the backfill go on.
pub(super) async fn url(url: Option<&str>) -> Result<Verdict, ThrottleError> {
    let Some(url) = url.map(str::to_owned) else {
        return Ok(Verdict::Go);
    };
    let unreadable = |reason: String| ThrottleError::Unreadable {
        signal: Signal::Url,
        reason,
    };
    let asked = url.clone();
    let status = tokio::task::spawn_blocking(move || status(&asked))
        .await
        .map_err(|error| unreadable(error.to_string()))?
        .map_err(|error| unreadable(error.to_string().replace(&url, &without_secrets(&url))))?;
    Ok(if (200..300).contains(&status) {
        Verdict::Go
    } else {
        Verdict::Hold(format!("{} answers {status}", without_secrets(&url)))
    })
}

fn status(url: &str) -> Result<u16, ureq::Error> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .max_redirects(0)
        .build()
        .into();
    Ok(agent.get(url).call()?.status().as_u16())
}

/// An address may carry a token.
fn without_secrets(url: &str) -> String {
    let shown = url.split(['?', '#']).next().unwrap_or_default();
    match shown.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            format!("{scheme}://{host}")
        }
        None => shown.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_what_it_carries() {
        assert_eq!(
            without_secrets("http://user:word@host:8080/throttle?token=t"),
            "http://host:8080/throttle"
        );
    }
}
