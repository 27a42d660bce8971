//! A statement with its values.
//!
//! Comes in: text and values. Goes out: rows, or how many changed.
//! Must not know: what is asked.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;

use ::diesel_async::{AsyncConnectionCore as _, AsyncPgConnection};
use diesel::QueryResult;
use diesel::deserialize::FromSql;
use diesel::pg::Pg;
use diesel::query_builder::{AsQuery, AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};
use futures_util::TryStreamExt as _;

use super::{Parameters, Row};

/// A value that is sent with a statement.
pub(super) type Sent<'q> = Box<dyn QueryFragment<Pg> + Send + 'q>;

/// A statement with what is bound to `$1`, `$2` and so on.
///
/// Unlike `diesel::sql_query`, what [`query`] makes is prepared once per connection.
#[must_use = "a statement does nothing until it is executed"]
pub struct Query<'q> {
    sql: Cow<'q, str>,
    values: Vec<Sent<'q>>,
    kept: bool,
}

/// A statement of a text that is always the same: it stays prepared on the connection.
pub fn query(sql: &str) -> Query<'_> {
    Query {
        sql: Cow::Borrowed(sql),
        values: Vec::new(),
        kept: true,
    }
}

/// A statement whose text is put together, with the values that its text names.
pub fn query_with(sql: String, parameters: Parameters<'_>) -> Query<'_> {
    Query {
        sql: Cow::Owned(sql),
        values: parameters.into_values(),
        kept: false,
    }
}

/// The rows of a query of diesel's own, `diesel::sql_query` for example, as repositories read them.
pub fn rows<'c, Q>(
    query: Q,
    connection: &'c mut AsyncPgConnection,
) -> impl Future<Output = QueryResult<Vec<Row>>> + Send + use<'c, Q>
where
    Q: AsQuery + 'c,
    Q::Query: QueryFragment<Pg> + QueryId + 'c,
{
    let loaded = connection.load(query);
    async move {
        let rows = loaded.await?.map_ok(Row::new);
        rows.try_collect().await
    }
}

impl<'q> Query<'q> {
    /// Binds the next value as what the first type says.
    pub fn bind<ST, T>(mut self, value: T) -> Self
    where
        Pg: HasSqlType<ST>,
        T: ToSql<ST, Pg> + Send + 'q,
        ST: Send + 'q,
    {
        self.values.push(sent::<ST, T>(value));
        self
    }

    /// Runs it and returns how many rows it changed.
    pub fn execute<'c>(
        self,
        connection: &'c mut AsyncPgConnection,
    ) -> impl Future<Output = QueryResult<u64>> + Send + use<'c, 'q>
    where
        'q: 'c,
    {
        let changed = connection.execute_returning_count(self);
        async move { Ok(u64::try_from(changed.await?).unwrap_or(u64::MAX)) }
    }

    /// Runs it and returns its rows.
    pub fn fetch_all<'c>(
        self,
        connection: &'c mut AsyncPgConnection,
    ) -> impl Future<Output = QueryResult<Vec<Row>>> + Send + use<'c, 'q>
    where
        'q: 'c,
    {
        rows(self, connection)
    }

    /// Runs it and returns its first row, if there is one.
    pub fn fetch_optional<'c>(
        self,
        connection: &'c mut AsyncPgConnection,
    ) -> impl Future<Output = QueryResult<Option<Row>>> + Send + use<'c, 'q>
    where
        'q: 'c,
    {
        let found = self.fetch_all(connection);
        async move { Ok(found.await?.into_iter().next()) }
    }
}

/// A statement of whose rows the first value is wanted.
#[must_use = "a statement does nothing until it is executed"]
pub struct Scalar<'q, ST, T> {
    query: Query<'q>,
    read: fn(&Row) -> QueryResult<T>,
    of: PhantomData<fn() -> ST>,
}

/// A statement as [`query`] makes it, whose rows have a single value: what the first type says, as the second.
pub fn query_scalar<ST, T>(sql: &str) -> Scalar<'_, ST, T>
where
    T: FromSql<ST, Pg>,
{
    Scalar {
        query: query(sql),
        read: Row::first::<ST, T>,
        of: PhantomData,
    }
}

impl<'q, ST, T: Send> Scalar<'q, ST, T> {
    /// Binds the next value as what the first type says.
    pub fn bind<To, V>(mut self, value: V) -> Self
    where
        Pg: HasSqlType<To>,
        V: ToSql<To, Pg> + Send + 'q,
        To: Send + 'q,
    {
        self.query = self.query.bind::<To, V>(value);
        self
    }

    /// The value of each row.
    pub fn fetch_all<'c>(
        self,
        connection: &'c mut AsyncPgConnection,
    ) -> impl Future<Output = QueryResult<Vec<T>>> + Send + use<'c, 'q, ST, T>
    where
        'q: 'c,
        T: 'c,
    {
        let (read, rows) = (self.read, self.query.fetch_all(connection));
        async move { rows.await?.iter().map(read).collect() }
    }

    /// The value of the first row, if there is one.
    pub fn fetch_optional<'c>(
        self,
        connection: &'c mut AsyncPgConnection,
    ) -> impl Future<Output = QueryResult<Option<T>>> + Send + use<'c, 'q, ST, T>
    where
        'q: 'c,
        T: 'c,
    {
        let found = self.fetch_all(connection);
        async move { Ok(found.await?.into_iter().next()) }
    }

    /// The value of the first row.
    pub fn fetch_one<'c>(
        self,
        connection: &'c mut AsyncPgConnection,
    ) -> impl Future<Output = QueryResult<T>> + Send + use<'c, 'q, ST, T>
    where
        'q: 'c,
        T: 'c,
    {
        let found = self.fetch_optional(connection);
        async move { found.await?.ok_or(diesel::result::Error::NotFound) }
    }
}

impl<ST, T> fmt::Debug for Scalar<'_, ST, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.query.fmt(f)
    }
}

impl fmt::Debug for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secret.
        f.debug_struct("Query")
            .field("sql", &self.sql)
            .finish_non_exhaustive()
    }
}

impl QueryFragment<Pg> for Query<'_> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if !self.kept {
            pass.unsafe_to_cache_prepared();
        }
        pass.push_sql(&self.sql);
        for value in &self.values {
            value.walk_ast(pass.reborrow())?;
        }
        Ok(())
    }
}

impl QueryId for Query<'_> {
    type QueryId = ();

    // It is known by its text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl diesel::query_builder::Query for Query<'_> {
    type SqlType = Untyped;
}

struct Bound<ST, T>(T, PhantomData<ST>);

impl<ST, T> QueryFragment<Pg> for Bound<ST, T>
where
    Pg: HasSqlType<ST>,
    T: ToSql<ST, Pg>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.push_bind_param_value_only(&self.0)
    }
}

pub(super) fn sent<'q, ST, T>(value: T) -> Sent<'q>
where
    Pg: HasSqlType<ST>,
    T: ToSql<ST, Pg> + Send + 'q,
    ST: Send + 'q,
{
    Box::new(Bound::<ST, T>(value, PhantomData))
}
