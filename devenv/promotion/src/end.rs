//! How a promotion ends: live, or with what was there put back, and written down as far as that can be.

use devenv_model::event::Event;
use devenv_model::promotion::proposal::Proposal;
use devenv_model::promotion::record::{Kind, Outcome, Record, Release, Step};
use serde::Serialize;

use crate::decider::Decider;
use crate::error::Error;
use crate::run::Run;

/// How a promotion or a rollback ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Promoted {
    pub environment: String,
    /// Of its record; `None` of a plan.
    pub id: Option<String>,
    pub proposal: Option<Proposal>,
    pub release: Release,
    pub url: String,
}

impl Run<'_> {
    /// Writes down how it ended, after having put back what was there if it ended badly, and gives up the lock.
    pub(crate) async fn finish(
        mut self,
        outcome: Result<Option<Proposal>, Error>,
        decider: &dyn Decider,
    ) -> Result<Promoted, Error> {
        let ended = match outcome {
            // Somebody who has taken the lock over meanwhile has changed what is live.
            Ok(proposal) => match self.hold().await {
                Ok(()) => self.live(proposal).await,
                Err(Error::LockLost { owner, .. }) => Err(self.taken_over(owner).await),
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
        // The same release once more leaves the one before it where it was, for a rollback to return to.
        if let Some(live) = &self.survey.standing.live
            && record.kind == Kind::Promotion
            && live.release.is_same(&record.release)
        {
            record.previous.clone_from(&live.previous);
        }
        let written = self.record.end(Outcome::Live).await;
        if let Err(Error::LockLost { owner, .. }) = written {
            return Err(self.taken_over(owner).await);
        }
        match (written, self.point().await) {
            (Err(error), Err(_)) => return Err(self.unrecorded(error)),
            (Err(error), Ok(())) => self.told("the end of the record", error),
            (Ok(()), Err(error)) => self.told("the live pointer", error),
            (Ok(()), Ok(())) => {}
        }
        self.close_killed().await;
        let Record { id, release, .. } = self.record.record.clone();
        let (environment, url) = (self.context.name().to_owned(), self.delivery.address().to_owned());
        Ok(Promoted { environment, id: Some(id), proposal, release, url })
    }

    /// It failed, and nothing that runs was changed.
    async fn unchanged(&mut self, error: Error) -> Error {
        if let Err(unwritten) = self.record.end(Outcome::NothingChanged { cause: error.to_string() }).await {
            self.told("the end of the record", unwritten);
        }
        error
    }

    /// It failed after something may have changed.
    async fn back(&mut self, error: Error, decider: &dyn Decider) -> Error {
        // Whoever has the lock now puts it right.
        if let Err(Error::LockLost { owner, .. }) = self.hold().await {
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
        if let Err(Error::LockLost { owner, .. }) = restored {
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

    /// What is live matters more than what is written of it: a record that cannot be written must not hide that.
    async fn write_back(&mut self, outcome: Outcome) {
        let is_put_back = !matches!(outcome, Outcome::RollbackFailed { .. });
        let is_at_zero = matches!(outcome, Outcome::ScaledToZero { .. });
        let written = self.record.end(outcome).await;
        if is_at_zero && let Err(error) = self.point().await {
            self.told("the live pointer", error);
        }
        match written {
            Err(error) => self.told("the end of the record", error),
            Ok(()) if is_put_back => self.close_killed().await,
            Ok(()) => {}
        }
    }

    async fn close_killed(&self) {
        if let Err(error) = self.supersede().await {
            self.told("the end of a killed promotion's record", error);
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

    #[expect(clippy::needless_pass_by_value, reason = "an error that ends here")]
    fn told(&self, what: &str, error: Error) {
        self.context.emitter.notice(format!("{what} could not be written; the next promotion writes it: {error}"));
    }

    /// It is live, and nothing in the bucket says so.
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

    /// Somebody else has the lock, after this run had begun to change things.
    async fn taken_over(&self, owner: String) -> Error {
        let environment = self.context.name().to_owned();
        let applied = name_of(&self.record.record.release);
        let live = match self.context.ledger.standing().await {
            Ok(standing) => standing.live.map_or_else(|| "nothing".to_owned(), |live| name_of(&live.release)),
            Err(error) => format!("what cannot be read ({error})"),
        };
        Error::TakenOver { environment, owner, applied, live }
    }
}

/// As people know a release.
fn name_of(release: &Release) -> String {
    let commit = release.commit.get(..12).unwrap_or(&release.commit);
    format!("release {} (commit {commit})", release.id)
}
