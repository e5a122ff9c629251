//! A service and its tasks as ECS reports them, and the view of a rollout derived from that.

use std::collections::BTreeSet;

use crate::rollout::{ContainerEnd, Doubt, RolloutView, WantedRelease};

/// A service, as its scheduler describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceState {
    pub name: String,
    /// The task definition that it should run, with its revision.
    pub task_definition: String,
    pub desired: u32,
    pub deployments: Vec<Deployment>,
}

/// One change of a service. Failed ones may stay listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    pub task_definition: String,
    /// Whether it is the service's current target.
    pub primary: bool,
    pub rollout: Rollout,
    /// The scheduler's words.
    pub reason: String,
    pub desired: u32,
    pub running: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollout {
    InProgress,
    Completed,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskState {
    pub id: String,
    pub task_definition: String,
    pub runs: bool,
    /// The reason for its stop; empty while it runs.
    pub stopped_reason: String,
    pub containers: Vec<TaskContainer>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskContainer {
    pub name: String,
    /// The digest of its image's manifest; `None` during the pull.
    pub digest: Option<String>,
    pub exit_code: Option<i32>,
    pub reason: String,
}

/// The wanted release of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub task_definition: String,
    /// The digest of the image's manifest.
    pub digest: String,
    /// The containers of the task definition that run this image. A task may have others: those that Terraform adds, such as
    /// a proxy, and those that AWS adds, such as GuardDuty's agent, which no task definition names.
    pub containers: BTreeSet<String>,
    /// The containers whose end ends the task, including ours.
    pub essential: BTreeSet<String>,
}

/// The exit codes of containers that the scheduler ended: by SIGKILL, by SIGTERM, or in order.
const FOLLOWED: [i32; 3] = [137, 143, 0];
/// `tasks` are the running tasks of the service; `ends` are the containers that ended by themselves.
pub fn view(wanted: &Wanted, service: &ServiceState, tasks: &[TaskState], ends: Vec<ContainerEnd>) -> RolloutView {
    let (standing, deployment) = standing(wanted, service);
    // A new service reads as completed before any task runs, so the tasks themselves count.
    let is_wanted = |task: &&TaskState| task.task_definition == wanted.task_definition;
    let running = tasks.iter().filter(|task| task.runs);
    let counted = u32::try_from(running.clone().filter(is_wanted).count()).unwrap_or(u32::MAX);
    RolloutView {
        wanted: standing,
        desired: deployment.filter(|_| service.desired > 0).map_or(0, |deployment| deployment.desired),
        ready: deployment.map_or(0, |deployment| deployment.running.min(counted)),
        others: running.filter(|task| !is_wanted(task)).count(),
        ends,
        doubt: tasks.iter().find_map(|task| doubt(wanted, task)),
    }
}

fn standing<'a>(wanted: &Wanted, service: &'a ServiceState) -> (WantedRelease, Option<&'a Deployment>) {
    if wanted.containers.is_empty() {
        let (definition, digest) = (wanted.task_definition.clone(), wanted.digest.clone());
        return (WantedRelease::NotNamed { definition, digest }, None);
    }
    let mut mine = service.deployments.iter().filter(|one| one.task_definition == wanted.task_definition);
    let Some(primary) = mine.clone().find(|deployment| deployment.primary) else {
        // The breaker replaces the deployment and leaves it listed.
        let standing = match mine.find(|deployment| deployment.rollout == Rollout::Failed) {
            Some(failed) => WantedRelease::Stopped { reason: failed.reason.clone(), current: false },
            None => WantedRelease::Superseded { by: service.task_definition.clone() },
        };
        return (standing, None);
    };
    let standing = match primary.rollout {
        Rollout::InProgress => WantedRelease::Rolling,
        Rollout::Completed => WantedRelease::Settled,
        Rollout::Failed => WantedRelease::Stopped { reason: primary.reason.clone(), current: true },
    };
    (standing, Some(primary))
}

