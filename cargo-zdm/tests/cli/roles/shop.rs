//! A crate on a server whose database is owned by somebody else, and its three roles.

use std::fs;

use zdm_runtime::database::{Connection, DatabaseError};
use zdm_runtime::{Code, CodeState, MigrationCode, TableCode, Zdm};
use zdm_tests::postgres::Server;

use crate::database::HASTY;
use crate::generate::user_crate;
use crate::project::{Project, Run};

pub(super) const APP: &str = "shop_app";
pub(super) const BACKFILL: &str = "shop_backfill";
pub(super) const DDL: &str = "shop_ddl";

/// A crate on a server, whose database is owned by somebody else.
pub(super) struct Shop {
    pub(super) server: Server,
    pub(super) project: Project,
}

impl Shop {
    pub(super) fn new(before: &str) -> Self {
        let server = Server::start();
        let project = Project::on(server.database("shop"), "");
        user_crate(&project);
        project.write("src/models.rs", before);
        Self { server, project }
    }

    /// With the first version, and the roles as `init` writes them.
    pub(super) fn with_roles(before: &str, policy: &str) -> Self {
        let shop = Self::new(before);
        shop.project.done(&["init"]);
        shop.policy(policy);
        shop.project.execute(&shop.roles());
        shop.done(DDL, &["expand"]);
        shop.run_as(DDL, &shop.roles()).unwrap();
        shop
    }

    pub(super) fn policy(&self, more: &str) {
        let written = fs::read_to_string(self.project.path("zdm.toml")).unwrap();
        let (head, _) = written.split_once("[policy]").unwrap();
        let policy = format!("{head}[policy]\n{HASTY}\n{more}\n");
        self.project.write("zdm.toml", &policy);
    }

    pub(super) fn roles(&self) -> String {
        fs::read_to_string(self.project.path("zdm/roles.sql")).unwrap()
    }

    pub(super) fn url(&self, role: &str) -> String {
        self.server.url_of("shop", role)
    }

    /// A command on a role's own connection.
    pub(super) fn zdm(&self, role: &str, arguments: &[&str]) -> Run {
        let url = self.url(role);
        self.project
            .zdm(&[arguments, &["--database-url", &url]].concat())
    }

    pub(super) fn done(&self, role: &str, arguments: &[&str]) -> Run {
        let run = self.zdm(role, arguments);
        assert_eq!(run.code, 0, "{role} {arguments:?}: {run:#?}");
        run
    }

    /// A command that the role has no right to: nothing moves.
    pub(super) fn refused(&self, role: &str, arguments: &[&str]) {
        let before = self
            .project
            .value("SELECT md5(string_agg(s::text, ',')) FROM zdm.stage s");
        let run = self.zdm(role, arguments);
        assert_eq!(run.code, 3, "{role} {arguments:?}: {run:#?}");
        run.says("may not");
        let after = self
            .project
            .value("SELECT md5(string_agg(s::text, ',')) FROM zdm.stage s");
        assert_eq!(after, before, "{role} {arguments:?}");
    }

    pub(super) fn run_as(&self, role: &str, sql: &str) -> Result<(), DatabaseError> {
        let url = self.url(role);
        self.project.connected(async |_| {
            let mut connection = Connection::open(&url).await.unwrap();
            connection.run_file(sql).await
        })
    }

    pub(super) fn may(&self, role: &str, sql: &str) {
        let done = self.run_as(role, sql);
        assert!(done.is_ok(), "{role}: {sql}: {done:?}");
    }

    pub(super) fn may_not(&self, role: &str, sql: &str) {
        let done = self.run_as(role, sql);
        let refused = matches!(done, Err(DatabaseError::Forbidden(_)));
        assert!(refused, "{role}: {sql}: {done:?}");
    }

    pub(super) fn generated(&self, models: &str) -> String {
        self.project.write("src/models.rs", models);
        let generated = self.project.done(&["generate", "--format", "json"]);
        let version = &generated.object()["version"];
        version["id"].as_str().unwrap().to_owned()
    }

    /// An instance of the application starts, gives a sign of life and ends.
    pub(super) fn serves(&self, id: &str, state: CodeState) {
        // Generated code has it as a static.
        let migrations = Vec::leak(vec![MigrationCode {
            id: String::leak(id.to_owned()),
            name: "users_full_name",
            state,
        }]);
        let tables = Vec::leak(vec![TableCode {
            table: "users",
            migrations,
        }]);
        let code: &'static Code = Box::leak(Box::new(Code { tables }));
        let url = self.url(APP);
        self.project.connected(async |_| {
            let pool = sqlx::PgPool::connect(&url).await.unwrap();
            let zdm = Zdm::connect(pool, code).await.unwrap();
            zdm.ready().unwrap();
            zdm.beat().await.unwrap();
            zdm.close().await.unwrap();
        });
    }
}
