//! A promotion under its lock: each step written down before it is done, and what was there put back when one fails.

use std::collections::BTreeMap;

use devenv_model::event::Event;
use devenv_model::promotion::{Kind, Lease, Outcome, Proposal, Record, Release, Step};

use super::at_hand::Candidate;
use super::cloud::Caller;
use super::foundation::Foundation;
use super::ledger::{HeldLease, Ledger, OpenRecord, Standing};
use super::plan::Planned;
use super::promote::{Decider, Promoted};
use super::site::Site;
use super::tree::Tree;
use super::{Error, smoke, wait};
use crate::Cancel;

/// The Terraform files of a release, beside its record.
const TREE: &str = "terraform.tar";

/// The files of a release as they were kept when it was made.
pub(super) async fn kept_tree(ledger: &Ledger, release: &Release) -> Result<Tree, Error> {
    let object = ledger.get(&ledger.key(&release.id, TREE)).await?;
    let wrong = || Error::KeptFiles { release: release.id.clone() };
    let tree = object.and_then(|object| Tree::unpack(&object.content).ok()).ok_or_else(wrong)?;
    if tree.digest() == release.terraform { Ok(tree) } else { Err(wrong()) }
}

/// A promotion under its lock, with its record open.
pub(super) struct Run<'a> {
    pub(super) site: Site<'a>,
    pub(super) record: OpenRecord,
    lease: HeldLease,
    standing: Standing,
}

impl<'a> Run<'a> {
    pub(super) async fn begin(
        site: Site<'a>,
        caller: Caller,
        commit: String,
        tree: &Tree,
    ) -> Result<Self, crate::Error> {
        let now = site.ledger.clock.now();
        let random = devenv_model::names::short_digest(format!("{now}{}", std::process::id()), 4);
        // Two may begin in one second, and their names must sort.
        let id = format!("{}-{random}", now.strftime("%Y%m%dT%H%M%S%3fZ"));
        let lease = Lease::new(site.owner.clone(), site.place(), id.clone(), now.as_second());
        let lease = site.ledger.lock(lease).await?;
        match Self::open(&site, caller, id, now, commit, tree).await {
            Ok((record, standing)) => Ok(Self { site, record, lease, standing }),
            Err(error) => {
                lease.release().await;
                Err(error)
            }
        }
    }

    async fn open(
        site: &Site<'_>,
        caller: Caller,
        id: String,
        now: jiff::Timestamp,
        commit: String,
        tree: &Tree,
    ) -> Result<(OpenRecord, Standing), crate::Error> {
        let standing = site.ledger.standing().await?;
        if let Some(killed) = &standing.unfinished {
            let what = if killed.is_half_done() {
                "what it changed is put right by this one"
            } else {
                "it had changed nothing"
            };
            site.emitter
                .notice(format!("the promotion {} of {} did not come to its end; {what}", killed.id, killed.owner));
        }
        let release = Release { id: id.clone(), commit, images: BTreeMap::new(), terraform: tree.digest() };
        let record = Record {
            version: Record::VERSION,
            id,
            environment: site.name().to_owned(),
            kind: Kind::Promotion,
            by: caller.arn,
            owner: site.owner.clone(),
            began: now.to_string(),
            ended: None,
            release,
            previous: standing.live.as_ref().map(|live| live.release.clone()),
            evidence: Vec::new(),
            step: Step::Began,
            outcome: None,
        };
        Ok((OpenRecord::begin(&site.ledger, record).await?, standing))
    }

    /// What a rollback from any machine needs, before anything changes.
    pub(super) async fn keep(&mut self, candidate: &Candidate) -> Result<(), crate::Error> {
        let id = self.record.record.id.clone();
        let ledger = &self.site.ledger;
        let packed = candidate.tree.pack().map_err(|_| Error::KeptFiles { release: id.clone() })?;
        ledger.keep(&id, TREE, packed).await.map_err(Error::from)?;
        for (name, content) in &candidate.evidence {
            ledger.keep(&id, name, content.clone()).await.map_err(Error::from)?;
        }
        self.record.record.evidence = candidate.evidence.iter().map(|(name, _)| name.clone()).collect();
        Ok(())
    }

    pub(super) async fn plan(
        &mut self,
        tree: &Tree,
        release: &Release,
        cancel: &Cancel,
    ) -> Result<Planned, crate::Error> {
        self.lease.check()?;
        let planned = self.site.stage("plan", self.site.plan(tree, release, false, cancel)).await?;
        self.record.advance(Step::Planned).await?;
        Ok(planned)
    }

    pub(super) async fn make_live(
        &mut self,
        planned: &Planned,
        release: &Release,
        foundation: &Foundation,
        cancel: &Cancel,
    ) -> Result<(), crate::Error> {
        if cancel.is_cancelled() {
            return Err(crate::Error::Cancelled);
        }
        self.lease.check()?;
        self.record.advance(Step::Applying).await?;
        if planned.is_something {
            self.site.stage("apply", self.site.apply(planned, cancel)).await?;
        }
        let definitions = self.site.task_definitions(planned).await?;
        if self.standing.scaled_to_zero {
            self.scale(&definitions, foundation, 1).await?;
        }
        self.record.advance(Step::Waiting).await?;
        let waiting = wait::wait(&self.site, &foundation.cluster, release, &definitions, cancel);
        self.site.stage("wait", waiting).await?;
        self.record.advance(Step::Smoking).await?;
        self.site.stage("smoke", smoke::smoke(&self.site, &foundation.url, release, cancel)).await?;
        self.lease.check()?;
        Ok(())
    }

