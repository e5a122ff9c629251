//! What is written down in the environment's own bucket: a record for each promotion, and who may promote.

use std::sync::Arc;
use std::time::Duration;

use devenv_model::promotion::{Lease, Outcome, Record, Step};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::Error;
use super::clock::WallClock;
use super::cloud::{CloudError, CloudErrorKind, Condition, Object, Objects};

/// Between two renewals of a lease.
const RENEW_EVERY: Duration = Duration::from_secs(15);
/// How far back a release that is live is looked for.
const LOOK_BACK: usize = 200;

/// The objects below `ENV/releases/`.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    pub(super) objects: Arc<dyn Objects>,
    pub(super) bucket: String,
    pub(super) environment: String,
    pub(super) clock: Arc<dyn WallClock>,
}

/// What the records say is live, and what did not come to its end.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// The newest that ended live.
    pub(super) live: Option<Record>,
    /// The newest, when nobody wrote down how it ended.
    pub(super) unfinished: Option<Record>,
    /// Whether the newest that changed anything left the services at zero tasks.
    pub(super) scaled_to_zero: bool,
}

impl Ledger {
    fn prefix(&self) -> String {
        format!("{}/releases/", self.environment)
    }

    pub(super) fn key(&self, id: &str, file: &str) -> String {
        format!("{}{id}/{file}", self.prefix())
    }

    fn record_key(&self, id: &str) -> String {
        self.key(id, "record.json")
    }

    fn lock_key(&self) -> String {
        format!("{}lock", self.prefix())
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Object>, CloudError> {
        self.objects.get(&self.bucket, key).await
    }

    /// Oldest first.
    pub(super) async fn ids(&self) -> Result<Vec<String>, CloudError> {
        self.objects.folders(&self.bucket, &self.prefix()).await
    }

    async fn read(&self, id: &str) -> Result<Option<(Record, String)>, Error> {
        let key = self.record_key(id);
        let Some(object) = self.get(&key).await? else {
            return Ok(None);
        };
        let record = Record::read(&object.content).map_err(|error| Error::Record { key, error })?;
        Ok(Some((record, object.etag)))
    }

    /// Newest first, each as it was read.
    pub(super) async fn history(&self, limit: usize) -> Result<Vec<Result<Record, Error>>, Error> {
        let mut records = Vec::new();
        for id in self.ids().await?.iter().rev().take(limit) {
            match self.read(id).await {
                Ok(Some((record, _))) => records.push(Ok(record)),
                Ok(None) => {}
                Err(error @ Error::Record { .. }) => records.push(Err(error)),
                Err(error) => return Err(error),
            }
        }
        Ok(records)
    }

    /// A record that cannot be read is an error: what is live could be in it.
    pub(super) async fn standing(&self) -> Result<Standing, Error> {
        let mut standing = Standing::default();
        let mut is_newest_change = true;
        for id in self.ids().await?.iter().rev().take(LOOK_BACK) {
            let Some((record, _)) = self.read(id).await? else {
                continue;
            };
            let changed_nothing = matches!(record.outcome, Some(Outcome::NothingChanged { .. }));
            if is_newest_change && !changed_nothing {
                standing.scaled_to_zero = matches!(record.outcome, Some(Outcome::ScaledToZero { .. }));
                is_newest_change = false;
            }
            if record.is_live() {
                standing.live = Some(record);
                break;
            }
            if record.outcome.is_none() && standing.unfinished.is_none() {
                standing.unfinished = Some(record);
            }
        }
        Ok(standing)
    }

    /// Keeps a file beside a record. One that is there already is the same.
    pub(super) async fn keep(&self, id: &str, file: &str, content: Vec<u8>) -> Result<(), CloudError> {
        match self.objects.put(&self.bucket, &self.key(id, file), content, Condition::Absent).await {
            Err(error) if error.kind != CloudErrorKind::Conflict => Err(error),
            _ => Ok(()),
        }
    }

    /// Writes down how one that was killed ended.
    pub(super) async fn close(&self, id: &str, outcome: Outcome) -> Result<(), Error> {
        let Some((record, etag)) = self.read(id).await? else {
            return Ok(());
        };
        let mut open = OpenRecord { ledger: self.clone(), record, etag };
        open.end(outcome).await
    }

    /// Takes the environment's lock, unless somebody works under it.
    pub(super) async fn lock(&self, lease: Lease) -> Result<HeldLease, Error> {
        let key = self.lock_key();
        let now = lease.since;
        let condition = match self.get(&key).await? {
            None => Condition::Absent,
            Some(object) => {
                // One that cannot be read was written by nobody who is to be waited for.
                if let Ok(held) = serde_json::from_slice::<Lease>(&object.content)
                    && held.keeps_out(&lease.place, now)
                {
                    return Err(self.locked(&held));
                }
                Condition::Matches(object.etag)
            }
        };
        let etag = match self.objects.put(&self.bucket, &key, json(&lease), condition).await {
            Ok(etag) => etag,
            Err(error) if error.kind == CloudErrorKind::Conflict => {
                let held = self.get(&key).await?.and_then(|object| serde_json::from_slice(&object.content).ok());
                return Err(self.locked(held.as_ref().unwrap_or(&lease)));
            }
            Err(error) => return Err(error.into()),
        };
        Ok(HeldLease::start(self.clone(), lease, etag))
    }

    fn locked(&self, held: &Lease) -> Error {
        let since = jiff::Timestamp::from_second(held.since).unwrap_or_default();
        Error::Locked { environment: self.environment.clone(), owner: held.owner.clone(), since: since.to_string() }
    }
}

fn json(lease: &Lease) -> Vec<u8> {
    serde_json::to_vec(lease).expect("a lease is plain data")
}

/// A lock that is renewed until it is given up.
#[derive(Debug)]
pub(super) struct HeldLease {
    ledger: Ledger,
    lost: watch::Receiver<Option<String>>,
    stop: oneshot::Sender<()>,
    renewing: JoinHandle<(Lease, String)>,
}

impl HeldLease {
    fn start(ledger: Ledger, lease: Lease, etag: String) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (tell, lost) = watch::channel(None);
        let renewing = tokio::spawn(renew(ledger.clone(), lease, etag, tell, stopped));
        Self { ledger, lost, stop, renewing }
    }

