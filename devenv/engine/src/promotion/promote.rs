//! A promotion from its gate to its record, and back when AWS disagrees.

use std::collections::BTreeMap;
use std::sync::Arc;

use devenv_model::event::Event;
use devenv_model::manifest::{PromotePlace, PromoteTarget};
use devenv_model::promotion::{ImageChange, Kind, Lease, Outcome, Proposal, Record, Release, ReleasedImage, Step};
use futures_util::future::BoxFuture;
use serde::Serialize;

use super::at_hand::{self, Candidate, Images};
use super::cloud::{Caller, CloudAddress};
use super::foundation::Foundation;
use super::ledger::{HeldLease, Ledger, OpenRecord, Standing};
use super::site::{Planned, Site};
use super::tree::Tree;
use super::{Error, push, rehearsal, smoke, wait};
use crate::containers::ContainerEngine;
use crate::{Cancel, Emitter, Project, ProjectOptions, repository};

/// The Terraform files of a release, beside its record.
const TREE: &str = "terraform.tar";

/// Whoever answers the questions of a promotion, which are asked as news.
pub trait Decider: Send + Sync {
    /// Whether somebody reads the questions.
    fn asks(&self) -> bool;
    /// Whether to go on. `None` when nobody is there to be asked.
    fn approve(&self) -> BoxFuture<'_, Option<bool>>;
    /// After an interruption: whether what was live before is to be live again. True when nobody is there to be asked.
    fn undo(&self) -> BoxFuture<'_, bool>;
}

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

#[derive(Debug, Clone)]
pub struct PromoteOptions {
    pub environment: String,
    /// Shows what would be done, and does nothing.
    pub only_plan: bool,
}

/// Makes live what was tested, or says why not, or puts back what was there.
pub async fn promote(
    options: &ProjectOptions,
    promote: &PromoteOptions,
    decider: &dyn Decider,
    emitter: &Emitter,
    cancel: &Cancel,
) -> Result<Promoted, crate::Error> {
    let project = Project::load(options)?;
    let target = target(&project, &promote.environment)?;
    let site = Site::open(&project, target, emitter).await?;
    let caller = site.stage("account", site.caller()).await?;
    let engine = match (&target.place, &target.requires[..]) {
        (PromotePlace::Account { .. }, [_, ..]) => None,
        _ => Some(project.engines.connect().await?),
    };
    let candidate = site.stage("gate", candidate(&site, engine.as_deref())).await?;
    let foundation = site.stage("foundation", foundation(&site, cancel)).await?;
    if promote.only_plan {
        return look(&site, &candidate, &foundation, cancel).await;
    }
    let mut run = Run::begin(site, caller, candidate.commit.clone(), &candidate.tree).await?;
    let outcome = forward(&mut run, engine, candidate, &foundation, decider, cancel).await;
    run.finish(&foundation, outcome, decider).await
}

/// Makes the release before the live one live again; or, after a promotion that did not come to its end, the live one.
pub async fn roll_back(
    options: &ProjectOptions,
    environment: &str,
    decider: &dyn Decider,
    emitter: &Emitter,
    cancel: &Cancel,
) -> Result<Promoted, crate::Error> {
    let project = Project::load(options)?;
    let target = target(&project, environment)?;
    if is_idle_rehearsal(&project, target).await? {
        return Err(Error::NoPrevious { environment: environment.to_owned() }.into());
    }
    let site = Site::open(&project, target, emitter).await?;
    let caller = site.stage("account", site.caller()).await?;
    let foundation = Foundation::read(&site.ledger).await?;
    let standing = site.ledger.standing().await?;
    let half_done = standing.unfinished.as_ref().is_some_and(Record::is_half_done);
    let to = match standing.live {
        Some(live) if half_done => Some(live.release),
        Some(live) => live.previous,
        None => None,
    };
    let to = to.ok_or_else(|| Error::NoPrevious { environment: environment.to_owned() })?;
    let tree = kept_tree(&site.ledger, &to).await?;
    let mut run = Run::begin(site, caller, to.commit.clone(), &tree).await?;
    run.record.record.kind = Kind::Rollback;
    run.record.record.release = to.clone();
    let outcome = async {
        let planned = run.plan(&tree, &to, cancel).await?;
        let proposal = run.site.proposal(run.record.record.previous.as_ref(), &to, &planned).await;
        approve(&run.site, decider, &proposal, cancel).await?;
        run.make_live(&planned, &to, &foundation, cancel).await?;
        Ok(Some(proposal))
    }
    .await;
    run.finish(&foundation, outcome, decider).await
}

