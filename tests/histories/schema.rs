//! What a database is, asked of the server itself and not of the code that is under test: a line per object, in PostgreSQL's
//! own words.

use std::collections::BTreeSet;

use sqlx::{PgConnection, Row as _};

/// One line each for every column, index, constraint, comment and enum of the current schema. As which text a default's literal is
/// written down is no difference, nor what the sequence is called that belongs to a column.
const LINES: &str = r"
WITH tables AS (
    SELECT c.oid, c.relname FROM pg_class c
    WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND c.relkind IN ('r', 'p')
        AND c.relname NOT LIKE 'zdm\_%'
)
SELECT format('table %s', relname) FROM tables
UNION ALL SELECT format('column %s.%s %s%s%s%s%s%s', t.relname, a.attname, format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attnotnull THEN ' NOT NULL' END,
        CASE WHEN a.attgenerated = '' AND pg_get_expr(d.adbin, d.adrelid) NOT LIKE 'NULL::%'
            THEN ' DEFAULT ' || CASE WHEN pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%'
                    AND pg_get_serial_sequence(quote_ident(t.relname), a.attname) IS NOT NULL THEN 'serial' ELSE regexp_replace(pg_get_expr(d.adbin, d.adrelid), '::(character varying|text)(?![\[(])', '', 'g') END END,
        CASE WHEN a.attgenerated <> '' THEN ' GENERATED ' || pg_get_expr(d.adbin, d.adrelid) END,
        CASE a.attidentity WHEN 'a' THEN ' IDENTITY ALWAYS' WHEN 'd' THEN ' IDENTITY' END,
        CASE WHEN a.attcollation <> y.typcollation THEN ' COLLATE ' || a.attcollation::regcollation END)
    FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type y ON y.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
UNION ALL SELECT format('index %s.%s %s%s', t.relname, x.relname, pg_get_indexdef(i.indexrelid),
        CASE WHEN NOT i.indisvalid THEN ' INVALID' END)
    FROM tables t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class x ON x.oid = i.indexrelid
    WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
UNION ALL SELECT format('constraint %s.%s %s', t.relname, k.conname, pg_get_constraintdef(k.oid))
    FROM tables t JOIN pg_constraint k ON k.conrelid = t.oid WHERE k.contype IN ('p', 'u', 'x', 'c', 'f')
UNION ALL SELECT format('comment %s %s', CASE WHEN objsubid = 0 THEN t.relname
        ELSE t.relname || '.' || (SELECT attname FROM pg_attribute WHERE attrelid = objoid AND attnum = objsubid) END, description)
    FROM pg_description JOIN tables t ON t.oid = objoid WHERE classoid = 'pg_class'::regclass
UNION ALL SELECT format('enum %s %s', y.typname, string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder))
    FROM pg_type y JOIN pg_enum e ON e.enumtypid = y.oid
    WHERE y.typnamespace = quote_ident(current_schema())::regnamespace GROUP BY y.typname";

/// The lines of the schema that the connection's `search_path` names first.
pub(crate) async fn lines(connection: &mut PgConnection) -> BTreeSet<String> {
    let rows = sqlx::query(LINES).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The table and the object that a line is of: `users`, `users.email`.
pub(crate) fn subject(line: &str) -> (&str, &str) {
    let object = line.split(' ').nth(1).unwrap_or_default();
    (object.split('.').next().unwrap_or_default(), object)
}
