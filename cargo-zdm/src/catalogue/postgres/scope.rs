//! Which schemas the questions are about, and what the project calls what stands in them.

use zdm_runtime::database::{Connection, Value};

use super::questions::SCHEMAS;
use crate::catalogue::{CatalogueError, Schemas};

/// What the questions are about: schemas by their oids.
pub(in crate::catalogue) struct Scope {
    schemas: String,
    own: i64,
}

impl Scope {
    pub(in crate::catalogue) async fn of(
        connection: &mut Connection,
        wanted: &Schemas,
    ) -> Result<Self, CatalogueError> {
        let mut oids = Vec::new();
        let mut found = Vec::new();
        let mut own = 0;
        for row in connection.query_file(SCHEMAS, &[]).await? {
            let [
                Value::Int(Some(oid)),
                Value::Text(Some(name)),
                Value::Int(Some(is_own)),
            ] = row.as_slice()
            else {
                let (of, reason) = ("schemas", format!("{row:?}"));
                return Err(CatalogueError::Shape { of, reason });
            };
            if *is_own != 0 {
                own = *oid;
            }
            let is_wanted = match wanted {
                Schemas::Own => *is_own != 0,
                Schemas::All => true,
                Schemas::Only(names) => names.contains(name),
            };
            if is_wanted {
                oids.push(oid.to_string());
            }
            found.push(name.clone());
        }
        if let Schemas::Only(names) = wanted
            && let Some(unknown) = names.iter().find(|name| !found.contains(name))
        {
            return Err(CatalogueError::UnknownSchema {
                name: unknown.clone(),
                known: found.join(", "),
            });
        }
        Ok(Self {
            schemas: oids.join(", "),
            own,
        })
    }

    /// A question about them: `{schemas}` is their list, `{c}`, `{r}` and `{t}` are what the project calls a relation or a type of
    /// that alias. Where a dot is part of a name, that is what SQL would call it.
    pub(in crate::catalogue) fn asked(&self, sql: &str) -> String {
        let placed = |space: &str, name: &str| {
            let own = self.own;
            format!(
                "(SELECT CASE
                    WHEN n.oid = {own} AND {name} LIKE '%.%' THEN pg_catalog.quote_ident({name})
                    WHEN n.oid = {own} THEN CAST({name} AS text)
                    WHEN {name} LIKE '%.%' OR nspname LIKE '%.%'
                        THEN pg_catalog.concat('\"', pg_catalog.replace(nspname, '\"', '\"\"'), '\".\"', pg_catalog.replace({name}, '\"', '\"\"'), '\"')
                    ELSE CAST(nspname AS text) || '.' || {name} END
                FROM pg_namespace n WHERE n.oid = {space})"
            )
        };
        let dotted = |space: &str, name: &str| {
            let own = self.own;
            format!(
                "({name} LIKE '%.%' OR {space} <> {own} AND EXISTS (SELECT FROM pg_namespace n WHERE n.oid = {space} AND nspname LIKE '%.%'))"
            )
        };
        sql.replace("{c}", &placed("c.relnamespace", "c.relname"))
            .replace("{r}", &placed("r.relnamespace", "r.relname"))
            .replace("{t}", &placed("t.typnamespace", "t.typname"))
            .replace("{dotted c}", &dotted("c.relnamespace", "c.relname"))
            .replace("{dotted t}", &dotted("t.typnamespace", "t.typname"))
            .replace("{schemas}", &self.schemas)
            .replace("{own}", &self.own.to_string())
    }
}
