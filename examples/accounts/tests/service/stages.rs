//! Rows from before, then 0004 through its stages: every answer stays right, on the way forward and on the way back.

use std::collections::BTreeMap;
use std::sync::Arc;

use accounts::Service;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;
use zdm_tests::postgres::Server;

use crate::client::Client;
use crate::tool::Tool;

/// What the service must answer, by id: name and age.
type Expected = BTreeMap<i64, (String, Option<i32>)>;

/// Ages as the service of last year stored them, and what they mean now.
const FROM_BEFORE: [(&str, Option<&str>, Option<i32>); 6] = [
    ("Ada Lovelace", Some("36"), Some(36)),
    ("Alan Turing", Some("041"), Some(41)),
    ("Grace Hopper", None, None),
    ("Emmy Noether", Some("fifty-three"), None),
    ("Sofia Kowalewskaja", Some("99999999999"), None),
    ("Mary Somerville", Some(""), None),
];

#[tokio::test]
async fn a_fresh_database_has_the_last_finalized_schema_and_0004_at_off() {
    let walk = Walk::begin().await;
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT column_name || ' ' || data_type || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END \
         FROM information_schema.columns WHERE table_name = 'accounts' ORDER BY column_name",
    )
    .fetch_all(&walk.pool)
    .await
    .unwrap();
    assert_eq!(
        columns,
        [
            "age text",
            "age_years integer",
            "created_at timestamp with time zone not null",
            "email text not null",
            "email_verified boolean not null",
            "full_name text not null",
            "id bigint not null",
        ]
    );
    let indexes: Vec<String> = sqlx::query_scalar(
        "SELECT indexname FROM pg_indexes WHERE tablename = 'accounts' ORDER BY indexname",
    )
    .fetch_all(&walk.pool)
    .await
    .unwrap();
    assert_eq!(
        indexes,
        [
            "accounts_pkey",
            "idx_accounts_email_verified",
            "uq_accounts_email"
        ]
    );
    let stages: Vec<(String, String)> = sqlx::query_as(
        "SELECT m.name, s.stage FROM zdm.stage s JOIN zdm.migration m USING (migration) ORDER BY m.version",
    )
    .fetch_all(&walk.pool)
    .await
    .unwrap();
    assert_eq!(
        stages.last().unwrap(),
        &("accounts_age_years".to_owned(), "off".to_owned())
    );
}

#[tokio::test]
async fn every_answer_stays_right_forward_and_back() {
    let mut walk = Walk::begin().await;
    walk.serve().await;
    walk.switch("dual_write").await;
    let filled = walk.tool.run(&["backfill"]);
    assert_eq!(filled["quarantined"], 3, "{filled}");
    walk.serve().await;
    walk.tool.run(&["verify"]);
    for stage in ["shadow", "1%", "50%", "100%"] {
        walk.switch(stage).await;
    }
    walk.roll_back_to("dual_write").await;
    walk.roll_back_to("off").await;

    walk.switch("dual_write").await;
    walk.tool.run(&["backfill"]);
    walk.tool.run(&["verify"]);
    for stage in ["shadow", "100%"] {
        walk.switch(stage).await;
    }
    walk.tool.run(&["verify"]);
    for stage in ["ramp_down", "complete"] {
        walk.switch(stage).await;
    }
    // This code names old: nothing may be dropped under it.
    let refusal = walk.tool.refused(4, &["contract"]);
    assert_eq!(refusal["error"]["kind"], "gate", "{refusal}");
    walk.roll_back_to("ramp_down").await;
    walk.roll_back_to("dual_write").await;
    walk.roll_back_to("off").await;
    // Twice there and back, saved by every version of the code: what cannot be converted is as it was.
    assert_eq!(
        walk.stored_age("Emmy Noether").await.as_deref(),
        Some("fifty-three")
    );
    assert_eq!(walk.stored_age("Alan Turing").await.as_deref(), Some("041"));
    walk.service.close().await.unwrap();
}

struct Walk {
    _server: Server,
    tool: Tool,
    pool: PgPool,
    service: Arc<Service>,
    client: Client,
    expected: Expected,
    rounds: i32,
}

impl Walk {
    /// A database at `off` with rows from before the migration, and one instance of the service.
    async fn begin() -> Self {
        let server = Server::start();
        let url = server.database("accounts");
        let tool = Tool::on(&url);
        tool.run(&["expand"]);
        let pool = PgPool::connect(&url).await.unwrap();
        let mut expected = Expected::new();
        for (name, stored, age) in FROM_BEFORE {
            let id: i64 = sqlx::query_scalar(
                "INSERT INTO accounts (full_name, email, email_verified, age) \
                 VALUES ($1, $2, true, $3) RETURNING id",
            )
            .bind(name)
            .bind(format!("{}@example.org", name.replace(' ', ".")))
            .bind(stored)
            .fetch_one(&pool)
            .await
            .unwrap();
            expected.insert(id, (name.to_owned(), age));
        }
        let service = Arc::new(Service::connect(pool.clone()).await.unwrap());
        Self {
            _server: server,
            tool,
            pool,
            client: Client::of(service.router()),
            service,
            expected,
            rounds: 0,
        }
    }