    /// Services that are not there are at zero.
    async fn scale(
        &self,
        services: &BTreeMap<String, String>,
        foundation: &Foundation,
        tasks: u32,
    ) -> Result<(), crate::Error> {
        let cloud = &self.site.cloud.services;
        for service in services.keys() {
            if cloud.service(&foundation.cluster, service).await.map_err(Error::from)?.is_some() {
                cloud.scale(&foundation.cluster, service, tasks).await.map_err(Error::from)?;
            }
        }
        Ok(())
    }

    /// Writes down how it ended, after having put back what was there if it ended badly, and gives up the lock.
    pub(super) async fn finish(
        mut self,
        foundation: &Foundation,
        outcome: Result<Option<Proposal>, crate::Error>,
        decider: &dyn Decider,
    ) -> Result<Promoted, crate::Error> {
        let ended = self.end(foundation, outcome, decider).await;
        self.lease.release().await;
        ended
    }

    async fn end(
        &mut self,
        foundation: &Foundation,
        outcome: Result<Option<Proposal>, crate::Error>,
        decider: &dyn Decider,
    ) -> Result<Promoted, crate::Error> {
        let environment = self.site.name().to_owned();
        let error = match outcome {
            Ok(proposal) => {
                // The same release once more leaves the one before it where it was, for a rollback to return to.
                if let Some(live) =
                    self.standing.live.as_ref().filter(|live| live.release.is_same(&self.record.record.release))
                {
                    self.record.record.previous.clone_from(&live.previous);
                }
                self.record.end(Outcome::Live).await?;
                self.supersede().await?;
                let Record { id, release, .. } = self.record.record.clone();
                return Ok(Promoted { environment, id: Some(id), proposal, release, url: foundation.url.clone() });
            }
            Err(error) => error,
        };
        if self.record.record.step < Step::Applying {
            self.record.end(Outcome::NothingChanged { cause: error.to_string() }).await?;
            return Err(error);
        }
        // Whoever has the lock now puts it right.
        self.lease.check()?;
        let interrupted = matches!(error, crate::Error::Cancelled);
        let previous = self.record.record.previous.clone();
        if interrupted {
            let name = previous.as_ref().map_or_else(|| "nothing".to_owned(), name_of);
            if decider.asks() {
                let text = format!("Interrupted. Return to {name}? [Y/n]");
                self.site.emitter.emit(Event::Question { text });
            }
            if !decider.undo().await {
                let step = format!("{:?}", self.record.record.step).to_lowercase();
                return Err(Error::Left { environment, step }.into());
            }
        }
        let cause = error.to_string();
        let restored = self.put_back(previous.as_ref(), foundation).await;
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
        let is_put_back = !matches!(outcome, Outcome::RollbackFailed { .. });
        // What is live matters more than what is written of it: a record that cannot be written must not hide that.
        let mut written = self.record.end(outcome).await;
        if is_put_back && written.is_ok() {
            written = self.supersede().await;
        }
        if let Err(error) = written {
            self.site.emitter.notice(format!("the record could not be written: {error}"));
        }
        Err(error.into())
    }

    /// What was live before, or nothing where nothing was.
    async fn put_back(&mut self, previous: Option<&Release>, foundation: &Foundation) -> Result<(), crate::Error> {
        self.record.advance(Step::RollingBack).await?;
        let site = &self.site;
        match previous {
            Some(previous) => site.stage("roll back", self.restore(previous, foundation)).await,
            None => site.stage("roll back", self.empty(foundation)).await,
        }
    }

    /// The previous release with its own files and images, and only then.
    async fn restore(&self, previous: &Release, foundation: &Foundation) -> Result<(), crate::Error> {
        let never = Cancel::never();
        let tree = kept_tree(&self.site.ledger, previous).await?;
        let planned = self.site.plan(&tree, previous, false, &never).await?;
        if planned.is_something {
            self.site.apply(&planned, &never).await?;
        }
        let definitions = self.site.task_definitions(&planned).await?;
        wait::wait(&self.site, &foundation.cluster, previous, &definitions, &never).await
    }

    async fn empty(&self, foundation: &Foundation) -> Result<(), crate::Error> {
        let services = &self.record.record.release.images;
        let services = services.keys().map(|service| (service.clone(), String::new())).collect();
        self.scale(&services, foundation, 0).await
    }

    /// One that was killed has its end now.
    async fn supersede(&self) -> Result<(), Error> {
        if let Some(killed) = &self.standing.unfinished {
            let by = self.record.record.id.clone();
            self.site.ledger.close(&killed.id, Outcome::Superseded { by }).await?;
        }
        Ok(())
    }
}

/// As people know a release.
fn name_of(release: &Release) -> String {
    let commit = release.commit.get(..12).unwrap_or(&release.commit);
    format!("release {} (commit {commit})", release.id)
}
