//! Where a row stands: what the backfill walks along in tables in which no columns tell rows apart.
//!
//! Must not know: statements.

use zdm_model::{Column, LogicalType, Table};

use super::Dialect;

/// The column of addresses and the ends of all ranges of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// As text, and as a parameter, it is treated as the column of a key.
    pub column: Column,
    /// No row stands before.
    pub first: String,
    /// No row stands behind.
    pub last: String,
    /// They count blocks, through which a batch goes without an order of rows.
    pub in_blocks: bool,
}

impl Dialect {
    /// The addresses of a table's rows; none where columns of its own have all the names of that, before a change or after.
    pub fn addresses(&self, table: &Table, after: Option<&Table>) -> Option<Addresses> {
        let facts = &self.facts.address;
        let is_free = |name: &&String| {
            let columns = table.columns.iter();
            let mut columns = columns.chain(after.into_iter().flat_map(|after| &after.columns));
            !columns.any(|column| column.name.eq_ignore_ascii_case(name))
        };
        let name = facts.columns.iter().find(is_free)?;
        Some(Addresses {
            column: Column {
                name: name.clone(),
                field: name.clone(),
                rust_type: "String".to_owned(),
                logical_type: match facts.r#type {
                    Some(_) => LogicalType::Custom,
                    None => LogicalType::Int8,
                },
                sql_type: facts.r#type.clone(),
                collation: None,
                nullable: false,
                auto: false,
                counted: None,
                default: None,
                generated: None,
                is_virtual: false,
                comment: None,
                transition: None,
                moved_from: None,
                source: table.source.clone(),
            },
            first: facts.first.clone(),
            last: facts.last.clone(),
            in_blocks: facts.in_blocks,
        })
    }
}
