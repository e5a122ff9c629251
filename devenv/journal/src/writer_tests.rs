use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;
use crate::run::RunState;
use crate::{find, lines, list, read};

fn state_dir() -> (TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = Utf8Path::from_path(folder.path()).expect("UTF-8").to_owned();
    (folder, path)
}

fn notice(message: &str) -> Event {
    Event::Notice { message: message.to_owned() }
}

fn begun(state_dir: &Utf8Path) -> Journal {
    let mut journal = Journal::begin(state_dir, "up", vec!["up".to_owned(), "-d".to_owned()]);
    journal.set_commit(Some("c0ffee".to_owned()));
    journal
}

#[test]
fn a_run_is_listed_while_it_runs_and_after_its_end() {
    let (_folder, state_dir) = state_dir();
    let mut journal = begun(&state_dir);
    journal.add(&notice("one")).expect("writable");
    let run = &list(&state_dir, 10).expect("readable")[0];
    assert_eq!((&run.state, run.started.verb.as_str()), (&RunState::Running, "up"));
    assert_eq!(run.started.commit.as_deref(), Some("c0ffee"));

    journal.end(4, Some("no order\nis lost")).expect("writable");
    let path = find(&state_dir, "last").expect("the run");
    let run = read(&path).expect("readable");
    let RunState::Ended(ended) = &run.state else { panic!("{:?}", run.state) };
    assert_eq!((ended.exit, ended.error.as_deref(), ended.left_out), (4, Some("no order"), 0));
    let events: Vec<String> = lines(&path)
        .expect("readable")
        .iter()
        .map(|line| line["event"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(events, ["run_started", "notice", "run_ended"]);
    assert_eq!(find(&state_dir, &run.started.run).expect("by id"), path);
    assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_run_that_ends_without_a_word_was_killed_and_its_whole_lines_are_read() {
    let (_folder, state_dir) = state_dir();
    let mut journal = begun(&state_dir);
    journal.add(&notice("one")).expect("writable");
    drop(journal);
    let path = find(&state_dir, "last").expect("the run");
    let mut file = OpenOptions::new().append(true).open(&path).expect("writable");
    file.write_all(b"{\"event\":\"no").expect("writable");
    drop(file);
    assert_eq!(read(&path).expect("readable").state, RunState::Killed);
    assert_eq!(lines(&path).expect("readable").len(), 2);
}

#[test]
fn nothing_is_written_before_the_environment_has_a_folder() {
    let (folder, root) = state_dir();
    let state_dir = root.join("state");
    let mut journal = begun(&state_dir);
    journal.add(&notice("early")).expect("kept");
    assert_eq!(folder.path().read_dir().expect("readable").count(), 0);
    std::fs::create_dir(&state_dir).expect("writable");
    journal.add(&notice("later")).expect("writable");
    let messages: Vec<Value> = lines(&find(&state_dir, "last").expect("the run"))
        .expect("readable")
        .into_iter()
        .map(|line| line["message"].clone())
        .collect();
    assert_eq!(messages[1..], [json!("early"), json!("later")]);

    let nowhere = root.join("other");
    begun(&nowhere).end(0, None).expect("nothing to write");
    assert!(!nowhere.exists());
}

#[test]
fn lines_of_other_programs_are_left_out_of_a_full_file_and_counted() {
    let (_folder, state_dir) = state_dir();
    let mut journal = begun(&state_dir);
    let line = "x".repeat(LINE_BYTES / 2);
    for _ in 0..12 {
        journal.add(&Event::StageProgress { line: line.clone(), detail: true }).expect("writable");
    }
    journal.add(&notice("still here")).expect("writable");
    journal.add(&Event::Log { unit: "api".to_owned(), time: None, line }).expect("left out");
    journal.end(0, None).expect("writable");
    let path = find(&state_dir, "last").expect("the run");
    let lines = lines(&path).expect("readable");
    assert_eq!(lines[lines.len() - 2]["message"], "still here");
    assert_eq!((lines.len(), lines[lines.len() - 1]["left_out"].as_u64()), (10, Some(5)));
    assert!(matches!(read(&path).expect("readable").state, RunState::Ended(_)));
}

#[test]
fn only_the_newest_runs_are_kept_and_other_files_stay() {
    let (_folder, state_dir) = state_dir();
    let runs = reader::folder(&state_dir);
    std::fs::create_dir(&runs).expect("writable");
    std::fs::write(runs.join("notes.txt"), "mine").expect("writable");
    for number in 0..KEPT_RUNS + 5 {
        std::fs::write(runs.join(format!("2020{number:04}-up-{number:06x}.jsonl")), "").expect("writable");
    }
    let mut journal = begun(&state_dir);
    journal.add(&notice("new")).expect("writable");
    let names = reader::names(&runs).expect("readable");
    assert_eq!(names.len(), KEPT_RUNS);
    assert!(names[0].contains("-up-") && !names[0].starts_with("2020"), "{}", names[0]);
    assert!(runs.join("notes.txt").exists());
    assert_eq!(list(&state_dir, 10).expect("readable").len(), 1, "an empty file is no run");
}

#[test]
fn an_id_that_several_runs_have_is_refused() {
    let (_folder, state_dir) = state_dir();
    let runs = reader::folder(&state_dir);
    std::fs::create_dir(&runs).expect("writable");
    for id in ["abc001", "abc002"] {
        std::fs::write(runs.join(format!("20200101-up-{id}.jsonl")), "").expect("writable");
    }
    assert!(matches!(find(&state_dir, "abc"), Err(Error::Ambiguous { runs, .. }) if runs.len() == 2));
    assert!(matches!(find(&state_dir, ""), Err(Error::NoId)));
    assert!(matches!(find(&state_dir, "def"), Err(Error::Unknown { .. })));
    assert!(find(&state_dir, "abc002").expect("unique").ends_with("20200101-up-abc002.jsonl"));
}
