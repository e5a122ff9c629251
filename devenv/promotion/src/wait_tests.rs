use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use devenv_releases::ecs::{Deployment, Rollout, ServiceState, TaskContainer, TaskState};
use devenv_releases::rollout::{ContainerEnd, RolloutView, WantedRelease};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::{Cancel, Release, ReleasedImage, SETTLES_WITHIN, Watch};
use crate::cloud::{CloudError, CloudErrorKind, DefinedContainer, LogPlace, Services, TaskDefinition};
use crate::delivery;
use crate::ecs::Ecs;
use crate::error::Error;
use crate::fake_delivery::{FakeScheduler, view};

/// A service that is live from its `live_after`th description on, and whose answers fail where `fault` says so.
struct Scheduler<F> {
    fault: F,
    live_after: usize,
    calls: AtomicUsize,
    described: AtomicUsize,
}

impl<F> std::fmt::Debug for Scheduler<F> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Scheduler")
    }
}

impl<F: Fn(usize) -> Option<CloudErrorKind> + Send + Sync> Scheduler<F> {
    fn new(live_after: usize, fault: F) -> Self {
        Self { fault, live_after, calls: AtomicUsize::new(0), described: AtomicUsize::new(0) }
    }

    fn answer<T: Send + 'static>(&self, action: &str, answer: T) -> BoxFuture<'static, Result<T, CloudError>> {
        let fault = (self.fault)(self.calls.fetch_add(1, Ordering::Relaxed));
        let action = action.to_owned();
        let fault = fault.map(|kind| CloudError { action, cause: "Rate exceeded".to_owned(), kind });
        std::future::ready(fault.map_or(Ok(answer), Err)).boxed()
    }

    fn is_live(&self) -> bool {
        self.described.load(Ordering::Relaxed) > self.live_after
    }
}

impl<F: Fn(usize) -> Option<CloudErrorKind> + Send + Sync> Services for Scheduler<F> {
    fn service<'a>(&'a self, _: &'a str, name: &'a str) -> BoxFuture<'a, Result<Option<ServiceState>, CloudError>> {
        self.described.fetch_add(1, Ordering::Relaxed);
        let rollout = if self.is_live() { Rollout::Completed } else { Rollout::InProgress };
        let deployment = Deployment {
            task_definition: "web:2".to_owned(),
            primary: true,
            rollout,
            reason: String::new(),
            desired: 1,
            running: 1,
        };
        let state = ServiceState {
            name: name.to_owned(),
            task_definition: "web:2".to_owned(),
            desired: 1,
            deployments: vec![deployment],
        };
        self.answer("look at the service web", Some(state))
    }

    fn tasks<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<Vec<TaskState>, CloudError>> {
        let container = |name: &str, digest: Option<&str>| TaskContainer {
            name: name.to_owned(),
            digest: digest.map(str::to_owned),
            exit_code: None,
            reason: String::new(),
        };
        let task = TaskState {
            id: "f00".to_owned(),
            task_definition: "web:2".to_owned(),
            runs: true,
            stopped_reason: String::new(),
            containers: vec![container("aws-guardduty-agent-1", None), container("web", Some("sha256:2"))],
        };
        self.answer("list the tasks of web", vec![task])
    }

    fn task_definition<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<TaskDefinition, CloudError>> {
        let web = DefinedContainer { image: "registry/web@sha256:2".to_owned(), essential: true, log: None };
        let definition = TaskDefinition { arn: "web:2".to_owned(), containers: [("web".to_owned(), web)].into() };
        self.answer("look at the task definition web", definition)
    }

    fn scale<'a>(&'a self, _: &'a str, _: &'a str, _: u32) -> BoxFuture<'a, Result<(), CloudError>> {
        self.answer("scale web", ())
    }

    fn log<'a>(&'a self, _: &'a LogPlace, _: u16) -> BoxFuture<'a, Result<Vec<String>, CloudError>> {
        self.answer("read the log", Vec::new())
    }
}

async fn waited<F>(services: &Scheduler<F>) -> (Result<(), String>, Vec<String>)
where
    F: Fn(usize) -> Option<CloudErrorKind> + Send + Sync,
{
    let (ended, told) = waited_for(&Ecs { services, cluster: "shop" }).await;
    (ended.map_err(|error| error.to_string()), told)
}

async fn waited_for(scheduler: &dyn delivery::Scheduler) -> (Result<(), Error>, Vec<String>) {
    let image = ReleasedImage {
        reference: "registry/web@sha256:2".to_owned(),
        platform: "linux/amd64".to_owned(),
        tested: "sha256:2".to_owned(),
    };
    let release = Release {
        id: "1".to_owned(),
        commit: "c".to_owned(),
        images: [("web".to_owned(), image)].into(),
        terraform: "t".to_owned(),
    };
    let told = Mutex::new(Vec::new());
    let tell = |line| told.lock().expect("not poisoned").push(line);
    let watch = Watch { scheduler, tell: &tell };
    let definitions = [("web".to_owned(), "web".to_owned())].into();
    let ended = watch.until_live(&release, &definitions, &Cancel::never()).await;
    (ended, told.into_inner().expect("not poisoned"))
}

