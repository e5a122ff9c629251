//! The environment's lock: a run waits for it, renews it while it works, and verifies it before every change.

use std::sync::Arc;
use std::time::Duration;

use devenv_cloud::{CloudError, CloudErrorKind, Condition};
use devenv_releases::lease::{Lease, Sight, Watch};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::error::Error;
use crate::ledger::Ledger;
use crate::retry::Retry;

/// Between two renewals.
const RENEW_EVERY: Duration = Duration::from_secs(15);
/// After a renewal that failed.
const RENEW_AGAIN: Duration = Duration::from_secs(3);
/// The run abandons a renewal without an answer and sends another: waiting longer would let the lease run out.
const RENEWED_WITHIN: Duration = Duration::from_secs(20);
/// The greatest age of a renewal that permits a change. It leaves half of the lease for the change to begin in.
const FRESH: Duration = Duration::from_secs(30);
/// The pause between two reads of a lock held by another run.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A lock, renewed until the run releases it.
#[derive(Debug)]
pub struct HeldLease {
    held: Arc<Mutex<Held>>,
    renewing: JoinHandle<()>,
}

#[derive(Debug)]
struct Held {
    ledger: Ledger,
    lease: Lease,
    etag: String,
    /// When the run sent its last successful renewal.
    renewed: Duration,
    /// The owner that has taken it over.
    lost: Option<String>,
}

impl HeldLease {
    /// Takes the lock. If its holder may be dead, reports that and waits until it is certain; fails as soon as the holder proves
    /// to be alive, or when `cancelled` resolves.
    pub async fn take(
        ledger: &Ledger,
        lease: Lease,
        say: impl Fn(String),
        cancelled: impl Future<Output = ()>,
    ) -> Result<Self, Error> {
        let condition = free(ledger, &lease, say, cancelled).await?;
        let renewed = ledger.clock.gone_by();
        let etag = match ledger.put(&ledger.lock_key(), lease.to_json(), condition).await {
            Ok(etag) => etag,
            Err(error) if error.kind == CloudErrorKind::Conflict => {
                let held = read(ledger).await?.map(|(held, _)| held);
                return Err(locked(ledger, held.as_ref().unwrap_or(&lease)));
            }
            Err(error) => return Err(Error::from(error)),
        };
        let held = Held { ledger: ledger.clone(), lease, etag, renewed, lost: None };
        let held = Arc::new(Mutex::new(held));
        let renewing = tokio::spawn(keep(held.clone()));
        Ok(Self { held, renewing })
    }