/// The records of an environment, newest first, and those that cannot be read.
pub async fn history(
    options: &ProjectOptions,
    environment: &str,
    limit: usize,
    emitter: &Emitter,
) -> Result<Vec<Result<Record, Error>>, crate::Error> {
    let project = Project::load(options)?;
    let target = target(&project, environment)?;
    if is_idle_rehearsal(&project, target).await? {
        return Ok(Vec::new());
    }
    let site = Site::read(&project, target, emitter).await?;
    site.caller().await?;
    Ok(site.ledger.history(limit).await?)
}

/// A rehearsal whose emulated AWS does not run has released nothing, and is not started to say so.
async fn is_idle_rehearsal(project: &Project, target: &PromoteTarget) -> Result<bool, crate::Error> {
    let is_rehearsal = matches!(target.place, PromotePlace::Rehearsal { .. });
    Ok(is_rehearsal && rehearsal::running(project, target).await?.is_none())
}

fn target<'a>(project: &'a Project, name: &str) -> Result<&'a PromoteTarget, Error> {
    let targets = &project.manifest.promote;
    let unknown = || Error::UnknownEnvironment { name: name.to_owned(), known: targets.keys().cloned().collect() };
    targets.get(name).ok_or_else(unknown)
}

async fn candidate(site: &Site<'_>, engine: Option<&dyn ContainerEngine>) -> Result<Candidate, crate::Error> {
    let [required] = &site.target.requires[..] else {
        let engine = engine.expect("an environment that requires none takes the images of an engine");
        return at_hand::tested(site, engine).await;
    };
    let project = site.project;
    let other = target(project, required)?;
    let not_live = || Error::RequiredNotLive { environment: site.name().to_owned(), required: required.clone() };
    let (ledger, from) = site.neighbour(other).await?.ok_or_else(not_live)?;
    at_hand::required(site, required, from, &ledger).await
}

async fn foundation(site: &Site<'_>, cancel: &Cancel) -> Result<Foundation, crate::Error> {
    rehearsal::lay_foundation(site, cancel).await?;
    let foundation = Foundation::read(&site.ledger).await?;
    let differences = foundation.table_differences(&site.project.manifest.tables);
    if !differences.is_empty() {
        return Err(Error::TablesDiffer { environment: site.name().to_owned(), differences }.into());
    }
    Ok(foundation)
}

/// Everything up to the plan, without a lock and without a push.
async fn look(
    site: &Site<'_>,
    candidate: &Candidate,
    foundation: &Foundation,
    cancel: &Cancel,
) -> Result<Promoted, crate::Error> {
    let images = match &candidate.images {
        Images::Here(ids) => push::look(site, foundation, ids).await?,
        Images::Elsewhere { images, .. } => push::look_elsewhere(site, foundation, images)?,
    };
    let standing = site.ledger.standing().await?;
    let release =
        Release { id: String::new(), commit: candidate.commit.clone(), images, terraform: candidate.tree.digest() };
    let planned = site.stage("plan", site.plan(&candidate.tree, &release, true, cancel)).await?;
    let live = standing.live.as_ref().map(|live| &live.release);
    let proposal = site.proposal(live, &release, &planned).await;
    site.emitter.emit(Event::Proposed { proposal: proposal.clone() });
    let (environment, url) = (site.name().to_owned(), foundation.url.clone());
    Ok(Promoted { environment, id: None, proposal: Some(proposal), release, url })
}

async fn approve(
    site: &Site<'_>,
    decider: &dyn Decider,
    proposal: &Proposal,
    cancel: &Cancel,
) -> Result<(), crate::Error> {
    site.emitter.emit(Event::Proposed { proposal: proposal.clone() });
    if decider.asks() {
        let text = format!("Make this live in {}? [y/N]", proposal.environment);
        site.emitter.emit(Event::Question { text });
    }
    let answer = tokio::select! {
        answer = decider.approve() => answer,
        () = cancel.cancelled() => return Err(crate::Error::Cancelled),
    };
    match answer {
        Some(true) => Ok(()),
        Some(false) => Err(Error::Declined.into()),
        None => Err(Error::NobodyToAsk.into()),
    }
}

