//! Promotions that are killed, interrupted or doubled.

use std::io::{BufRead, BufReader};
use std::process::Child;

use super::project::Project;
use super::server::Behaviour::{self, Broken, Good};
use crate::folder::{eventually, signal};

/// Reads the news of a promotion until a stage begins.
fn until(promoting: &mut Child, stage: &str) {
    let news = BufReader::new(promoting.stdout.take().expect("piped"));
    let begins = format!("\"stage\":\"{stage}\"");
    for line in news.lines() {
        let line = line.expect("text");
        if line.contains("stage_started") && line.contains(&begins) {
            // Whatever is said afterwards is read by nobody, as when a terminal is gone; the pipe must not fill up.
            return;
        }
        assert!(!line.contains("\"event\":\"result\""), "it ended before {stage}: {line}");
    }
    panic!("it ended before {stage}");
}

#[test]
fn one_that_was_killed_at_any_stage_is_put_right_by_the_next() {
    let Some(project) = Project::new() else { return };
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

/// Kills the promotion of a second edition at a stage, and has the first one back.
fn undone(behaviour: Behaviour, stage: &str) {
    let Some(project) = Project::new() else { return };
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
fn one_that_was_killed_half_way_can_be_undone() {
    undone(Good, "wait");
}

#[test]
fn one_that_was_killed_while_it_rolled_back_can_be_undone() {
    undone(Broken, "roll back");
}

#[test]
fn an_interruption_changes_nothing_or_puts_back_what_was() {
    let Some(project) = Project::new() else { return };
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
            // The signal came when the last stage was over.
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
fn two_at_once_are_one_after_the_other() {
    let Some(project) = Project::new() else { return };
    project.tested(Good, 1);
    project.released();
    project.tested(Good, 2);
    let mut first = project.promoting();
    until(&mut first, "plan");
    let second = project.promote();
    assert_eq!(second.code, 9, "{}", second.err);
    eventually("the first one ends", || first.try_wait().expect("ours").is_some());
}
