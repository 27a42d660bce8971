//! Rows as a stream that is read a page at a time.
//!
//! Comes in: what reads a page. Goes out: its rows, one by one.
//! Must not know: what a row is, how pages are found.

use std::future::Future;
use std::vec::IntoIter;

use futures_util::stream::{self, Stream};

use crate::Error;

struct Pages<C, K, T, F> {
    page: F,
    /// The connection and the key to go on after, as long as there may be more.
    next: Option<(C, Option<K>)>,
    rows: IntoIter<T>,
}

/// The rows of one page after the other.
///
/// `page` takes the connection and the key that the page before ended with, and returns the connection, the rows and the key
/// of the last one; the first page without a row is the last that is asked for. Between two pages no statement is running, so
/// that neither a hop nor a vacuum waits for whoever reads slowly. After an error the stream has ended.
pub fn pages<K, C, T, P>(
    connection: C,
    page: impl FnMut(C, Option<K>) -> P,
) -> impl Stream<Item = Result<T, Error>>
where
    P: Future<Output = Result<(C, Vec<T>, Option<K>), Error>>,
{
    let first = Pages {
        page,
        next: Some((connection, None)),
        rows: Vec::new().into_iter(),
    };
    stream::try_unfold(first, |mut pages| async move {
        loop {
            if let Some(row) = pages.rows.next() {
                return Ok(Some((row, pages)));
            }
            let Some((connection, after)) = pages.next.take() else {
                return Ok(None);
            };
            let (connection, rows, last) = (pages.page)(connection, after).await?;
            pages.next = last.map(|key| (connection, Some(key)));
            pages.rows = rows.into_iter();
        }
    })
}