    /// An error when somebody else has taken it over: then nothing more may be changed.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self.lost.borrow().clone() {
            None => Ok(()),
            Some(owner) => Err(Error::LockLost { environment: self.ledger.environment.clone(), owner }),
        }
    }

    /// Gives it up. One that cannot be given up ends by itself.
    pub(super) async fn release(self) {
        let _ = self.stop.send(());
        let Ok((lease, etag)) = self.renewing.await else {
            return;
        };
        let (ledger, key) = (&self.ledger, self.ledger.lock_key());
        let _ = ledger.objects.put(&ledger.bucket, &key, json(&lease.released()), Condition::Matches(etag)).await;
    }
}

async fn renew(
    ledger: Ledger,
    mut lease: Lease,
    mut etag: String,
    tell: watch::Sender<Option<String>>,
    mut stopped: oneshot::Receiver<()>,
) -> (Lease, String) {
    let key = ledger.lock_key();
    loop {
        tokio::select! {
            _ = &mut stopped => return (lease, etag),
            () = tokio::time::sleep(RENEW_EVERY) => {}
        }
        let next = lease.renewed(ledger.clock.now().as_second());
        let condition = Condition::Matches(etag.clone());
        match ledger.objects.put(&ledger.bucket, &key, json(&next), condition).await {
            Ok(written) => (lease, etag) = (next, written),
            Err(error) if error.kind == CloudErrorKind::Conflict => {
                let held = ledger.get(&key).await.ok().flatten();
                let held = held.and_then(|object| serde_json::from_slice::<Lease>(&object.content).ok());
                tell.send_replace(Some(held.map_or_else(|| "somebody".to_owned(), |held| held.owner)));
                return (lease, etag);
            }
            // It holds for several renewals; one that fails is tried again.
            Err(_) => {}
        }
    }
}

/// The record of what goes on, written anew at every step and only over what was written last.
#[derive(Debug)]
pub(super) struct OpenRecord {
    ledger: Ledger,
    pub(super) record: Record,
    etag: String,
}

impl OpenRecord {
    pub(super) async fn begin(ledger: &Ledger, record: Record) -> Result<Self, Error> {
        let key = ledger.record_key(&record.id);
        let content = record.to_json().into_bytes();
        let etag = ledger.objects.put(&ledger.bucket, &key, content, Condition::Absent).await?;
        Ok(Self { ledger: ledger.clone(), record, etag })
    }

    pub(super) async fn advance(&mut self, step: Step) -> Result<(), Error> {
        self.record.step = step;
        self.write().await
    }

    pub(super) async fn end(&mut self, outcome: Outcome) -> Result<(), Error> {
        self.record.step = Step::Ended;
        self.record.outcome = Some(outcome);
        self.record.ended = Some(self.ledger.clock.now().to_string());
        self.write().await
    }

    async fn write(&mut self) -> Result<(), Error> {
        let key = self.ledger.record_key(&self.record.id);
        let (content, condition) = (self.record.to_json().into_bytes(), Condition::Matches(self.etag.clone()));
        self.etag = self.ledger.objects.put(&self.ledger.bucket, &key, content, condition).await?;
        Ok(())
    }
}
