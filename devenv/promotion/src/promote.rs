//! A promotion from its gate to its record, and a rollback.

use std::sync::Arc;

use devenv_containers::engine::ContainerEngine;
use devenv_ledger::{Ledger, Survey};
use devenv_model::event::Event;
use devenv_model::manifest::{PromotePlace, PromoteTarget};
use devenv_model::promotion::proposal::Proposal;
use devenv_rehearsal::roots;
use devenv_releases::record::{Kind, Record, Release, Step};
use devenv_runtime::{Cancel, Emitter, Project};

use crate::account::target;
use crate::at_hand::{self, Candidate, Images};
use crate::cloud::Caller;
use crate::context::PromotionContext;
use crate::decider::{Decider, approve};
use crate::delivery::Delivery;
use crate::end::Promoted;
use crate::error::Error;
use crate::kept::kept_tree;
use crate::locked::{Locked, Order};
use crate::run::Run;
use crate::tools::{PromotionOptions, PromotionTools};
use crate::tree::Tree;
use crate::{carried, chosen_delivery, emulated_aws, push, required};

#[derive(Debug, Clone)]
pub struct PromoteOptions {
    pub environment: String,
    /// Shows the plan and changes nothing.
    pub only_plan: bool,
}

#[derive(Debug, Clone)]
pub struct RollbackOptions {
    pub environment: String,
    /// The release to return to, by its id in the history; `None` for the previous one.
    pub to: Option<String>,
}

/// Makes the tested release live, refuses it with reasons, or restores the previous one.
pub async fn promote(
    options: &PromotionOptions,
    promote: &PromoteOptions,
    decider: &dyn Decider,
    emitter: &Emitter,
    cancel: &Cancel,
) -> Result<Promoted, Error> {
    let project = Project::load(&options.project)?;
    let target = target(&project, &promote.environment)?;
    if carried::is_carried(&project, target) {
        // Before anything starts.
        roots::files(&project.manifest, target)?;
        for notice in roots::notices(&project.manifest) {
            emitter.notice(notice);
        }
    }
    tracked_terraform(&project, target).await?;
    let context = PromotionContext::open(&project, &options.tools, target, emitter).await?;
    let caller = context.stage("account", context.caller()).await?;
    let engine = match (&target.place, &target.requires[..]) {
        (PromotePlace::Account { .. }, [_, ..]) => None,
        _ => Some(options.tools.engines.connect().await?),
    };
    let mut candidate = context.stage("gate", candidate(&context, engine.as_deref())).await?;
    let preparing = chosen_delivery::prepare(&context, Kind::Promotion, cancel);
    let delivery = context.stage("foundation", preparing).await?;
    let delivery = delivery.as_ref();
    candidate.leave_out_the_unshipped(&context, delivery)?;
    if promote.only_plan {
        return look(&context, &candidate, delivery, cancel).await;
    }
    let order = Order::Promote { commit: candidate.commit.clone(), tree: &candidate.tree };
    let mut run = under_lock(&context, caller, cancel).await?.open(order, delivery).await?;
    run.settle().await;
    let outcome = forward(&mut run, engine, candidate, decider, cancel).await;
    run.finish(outcome, decider).await
}

/// Makes an earlier release live again: the requested one; else the one before the live one; or, after a killed promotion, the
/// live one itself.
pub async fn roll_back(
    options: &PromotionOptions,
    rollback: &RollbackOptions,
    decider: &dyn Decider,
    emitter: &Emitter,
    cancel: &Cancel,
) -> Result<Promoted, Error> {
    let project = Project::load(&options.project)?;
    let target = target(&project, &rollback.environment)?;
    if is_idle_rehearsal(&project, &options.tools, target).await? {
        return Err(Error::NoPrevious { environment: rollback.environment.clone() });
    }
    let context = PromotionContext::open(&project, &options.tools, target, emitter).await?;
    let caller = context.stage("account", context.caller()).await?;
    let delivery = chosen_delivery::prepare(&context, Kind::Rollback, cancel).await?;
    let delivery = delivery.as_ref();
    let locked = Locked::take(&context, caller, cancel).await?;
    let (to, before, tree) = match destination(&locked, delivery, rollback.to.as_deref()).await {
        Ok(found) => found,
        Err(error) => {
            locked.release().await;
            return Err(error);
        }
    };
    let mut run = locked.open(Order::Return { to: to.clone(), before }, delivery).await?;
    run.settle().await;
    let outcome = async {
        let planned = run.plan(&tree, &to, cancel).await?;
        let proposal = run.context.proposal(run.record.record.previous.as_ref(), &to, &planned).await;
        approve(run.context, decider, &proposal, cancel).await?;
        run.make_live(&planned, &to, cancel).await?;
        Ok(Some(proposal))
    }
    .await;
    run.finish(outcome, decider).await
}

/// An error if git tracks no release root of an account's target: a release has the tracked files alone.
async fn tracked_terraform(project: &Project, target: &PromoteTarget) -> Result<(), Error> {
    if !matches!(target.place, PromotePlace::Account { .. }) {
        return Ok(());
    }
    let folder = target.terraform.join("release");
    // A project outside git is refused with the reason for that.
    match Tree::of(&project.instance.root).await? {
        Some(tree) if !tree.has_root(&folder) => Err(Error::NoTerraform { environment: target.name.clone(), folder }),
        _ => Ok(()),
    }
}

