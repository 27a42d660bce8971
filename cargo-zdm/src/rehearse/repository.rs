//! What a generated repository does, with the same statements and the same loop: pick by the stage, carry the epoch, and where
//! nothing was touched look whether the stage has moved.
//!
//! Comes in: a table's statements, its flags, values. Goes out: whether there was such a row, and rows as that code reads them.
//! Must not know: what values mean, what should be found.

use zdm_runtime::database::Connection;
use zdm_runtime::{Error, Flags, Stage, TableFlags};

use super::error::WorkError;
use super::line::{Answer, Line};
use super::table::Side;
use super::value::{Value, Values, shown};
use crate::render::rust::calls::{Bound, Calls, NUMBER, Reading, Sided};

/// One table of one instance.
pub(super) struct Repository<'a> {
    pub(super) calls: &'a Calls,
    pub(super) side: &'a Side,
    pub(super) flags: &'a TableFlags,
    /// Flags that an instance has slept on, in the place of those that it would look up.
    pub(super) slept_on: Option<Flags>,
}

/// A row that is written: values in the order of the written columns, and those of old columns that nothing computes.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) values: Values,
    pub(super) given: Values,
}

impl Repository<'_> {
    /// Stores a new row and returns its key.
    pub(super) async fn insert(&self, line: &mut Line, row: &Row) -> Result<Values, WorkError> {
        let inserted = &self.calls.inserted;
        let values = self.values_of(inserted, row);
        let mut flags = self.first();
        loop {
            let sql = self.calls.insert.of(flags.writes());
            let types = self.types(inserted);
            let bound = Self::with_epoch(&values, flags, self.given(row));
            if self.calls.returns_key {
                let returned = line.one(sql, &types, &bound).await?;
                if !returned.is_empty() {
                    return Ok(returned);
                }
            } else if line.execute(sql, &types, &bound).await? > 0 {
                return Ok(self.key_of(&row.values));
            }
            flags = match self.moved(line, flags).await? {
                Some(now) => now,
                None if self.goes_through_main() => return Err(WorkError::NoPlace),
                None => {
                    return Err(WorkError::Answer(format!(
                        "an insert into {} changed nothing: ({})",
                        self.calls.table,
                        shown(&row.values)
                    )));
                }
            };
        }
    }

    /// Stores a row, or replaces the one with its key; `false`: there is nothing but the key, which is there.
    pub(super) async fn upsert(&self, line: &mut Line, row: &Row) -> Result<bool, WorkError> {
        let done = self
            .write(line, &self.calls.upsert, &self.calls.columns, row)
            .await?;
        if !done && self.goes_through_main() {
            return Err(WorkError::NoPlace);
        }
        Ok(done)
    }

    /// Writes every column; `false`: no such row.
    pub(super) async fn update(&self, line: &mut Line, row: &Row) -> Result<bool, WorkError> {
        match &self.calls.update {
            Some(update) => self.write(line, update, &self.calls.columns, row).await,
            None => Ok(false),
        }
    }

    /// Writes one column; `false`: no such row.
    pub(super) async fn set(
        &self,
        line: &mut Line,
        at: usize,
        key: &[Value],
        value: &Value,
    ) -> Result<bool, WorkError> {
        let setter = &self.calls.setters[at];
        let filled = setter.moves.then_some(key);
        let mut bound = self.calls.key.clone();
        bound.push(setter.bound.clone());
        let mut values = key.to_vec();
        values.push(value.clone());
        let given = Values::new();
        let row = Row { values, given };
        self.write_bound(line, &setter.sql, &bound, (&row, filled))
            .await
    }

    /// Deletes the row; `false`: no such row.
    pub(super) async fn delete(&self, line: &mut Line, key: &[Value]) -> Result<bool, WorkError> {
        let mut types = self.types_of_key();
        types.push(NUMBER);
        let mut flags = self.first();
        loop {
            let bound = Self::with_epoch(key, flags, &[]);
            let delete = self.calls.delete.of(flags.writes());
            if line.execute(delete, &types, &bound).await? > 0 {
                return Ok(true);
            }
            flags = match self.moved(line, flags).await? {
                Some(now) => now,
                None => return Ok(false),
            };
        }
    }

    /// The row with that key.
    pub(super) async fn get(
        &self,
        line: &mut Line,
        key: &[Value],
    ) -> Result<Option<Values>, WorkError> {
        let found = self
            .read_all(line, &self.calls.get, &self.types_of_key(), key)
            .await?;
        Ok(found.into_iter().next())
    }

    /// Up to `limit` rows in the order of the key, from the first one or from the one after a key.
    pub(super) async fn list(
        &self,
        line: &mut Line,
        after: Option<&[Value]>,
        limit: i64,
    ) -> Result<Vec<Values>, WorkError> {
        let mut types = vec![NUMBER];
        let mut values = vec![Value::Int(limit)];
        let Some(after) = after else {
            return self
                .read_all(line, &self.calls.list_first, &types, &values)
                .await;
        };
        types.extend(self.types_of_key());
        values.extend_from_slice(after);
        self.read_all(line, &self.calls.list_after, &types, &values)
            .await
    }

    /// The key's values of a row.
    pub(super) fn key_of(&self, row: &[Value]) -> Values {
        let places = self.side.key().into_iter();
        places.filter_map(|place| row.get(place).cloned()).collect()
    }

    async fn read_all(
        &self,
        line: &mut Line,
        reading: &Reading,
        types: &[&str],
        values: &[Value],
    ) -> Result<Vec<Values>, WorkError> {
        let mut flags = self.first();
        loop {
            let sql = if reads_both(flags) {
                &reading.both
            } else {
                &reading.alone
            };
            let rows = line.query(sql, types, values).await?;
            // Nothing carries no epoch, and the rows may be in the other table by now.
            if rows.is_empty()
                && self.goes_through_main()
                && let Some(now) = self.moved(line, flags).await?
            {
                flags = now;
                continue;
            }
            let of_flags =
                |row: &Answer| row.get("zdm_epoch").and_then(Value::number) == Some(flags.epoch());
            if rows.iter().all(of_flags) {
                return Ok(rows.iter().map(|row| self.read(row, flags)).collect());
            }
            flags = self.refresh(line).await?;
        }
    }

    /// A row from the side that its key is assigned to.
    fn read(&self, row: &Answer, flags: Flags) -> Values {
        let column = |name: &str| row.get(name).cloned().unwrap_or(Value::Null);
        let alone = self.calls.comes.is_some() && !reads_both(flags);
        let reads_new = match &self.calls.salt {
            _ if alone => true,
            None => true,
            Some(salt) => {
                let key = self.calls.key.iter();
                let key: Vec<_> = key.map(|key| column(&key.column.name).shown()).collect();
                let key = key.join(",");
                let agrees = row.get("zdm_consistent").is_none_or(Value::is_true);
                if flags.compares() && !agrees {
                    self.flags.mismatch(&key);
                }
                // A row that is not there has been reported; what the other table has of it is right.
                let found = row.get("zdm_found").is_none_or(Value::is_true);
                self.flags.reads_new(flags, salt, &key) && found
            }
        };
        let columns = self.side.columns.iter();
        columns
            .map(|written| {
                let mut reads = self.calls.reads.iter();
                let read = reads.find(|read| read.field == written.field);
                read.map_or(Value::Null, |read| {
                    column(match reads_new {
                        _ if alone => &read.alone,
                        true => &read.new,
                        false => &read.old,
                    })
                })
            })
            .collect()
    }

    async fn write(
        &self,
        line: &mut Line,
        sql: &Sided,
        bound: &[Bound],
        row: &Row,
    ) -> Result<bool, WorkError> {
        let values = self.values_of(bound, row);
        let given = self.given(row).to_vec();
        let key = self.key_of(&row.values);
        self.write_bound(line, sql, bound, (&Row { values, given }, Some(&key)))
            .await
    }

    async fn write_bound(
        &self,
        line: &mut Line,
        sql: &Sided,
        bound: &[Bound],
        (row, filled): (&Row, Option<&[Value]>),
    ) -> Result<bool, WorkError> {
        let mut types = self.types(bound);
        if row.given.is_empty() {
            types.truncate(bound.len() + 1);
        }
        let mut flags = self.first();
        loop {
            if let Some(key) = filled {
                self.fill(line, flags, key).await?;
            }
            let values = Self::with_epoch(&row.values, flags, &row.given);
            let sql = sql.of(flags.writes());
            if line.execute(sql, &types, &values).await? > 0 {
                return Ok(true);
            }
            flags = match self.moved(line, flags).await? {
                Some(now) => now,
                None => return Ok(false),
            };
        }
    }

    /// A row that the backfill may not have been at gets what another table has of it.
    async fn fill(&self, line: &mut Line, flags: Flags, key: &[Value]) -> Result<(), WorkError> {
        let comes = self.calls.comes.as_ref();
        let Some(fill) = comes.and_then(|comes| comes.fill.as_deref()) else {
            return Ok(());
        };
        if matches!(flags.stage(), Stage::Off | Stage::DualWrite) {
            line.execute(fill, &self.types_of_key(), key).await?;
        }
        Ok(())
    }

    /// The rows are values of another table's, so that there may be no place for one.
    fn goes_through_main(&self) -> bool {
        let comes = self.calls.comes.as_ref();
        comes.is_some_and(|comes| comes.through_main)
    }

    /// The values of old columns that a write of this code takes.
    fn given<'r>(&self, row: &'r Row) -> &'r [Value] {
        if self.calls.given.is_empty() {
            &[]
        } else {
            &row.given
        }
    }

    fn first(&self) -> Flags {
        self.slept_on.unwrap_or_else(|| self.flags.current())
    }

    /// The flags of now, where the stage has moved since.
    async fn moved(&self, line: &mut Line, flags: Flags) -> Result<Option<Flags>, WorkError> {
        let now = self.refresh(line).await?;
        Ok((now.epoch() != flags.epoch()).then_some(now))
    }

    async fn refresh(&self, line: &mut Line) -> Result<Flags, Error> {
        match &mut line.connection {
            #[cfg(feature = "postgres")]
            Connection::Postgres(connection) => self.flags.refresh(connection).await,
            #[cfg(feature = "sqlite")]
            Connection::Sqlite(connection) => self.flags.refresh(connection).await,
            _ => Ok(self.flags.current()),
        }
    }

    fn values_of(&self, bound: &[Bound], row: &Row) -> Values {
        let places = bound.iter().map(|bound| {
            let mut columns = self.side.columns.iter();
            columns.position(|column| column.field == bound.column.field)
        });
        let value = |place: Option<usize>| place.and_then(|place| row.values.get(place)).cloned();
        places
            .map(|place| value(place).unwrap_or(Value::Null))
            .collect()
    }

    /// Of the parameters: the columns', the epoch's, those of given old values.
    fn types<'t>(&'t self, bound: &'t [Bound]) -> Vec<&'t str> {
        let mut types: Vec<_> = bound.iter().map(|bound| bound.sql_type.as_str()).collect();
        types.push(NUMBER);
        types.extend(self.calls.given.iter().map(|given| given.sql_type.as_str()));
        types
    }

    fn types_of_key(&self) -> Vec<&str> {
        let key = self.calls.key.iter();
        key.map(|key| key.sql_type.as_str()).collect()
    }

    fn with_epoch(values: &[Value], flags: Flags, given: &[Value]) -> Values {
        let mut bound = values.to_vec();
        bound.push(Value::Int(flags.epoch()));
        bound.extend_from_slice(given);
        bound
    }
}

/// Whether a table that columns come into is read together with the one that they come out of.
fn reads_both(flags: Flags) -> bool {
    match flags.stage() {
        Stage::Off | Stage::DualWrite | Stage::Shadow | Stage::Live => true,
        Stage::RampDown | Stage::Complete => false,
    }
}