#[tokio::test(start_paused = true)]
async fn a_release_with_an_agent_beside_it_becomes_live() {
    let (ended, told) = waited(&Scheduler::new(2, |_| None)).await;
    assert_eq!(ended, Ok(()));
    assert_eq!(told, ["web: its tasks run and are watched"]);
}

#[tokio::test(start_paused = true)]
async fn an_error_that_may_pass_is_shown_and_waited_out() {
    use CloudErrorKind::{Throttled, Unavailable, Unreachable};
    for kind in [Throttled, Unavailable, Unreachable] {
        // Each single call once, and a minute of nothing else.
        for broken in (0..7).map(|call| call..call + 1).chain([0..60, 3..60]) {
            let range = broken.clone();
            let fault = move |call: usize| range.contains(&call).then_some(kind);
            let (ended, told) = waited(&Scheduler::new(2, fault)).await;
            assert_eq!(ended, Ok(()), "{kind:?} at {broken:?}");
            assert!(told.iter().any(|line| line.contains("Rate exceeded")), "{kind:?} at {broken:?}: {told:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_the_error_and_what_was_seen_are_told() {
    let fault = |call| (call > 4).then_some(CloudErrorKind::Throttled);
    let (ended, _) = waited(&Scheduler::new(usize::MAX, fault)).await;
    insta::assert_snapshot!(ended.expect_err("it cannot know"));
}

#[tokio::test(start_paused = true)]
async fn an_error_that_cannot_pass_ends_it_at_once() {
    for kind in [CloudErrorKind::Login, CloudErrorKind::Denied, CloudErrorKind::Other] {
        let scheduler = Scheduler::new(usize::MAX, move |call| (call == 3).then_some(kind));
        let (ended, _) = waited(&scheduler).await;
        let words = "cannot see whether web is live: cannot look at the service web: Rate exceeded \
                     (seen before: its tasks run and are watched)";
        assert_eq!(ended, Err(words.to_owned()));
        assert_eq!(scheduler.calls.load(Ordering::Relaxed), 4, "nothing is asked after it");
    }
}

fn stopped(current: bool) -> WantedRelease {
    WantedRelease::Stopped { reason: "tasks failed to start".to_owned(), current }
}

#[tokio::test(start_paused = true)]
async fn what_was_just_changed_may_be_described_as_before() {
    let superseded = WantedRelease::Superseded { by: "web:1".to_owned() };
    let before = [None, Some(view(superseded, 2)), Some(view(stopped(false), 2))];
    let after = [Some(view(WantedRelease::Rolling, 1)), Some(view(WantedRelease::Settled, 2))];
    let (ended, told) = waited_for(&FakeScheduler::showing("web", before.into_iter().chain(after))).await;
    assert!(ended.is_ok(), "{ended:?}");
    let expected =
        ["web: the service does not exist", "web: its deployment does not exist yet", "web: 1 of 2 tasks run"];
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn what_stays_so_is_a_failure() {
    let superseded = WantedRelease::Superseded { by: "web:1".to_owned() };
    for last in [None, Some(view(superseded, 2)), Some(view(stopped(false), 2))] {
        let began = Instant::now();
        let (ended, _) = waited_for(&FakeScheduler::showing("web", [last.clone()])).await;
        assert!(matches!(ended, Err(Error::Rollout { .. })), "{last:?}: {ended:?}");
        assert!(began.elapsed() >= SETTLES_WITHIN, "{last:?}");
    }
    let began = Instant::now();
    let given_up = [Some(view(WantedRelease::Rolling, 1)), Some(view(stopped(false), 0))];
    let (ended, _) = waited_for(&FakeScheduler::showing("web", given_up)).await;
    assert!(
        matches!(ended, Err(Error::Rollout { .. })) && began.elapsed() < SETTLES_WITHIN,
        "it had arrived: {ended:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_first_end_is_shown_at_once_and_explains_the_failure() {
    let end = |task: &str| ContainerEnd {
        task: task.to_owned(),
        container: "web".to_owned(),
        exit_code: Some(3),
        reason: String::new(),
    };
    let ends = |tasks: &[&str]| tasks.iter().map(|task| end(task)).collect::<Vec<_>>();
    let rolling = |tasks: &[&str]| Some(RolloutView { ends: ends(tasks), ..view(WantedRelease::Rolling, 0) });
    let views = [rolling(&[]), rolling(&["f01"]), rolling(&["f02", "f01"]), Some(view(stopped(true), 0))];
    let (ended, told) = waited_for(&FakeScheduler::showing("web", views)).await;
    let Err(Error::Rollout { service, cause, log }) = ended else { panic!("{ended:?}") };
    assert_eq!((service.as_str(), log), ("web", vec!["the last words of f01".to_owned()]));
    assert!(cause.contains("tasks failed to start; the container web of task f01 ended with exit code 3"), "{cause}");
    assert_eq!(told.iter().filter(|line| line.contains("last words")).count(), 1, "{told:?}");
}
