//! How a promotion ends: live, or with the previous release restored, and recorded as far as the bucket allows.

use devenv_ledger::Error as LedgerError;
use devenv_model::event::Event;
use devenv_model::promotion::proposal::Proposal;
use devenv_releases::record::{Kind, Outcome, Record, Release, Step};
use serde::Serialize;

use crate::decider::Decider;
use crate::error::Error;
use crate::run::Run;

/// How a promotion or a rollback ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Promoted {
    pub environment: String,
    /// The id of its record; `None` for a plan.
    pub id: Option<String>,
    pub proposal: Option<Proposal>,
    pub release: Release,
    pub url: String,
}

impl Run<'_> {
    /// Restores the previous release if the run failed, records the end, and releases the lock.
    pub(crate) async fn finish(
        mut self,
        outcome: Result<Option<Proposal>, Error>,
        decider: &dyn Decider,
    ) -> Result<Promoted, Error> {
        let ended = match outcome {
            // A run that has taken the lock over may have changed the live release.
            Ok(proposal) => match self.hold().await {
                Ok(()) => self.live(proposal).await,
                Err(Error::Ledger(LedgerError::LockLost { owner, .. })) => Err(self.taken_over(owner).await),
                Err(error) => Err(self.unrecorded(error)),
            },
            Err(error) if self.record.record.step < Step::Applying => Err(self.unchanged(error).await),
            Err(error) => Err(self.back(error, decider).await),
        };
        self.lease.release().await;
        ended
    }

    async fn live(&mut self, proposal: Option<Proposal>) -> Result<Promoted, Error> {
        let record = &mut self.record.record;
        record.previous.clone_from(&self.before);
        // A repeated promotion keeps the previous release, so that a rollback still returns to it.
        if let Some(live) = &self.survey.standing.live
            && record.kind == Kind::Promotion
            && live.release.is_same(&record.release)
        {
            record.previous.clone_from(&live.previous);
        }
        let written = self.record.end(Outcome::Live).await.map_err(Error::from);
        if let Err(Error::Ledger(LedgerError::LockLost { owner, .. })) = written {
            return Err(self.taken_over(owner).await);
        }
        match (written, self.point().await) {
            (Err(error), Err(_)) => return Err(self.unrecorded(error)),
            (Err(error), Ok(())) => self.unwritten("the end of the record", error),
            (Ok(()), Err(error)) => self.unwritten("the live pointer", error),
            (Ok(()), Ok(())) => {}
        }
        self.close_killed().await;
        self.retire().await;
        let Record { id, release, .. } = self.record.record.clone();
        let (environment, url) = (self.context.name().to_owned(), self.delivery.address().to_owned());
        Ok(Promoted { environment, id: Some(id), proposal, release, url })
    }

    /// The run failed before it changed anything that runs.
    async fn unchanged(&mut self, error: Error) -> Error {
        if let Err(unwritten) = self.record.end(Outcome::NothingChanged { cause: error.to_string() }).await {
            self.unwritten("the end of the record", unwritten.into());
        }
        error
    }

    /// The run failed after it may have changed something.
    async fn back(&mut self, error: Error, decider: &dyn Decider) -> Error {
        // The run that holds the lock now repairs it.
        if let Err(Error::Ledger(LedgerError::LockLost { owner, .. })) = self.hold().await {
            return self.taken_over(owner).await;
        }
        let environment = self.context.name().to_owned();
        let interrupted = error.is_cancelled();
        let previous = self.record.record.previous.clone();
        if interrupted && !self.undo(previous.as_ref(), decider).await {
            let step = format!("{:?}", self.record.record.step).to_lowercase();
            return Error::Left { environment, step, again: self.again() };
        }
        let cause = error.to_string();
        let restored = self.put_back(previous.as_ref()).await;
        if let Err(Error::Ledger(LedgerError::LockLost { owner, .. })) = restored {
            return self.taken_over(owner).await;
        }
        let cause_of = Box::new(error);
        let (outcome, error) = match (restored, previous) {
            (Ok(()), Some(previous)) => {
                let live = name_of(&previous);
                let error = Error::RolledBack { environment, cause: cause_of, live, interrupted };
                (Outcome::RolledBack { cause }, error)
            }
            (Ok(()), None) => {
                let error = Error::ScaledToZero { environment, cause: cause_of, interrupted };
                (Outcome::ScaledToZero { cause }, error)
            }
            (Err(rollback), _) => {
                let outcome = Outcome::RollbackFailed { cause, rollback: rollback.to_string() };
                (outcome, Error::RollbackFailed { environment, cause: cause_of, rollback: Box::new(rollback) })
            }
        };
        self.write_back(outcome).await;
        error
    }

    /// A record that cannot be written must not hide which release is live.
    async fn write_back(&mut self, outcome: Outcome) {
        let is_put_back = !matches!(outcome, Outcome::RollbackFailed { .. });
        let is_at_zero = matches!(outcome, Outcome::ScaledToZero { .. });
        let written = self.record.end(outcome).await;
        if is_at_zero && let Err(error) = self.point().await {
            self.unwritten("the live pointer", error);
        }
        match written {
            Err(error) => self.unwritten("the end of the record", error.into()),
            Ok(()) if is_put_back => self.close_killed().await,
            Ok(()) => {}
        }
    }

    async fn close_killed(&self) {
        if let Err(error) = self.supersede().await {
            self.unwritten("the end of a killed promotion's record", error);
        }
    }

    /// Asks, after an interruption, whether to return to the previous release.
    async fn undo(&self, previous: Option<&Release>, decider: &dyn Decider) -> bool {
        if decider.asks() {
            let name = previous.map_or_else(|| "nothing".to_owned(), name_of);
            let text = format!("Interrupted. Return to {name}? [Y/n]");
            self.context.emitter.emit(Event::Question { text });
        }
        decider.undo().await
    }

    #[expect(clippy::needless_pass_by_value, reason = "the error ends here")]
    fn unwritten(&self, what: &str, error: Error) {
        self.context.emitter.notice(format!("{what} could not be written; the next promotion writes it: {error}"));
    }

    /// The release is live, and nothing in the bucket shows it.
    fn unrecorded(&self, cause: Error) -> Error {
        let (environment, live) = (self.context.name().to_owned(), name_of(&self.record.record.release));
        Error::Unrecorded { environment, live, again: self.again(), cause: Box::new(cause) }
    }

    /// The command that makes the same release live.
    fn again(&self) -> String {
        let (environment, record) = (self.context.name(), &self.record.record);
        match record.kind {
            Kind::Promotion => format!("devenv promote {environment}"),
            Kind::Rollback => format!("devenv rollback {environment} --to {}", record.release.id),
        }
    }

    /// Another run has the lock, after this one had begun to change things.
    async fn taken_over(&self, owner: String) -> Error {
        let environment = self.context.name().to_owned();
        let applied = name_of(&self.record.record.release);
        let live = match self.context.ledger.standing().await {
            Ok(standing) => standing.live.map_or_else(|| "nothing".to_owned(), |live| name_of(&live.release)),
            Err(error) => format!("an unreadable release ({error})"),
        };
        Error::TakenOver { environment, owner, applied, live }
    }
}

/// A release as messages name it.
fn name_of(release: &Release) -> String {
    let commit = release.commit.get(..12).unwrap_or(&release.commit);
    format!("release {} (commit {commit})", release.id)
}
