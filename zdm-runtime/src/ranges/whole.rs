//! A look at a range that is the whole table, where nothing tells rows apart.
//!
//! Must not know: what the statement says.

use super::Ranges;
use crate::database::{Connection, DatabaseError, Dialect, Row, Value};

impl Ranges<'_> {
    /// What a statement says of a range. Of a table without a key that is the whole table, and the statement takes as long as it takes to
    /// read it, whatever time the role has for one.
    pub(super) async fn looked_at(
        self,
        connection: &mut Connection,
        file: &str,
        values: &[Value],
    ) -> Result<Vec<Row>, DatabaseError> {
        let sql = self.migration.file(file);
        let is_whole = self.backfill.address.is_some();
        // On `SQLite`, which has no such limit, a transaction would keep writers away meanwhile.
        if !is_whole || connection.dialect() == Dialect::Sqlite {
            return connection.query_file(sql, values).await;
        }
        connection.begin_with(&["statement_timeout = 0"]).await?;
        let rows = connection.query_file(sql, values).await;
        connection.end(rows).await
    }
}
