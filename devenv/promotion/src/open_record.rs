//! The record of what goes on, written anew at every step and only over what was written last.

use devenv_model::promotion::record::{Outcome, Record, Step};

use crate::cloud::{CloudErrorKind, Condition};
use crate::error::Error;
use crate::ledger::Ledger;

#[derive(Debug)]
pub(crate) struct OpenRecord {
    ledger: Ledger,
    pub(crate) record: Record,
    etag: String,
}

impl OpenRecord {
    pub(crate) async fn begin(ledger: &Ledger, record: Record) -> Result<Self, Error> {
        let key = ledger.record_key(&record.id);
        let etag = ledger.put(&key, record.to_json().into_bytes(), Condition::Absent).await?;
        Ok(Self::found(ledger.clone(), record, etag))
    }

    pub(crate) fn found(ledger: Ledger, record: Record, etag: String) -> Self {
        Self { ledger, record, etag }
    }

    /// Before something is changed. When it cannot be written, the step is not taken.
    pub(crate) async fn advance(&mut self, step: Step) -> Result<(), Error> {
        let before = std::mem::replace(&mut self.record.step, step);
        let written = self.write().await;
        if written.is_err() {
            self.record.step = before;
        }
        written
    }

    /// After something was changed: the step is taken, whether it can be written or not. The next write writes it too.
    pub(crate) async fn reach(&mut self, step: Step) -> Result<(), Error> {
        self.record.step = step;
        self.write().await
    }

    pub(crate) async fn end(&mut self, outcome: Outcome) -> Result<(), Error> {
        self.record.step = Step::Ended;
        self.record.outcome = Some(outcome);
        self.record.ended = Some(self.ledger.clock.now().to_string());
        self.write().await
    }

    pub(crate) async fn write(&mut self) -> Result<(), Error> {
        let key = self.ledger.record_key(&self.record.id);
        let content = self.record.to_json().into_bytes();
        let condition = Condition::Matches(self.etag.clone());
        let written = match self.ledger.put(&key, content.clone(), condition).await {
            Err(error) if error.kind == CloudErrorKind::Conflict => match self.ledger.read(&self.record.id).await? {
                Some((Record { outcome: Some(Outcome::Superseded { by }), .. }, _)) => {
                    let environment = self.ledger.environment.clone();
                    return Err(Error::LockLost { environment, owner: format!("the promotion {by}") });
                }
                // A later run writes only its end, which is seen above: this is an earlier write of ours, whose answer was lost.
                Some((_, etag)) => self.ledger.put(&key, content, Condition::Matches(etag)).await?,
                None => return Err(error.into()),
            },
            written => written?,
        };
        self.etag = written;
        Ok(())
    }
}

/// Writes how a promotion ended whose own run did not. One that has its end by now keeps it.
pub(crate) async fn close(ledger: &Ledger, id: &str, outcome: Outcome) -> Result<(), Error> {
    match ledger.read(id).await? {
        Some((record, etag)) if record.outcome.is_none() => {
            OpenRecord::found(ledger.clone(), record, etag).end(outcome).await
        }
        _ => Ok(()),
    }
}

/// Writes the end of a record that only the live pointer has.
pub(crate) async fn write_end(ledger: &Ledger, ended: &Record) -> Result<(), Error> {
    match ledger.read(&ended.id).await? {
        Some((record, etag)) if record.outcome.is_none() => {
            OpenRecord::found(ledger.clone(), ended.clone(), etag).write().await
        }
        _ => Ok(()),
    }
}
