//! `PostgreSQL`: a proxy kills the command before each statement that follows one with an effect. Databases are copied by
//! the server, from a template per place of the way.

use std::path::Path;
use std::time::Duration;

use zdm_runtime::database::{Connection, Value};
use zdm_tests::postgres::Server;

use crate::again::again_and_again;
use crate::enumerate::{Moment, Site, said, travel};
use crate::proxy::{Proxy, Trip};
use crate::way::{Act, FROM_SHADOW, Step, TO_SHADOW};

/// Between two looks at who is connected.
const LOOK: Duration = Duration::from_millis(1);
/// Who owns the databases.
pub(crate) const OWNER: &str = "owner";
/// All is done, and nobody was told.
pub(crate) const END: &str = "the end";
/// What a server does that no later session sees: a kill after it is a kill before it.
const WITHOUT_EFFECT: &[&str] = &["SELECT", "SET", "RESET", "SHOW", "BEGIN", "EXPLAIN"];

#[tokio::test]
async fn every_statement_up_to_shadow_on_postgres() {
    killed_on_postgres(&[], TO_SHADOW).await;
}

#[tokio::test]
async fn every_statement_from_shadow_on_postgres() {
    killed_on_postgres(TO_SHADOW, FROM_SHADOW).await;
}

#[tokio::test]
async fn advance_is_killed_again_and_again_on_postgres() {
    let server = Server::start();
    again_and_again(&mut Databases::of(&server).await).await;
}

async fn killed_on_postgres(before: &[Step], enumerated: &[Step]) {
    let server = Server::start();
    travel(&mut Databases::of(&server).await, before, enumerated).await;
}

struct Databases<'a> {
    server: &'a Server,
    proxy: Proxy,
    operator: Connection,
    place: u32,
    copies: u32,
}

impl<'a> Databases<'a> {
    async fn of(server: &'a Server) -> Self {
        server.database(&Self::at(0));
        Self {
            proxy: Proxy::to(server.directory()),
            operator: Connection::open(&server.url()).await.unwrap(),
            place: 0,
            copies: 0,
            server,
        }
    }

    fn at(place: u32) -> String {
        format!("place_{place}")
    }

    async fn copy(&mut self, name: &str) -> String {
        let sql = format!("CREATE DATABASE {name} TEMPLATE {}", Self::at(self.place));
        self.until_alone(&Self::at(self.place)).await;
        self.operator.run_file(&sql).await.unwrap();
        self.server.url_of(name, OWNER)
    }

    fn through_proxy(&self, name: &str) -> String {
        through(self.proxy.directory(), name)
    }

    async fn until_alone(&mut self, name: &str) {
        until_alone(&mut self.operator, name).await;
    }
}

impl Site for Databases<'_> {
    fn url(&self) -> String {
        self.server.url_of(&Self::at(self.place), OWNER)
    }

    async fn passed(&mut self, act: &Act) -> (String, Vec<Moment>) {
        let name = Self::at(self.place + 1);
        let url = self.copy(&name).await;
        let command = act.command(&self.through_proxy(&name));
        let passage = self.proxy.pass(command, Box::new(|_, _| false)).await;
        assert!(passage.output.status.success(), "{}", said(&passage.output));
        (url, moments(&passage.trips))
    }

    async fn killed(&mut self, act: &Act, moment: &Moment) -> String {
        self.copies += 1;
        let name = format!("copy_{}", self.copies);
        let url = self.copy(&name).await;
        let command = act.command(&self.through_proxy(&name));
        let at = moment.at;
        let kill_before = Box::new(move |trips: &[Trip], _: bool| effects(trips) >= at);
        let passage = self.proxy.pass(command, kill_before).await;
        let killed = passage.output.status.code().is_none();
        assert!(
            killed || moment.before == END && passage.output.status.success(),
            "{moment:?}: {}",
            said(&passage.output)
        );
        self.until_alone(&name).await;
        url
    }

    async fn killed_at_the_next_entry(&mut self, act: &Act) -> bool {
        let name = Self::at(self.place);
        let command = act.command(&self.through_proxy(&name));
        let logged = |trip: &Trip| trip.sql.starts_with("INSERT INTO zdm.audit");
        let kill_before =
            Box::new(move |trips: &[Trip], inside: bool| !inside && trips.iter().any(logged));
        let passage = self.proxy.pass(command, kill_before).await;
        self.until_alone(&name).await;
        let killed = passage.output.status.code().is_none();
        assert!(
            killed || passage.output.status.success(),
            "{}",
            said(&passage.output)
        );
        killed
    }

    async fn forget(&mut self, _: &str) {
        let name = format!("copy_{}", self.copies);
        let sql = format!("DROP DATABASE {name} WITH (FORCE)");
        self.operator.run_file(&sql).await.unwrap();
    }

    async fn go_on(&mut self) {
        self.place += 1;
    }
}

/// The server notices that somebody is gone when it next reads or writes, so this waits for the event.
pub(crate) async fn until_alone(operator: &mut Connection, name: &str) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1";
    while operator.query(sql, &[name.into()]).await.unwrap() != [[Value::from(0)]] {
        tokio::time::sleep(LOOK).await;
    }
}

/// Before the first trip, before each that follows one with an effect, and the end; between these nothing changes. They are told by
/// the effects up to there: how often somebody asks in between is a matter of time.
pub(crate) fn moments(trips: &[Trip]) -> Vec<Moment> {
    let mut moments: Vec<Moment> = Vec::new();
    for (number, trip) in trips.iter().enumerate() {
        let at = effects(&trips[..number]);
        if moments.last().is_none_or(|last| last.at < at) {
            moments.push(Moment {
                at,
                before: trip.sql.clone(),
                inside: trip.inside,
            });
        }
    }
    moments.push(Moment {
        at: effects(trips) + 1,
        before: END.to_owned(),
        inside: false,
    });
    moments
}

/// How many of the trips so far had an effect.
pub(crate) fn effects(trips: &[Trip]) -> usize {
    trips.iter().filter(|trip| has_effect(trip)).count()
}

/// A claim is prolonged as time goes by, and nothing depends on when.
fn has_effect(trip: &Trip) -> bool {
    let verb = |did: &String| did.split(' ').next().unwrap_or_default().to_owned();
    let did = |did: &String| !WITHOUT_EFFECT.contains(&verb(did).as_str());
    trip.did.iter().any(did) && !trip.sql.starts_with("UPDATE zdm.operator SET")
}

pub(crate) fn through(directory: &Path, database: &str) -> String {
    // What reads along understands no encryption, nor the question for it.
    format!(
        "postgres://{OWNER}@localhost/{database}?host={}&sslmode=disable",
        directory.display()
    )
}