/// The destination of a rollback, the release before it, and its files: everything must exist before anything changes.
async fn destination(
    locked: &Locked<'_>,
    delivery: &dyn Delivery,
    to: Option<&str>,
) -> Result<(Release, Option<Release>, Tree), Error> {
    let (ledger, environment) = (&locked.context.ledger, locked.context.name().to_owned());
    let release = match to {
        Some(id) => named(ledger, &locked.survey, id).await?,
        None => {
            locked.survey.known(&environment)?;
            let way_back = locked.survey.standing.way_back().cloned();
            way_back.ok_or(Error::NoPrevious { environment })?
        }
    };
    // Not the live release: the next rollback goes further back, and never to the release that this one leaves.
    let before = ledger.before(&release.id).await?;
    let tree = kept_tree(ledger, &release).await?;
    push::still_there(locked.context, delivery, &release.images).await?;
    Ok((release, before, tree))
}

/// A release that was live, by its own id or by that of a record.
async fn named(ledger: &Ledger, survey: &Survey, id: &str) -> Result<Release, Error> {
    let (environment, id) = (ledger.environment.clone(), id.to_owned());
    if !survey.ids.contains(&id) {
        return Err(Error::UnknownRelease { environment, id });
    }
    match ledger.read(&id).await? {
        Some((record, _)) if record.is_live() => Ok(record.release),
        _ => Err(Error::NeverLive { environment, id }),
    }
}

/// Takes the lock. An error if the live release is unknown.
async fn under_lock<'a>(
    context: &'a PromotionContext<'a>,
    caller: Caller,
    cancel: &Cancel,
) -> Result<Locked<'a>, Error> {
    let locked = Locked::take(context, caller, cancel).await?;
    match locked.survey.known(locked.context.name()) {
        Ok(()) => Ok(locked),
        Err(error) => {
            locked.release().await;
            Err(error.into())
        }
    }
}

/// The records of an environment, newest first; an unreadable record is an error in the list.
pub async fn history(
    options: &PromotionOptions,
    environment: &str,
    limit: usize,
    emitter: &Emitter,
) -> Result<Vec<Result<Record, Error>>, Error> {
    let project = Project::load(&options.project)?;
    let target = target(&project, environment)?;
    if is_idle_rehearsal(&project, &options.tools, target).await? {
        return Ok(Vec::new());
    }
    let context = PromotionContext::read(&project, &options.tools, target, emitter).await?;
    context.caller().await?;
    let records = context.ledger.history(limit).await?;
    Ok(records.into_iter().map(|record| record.map_err(Error::from)).collect())
}

/// A rehearsal whose emulated AWS does not run has no releases; there is no need to start it.
async fn is_idle_rehearsal(project: &Project, tools: &PromotionTools, target: &PromoteTarget) -> Result<bool, Error> {
    let is_rehearsal = matches!(target.place, PromotePlace::Rehearsal { .. });
    Ok(is_rehearsal && emulated_aws::running(project, tools.engines.as_ref(), target).await?.is_none())
}

async fn candidate(context: &PromotionContext<'_>, engine: Option<&dyn ContainerEngine>) -> Result<Candidate, Error> {
    if !context.target.requires.is_empty() {
        return required::required(context).await;
    }
    let engine = engine.expect("an environment that requires none takes the images of an engine");
    at_hand::tested(context, engine).await
}

/// Plans without a lock and without a push.
async fn look(
    context: &PromotionContext<'_>,
    candidate: &Candidate,
    delivery: &dyn Delivery,
    cancel: &Cancel,
) -> Result<Promoted, Error> {
    let images = match &candidate.images {
        Images::Here(images) => push::released(context, delivery, images)?,
        Images::Elsewhere { images, .. } => push::copied(delivery, images)?,
    };
    let standing = context.ledger.standing().await?;
    let release =
        Release { id: String::new(), commit: candidate.commit.clone(), images, terraform: candidate.tree.digest() };
    let planned = context.stage("plan", delivery.plan(&candidate.tree, &release, true, cancel)).await?;
    let live = standing.live.as_ref().map(|live| &live.release);
    let proposal = context.proposal(live, &release, &planned).await;
    context.emitter.emit(Event::Proposed { proposal: proposal.clone() });
    let (environment, url) = (context.name().to_owned(), delivery.address().to_owned());
    Ok(Promoted { environment, id: None, proposal: Some(proposal), release, url })
}

async fn forward(
    run: &mut Run<'_>,
    engine: Option<Arc<dyn ContainerEngine>>,
    candidate: Candidate,
    decider: &dyn Decider,
    cancel: &Cancel,
) -> Result<Option<Proposal>, Error> {
    run.keep(&candidate).await?;
    run.hold().await?;
    let images = {
        let context = run.context;
        let pushing = async {
            match &candidate.images {
                Images::Here(images) => {
                    let engine = engine.as_deref().expect("images that are here have an engine");
                    push::push(context, engine, run.delivery, images).await
                }
                Images::Elsewhere { images, from } => push::copy(context, run.delivery, images, from).await,
            }
        };
        let pushing = async {
            tokio::select! {
                pushed = pushing => pushed,
                () = cancel.cancelled() => Err(devenv_engine::Error::Cancelled.into()),
            }
        };
        context.stage("push", pushing).await?
    };
    run.record.record.release.images = images;
    run.record.advance(Step::Pushed).await?;
    let release = run.record.record.release.clone();
    let planned = run.plan(&candidate.tree, &release, cancel).await?;
    let proposal = run.context.proposal(run.record.record.previous.as_ref(), &release, &planned).await;
    approve(run.context, decider, &proposal, cancel).await?;
    // The login and the images may have changed while a person read the plan.
    run.context.caller().await?;
    push::still_there(run.context, run.delivery, &release.images).await?;
    run.make_live(&planned, &release, cancel).await?;
    Ok(Some(proposal))
}
