//! Killed, interrupted and concurrent promotions.

use std::io::{BufRead, BufReader};
use std::process::Child;
use std::time::Duration;

use super::project::{Project, get};
use super::server::Behaviour::{self, Broken, Good};
use crate::folder::{eventually, signal};

/// Reads the events of a promotion until a stage begins.
fn until(promoting: &mut Child, stage: &str) {
    let news = BufReader::new(promoting.stdout.take().expect("piped"));
    let begins = format!("\"stage\":\"{stage}\"");
    for line in news.lines() {
        let line = line.expect("text");
        if line.contains("stage_started") && line.contains(&begins) {
            // The pipe is closed here, as when a terminal is gone: nobody reads later events, and the pipe must not fill up.
            return;
        }
        assert!(!line.contains("\"event\":\"result\""), "it ended before {stage}: {line}");
    }
    panic!("it ended before {stage}");
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn one_that_was_killed_at_any_stage_is_put_right_by_the_next() {
    let project = Project::new();
    project.tested(Good, 1);
    let url = project.released();
    for (edition, stage) in (2..).zip(["push", "plan", "apply", "wait", "smoke"]) {
        project.tested(Good, edition);
        let mut promoting = project.promoting();
        until(&mut promoting, stage);
        promoting.kill().expect("it runs");
        promoting.wait().expect("it ended");
        project.released();
        assert_eq!(project.edition(&url), Ok(edition.into()), "killed at {stage}");
        project.nothing_is_apart();
        assert_eq!(project.endings()[..2], ["live", "superseded"], "killed at {stage}");
    }
}

/// Kills the promotion of a second edition at a stage, and returns to the first one.
fn undone(behaviour: Behaviour, stage: &str) {
    let project = Project::new();
    project.tested(Good, 1);
    let url = project.released();
    project.tested(behaviour, 2);
    let mut promoting = project.promoting();
    until(&mut promoting, stage);
    promoting.kill().expect("it runs");
    promoting.wait().expect("it ended");
    project.done(&["rollback", "rehearsal", "--yes", "--output", "plain"]);
    assert_eq!(project.edition(&url), Ok(1));
    assert_eq!(project.endings(), ["live", "superseded", "live"]);
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn one_that_was_killed_half_way_can_be_undone() {
    undone(Good, "wait");
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn one_that_was_killed_while_it_rolled_back_can_be_undone() {
    undone(Broken, "roll back");
}

/// The processes below a project's promotions with these words on their command line.
fn processes(project: &Project, words: &str) -> Vec<u64> {
    let root = project.root();
    let is_ours = |pid: &u64| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains(&root) && line.contains(words)
    };
    let all = std::fs::read_dir("/proc")
        .expect("readable")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    all.filter(is_ours).collect()
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn only_the_folder_whose_terraform_was_killed_removes_its_lock() {
    let project = Project::new();
    project.tested(Good, 1);
    let url = project.released();
    // Kill Terraform while it applies: it leaves its lock behind.
    project.change(
        "terraform/envs/rehearsal/release/main.tf",
        "rehearse-service --quiet",
        "rehearse-service --quiet && sleep 60",
    );
    project.tested(Good, 2);
    let mut promoting = project.promoting();
    until(&mut promoting, "apply");
    let lock = "rehearsal/release.tfstate.tflock";
    eventually("Terraform has its lock and applies", || {
        // The lock of the plan may still be there when the apply begins.
        let is_applying = get(&url, lock).is_some_and(|lock| lock.contains("OperationTypeApply"));
        is_applying && !processes(&project, "apply").is_empty()
    });
    // Stop the promotion meanwhile: it would see Terraform fail, or its end would let Terraform end in order.
    signal(promoting.id().into(), "STOP");
    // Terraform must not see the end of a process above it: it would then end in order too.
    let applying = processes(&project, "apply");
    for name in ["STOP", "KILL"] {
        for pid in &applying {
            signal(*pid, name);
        }
    }
    promoting.kill().expect("it runs");
    promoting.wait().expect("it ended");
    eventually("the lock is left behind", || get(&url, lock).is_some());
    project.git(&["reset", "--hard", "--quiet", "HEAD~1"]);
    project.tested(Good, 3);

    // An empty log, as in another checkout of the same user and host: that checkout has not taken the lock.
    let log = project.path().join(".devenv/promote/rehearsal/terraform.log");
    let kept = std::fs::read(&log).expect("a log");
    std::fs::write(&log, "").expect("ours");
    let elsewhere = project.promote();
    assert_eq!(elsewhere.code, 9, "{}", elsewhere.err);
    std::fs::write(&log, kept).expect("ours");
    project.released();
    assert_eq!(project.edition(&url), Ok(3));
    assert!(get(&url, lock).is_none());
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn an_interruption_changes_nothing_or_puts_back_what_was() {
    let project = Project::new();
    project.tested(Good, 1);
    let url = project.released();
    for (edition, stage) in (2..).zip(["push", "plan", "apply", "wait", "smoke"]) {
        project.tested(Good, edition);
        let mut promoting = project.promoting();
        until(&mut promoting, stage);
        signal(promoting.id().into(), "INT");
        let status = promoting.wait().expect("it ends");
        let ending = &project.endings()[0];
        if status.success() {
            // The signal came after the last stage.
            assert_eq!((stage, ending.as_str()), ("smoke", "live"));
            continue;
        }
        assert_eq!(status.code(), Some(130), "interrupted at {stage}");
        let expected = if ["push", "plan"].contains(&stage) { "nothing_changed" } else { "rolled_back" };
        assert_eq!(ending, expected, "interrupted at {stage}");
        assert_eq!(project.edition(&url), Ok(1), "interrupted at {stage}");
        project.nothing_is_apart();
    }
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn one_that_was_killed_while_the_emulated_aws_started_leaves_nothing_behind() {
    let project = Project::new();
    project.tested(Good, 1);
    // Times from before the first request to the engine to after the last one.
    for (round, after) in [50, 150, 300, 450, 600, 900, 1400].into_iter().enumerate() {
        let mut promoting = project.promoting();
        std::thread::sleep(Duration::from_millis(after));
        promoting.kill().expect("ours");
        promoting.wait().expect("it ended");
        if round % 3 == 2 {
            project.released();
        }
        project.done(&["down"]);
        assert_eq!(project.things(), Vec::<String>::new(), "after {after} ms");
    }
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn two_at_once_are_one_after_the_other() {
    let project = Project::new();
    project.tested(Good, 1);
    project.released();
    project.tested(Good, 2);
    let mut first = project.promoting();
    until(&mut first, "plan");
    let second = project.promote();
    assert_eq!(second.code, 9, "{}", second.err);
    eventually("the first one ends", || first.try_wait().expect("ours").is_some());
}
