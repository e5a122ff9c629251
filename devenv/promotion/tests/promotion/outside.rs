//! Everything that a promotion meets, in memory.

use std::ffi::OsStr;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use devenv_fakes::{FakeAccount, FakeIdentity, FakeObjects, FakeRegistry, FakeServices, FakeTerraform, Faults};
use devenv_ledger::WallClock;
use devenv_promotion::{
    Cloud, CloudAddress, Clouds, Decider, EmulatedAccount, EmulatedLogin, Error, ReleaseProbe, Terraform, TerraformEnd,
    TerraformOrder, Terraforms,
};
use devenv_runtime::Cancel;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::repository::ABROAD;

#[derive(Debug, Clone)]
pub(crate) struct FakeClouds {
    pub(crate) identity: FakeIdentity,
    pub(crate) objects: FakeObjects,
    pub(crate) registry: FakeRegistry,
    /// Of the other region.
    pub(crate) abroad: FakeRegistry,
    pub(crate) services: FakeServices,
    pub(crate) account: FakeAccount,
    /// Every login to an emulator, in order.
    pub(crate) logins: Arc<Mutex<Vec<EmulatedLogin>>>,
}

impl Clouds for FakeClouds {
    fn connect<'a>(&'a self, address: &'a CloudAddress) -> BoxFuture<'a, Cloud> {
        async move {
            let mut emulated = None;
            let registry = match address {
                CloudAddress::Account { region } if region == ABROAD => self.abroad.clone(),
                CloudAddress::Account { .. } => self.registry.clone(),
                CloudAddress::Emulated { login, .. } => {
                    self.logins.lock().expect("no test panicked").push(login.clone());
                    emulated = Some(Arc::new(self.account.clone()) as Arc<dyn EmulatedAccount>);
                    self.registry.clone()
                }
            };
            Cloud {
                identity: Arc::new(self.identity.clone()),
                objects: Arc::new(self.objects.clone()),
                registry: Arc::new(registry),
                services: Arc::new(self.services.clone()),
                emulated,
            }
        }
        .boxed()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct FakeTerraforms {
    pub(crate) terraform: FakeTerraform,
    pub(crate) faults: Faults,
}

impl Terraforms for FakeTerraforms {
    fn find(&self) -> BoxFuture<'_, Result<Arc<dyn Terraform>, Error>> {
        async { Ok(Arc::new(self.clone()) as Arc<dyn Terraform>) }.boxed()
    }
}

impl Terraform for FakeTerraforms {
    fn run<'a>(
        &'a self,
        order: &'a TerraformOrder,
        alive: Option<File>,
        line: &'a (dyn Fn(String) + Send + Sync),
        _: &'a Cancel,
    ) -> BoxFuture<'a, Result<TerraformEnd, Error>> {
        async move {
            let (this, order) = (self.clone(), order.clone());
            let log = order.environment.get(OsStr::new("TF_LOG_PATH")).map(PathBuf::from);
            let terraform = this.terraform.logging_to(log);
            // A process of its own: it goes on when whoever started it is killed, and holds its file until it ends.
            let process = tokio::spawn(async move {
                let ended = tokio::select! {
                    answer = terraform.run(order.root.as_std_path(), &order.arguments) => Some(answer),
                    () = this.faults.killed() => None,
                };
                drop(alive);
                ended
            });
            match process.await {
                Ok(Some(answer)) => {
                    answer.output.iter().cloned().for_each(line);
                    Ok(TerraformEnd { code: answer.code, answer: answer.answer, output: answer.output })
                }
                Ok(None) => std::future::pending().await,
                Err(error) => panic!("the fake failed: {error}"),
            }
        }
        .boxed()
    }
}

/// Asks the tasks themselves.
#[derive(Debug, Clone)]
pub(crate) struct FakeProbe {
    pub(crate) services: FakeServices,
    pub(crate) cluster: String,
    /// The digest of an image that runs and does not answer.
    pub(crate) mute: Option<String>,
    pub(crate) faults: Faults,
}

impl ReleaseProbe for FakeProbe {
    fn answers<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        async move { self.image(url).await.map(drop) }.boxed()
    }

    fn image<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<String, String>> {
        async move {
            let look = || {
                let told = self.services.told(&self.cluster, "web").map(|(_, image)| image);
                let live = self.services.live(&self.cluster, "web");
                let mute = self.mute.iter().any(|digest| live.contains(digest));
                Ok(told.filter(|_| live.len() == 1 && !mute))
            };
            match self.faults.meet(format!("probe {url}"), look).await {
                Ok(Some(image)) => Ok(image),
                Ok(None) => Err("502 Bad Gateway".to_owned()),
                Err(error) => Err(error.cause),
            }
        }
        .boxed()
    }
}

/// The clock of one machine, which goes with the runtime's and may be set.
#[derive(Debug, Clone)]
pub(crate) struct FakeClock {
    began: jiff::Timestamp,
    since: Instant,
    /// Seconds.
    ahead: Arc<AtomicI64>,
    /// Seconds in which the runtime's clock stood still.
    slept: Arc<AtomicI64>,
}

impl FakeClock {
    pub(crate) fn at(began: jiff::Timestamp) -> Self {
        Self { began, since: Instant::now(), ahead: Arc::default(), slept: Arc::default() }
    }

    pub(crate) fn jump(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::Relaxed);
    }

    /// The machine sleeps.
    pub(crate) fn sleep(&self, seconds: i64) {
        self.slept.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl WallClock for FakeClock {
    fn now(&self) -> jiff::Timestamp {
        let ahead = jiff::SignedDuration::from_secs(self.ahead.load(Ordering::Relaxed));
        let elapsed = jiff::SignedDuration::try_from(self.since.elapsed()).expect("not for ever");
        self.began + elapsed + ahead
    }

    fn gone_by(&self) -> Duration {
        self.since.elapsed() + Duration::from_secs(self.slept.load(Ordering::Relaxed).unsigned_abs())
    }
}

/// The answers of a person, or of nobody.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answers {
    pub(crate) asks: bool,
    pub(crate) approves: Option<bool>,
    pub(crate) undoes: bool,
}

/// Nobody is asked, and everything is approved.
pub(crate) const YES: Answers = Answers { asks: false, approves: Some(true), undoes: true };

impl Decider for Answers {
    fn asks(&self) -> bool {
        self.asks
    }

    fn approve(&self) -> BoxFuture<'_, Option<bool>> {
        std::future::ready(self.approves).boxed()
    }

    fn undo(&self) -> BoxFuture<'_, bool> {
        std::future::ready(self.undoes).boxed()
    }
}
