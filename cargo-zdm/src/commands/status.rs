//! `status [MIGRATION]`: where every migration stands, and what stands before its next step.

use crate::context::Context;
use crate::error::Failure;
use crate::operate::report;
use crate::operate::session::{Missing, Session};
use crate::terminal::Answer;

/// Show per migration: stage, gates with reasons, instances, progress, quarantine
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo zdm status
  cargo zdm status users_full_name --format json
  cargo zdm status --audit
  cargo zdm status --metrics > /var/lib/node_exporter/zdm.prom")]
pub(crate) struct Status {
    /// Number, folder, name or id; default: all
    migration: Option<String>,
    /// Show the audit log instead: who did what, when, how it went; exits 1 where an entry was changed, removed or inserted
    #[arg(long)]
    audit: bool,
    /// Print the same as Prometheus reads it, for a job that puts it beside a node's exporter
    #[arg(long, conflicts_with = "audit")]
    metrics: bool,
}

impl Status {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer, Failure> {
        let mut session = Session::open(context, Missing::Nothing).await?;
        let only = self
            .migration
            .map(|argument| session.named(&argument))
            .transpose()?;
        if self.audit {
            report::audit::answer(&mut session, only).await
        } else {
            let answer = report::status::answer(&mut session, only).await?;
            if self.metrics {
                report::status::as_metrics(answer)
            } else {
                Ok(answer)
            }
        }
    }
}