/// The reason to doubt that this task runs the wanted image.
fn doubt(wanted: &Wanted, task: &TaskState) -> Option<Doubt> {
    wanted.containers.iter().find_map(|name| match task.containers.iter().find(|container| container.name == *name) {
        // It prepared the task, such as a migration, and has done its part.
        Some(TaskContainer { exit_code: Some(0), .. }) if !wanted.essential.contains(name) => None,
        Some(TaskContainer { exit_code: Some(code), .. }) => {
            Some(Doubt::Unclear(format!("{name} ended with exit code {code} and its task is still there")))
        }
        Some(TaskContainer { digest: Some(found), .. }) if *found != wanted.digest => {
            Some(Doubt::OtherImage { wanted: wanted.digest.clone(), found: found.clone() })
        }
        Some(TaskContainer { digest: Some(_), .. }) => None,
        Some(_) => Some(Doubt::Unclear(format!("{name} does not report its image"))),
        None => Some(Doubt::Unclear(format!("{name} is not in its task yet"))),
    })
}

/// The tasks of the wanted release that ended by themselves, each with the container that ended it. `stopped` are tasks
/// that no longer run.
pub fn ended(wanted: &Wanted, stopped: &[TaskState]) -> Vec<ContainerEnd> {
    let of_release = stopped.iter().filter(|task| !task.runs && task.task_definition == wanted.task_definition);
    let ended = of_release.filter(|task| !is_scaling(&task.stopped_reason));
    ended.filter_map(|task| end_of(wanted, task)).collect()
}

/// The end of a non-essential container leaves its task alive, but counts once the task was stopped.
fn end_of(wanted: &Wanted, task: &TaskState) -> Option<ContainerEnd> {
    let essential = task.containers.iter().filter(|container| wanted.essential.contains(&container.name));
    let ended = essential.filter(|container| container.exit_code.is_some() || !task.stopped_reason.is_empty());
    let container = ended.min_by_key(|container| {
        let followed = container.exit_code.is_none_or(|code| FOLLOWED.contains(&code));
        (followed, !wanted.containers.contains(&container.name))
    })?;
    let reasons = [task.stopped_reason.as_str(), container.reason.as_str()];
    Some(ContainerEnd {
        task: task.id.clone(),
        container: container.name.clone(),
        exit_code: container.exit_code,
        reason: reasons.iter().filter(|reason| !reason.is_empty()).copied().collect::<Vec<_>>().join(": "),
    })
}

