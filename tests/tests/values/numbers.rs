//! `down` of a built-in conversion and the comparison speak the same language.

use cargo_zdm::dialect::Dialect as Words;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use zdm_model::LogicalType;
use zdm_tests::postgres::Server;

use crate::project::{Project, Versions};
use zdm_runtime::database::Dialect;

/// A text per line of what people write, and many more out of the same signs.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "0",
        "-0",
        "+7",
        "007",
        "0123456789",
        "00000000000000000000000000000000042",
        " 7",
        "7 ",
        "\t7\n",
        "\u{2003}7",
        "7\u{a0}",
        "",
        " ",
        "-",
        "+",
        "+-7",
        "1e3",
        "1.0",
        "0x1F",
        "0X1f",
        "0o17",
        "0b101",
        "1_000",
        "_1",
        "1__0",
        "32767",
        "32768",
        "-32768",
        "-32769",
        "2147483647",
        "2147483648",
        "-2147483648",
        "-2147483649",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999",
        "９",
        "seven",
        "Infinity",
        "NaN",
        "123e4567-e89b-12d3-a456-426614174000",
        "{123e4567-e89b-12d3-a456-426614174000}",
        "123E4567E89B12D3A456426614174000",
        "{123e4567-e89b-12d3-a456-426614174000",
        "123e4567-e89b-12d3-a456-426614174000}",
        "123e-4567-e89b-12d3-a456-4266-1417-4000",
        "12-3e4567e89b12d3a456426614174000",
        "123e4567-e89b-12d3-a456-426614174000-",
        "123e4567--e89b-12d3-a456-426614174000",
    ]
    .map(str::to_owned)
    .into();
    texts.push(format!("{}7", "0".repeat(200_000)));
    texts.push("9".repeat(200_000));
    let mut state = 1_u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let signs: Vec<char> = "0000123456789999+-_ xXeE.\t\nab{}".chars().collect();
    for _ in 0..4_000 {
        let length = 1 + next(22);
        let digits = next(2) == 0;
        texts.push(
            (0..length)
                .map(|_| signs[next(if digits { 16 } else { signs.len() })])
                .collect(),
        );
    }
    texts
}

/// What `down` accepts of these is consistent with what it gives, and nothing makes the comparison fail.
async fn agree(from: LogicalType, to: LogicalType, values: &[String]) {
    let words = Words::named("postgres").unwrap();
    let dual = words.lossless(from, to).unwrap();
    let put = |text: &str| text.replace("{old}", "old").replace("{new}", "new");
    let (up, down) = (put(&dual.up), put(&dual.down));
    let compare = dual.compare.as_deref().map_or("FALSE".to_owned(), put);
    let (old, new) = (words.type_name(from), words.type_name(to));
    let server = Server::start();
    let url = server.database("numbers");
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    let function = format!(
        "CREATE FUNCTION tried(new {new}) RETURNS {old} LANGUAGE plpgsql AS $$
         BEGIN RETURN {down}; EXCEPTION WHEN data_exception THEN RETURN NULL; END $$"
    );
    sqlx::raw_sql(AssertSqlSafe(function))
        .execute(&mut connection)
        .await
        .unwrap();
    let query = format!(
        "SELECT left(new::text, 60) FROM (SELECT v::{new} AS new, tried(v::{new}) AS old FROM unnest($1::text[]) AS v) AS t
         WHERE (old IS NOT NULL) <> (new IS NOT DISTINCT FROM {up} OR {compare})"
    );
    let wrong = sqlx::query(AssertSqlSafe(query))
        .bind(values)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let wrong: Vec<String> = wrong.iter().map(|row| row.get(0)).collect();
    assert_eq!(wrong, Vec::<String>::new(), "{from:?} → {to:?}");
}

#[tokio::test]
async fn what_down_accepts_the_comparison_knows() {
    for from in [
        LogicalType::Int2,
        LogicalType::Int4,
        LogicalType::Int8,
        LogicalType::Uuid,
    ] {
        agree(from, LogicalType::Text, &texts()).await;
    }
    let numbers = [
        "0",
        "-0",
        "0.1",
        "-1.5",
        "1e-40",
        "-1e-40",
        "7.006492321624085e-46",
        "7.006492321624086e-46",
        "1.4e-45",
        "1e-300",
        "3.4e38",
        "3.402823e38",
        "3.4028234663852886e38",
        "3.4028235677973366e38",
        "3.4028235677973362e38",
        "3.5e38",
        "1e300",
        "1.2e-38",
        "16777217",
        "Infinity",
        "-Infinity",
        "NaN",
    ]
    .map(str::to_owned);
    agree(LogicalType::Float4, LogicalType::Float8, &numbers).await;
}

#[tokio::test]
async fn the_backfill_leaves_what_a_dual_write_accepted() {
    let key = "#[zdm(primary_key)] pub id: i64";
    let versions = Versions::of(
        &format!("{key}, pub phone: i32"),
        &format!("{key}, #[zdm(column = \"phone_text\", from(\"phone\"))] pub phone: String"),
    );
    let mut project = Project::of(Dialect::Postgres, "", versions).await;
    project
        .run("INSERT INTO t (id, phone) VALUES (1, 123456789), (2, 7)")
        .await;
    project.expand().await;
    project
        .run("UPDATE t SET phone_text = '0123456789' WHERE id = 1")
        .await;
    project.fills_and_verifies(2).await;
    let phones = project.texts("SELECT phone_text FROM t ORDER BY id").await;
    assert_eq!(
        phones,
        [Some("0123456789".to_owned()), Some("7".to_owned())]
    );
}

#[tokio::test]
async fn null_is_filled_where_new_has_none_whatever_down_makes_of_it() {
    let key = "#[zdm(primary_key)] pub id: i64";
    for dialect in [Dialect::Postgres, Dialect::Sqlite] {
        let versions = Versions::of(
            &format!("{key}, pub size: Option<String>"),
            &format!(
                "{key}, #[zdm(from(\"size\"), up = \"coalesce(size, 'none')\", down = \"nullif(length, 'none')\")] \
                 pub length: String"
            ),
        );
        let mut project = Project::of(dialect, "", versions).await;
        project
            .run("INSERT INTO t (id, size) VALUES (1, NULL), (2, 'long')")
            .await;
        project.expand().await;
        project.fills_and_verifies(2).await;
        let filled = ["none", "long"].map(|text| Some(text.to_owned()));
        assert_eq!(
            project.texts("SELECT length FROM t ORDER BY id").await,
            filled
        );
    }
}
