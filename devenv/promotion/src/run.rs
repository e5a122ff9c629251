//! A promotion under its lock, with its record open: it records each step before it takes it.

use devenv_ledger::{Error as LedgerError, HeldLease, OpenRecord, Survey, open_record, retry};
use devenv_releases::record::{Outcome, Record, Release, Step};
use devenv_runtime::Cancel;

use crate::at_hand::Candidate;
use crate::context::PromotionContext;
use crate::delivery::{Definitions, Delivery, Planned};
use crate::error::Error;
use crate::kept::{TREE, kept_tree};
use crate::tree::Tree;
use crate::{smoke, wait};

pub(crate) struct Run<'a> {
    pub(crate) context: &'a PromotionContext<'a>,
    pub(crate) delivery: &'a dyn Delivery,
    pub(crate) record: OpenRecord,
    pub(crate) lease: HeldLease,
    pub(crate) survey: Survey,
    /// The release that a rollback returns to once this one is live.
    pub(crate) before: Option<Release>,
    /// The last known ETag of the live pointer.
    pointer_etag: Option<String>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        context: &'a PromotionContext<'a>,
        delivery: &'a dyn Delivery,
        record: OpenRecord,
        lease: HeldLease,
        survey: Survey,
        before: Option<Release>,
    ) -> Self {
        let pointer_etag = survey.pointer.as_ref().map(|(_, etag)| etag.clone());
        Self { context, delivery, record, lease, survey, before, pointer_etag }
    }

    /// Verifies the lock before a change.
    pub(crate) async fn hold(&self) -> Result<(), Error> {
        Ok(self.lease.hold().await?)
    }

    /// Completes an earlier run that wrote only one of the end of its record and the live pointer. A failure here must not stop
    /// this run: the next one tries again.
    pub(crate) async fn settle(&mut self) {
        let pointed = self.survey.pointer.as_ref().map(|(pointer, _)| pointer.record.clone());
        if let Some(newest) = self.survey.standing.pointed().cloned()
            && pointed.as_ref().is_none_or(|pointed| pointed.id != newest.id)
            && let Err(error) = self.point_at(&newest).await
        {
            self.context.emitter.notice(format!("cannot write the live pointer: {error}"));
        }
        if let Some(ended) = pointed
            && let Err(error) = open_record::write_end(&self.context.ledger, &ended).await
        {
            self.context.emitter.notice(format!("cannot write the end of {}: {error}", ended.id));
        }
    }

    /// Keeps the files that a rollback from any machine needs, before anything changes.
    pub(crate) async fn keep(&mut self, candidate: &Candidate) -> Result<(), Error> {
        self.hold().await?;
        let id = self.record.record.id.clone();
        let ledger = &self.context.ledger;
        let packed = candidate.tree.pack().map_err(|_| Error::KeptFiles { release: id.clone() })?;
        ledger.keep(&id, TREE, packed).await.map_err(Error::from)?;
        for (name, content) in &candidate.evidence {
            ledger.keep(&id, name, content.clone()).await.map_err(Error::from)?;
        }
        self.record.record.evidence = candidate.evidence.iter().map(|(name, _)| name.clone()).collect();
        Ok(())
    }

    pub(crate) async fn plan(&mut self, tree: &Tree, release: &Release, cancel: &Cancel) -> Result<Planned, Error> {
        self.hold().await?;
        let planned = self.context.stage("plan", self.delivery.plan(tree, release, false, cancel)).await?;
        self.record.advance(Step::Planned).await?;
        Ok(planned)
    }

    pub(crate) async fn make_live(
        &mut self,
        planned: &Planned,
        release: &Release,
        cancel: &Cancel,
    ) -> Result<(), Error> {
        if cancel.is_cancelled() {
            return Err(devenv_engine::Error::Cancelled.into());
        }
        self.hold().await?;
        self.record.advance(Step::Applying).await?;
        if planned.is_something
            && let Err(error) = self.context.stage("apply", self.delivery.apply(cancel)).await
        {
            if error.changed_nothing() {
                self.record.record.step = Step::Planned;
            }
            return Err(error);
        }
        let definitions = self.delivery.definitions().await?;
        if self.survey.standing.is_at_zero {
            self.hold().await?;
            self.start(&definitions).await?;
        }
        self.reach(Step::Waiting).await?;
        self.context.stage("wait", self.wait(release, &definitions, cancel)).await?;
        self.reach(Step::Smoking).await?;
        self.context.stage("smoke", smoke::smoke(self.context, self.delivery, release, cancel)).await?;
        Ok(())
    }

    /// Records a step after its change. An unwritten record does not undo the step.
    async fn reach(&mut self, step: Step) -> Result<(), Error> {
        match self.record.reach(step).await {
            Err(error) if !matches!(error, LedgerError::LockLost { .. }) => {
                self.context.emitter.notice(format!("cannot write the record; the promotion continues: {error}"));
                Ok(())
            }
            reached => Ok(reached?),
        }
    }

    /// Starts services that a failed first release left at zero tasks.
    async fn start(&self, services: &Definitions) -> Result<(), Error> {
        let scheduler = self.delivery.scheduler();
        for service in services.keys() {
            if retry(|| scheduler.desired(service)).await? == Some(0) {
                retry(|| scheduler.scale(service, 1)).await?;
            }
        }
        Ok(())
    }

    /// Restores the previous release, or scales to zero if there was none. An unwritten record does not stop it.
    pub(crate) async fn put_back(&mut self, previous: Option<&Release>) -> Result<(), Error> {
        self.hold().await?;
        self.reach(Step::RollingBack).await?;
        let context = self.context;
        match previous {
            Some(previous) => context.stage("roll back", self.restore(previous)).await,
            None => {
                self.survey.known(context.name())?;
                context.stage("roll back", self.empty()).await
            }
        }
    }

    /// Tries twice: the delivery may have met a passing error, and no later command would restore the release.
    async fn restore(&self, previous: &Release) -> Result<(), Error> {
        match self.restore_once(previous).await {
            Err(error) if error.is_worth_a_second_try() => {
                self.context.progress(format!("{error}; rolling back once more"));
                self.hold().await?;
                self.restore_once(previous).await
            }
            restored => restored,
        }
    }

    /// Restores the previous release from its own files and images.
    async fn restore_once(&self, previous: &Release) -> Result<(), Error> {
        let never = Cancel::never();
        let tree = kept_tree(&self.context.ledger, previous).await?;
        let planned = self.delivery.plan(&tree, previous, false, &never).await?;
        if planned.is_something {
            self.hold().await?;
            self.delivery.apply(&never).await?;
        }
        let definitions = self.delivery.definitions().await?;
        self.wait(previous, &definitions, &never).await?;
        self.retire().await;
        Ok(())
    }

    /// Ends the services that the live release does not have. A failure changes nothing about what is live, and the next run tries again.
    pub(crate) async fn retire(&self) {
        if let Err(error) = self.delivery.retire().await {
            let text = format!(
                "cannot stop the services that the release does not have; the next promotion tries again: {error}"
            );
            self.context.emitter.notice(text);
        }
    }

    async fn wait(&self, release: &Release, definitions: &Definitions, cancel: &Cancel) -> Result<(), Error> {
        wait::wait(self.context, self.delivery.scheduler().as_ref(), release, definitions, cancel).await
    }

    /// Scales the existing services to zero.
    async fn empty(&self) -> Result<(), Error> {
        let scheduler = self.delivery.scheduler();
        for service in self.record.record.release.images.keys() {
            if retry(|| scheduler.desired(service)).await?.is_some() {
                retry(|| scheduler.scale(service, 0)).await?;
            }
        }
        Ok(())
    }

    /// Writes the live pointer, always after the record: of the two, the newer is right.
    pub(crate) async fn point(&mut self) -> Result<(), Error> {
        let record = self.record.record.clone();
        self.point_at(&record).await
    }

    async fn point_at(&mut self, record: &Record) -> Result<(), Error> {
        Ok(self.context.ledger.point(record, &mut self.pointer_etag).await?)
    }

    /// Records the end of the killed promotions.
    pub(crate) async fn supersede(&self) -> Result<(), Error> {
        for killed in &self.survey.standing.unfinished {
            let by = self.record.record.id.clone();
            open_record::close(&self.context.ledger, &killed.id, Outcome::Superseded { by }).await?;
        }
        Ok(())
    }
}