    /// Moves the stage by the command line, then serves a round of requests.
    async fn switch(&mut self, to: &str) {
        self.service.zdm().beat().await.unwrap();
        let answer = self.tool.run(&["switch", "--to", to]);
        self.service.zdm().beat().await.unwrap();
        assert_eq!(
            self.client.status("/readyz").await,
            StatusCode::OK,
            "{answer}"
        );
        self.metrics_say(to).await;
        self.serve().await;
    }

    /// Goes back by the command line, then serves a round of requests.
    async fn roll_back_to(&mut self, stage: &str) {
        self.service.zdm().beat().await.unwrap();
        let answer = self.tool.run(&["rollback", "--to", stage]);
        assert_eq!(answer["to"], stage, "{answer}");
        self.service.zdm().beat().await.unwrap();
        self.metrics_say(stage).await;
        self.serve().await;
    }

    /// What a dashboard shows of 0004: its stage as a number, and the share of keys that are read from new.
    async fn metrics_say(&self, stage: &str) {
        let (number, share) = match stage {
            "off" => ("0", "0"),
            "dual_write" => ("1", "0"),
            "shadow" => ("2", "0"),
            "1%" => ("3", "0.01"),
            "50%" => ("3", "0.5"),
            "100%" => ("3", "1"),
            "ramp_down" => ("4", "1"),
            _ => ("5", "1"),
        };
        let text = self.client.get("/metrics").await;
        let labels = r#"{table="accounts",migration="accounts_age_years"}"#;
        for line in [
            format!("zdm_stage{labels} {number}"),
            format!("zdm_reads_new_ratio{labels} {share}"),
            format!("zdm_mismatches_total{labels} 0"),
            r#"zdm_ready{table="accounts"} 1"#.to_owned(),
            "zdm_beats_failed_total 0".to_owned(),
        ] {
            let text = text.as_str().unwrap();
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }

    /// Every kind of request once, and after each the whole truth.
    async fn serve(&mut self) {
        self.answers_are_right().await;
        self.rounds += 1;
        let (round, age) = (self.rounds, 20 + self.rounds);
        let account = self
            .client
            .create(&description(&format!("Number {round}"), Some(age)))
            .await;
        let id = account["id"].as_i64().unwrap();
        self.expect(id, &account);
        let another = self
            .client
            .create(&description(&format!("Guest {round}"), None))
            .await;
        self.expect(another["id"].as_i64().unwrap(), &another);
        self.answers_are_right().await;

        let older = description(&format!("Number {round}"), Some(age + 40));
        let account = self.client.replace(id, &older).await;
        self.expect(id, &account);
        // Loads and saves a row whose age cannot be converted: another column changes, the age is not known.
        let noether = self.id_of("Emmy Noether");
        let account = self
            .client
            .replace(noether, &description("Emmy Noether", None))
            .await;
        self.expect(noether, &account);
        self.answers_are_right().await;

        let verify = format!("/accounts/{id}/verify");
        let (status, _) = self.client.send(Method::POST, &verify, None).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        self.client.delete(another["id"].as_i64().unwrap()).await;
        self.expected.remove(&another["id"].as_i64().unwrap());
        self.answers_are_right().await;
    }

    fn expect(&mut self, id: i64, account: &Value) {
        let age = account["age"]
            .as_i64()
            .map(|age| i32::try_from(age).unwrap());
        let name = account["full_name"].as_str().unwrap().to_owned();
        self.expected.insert(id, (name, age));
    }

    fn id_of(&self, name: &str) -> i64 {
        let mut found = self.expected.iter().filter(|(_, (known, _))| known == name);
        *found.next().unwrap().0
    }

    async fn stored_age(&self, name: &str) -> Option<String> {
        sqlx::query_scalar("SELECT age FROM accounts WHERE full_name = $1")
            .bind(name)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    async fn answers_are_right(&self) {
        for (id, (name, age)) in &self.expected {
            let account = self.client.get(&format!("/accounts/{id}")).await;
            assert_eq!(account["full_name"], json!(name));
            assert_eq!(account["age"], json!(age), "{account}");
        }
        let all = self.client.get("/accounts?limit=500").await;
        assert_eq!(summary(&all), self.expected);
        for (part, least) in [("", 30), ("a", 37), ("NUMBER", 1), ("ada", 37)] {
            let found = self
                .client
                .get(&format!("/accounts/search?name={part}&min_age={least}"))
                .await;
            let mut expected = self.expected.clone();
            expected.retain(|_, (name, age)| {
                let matches = name.to_lowercase().contains(&part.to_lowercase());
                matches && age.is_some_and(|age| age >= least)
            });
            assert_eq!(summary(&found), expected, "name={part}, min_age={least}");
        }
    }
}

fn description(name: &str, age: Option<i32>) -> Value {
    let email = format!("{}@example.org", name.replace(' ', "."));
    json!({ "full_name": name, "email": email, "email_verified": true, "age": age })
}

fn summary(accounts: &Value) -> Expected {
    let accounts = accounts.as_array().unwrap().iter();
    accounts
        .map(|account| {
            let age = account["age"]
                .as_i64()
                .map(|age| i32::try_from(age).unwrap());
            let name = account["full_name"].as_str().unwrap().to_owned();
            (account["id"].as_i64().unwrap(), (name, age))
        })
        .collect()
}
