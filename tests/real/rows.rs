//! The rows: generated ones to begin with, and the comparison with what writers were told.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};

const CRATES: i32 = 20_000;
const VERSIONS: i32 = 200_000;

/// What writers acknowledged: the digest of each version that they wrote, `None` where they deleted it.
pub(crate) type Written = BTreeMap<i32, Option<String>>;

/// Loads the schema and generates rows. Every thousandth checksum has upper-case digits.
pub(crate) async fn load(url: &str, schema: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(schema.to_owned()))
        .execute(&mut connection)
        .await
        .expect("the schema loads: its extensions come with the package postgresql-contrib");
    connection.close().await.unwrap();

    // The dump empties the search path of its session, so this is another one. Triggers rest while rows are generated.
    let mut connection = PgConnection::connect(url).await.unwrap();
    let rows = format!(
        "SET session_replication_role = replica;
         INSERT INTO crates (id, name, textsearchable_index_col)
         SELECT id, 'crate-' || id, '' FROM generate_series(1, {CRATES}) AS id;
         INSERT INTO versions (id, crate_id, num, num_no_build, crate_size, checksum, semver_ord_v2)
         SELECT id, 1 + id % {CRATES}, num, num, 4096,
                CASE WHEN id % 1000 = 0 THEN upper(digits) ELSE digits END, semver_ord_v2(num)
         FROM generate_series(1, {VERSIONS}) AS id
         CROSS JOIN LATERAL (SELECT '1.' || id / {CRATES} || '.0' AS num,
                                    encode(sha256(id::text::bytea), 'hex') AS digits) AS made;
         INSERT INTO default_versions (crate_id, version_id, num_versions)
         SELECT crate_id, max(id), count(*) FROM versions GROUP BY crate_id;
         SELECT setval('versions_id_seq', {VERSIONS});
         RESET session_replication_role;
         ANALYZE;"
    );
    sqlx::raw_sql(AssertSqlSafe(rows))
        .execute(&mut connection)
        .await
        .unwrap();
}

/// The table has the new column as it was declared, and the old one is gone.
pub(crate) async fn compare_schema(pool: &PgPool) {
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT column_name || ' ' || data_type || ' ' || is_nullable FROM information_schema.columns
         WHERE table_name = 'versions' AND column_name IN ('checksum', 'tar_sha256')",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert_eq!(columns, ["tar_sha256 bytea NO"]);
    let validated: Vec<(String, bool)> = sqlx::query_as(
        "SELECT conname::text, convalidated FROM pg_constraint
         WHERE conrelid = 'versions'::regclass AND conname LIKE '%tar_sha256%'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert_eq!(validated, [("versions_tar_sha256_len".to_owned(), true)]);
}

/// Every row of the table against what was acknowledged, and against its generated digest where nobody wrote it.
pub(crate) async fn compare(pool: &PgPool, written: &Written) {
    let found: BTreeMap<i32, String> =
        sqlx::query_as("SELECT id, encode(tar_sha256, 'hex') FROM versions")
            .fetch_all(pool)
            .await
            .unwrap()
            .into_iter()
            .collect();
    let generated: Vec<(i32, String)> = sqlx::query_as(
        "SELECT id, encode(sha256(id::text::bytea), 'hex') FROM generate_series(1, $1) AS id",
    )
    .bind(VERSIONS)
    .fetch_all(pool)
    .await
    .unwrap();
    let mut expected: BTreeMap<i32, String> = generated.into_iter().collect();
    for (id, digest) in written {
        match digest {
            Some(digest) => expected.insert(*id, digest.clone()),
            None => expected.remove(id),
        };
    }
    let wrong: Vec<i32> = expected
        .keys()
        .chain(found.keys())
        .filter(|id| expected.get(id) != found.get(id))
        .copied()
        .collect();
    println!(
        "{} rows in the table, {} of them written meanwhile, {} wrong",
        found.len(),
        written.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{wrong:?}");
}
