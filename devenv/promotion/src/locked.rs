//! An environment under its lock, before its record is opened.

use std::collections::BTreeMap;

use devenv_ledger::{HeldLease, OpenRecord, Survey};
use devenv_releases::id::next_id;
use devenv_releases::lease::Lease;
use devenv_releases::record::{Kind, Record, Release, Step};
use devenv_runtime::Cancel;

use crate::cloud::Caller;
use crate::context::PromotionContext;
use crate::delivery::Delivery;
use crate::error::Error;
use crate::place;
use crate::run::Run;
use crate::tree::Tree;

/// An environment that no other run changes.
#[derive(Debug)]
pub(crate) struct Locked<'a> {
    pub(crate) context: &'a PromotionContext<'a>,
    pub(crate) survey: Survey,
    lease: HeldLease,
    caller: Caller,
    /// The id of the record to open.
    id: String,
}

/// The work to do under the lock.
#[derive(Debug)]
pub(crate) enum Order<'a> {
    Promote {
        commit: String,
        tree: &'a Tree,
    },
    /// `before` was live before the release `to`.
    Return {
        to: Release,
        before: Option<Release>,
    },
}

impl<'a> Locked<'a> {
    /// Takes the lock, and only then reads the live release: it could have changed before.
    pub(crate) async fn take(
        context: &'a PromotionContext<'a>,
        caller: Caller,
        cancel: &Cancel,
    ) -> Result<Self, Error> {
        let state = |source| devenv_runtime::Error::State { path: context.folder.clone(), source };
        let token = place::random::<8>().map_err(state)?;
        let now = context.ledger.clock.now().as_second();
        let lease = Lease::new(context.owner.clone(), context.place().to_owned(), token.clone(), now);
        let say = |line: String| context.progress(line);
        let taking = HeldLease::take(&context.ledger, lease, say, cancel.cancelled());
        let lease = context.stage("lock", taking).await?;
        match context.ledger.survey().await {
            Ok(survey) => {
                let id = next_id(survey.ids(), &token);
                Ok(Self { context, survey, lease, caller, id })
            }
            Err(error) => {
                lease.release().await;
                Err(error.into())
            }
        }
    }

    /// Opens the record. On failure it releases the lock.
    pub(crate) async fn open(self, order: Order<'_>, delivery: &'a dyn Delivery) -> Result<Run<'a>, Error> {
        let (record, before) = self.record(order);
        match self.begin(record).await {
            Ok(record) => Ok(Run::new(self.context, delivery, record, self.lease, self.survey, before)),
            Err(error) => {
                self.lease.release().await;
                Err(error)
            }
        }
    }

    pub(crate) async fn release(self) {
        self.lease.release().await;
    }

    fn record(&self, order: Order<'_>) -> (Record, Option<Release>) {
        let live = self.survey.standing.live.as_ref();
        let (kind, release, before) = match order {
            Order::Promote { commit, tree } => {
                let (id, images, terraform) = (self.id.clone(), BTreeMap::new(), tree.digest());
                let before = live.map(|live| live.release.clone());
                (Kind::Promotion, Release { id, commit, images, terraform }, before)
            }
            Order::Return { to, before } => (Kind::Rollback, to, before),
        };
        let record = Record {
            version: Record::VERSION,
            id: self.id.clone(),
            environment: self.context.name().to_owned(),
            kind,
            by: self.caller.arn.clone(),
            owner: self.context.owner.clone(),
            began: self.context.ledger.clock.now().to_string(),
            ended: None,
            release,
            previous: live.map(|live| live.release.clone()),
            evidence: Vec::new(),
            step: Step::Began,
            outcome: None,
        };
        (record, before)
    }

    async fn begin(&self, record: Record) -> Result<OpenRecord, Error> {
        for killed in &self.survey.standing.unfinished {
            let what = if killed.is_half_done() { "this one repairs its changes" } else { "it had changed nothing" };
            let text = format!("the promotion {} of {} was killed; {what}", killed.id, killed.owner);
            self.context.emitter.notice(text);
        }
        self.lease.hold().await?;
        Ok(OpenRecord::begin(&self.context.ledger, record).await?)
    }
}
