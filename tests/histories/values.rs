//! Values of a type: one that differs from row to row, and those at its edges.

/// A column as an insert needs it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The type without bounds, behind domains: `int4`, `_text`.
    pub(crate) base: String,
    /// As it is declared: `character varying(20)`.
    pub(crate) sql_type: String,
    /// `E` for enums, `A` for arrays, `R` for ranges, `C` for composite types.
    pub(crate) category: String,
    pub(crate) nullable: bool,
    /// Characters that fit.
    pub(crate) length: Option<i32>,
    /// An enum's values.
    pub(crate) labels: Vec<String>,
    /// The database gives a value that an insert had better leave to it.
    pub(crate) counted: bool,
}

impl Column {
    /// A value for the row of that number, as SQL; `None`: no value is known for the type.
    pub(crate) fn plain(&self, row: usize) -> Option<String> {
        let typed = |text: String| Some(format!("CAST({text} AS {})", self.sql_type));
        match self.category.as_str() {
            "E" => return typed(quoted(self.labels.get(row % self.labels.len().max(1))?)),
            "A" => return typed(quoted("{}")),
            "R" => return typed(quoted("empty")),
            "C" => return None,
            _ => {}
        }
        match self.base.as_str() {
            "int2" | "int4" | "int8" | "numeric" | "float4" | "float8" | "money" => {
                typed(row.to_string())
            }
            "bool" => Some(row.is_multiple_of(2).to_string()),
            "uuid" => typed(format!("md5('{row}')")),
            "timestamp" | "timestamptz" | "date" => typed(format!(
                "TIMESTAMP '2020-02-29 12:30:15.123456' + {row} * INTERVAL '25 hours'"
            )),
            "time" | "timetz" => typed(format!("TIME '00:00:01' + {row} * INTERVAL '1 minute'")),
            "interval" => typed(format!("'{row} days 3 hours'")),
            "json" | "jsonb" => typed(format!("'{{\"row\": {row}}}'")),
            "bytea" => typed(format!("decode(md5('{row}'), 'hex')")),
            "inet" | "cidr" => typed(format!("'10.0.{}.{}'", row / 256, row % 256)),
            "text" | "varchar" | "bpchar" | "citext" | "name" => {
                let fits = self.length.is_none_or(|length| length > 4);
                typed(quoted(&if fits {
                    format!("v{row}")
                } else {
                    (row % 10).to_string()
                }))
            }
            "ltree" => typed(quoted(&format!("a.v{row}"))),
            "tsvector" => typed(quoted(&format!("word{row}"))),
            _ => None,
        }
    }

    /// Values at the edges, as SQL.
    pub(crate) fn edges(&self) -> Vec<String> {
        let mut edges: Vec<String> = match self.base.as_str() {
            "int2" => vec!["0", "-32768", "32767"],
            "int4" => vec!["0", "-2147483648", "2147483647"],
            "int8" => vec!["0", "-9223372036854775808", "9223372036854775807"],
            "numeric" => vec!["0", "-0.5"],
            "float4" | "float8" => vec!["NaN", "-Infinity", "-0"],
            "timestamp" | "timestamptz" | "date" => {
                vec!["infinity", "-infinity", "epoch", "2024-03-31 02:30:00"]
            }
            "json" | "jsonb" => vec!["null", "[]", "{\"a\": {\"b\": [1, \"\\u00e9\"]}}"],
            "bytea" => vec!["", "\\x00ff"],
            "interval" => vec!["0", "-1 mon"],
            "text" | "varchar" | "citext" => vec!["", " ", "it's \"ü\" 😀", "12", "-"],
            _ => vec![],
        }
        .into_iter()
        .map(quoted)
        .collect();
        if matches!(self.base.as_str(), "text" | "varchar" | "citext") {
            edges.push(format!("repeat('x', {})", self.length.unwrap_or(5000)));
        }
        edges.extend(self.labels.iter().map(|label| quoted(label)));
        let typed = edges
            .into_iter()
            .map(|edge| format!("CAST({edge} AS {})", self.sql_type));
        let null = self.nullable.then(|| "NULL".to_owned());
        typed.chain(null).collect()
    }
}

/// What fills a new column of a type in rows that exist: over the key where rows must differ is not asked here.
pub(crate) fn zero(sql_type: &str) -> String {
    let head = sql_type.split(['(', ' ']).next().unwrap_or_default();
    let text = match head {
        "smallint" | "integer" | "bigint" | "numeric" | "real" | "double" | "int2" | "int4"
        | "int8" | "float4" | "float8" => "0",
        "boolean" | "bool" => "false",
        "timestamp" | "timestamptz" | "date" => "2020-01-01",
        "uuid" => "00000000-0000-0000-0000-000000000000",
        "json" | "jsonb" => "{}",
        "time" | "interval" => "00:00",
        "inet" => "0.0.0.0",
        _ if sql_type.ends_with("[]") => "{}",
        _ => "",
    };
    match text {
        "0" | "false" => text.to_owned(),
        text => quoted(text),
    }
}

pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