/// The scheduler stops tasks of its own accord when it scales or replaces, and their containers then end with a code.
fn is_scaling(reason: &str) -> bool {
    reason.starts_with("Scaling activity") || reason.starts_with("Service scaling")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::{Judged, RolloutFailure, judge};

    fn wanted() -> Wanted {
        Wanted {
            task_definition: "api:2".to_owned(),
            digest: "sha256:2".to_owned(),
            containers: ["api".to_owned()].into(),
            essential: ["api", "proxy"].map(str::to_owned).into(),
        }
    }

    fn deployment(task_definition: &str, primary: bool, rollout: Rollout, running: u32) -> Deployment {
        let reason = "ECS deployment circuit breaker: tasks failed to start.".to_owned();
        Deployment { task_definition: task_definition.to_owned(), primary, rollout, reason, desired: 2, running }
    }

    fn task(task_definition: &str, digest: Option<&str>) -> TaskState {
        TaskState {
            id: "f00".to_owned(),
            task_definition: task_definition.to_owned(),
            runs: true,
            stopped_reason: String::new(),
            containers: vec![TaskContainer {
                name: "api".to_owned(),
                digest: digest.map(str::to_owned),
                exit_code: None,
                reason: String::new(),
            }],
        }
    }

    fn judged(deployments: Vec<Deployment>, tasks: &[TaskState]) -> Judged {
        let task_definition = deployments.iter().find(|deployment| deployment.primary);
        let service = ServiceState {
            name: "api".to_owned(),
            task_definition: task_definition.map(|primary| primary.task_definition.clone()).unwrap_or_default(),
            desired: 2,
            deployments,
        };
        judge(&view(&wanted(), &service, tasks, Vec::new()))
    }

    fn running(count: usize) -> Vec<TaskState> {
        vec![task("api:2", Some("sha256:2")); count]
    }

    #[test]
    fn it_is_done_when_every_task_runs_the_wanted_image_and_no_other_does() {
        let done = |rollout, tasks: &[TaskState]| judged(vec![deployment("api:2", true, rollout, 2)], tasks);
        assert_eq!(done(Rollout::Completed, &running(2)), Judged::Done);
        let not_done = [
            done(Rollout::InProgress, &running(2)),
            // A new service reads as completed before any task runs.
            done(Rollout::Completed, &[]),
            done(Rollout::Completed, &running(1)),
            done(Rollout::Completed, &[running(2), vec![task("api:1", Some("sha256:1"))]].concat()),
            done(Rollout::Completed, &[task("api:2", None), task("api:2", Some("sha256:2"))]),
        ];
        insta::assert_debug_snapshot!(not_done);
    }

    #[test]
    fn a_task_with_another_image_is_found() {
        let tasks = [task("api:2", Some("sha256:2")), task("api:2", Some("sha256:9"))];
        let judged = judged(vec![deployment("api:2", true, Rollout::Completed, 2)], &tasks);
        assert!(matches!(judged, Judged::Failed(RolloutFailure::OtherImage { .. })), "{judged:?}");
    }

    fn container(name: &str, digest: Option<&str>, exit_code: Option<i32>) -> TaskContainer {
        TaskContainer { name: name.to_owned(), digest: digest.map(str::to_owned), exit_code, reason: String::new() }
    }

    #[test]
    fn a_container_beside_ours_is_not_compared() {
        let beside = [
            container("aws-guardduty-agent-1a2b", Some("sha256:7"), None),
            container("aws-guardduty-agent-1a2b", None, None),
            container("log-router", Some("sha256:7"), Some(1)),
            container("proxy", Some("sha256:7"), None),
        ];
        for beside in beside {
            let mut tasks = running(2);
            tasks[1].containers.insert(0, beside.clone());
            let judged = judged(vec![deployment("api:2", true, Rollout::Completed, 2)], &tasks);
            assert_eq!(judged, Judged::Done, "{beside:?}");
        }
    }

    #[test]
    fn a_task_without_our_container_is_not_live() {
        let mut alone = task("api:2", Some("sha256:2"));
        alone.containers = vec![container("proxy", Some("sha256:2"), None)];
        let mut over = task("api:2", Some("sha256:2"));
        over.containers[0].exit_code = Some(0);
        for other in [alone, over] {
            let tasks = [task("api:2", Some("sha256:2")), other.clone()];
            let judged = judged(vec![deployment("api:2", true, Rollout::Completed, 2)], &tasks);
            assert!(matches!(judged, Judged::Going(_)), "{other:?}: {judged:?}");
        }
        let service = ServiceState { deployments: Vec::new(), ..ServiceState::default() };
        let nowhere = Wanted { containers: BTreeSet::new(), ..wanted() };
        let judged = judge(&view(&nowhere, &service, &running(2), Vec::new()));
        assert!(matches!(judged, Judged::Failed(RolloutFailure::NotNamed { .. })), "{judged:?}");
    }

    #[test]
    fn the_end_of_a_container_beside_ours_is_not_the_releases() {
        let stopped = |reason: &str, containers: &[TaskContainer]| TaskState {
            runs: false,
            stopped_reason: reason.to_owned(),
            containers: containers.to_vec(),
            ..task("api:2", None)
        };
        let exited = "Essential container in task exited";
        let names = |task: TaskState| {
            ended(&wanted(), &[task]).into_iter().map(|end| (end.container, end.exit_code)).collect::<Vec<_>>()
        };
        let (api, proxy) = ("api".to_owned(), "proxy".to_owned());
        // A task that starts: what prepared it has ended, and it is not stopped.
        assert_eq!(names(stopped("", &[container("setup", None, Some(0)), container("api", None, None)])), []);
        // Each task is one end, and the container that ended it is told rather than those that followed.
        let both = [container("agent", None, Some(137)), container("api", None, Some(3))];
        assert_eq!(names(stopped(exited, &both)), [(api.clone(), Some(3))]);
        let proxy_first = [container("api", None, Some(143)), container("proxy", None, Some(2))];
        assert_eq!(names(stopped(exited, &proxy_first)), [(proxy, Some(2))]);
        // The scheduler ends a task in order, and its containers end with a code.
        let scaled = stopped("Scaling activity initiated by deployment", &[container("api", None, Some(143))]);
        assert_eq!(names(scaled), []);
        // Some schedulers give no reason.
        assert_eq!(names(stopped("", &[container("api", None, Some(1))])), [(api, Some(1))]);
    }

    #[test]
    fn a_container_of_the_same_image_that_prepared_the_task_has_done_its_part() {
        let wanted = Wanted { containers: ["migrate", "api"].map(str::to_owned).into(), ..wanted() };
        let doubt_with = |migrated: Option<i32>| {
            let containers =
                vec![container("migrate", Some("sha256:2"), migrated), container("api", Some("sha256:2"), None)];
            doubt(&wanted, &TaskState { containers, ..task("api:2", None) })
        };
        assert_eq!(doubt_with(Some(0)), None);
        assert_eq!(doubt_with(None), None, "it runs");
        assert!(matches!(doubt_with(Some(1)), Some(Doubt::Unclear(_))));
    }

    #[test]
    fn the_breaker_is_told_from_another_deployment() {
        let breaker = |deployments| matches!(judged(deployments, &[]), Judged::Failed(RolloutFailure::Breaker { .. }));
        assert!(breaker(vec![deployment("api:2", true, Rollout::Failed, 0)]));
        let back = deployment("api:1", true, Rollout::InProgress, 2);
        assert!(breaker(vec![deployment("api:2", false, Rollout::Failed, 0), back.clone()]));
        let superseded = Judged::Failed(RolloutFailure::Superseded { by: "api:1".to_owned() });
        assert_eq!(judged(vec![back.clone()], &[]), superseded);
        assert_eq!(judged(vec![deployment("api:2", false, Rollout::InProgress, 1), back], &[]), superseded);
        // A failure of the same definition in an earlier try is not this one's.
        let again =
            vec![deployment("api:2", false, Rollout::Failed, 0), deployment("api:2", true, Rollout::Completed, 2)];
        assert_eq!(judged(again, &running(2)), Judged::Done);
    }

    #[test]
    fn tasks_that_keep_ending_are_a_failure_where_nobody_counts_them() {
        let service = |rollout| ServiceState {
            name: "api".to_owned(),
            task_definition: "api:2".to_owned(),
            desired: 2,
            deployments: vec![deployment("api:2", true, rollout, 0)],
        };
        let end = ContainerEnd {
            task: "f00".to_owned(),
            container: "api".to_owned(),
            exit_code: Some(3),
            reason: String::new(),
        };
        let is_failure = |rollout, count: usize| {
            let judged = judge(&view(&wanted(), &service(rollout), &[], vec![end.clone(); count]));
            matches!(judged, Judged::Failed(RolloutFailure::KeepsEnding { .. }))
        };
        assert!(!is_failure(Rollout::Completed, 4) && is_failure(Rollout::Completed, 5));
        assert!(!is_failure(Rollout::InProgress, 49) && is_failure(Rollout::InProgress, 50));
    }

    #[test]
    fn a_service_without_tasks_is_not_live() {
        let mut none = deployment("api:2", true, Rollout::Completed, 0);
        none.desired = 0;
        assert_eq!(judged(vec![none], &[]), Judged::Failed(RolloutFailure::ScaledToZero));
    }

    #[test]
    fn the_first_container_that_ended_is_told() {
        let mut stopped = task("api:2", None);
        stopped.runs = false;
        stopped.stopped_reason = "Essential container in task exited".to_owned();
        stopped.containers[0].exit_code = Some(1);
        let mut scaled = stopped.clone();
        scaled.stopped_reason = "Scaling activity initiated by deployment".to_owned();
        scaled.containers[0].exit_code = None;
        let older = TaskState { task_definition: "api:1".to_owned(), ..stopped.clone() };
        assert_eq!(ended(&wanted(), &[older.clone(), scaled.clone()]), []);
        let told = ended(&wanted(), &[older, scaled, stopped]);
        assert_eq!(told.len(), 1);
        insta::assert_snapshot!(told[0].to_string());
        let mut unfetched = task("api:2", None);
        unfetched.runs = false;
        unfetched.stopped_reason = "CannotPullContainerError: not found".to_owned();
        assert_eq!(ended(&wanted(), &[unfetched]).len(), 1);
    }
}
