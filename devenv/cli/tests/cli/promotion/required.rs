//! Targets that take over the live releases of others, and evidence from the bucket.

use super::project::{Project, get, put, remove};
use super::server::Behaviour::Good;
use crate::folder::Ran;

fn promote(project: &Project, environment: &str) -> Ran {
    project.run(&["promote", environment, "--yes", "--output", "plain"])
}

fn refused(project: &Project, environment: &str, words: &[&str]) {
    let Ran { code, err, .. } = promote(project, environment);
    assert_eq!(code, 6, "{err}");
    for words in words {
        assert!(err.contains(words), "{words}: {err}");
    }
}

fn released(project: &Project, environment: &str) {
    let Ran { code, err, .. } = promote(project, environment);
    assert_eq!(code, 0, "{err}");
}

/// The keys of a release's record and of its one file of evidence.
fn record(project: &Project) -> (String, String) {
    let live = project.history().into_iter().find(|record| record["outcome"]["is"] == "live").expect("one is live");
    let id = live["id"].as_str().expect("an id").to_owned();
    (format!("rehearsal/releases/{id}"), live["evidence"][0].as_str().expect("a name").to_owned())
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn a_release_must_be_live_in_all_that_are_required() {
    let project = Project::new();
    project.tested(Good, 1);
    project.released();
    refused(
        &project,
        "third",
        &["third ships the live release of second, but second has none", "hint: devenv promote second"],
    );
    released(&project, "second");
    released(&project, "third");
    project.tested(Good, 2);
    project.released();
    refused(
        &project,
        "third",
        &["rehearsal and second do not have the same release: another commit, another image of web"],
    );
    released(&project, "second");
    released(&project, "third");
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn evidence_that_comes_along_must_be_whole_and_what_this_environment_demands() {
    let project = Project::new();
    let localstack = "[emulator.localstack]\nimage = \"localstack/localstack:4.14.0\"\n[promote.second]\nemulators = [\"embedded\", \"localstack\"]\n";
    project.tested(Good, 1);
    let url = project.released();
    let (folder, name) = record(&project);
    let key = format!("{folder}/{name}");
    let kept = get(&url, &key).expect("it came along");

    remove(&url, &key);
    refused(&project, "second", &[&format!("{name} is absent"), &key]);
    put(&url, &key, "damaged");
    refused(&project, "second", &[&format!("{name} is damaged")]);
    put(&url, &key, &kept);

    project.write("note", "not committed");
    refused(&project, "second", &["files differ from the commit"]);
    std::fs::remove_file(project.path().join("note")).expect("ours");

    project.change("devenv.toml", "[promote.second]\n", localstack);
    project.tested(Good, 2);
    project.released();
    refused(&project, "second", &["cannot ship the live release of rehearsal", "the tests have not run on localstack"]);
    project.git(&["reset", "--hard", "--quiet", "HEAD~1"]);
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn evidence_may_be_demanded_from_the_build_server() {
    let project = Project::new();
    for environment in ["rehearsal", "second"] {
        let section = format!("[promote.{environment}]\n");
        project.change("devenv.toml", &section, &format!("{section}evidence = \"recorded\"\n"));
    }
    project.make(Good, 1);
    let record_it = || project.run(&["evidence", "record", "rehearsal", "--output", "plain"]);
    let nothing = record_it();
    assert_eq!(nothing.code, 6, "{}", nothing.err);
    assert!(nothing.err.contains("no evidence of the commit"), "{}", nothing.err);
    project.test();
    refused(
        &project,
        "rehearsal",
        &[
            "accepts only evidence that the build server recorded",
            "the tests have not run on embedded",
            "devenv evidence record rehearsal",
        ],
    );
    let recorded = record_it();
    assert_eq!(recorded.code, 0, "{}", recorded.err);
    assert_eq!(record_it().code, 0, "the same evidence is already there");
    // The promotion does not read this machine's evidence.
    std::fs::remove_dir_all(project.path().join(".devenv/evidence")).expect("ours");
    let url = project.released();
    released(&project, "second");

    let (_, name) = record(&project);
    let commit = project.git(&["rev-parse", "HEAD"]);
    remove(&url, &format!("rehearsal/evidence/{commit}/{name}"));
    refused(&project, "second", &[&format!("{name} is absent"), "rehearsal/evidence/"]);
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn a_proxy_is_not_asked_for_this_machine() {
    let project = Project::new();
    project.tested(Good, 1);
    for environment in ["rehearsal", "second"] {
        let mut command = project.command(&["promote", environment, "--yes", "--output", "plain"]);
        for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            command.env(name, "http://127.0.0.1:9");
        }
        command.env_remove("NO_PROXY").env_remove("no_proxy");
        let Ran { code, err, .. } = Ran::from(command.output().expect("it starts"));
        assert_eq!(code, 0, "{err}");
    }
}
