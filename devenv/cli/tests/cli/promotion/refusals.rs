//! What the gate does not let through, and that it says which and why.

use super::project::Project;
use super::server::Behaviour::Good;
use crate::folder::Ran;

fn refused(project: &Project, words: &[&str]) {
    let Ran { code, err, .. } = project.promote();
    assert_eq!(code, 6, "{err}");
    for words in words {
        assert!(err.contains(words), "{words}: {err}");
    }
}

/// The newest file of evidence.
fn evidence(project: &Project) -> String {
    let folder = project.path().join(".devenv/evidence");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("there is evidence")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    format!(".devenv/evidence/{}", names.last().expect("a file"))
}

#[test]
fn evidence_must_be_of_exactly_what_is_at_hand() {
    let Some(project) = Project::new() else { return };
    project.make(Good, 1);
    refused(
        &project,
        &["the tests have not run on embedded", "hint: devenv test --runtime docker --emulator embedded"],
    );

    project.done(&["test", "--runtime", "docker", "--output", "plain", "--", "one_test"]);
    refused(&project, &["the tests were given arguments"]);

    project.test();
    project.write("note", "not committed");
    refused(&project, &["files differ from the commit", "hint: git commit"]);
    std::fs::remove_file(project.path().join("note")).expect("ours");

    project.change("terraform/envs/rehearsal/release/main.tf", "tasks        = 1", "tasks        = 2");
    project.commit("Change the Terraform files alone");
    refused(&project, &["was of other Terraform files", "was of the commit"]);
    project.git(&["reset", "--hard", "--quiet", "HEAD~1"]);

    project.commit("Another commit");
    refused(&project, &["was of the commit"]);
    project.git(&["reset", "--hard", "--quiet", "HEAD~1"]);

    let file = evidence(&project);
    project.change(&file, "\"PASSED\"", "\"PASSEd\"");
    refused(&project, &["is damaged: its name does not end with the digest of what is in it"]);
    project.change(&file, "\"PASSEd\"", "\"PASSED\"");
    let plan = project.done(&["promote", "rehearsal", "--plan", "--output", "plain"]);
    assert!(plan.err.contains("add terraform_data.web"), "{}", plan.err);

    project.make(Good, 2);
    project.git(&["reset", "--hard", "--quiet", "HEAD~1"]);
    refused(&project, &["was of another image of web"]);

    project.change("devenv.toml", "[promote.rehearsal]\n", "[promote.rehearsal]\nplatform = \"linux/arm64\"\n");
    refused(&project, &["rehearsal runs linux/arm64", "--platform linux/arm64"]);
}

#[test]
fn a_record_that_cannot_be_read_and_a_tag_that_is_taken_stop_it() {
    let Some(project) = Project::new() else { return };
    project.tested(Good, 1);
    let unknown = project.run(&["promote", "production", "--yes", "--output", "plain"]);
    assert_eq!(unknown.code, 2, "{}", unknown.err);
    assert!(unknown.err.contains("it has rehearsal, second"), "{}", unknown.err);
    let nobody = project.run(&["promote", "rehearsal", "--output", "plain"]);
    assert_eq!(nobody.code, 2, "{}", nobody.err);
    assert!(nobody.err.contains("hint: add --yes"), "{}", nobody.err);
    let nothing = project.run(&["rollback", "rehearsal", "--yes", "--output", "plain"]);
    assert_eq!(nothing.code, 1, "{}", nothing.err);
    project.released();
    let without_terraform = project.command(&["promote", "rehearsal", "--yes", "--output", "plain"]);
    let mut without_terraform = without_terraform;
    let ran =
        Ran::from(without_terraform.env("DEVENV_TERRAFORM", "/nonexistent/terraform").output().expect("it starts"));
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(ran.err.contains("install Terraform"), "{}", ran.err);
}