    /// Verifies, before a change, that this run still holds the lock. Renews first if the last renewal is not fresh, because the
    /// machine slept or AWS was unreachable.
    pub async fn hold(&self) -> Result<(), Error> {
        let mut held = self.held.lock().await;
        let mut retry = Retry::new();
        loop {
            held.not_lost()?;
            if held.ledger.clock.gone_by().saturating_sub(held.renewed) < FRESH {
                return Ok(());
            }
            match held.renew().await {
                Ok(()) | Err(Error::LockLost { .. }) => {}
                Err(Error::Cloud(error)) => retry.after(error).await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// Releases the lock. If that fails, the lease runs out by itself.
    pub async fn release(self) {
        // No renewal is under way while this run holds the mutex.
        let held = self.held.lock().await;
        self.renewing.abort();
        if held.lost.is_some() {
            return;
        }
        let (key, given_up) = (held.ledger.lock_key(), held.lease.given_up().to_json());
        let mut etag = held.etag.clone();
        // The first attempt fails if the answer to a renewal was lost.
        for _ in 0..2 {
            if held.ledger.put(&key, given_up.clone(), Condition::Matches(etag)).await.is_ok() {
                return;
            }
            match read(&held.ledger).await {
                Ok(Some((there, now))) if there.is_of(&held.lease) => etag = now,
                _ => return,
            }
        }
    }
}

impl Drop for HeldLease {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

impl Held {
    fn not_lost(&self) -> Result<(), Error> {
        match &self.lost {
            None => Ok(()),
            Some(owner) => Err(Error::LockLost { environment: self.ledger.environment.clone(), owner: owner.clone() }),
        }
    }

    /// Writes the lease anew, only over this run's own last write.
    async fn renew(&mut self) -> Result<(), Error> {
        let sent = self.ledger.clock.gone_by();
        let next = self.lease.renewed(self.ledger.clock.now().as_second());
        let (ledger, key) = (&self.ledger, self.ledger.lock_key());
        let put = ledger.objects.put(&ledger.bucket, &key, next.to_json(), Condition::Matches(self.etag.clone()));
        match put.await {
            Ok(etag) => {
                (self.lease, self.etag, self.renewed) = (next, etag, sent);
                Ok(())
            }
            Err(error) if matches!(error.kind, CloudErrorKind::Conflict | CloudErrorKind::NotFound) => {
                match read(ledger).await {
                    // An earlier write of this run, whose answer was lost. The time of that write is unknown, so only the next one counts.
                    Ok(Some((there, etag))) if there.is_of(&self.lease) => {
                        (self.lease, self.etag) = (there, etag);
                        Err(passing(&key).into())
                    }
                    Ok(Some((there, _))) if there.is_given_up() => self.is_lost("a run that has ended since"),
                    Ok(Some((there, _))) => self.is_lost(&there.owner),
                    Ok(None) => self.is_lost("an unknown run that removed it"),
                    Err(Error::Unusable { .. }) => self.is_lost("an unknown run"),
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    fn is_lost(&mut self, owner: &str) -> Result<(), Error> {
        self.lost = Some(owner.to_owned());
        self.not_lost()
    }
}

async fn keep(held: Arc<Mutex<Held>>) {
    let mut pause = RENEW_EVERY;
    loop {
        tokio::time::sleep(pause).await;
        let renewing = async { held.lock().await.renew().await };
        pause = match tokio::time::timeout(RENEWED_WITHIN, renewing).await {
            Ok(Ok(())) => RENEW_EVERY,
            Ok(Err(Error::LockLost { .. })) => return,
            Ok(Err(_)) | Err(_) => RENEW_AGAIN,
        };
    }
}

/// Waits until the lock may be taken, and returns the condition for that write.
async fn free(
    ledger: &Ledger,
    lease: &Lease,
    say: impl Fn(String),
    cancelled: impl Future<Output = ()>,
) -> Result<Condition, Error> {
    tokio::pin!(cancelled);
    let began = Instant::now();
    let mut watch = Watch::default();
    let mut said = false;
    loop {
        let Some((held, etag)) = read(ledger).await? else {
            return Ok(Condition::Absent);
        };
        let left = match watch.look(&held, &etag, &lease.place, began.elapsed()) {
            Sight::Free => return Ok(Condition::Matches(etag)),
            Sight::Alive => return Err(locked(ledger, &held)),
            Sight::Wait(left) => left,
        };
        if !said {
            said = true;
            say(format!(
                "{} has held the lock since {}; this run takes it over unless it is renewed within {} seconds",
                held.owner,
                since(&held),
                left.as_secs()
            ));
        }
        tokio::select! {
            () = &mut cancelled => return Err(Error::Cancelled),
            () = tokio::time::sleep(left.min(LOOK_EVERY)) => {}
        }
    }
}

/// The lease and its ETag.
async fn read(ledger: &Ledger) -> Result<Option<(Lease, String)>, Error> {
    let key = ledger.lock_key();
    let Some(object) = ledger.get(&key).await? else {
        return Ok(None);
    };
    let lease = Lease::read(&object.content).map_err(|error| ledger.unusable(key, error))?;
    Ok(Some((lease, object.etag)))
}

fn locked(ledger: &Ledger, held: &Lease) -> Error {
    Error::Locked { environment: ledger.environment.clone(), owner: held.owner.clone(), since: since(held) }
}

fn since(held: &Lease) -> String {
    jiff::Timestamp::from_second(held.since).unwrap_or_default().to_string()
}

fn passing(key: &str) -> CloudError {
    let cause = "the answer to an earlier write was lost".to_owned();
    CloudError { action: format!("write {key}"), cause, kind: CloudErrorKind::Unreachable }
}
