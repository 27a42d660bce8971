//! A version that is generated, through every phase: with what stands in the way recreated around it, and rows added that others
//! refer to.

use std::process::Output;

use sqlx::PgConnection;

use super::pair::{Outcome, Walk, said};
use super::{dependents, later, unmanaged};

impl Walk<'_> {
    /// Expand. What names something that goes is dropped and made anew around it.
    pub(super) async fn expanded(
        &self,
        before: &mut PgConnection,
        after: &mut PgConnection,
        options: &[String],
    ) -> Result<(), Outcome> {
        let command = ["advance", "--before-deploy"];
        let mut run = self.repeated(&command, before).await;
        // What computes with a type that the version brings can be made when the type is there.
        if said(&run).contains("(code 42883)") {
            unmanaged::bring(before, after).await;
            run = self.repeated(&command, before).await;
        }
        let named = dependents::named(&String::from_utf8_lossy(&run.stderr));
        if run.status.success() {
            return Ok(());
        }
        if run.status.code() != Some(4) || named.is_empty() {
            return Err(Outcome::Failed(format!("expand: {}", said(&run))));
        }
        let mut made = Vec::new();
        for (at, object) in named.iter().enumerate() {
            let Some((drop, create)) = dependents::recreated(before, after, object).await else {
                return Err(Outcome::Refused(said(&run)));
            };
            self.raw(
                &object.section,
                &format!("before_{at:03}_{}", object.name),
                &drop,
            );
            made.extend(create.map(|(order, create)| (order, create, object)));
        }
        made.sort_by_key(|(order, ..)| *order);
        let last = ["drop", "release"].into_iter();
        let mut last = last.filter(|last| named.iter().any(|object| object.section == *last));
        let last = last.next().unwrap_or("expand");
        for (at, (_, create, object)) in made.iter().enumerate() {
            self.raw(last, &format!("after_{at:03}_{}", object.name), create);
        }
        let again = self.generate(&["--amend"], options);
        if !again.status.success() {
            return Err(Outcome::Failed(format!("--amend: {}", said(&again))));
        }
        let run = self.repeated(&command, before).await;
        if run.status.success() {
            return Ok(());
        }
        Err(Outcome::Failed(format!("expand: {}", said(&run))))
    }

    /// The command, again after rows have been added that others refer to and that are not there.
    async fn repeated(&self, command: &[&str], before: &mut PgConnection) -> Output {
        let mut run = self.project.zdm(command);
        for _ in 0..9 {
            if run.status.success() || !later::add_missing(before, &said(&run)).await {
                break;
            }
            run = self.project.zdm(command);
        }
        run
    }

    /// A step of the version's own, around what contract drops.
    fn raw(&self, section: &str, name: &str, up: &str) {
        std::fs::create_dir_all(self.project.path(&format!("zdm/raw/{section}"))).unwrap();
        let path = format!("zdm/raw/{section}/{name}");
        let up = format!("-- irreversible: what it names is gone\n{up};\n");
        self.project.write(&format!("{path}.up.sql"), &up);
    }

    /// Every phase, to the end of contract.
    pub(super) async fn executed(&self, before: &mut PgConnection) -> Result<(), String> {
        let mut last = String::new();
        for _ in 0..3 {
            let run = self.repeated(&["advance"], before).await;
            match run.status.code() {
                Some(0) => return Ok(()),
                Some(4) => last = said(&run),
                _ => return Err(format!("advance: {}", said(&run))),
            }
            self.does(&["finalize"])?;
        }
        Err(format!("advance: {last}"))
    }

    pub(super) fn does(&self, arguments: &[&str]) -> Result<(), String> {
        let run = self.project.zdm(arguments);
        if run.status.success() {
            return Ok(());
        }
        Err(format!("{}: {}", arguments.join(" "), said(&run)))
    }
}
