//! The record of a running promotion. Every step rewrites it, and only over the last write.

use devenv_cloud::{CloudErrorKind, Condition};
use devenv_releases::record::{Outcome, Record, Step};

use crate::error::Error;
use crate::ledger::Ledger;

#[derive(Debug)]
pub struct OpenRecord {
    ledger: Ledger,
    pub record: Record,
    etag: String,
}

impl OpenRecord {
    pub async fn begin(ledger: &Ledger, record: Record) -> Result<Self, Error> {
        let key = ledger.record_key(&record.id);
        let etag = ledger.put(&key, record.to_json().into_bytes(), Condition::Absent).await?;
        Ok(Self::found(ledger.clone(), record, etag))
    }

    pub fn found(ledger: Ledger, record: Record, etag: String) -> Self {
        Self { ledger, record, etag }
    }

    /// Records a step before its change. If the write fails, the step does not happen.
    pub async fn advance(&mut self, step: Step) -> Result<(), Error> {
        let before = std::mem::replace(&mut self.record.step, step);
        let written = self.write().await;
        if written.is_err() {
            self.record.step = before;
        }
        written
    }

    /// Records a step after its change. If the write fails, the step still counts, and the next write includes it.
    pub async fn reach(&mut self, step: Step) -> Result<(), Error> {
        self.record.step = step;
        self.write().await
    }

    pub async fn end(&mut self, outcome: Outcome) -> Result<(), Error> {
        self.record.step = Step::Ended;
        self.record.outcome = Some(outcome);
        self.record.ended = Some(self.ledger.clock.now().to_string());
        self.write().await
    }

    pub async fn write(&mut self) -> Result<(), Error> {
        let key = self.ledger.record_key(&self.record.id);
        let content = self.record.to_json().into_bytes();
        let condition = Condition::Matches(self.etag.clone());
        let written = match self.ledger.put(&key, content.clone(), condition).await {
            Err(error) if error.kind == CloudErrorKind::Conflict => match self.ledger.read(&self.record.id).await? {
                Some((Record { outcome: Some(Outcome::Superseded { by }), .. }, _)) => {
                    let environment = self.ledger.environment.clone();
                    return Err(Error::LockLost { environment, owner: format!("the promotion {by}") });
                }
                // A later run writes only an end, which the arm above catches: this is our own earlier write, whose answer was lost.
                Some((_, etag)) => self.ledger.put(&key, content, Condition::Matches(etag)).await?,
                None => return Err(error.into()),
            },
            written => written?,
        };
        self.etag = written;
        Ok(())
    }
}

/// Records the end of a killed promotion, unless its record has an end by now.
pub async fn close(ledger: &Ledger, id: &str, outcome: Outcome) -> Result<(), Error> {
    match ledger.read(id).await? {
        Some((record, etag)) if record.outcome.is_none() => {
            OpenRecord::found(ledger.clone(), record, etag).end(outcome).await
        }
        _ => Ok(()),
    }
}

/// Writes an end that only the live pointer holds into its record.
pub async fn write_end(ledger: &Ledger, ended: &Record) -> Result<(), Error> {
    match ledger.read(&ended.id).await? {
        Some((record, etag)) if record.outcome.is_none() => {
            OpenRecord::found(ledger.clone(), ended.clone(), etag).write().await
        }
        _ => Ok(()),
    }
}