async fn forward(
    run: &mut Run<'_>,
    engine: Option<Arc<dyn ContainerEngine>>,
    candidate: Candidate,
    foundation: &Foundation,
    decider: &dyn Decider,
    cancel: &Cancel,
) -> Result<Option<Proposal>, crate::Error> {
    run.keep(&candidate).await?;
    let images = {
        let site = &run.site;
        let pushing = async {
            match &candidate.images {
                Images::Here(ids) => {
                    let engine = engine.as_deref().expect("images that are here have an engine");
                    push::push(site, engine, foundation, ids).await
                }
                Images::Elsewhere { images, from } => push::copy(site, foundation, images, from).await,
            }
        };
        let pushing = async {
            tokio::select! {
                pushed = pushing => pushed,
                () = cancel.cancelled() => Err(crate::Error::Cancelled),
            }
        };
        site.stage("push", pushing).await?
    };
    run.record.record.release.images = images;
    run.record.advance(Step::Pushed).await?;
    let release = run.record.record.release.clone();
    let planned = run.plan(&candidate.tree, &release, cancel).await?;
    let proposal = run.site.proposal(run.record.record.previous.as_ref(), &release, &planned).await;
    approve(&run.site, decider, &proposal, cancel).await?;
    // While somebody read the plan, time went by.
    run.site.caller().await?;
    push::still_there(&run.site, foundation, &release.images).await?;
    run.make_live(&planned, &release, foundation, cancel).await?;
    Ok(Some(proposal))
}

/// The files of a release as they were kept when it was made.
async fn kept_tree(ledger: &Ledger, release: &Release) -> Result<Tree, Error> {
    let object = ledger.get(&ledger.key(&release.id, TREE)).await?;
    let wrong = || Error::KeptFiles { release: release.id.clone() };
    let tree = object.and_then(|object| Tree::unpack(&object.content).ok()).ok_or_else(wrong)?;
    if tree.digest() == release.terraform { Ok(tree) } else { Err(wrong()) }
}

/// A promotion under its lock, with its record open.
struct Run<'a> {
    site: Site<'a>,
    record: OpenRecord,
    lease: HeldLease,
    standing: Standing,
}

impl<'a> Run<'a> {
    async fn begin(site: Site<'a>, caller: Caller, commit: String, tree: &Tree) -> Result<Self, crate::Error> {
        let now = jiff::Timestamp::now();
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
    async fn keep(&mut self, candidate: &Candidate) -> Result<(), crate::Error> {
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

    async fn plan(&mut self, tree: &Tree, release: &Release, cancel: &Cancel) -> Result<Planned, crate::Error> {
        self.lease.check()?;
        let planned = self.site.stage("plan", self.site.plan(tree, release, false, cancel)).await?;
        self.record.advance(Step::Planned).await?;
        Ok(planned)
    }

    async fn make_live(
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
    async fn finish(
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
pub(super) fn name_of(release: &Release) -> String {
    let commit = release.commit.get(..12).unwrap_or(&release.commit);
    format!("release {} (commit {commit})", release.id)
}

impl Site<'_> {
    pub(super) async fn proposal(&self, live: Option<&Release>, release: &Release, planned: &Planned) -> Proposal {
        let digest = |image: &ReleasedImage| image.digest().to_owned();
        let images = release.images.iter().map(|(service, image)| ImageChange {
            service: service.clone(),
            from: live.and_then(|live| live.images.get(service)).map(digest),
            to: digest(image),
        });
        let commits = match live {
            Some(live) => repository::subjects(&self.project.instance.root, &live.commit, &release.commit).await,
            None => None,
        };
        Proposal {
            environment: self.name().to_owned(),
            images: images.collect(),
            commits,
            changes: planned.changes.clone(),
            plan: planned.text.clone(),
            is_empty: !planned.is_something,
        }
    }

    /// Another environment of the project, to read what is live there; `None` of a rehearsal that does not run.
    async fn neighbour(&self, other: &PromoteTarget) -> Result<Option<(Ledger, push::Source)>, crate::Error> {
        let bucket = super::site::account_file(self.project, other)?.bucket;
        let address = match &other.place {
            PromotePlace::Account { region, .. } => CloudAddress::Account { region: region.clone() },
            PromotePlace::Rehearsal { .. } => match rehearsal::running(self.project, other).await? {
                Some(address) => address,
                None => return Ok(None),
            },
        };
        let cloud = self.project.clouds.connect(&address).await;
        let ledger = Ledger { objects: cloud.objects.clone(), bucket, environment: other.name.clone() };
        Ok(Some((ledger, push::Source { cloud })))
    }
}
