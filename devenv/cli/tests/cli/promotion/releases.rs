//! Successful releases, and the rollbacks of failed ones.

use super::project::{Project, pulled_images, put};
use super::server::Behaviour::{Broken, Crashes, Good};

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn what_was_tested_is_made_live_and_what_fails_is_put_back() {
    let project = Project::new();
    project.tested(Good, 1);
    let url = project.released();
    assert_eq!(project.edition(&url), Ok(1), "the first release from an empty account");
    let again = project.json(&["promote", "rehearsal", "--yes"]);
    assert_eq!((&again["ok"], &again["proposal"]["is_empty"]), (&true.into(), &true.into()), "{again:#}");

    project.tested(Good, 2);
    let plan = project.done(&["promote", "rehearsal", "--plan", "--output", "plain"]);
    assert!(plan.err.contains("commits between: 1") && plan.err.contains("replace terraform_data.web"), "{}", plan.err);
    assert_eq!(project.edition(&url), Ok(1), "a plan changes nothing");
    project.released();
    assert_eq!(project.edition(&url), Ok(2), "the second release");
    project.released();

    project.tested(Crashes, 3);
    let crashed = project.promote();
    assert_eq!(crashed.code, 7, "{}", crashed.err);
    for words in ["exit code 3", "no configuration", "circuit breaker", "rolled back: release"] {
        assert!(crashed.err.contains(words), "{words}: {}", crashed.err);
    }
    assert_eq!(project.edition(&url), Ok(2), "the release before is live again");

    project.tested(Broken, 4);
    let broken = project.promote();
    assert_eq!(broken.code, 7, "{}", broken.err);
    assert!(broken.err.contains("the smoke tests failed: it_works"), "{}", broken.err);
    assert_eq!(project.edition(&url), Ok(2), "the release before is live again");

    let back = project.done(&["rollback", "rehearsal", "--yes", "--output", "plain"]);
    assert!(back.out.contains("live in rehearsal"), "{}", back.out);
    assert_eq!(
        project.edition(&url),
        Ok(1),
        "a rollback returns to the release before, also after the same one was promoted twice"
    );
    assert_eq!(project.endings(), ["live", "rolled_back", "rolled_back", "live", "live", "live", "live"]);
    assert!(!pulled_images(&url).is_empty(), "the tasks run images that the engine pulled");
    project.done(&["down", "--volumes"]);
    assert_eq!(project.things(), Vec::<String>::new());
    assert_eq!(pulled_images(&url), Vec::<String>::new());
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn rollbacks_go_further_back_or_to_a_release_that_is_named() {
    let project = Project::new();
    let mut url = String::new();
    for edition in 1..=3 {
        project.tested(Good, edition);
        url = project.released();
    }
    let release = |record: &serde_json::Value| record["release"]["id"].as_str().expect("an id").to_owned();
    let releases: Vec<String> = project.history().iter().map(release).collect();
    assert!(releases.is_sorted_by(|newer, older| newer > older), "{releases:?}");
    let back = |to: &[&str]| project.run(&[&["rollback", "rehearsal", "--yes", "--output", "plain"], to].concat());
    for edition in [2, 1] {
        let ran = back(&[]);
        assert_eq!((ran.code, project.edition(&url)), (0, Ok(edition)), "{}", ran.err);
    }
    let first = back(&[]);
    assert_eq!(first.code, 1, "{}", first.err);
    assert!(first.err.contains("rehearsal has no earlier release"), "{}", first.err);

    let named = back(&["--to", &releases[0]]);
    assert_eq!((named.code, project.edition(&url)), (0, Ok(3)), "{}", named.err);
    let unknown = back(&["--to", "r000099-aa"]);
    assert_eq!(unknown.code, 2, "{}", unknown.err);
    assert!(unknown.err.contains("hint: devenv history rehearsal"), "{}", unknown.err);
    project.tested(Broken, 4);
    assert_eq!(project.promote().code, 7);
    let failed = release(&project.history()[0]);
    let never = back(&["--to", &failed]);
    assert_eq!(never.code, 6, "{}", never.err);
    assert!(never.err.contains("was never live"), "{}", never.err);
    put(&url, &format!("rehearsal/releases/{}/terraform.tar", releases[1]), "damaged");
    let damaged = back(&["--to", &releases[1]]);
    assert_eq!(damaged.code, 1, "{}", damaged.err);
    assert!(damaged.err.contains("hint: check out the release's commit"), "{}", damaged.err);
    assert_eq!(project.edition(&url), Ok(3), "refused rollbacks changed nothing");
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn a_first_release_that_fails_is_scaled_to_zero_and_the_next_one_is_live() {
    let project = Project::new();
    for (behaviour, edition) in [(Broken, 1), (Crashes, 2)] {
        project.tested(behaviour, edition);
        let failed = project.promote();
        assert_eq!(failed.code, 7, "{}", failed.err);
        assert!(failed.err.contains("rehearsal is scaled to zero"), "{}", failed.err);
    }
    project.tested(Good, 3);
    let url = project.released();
    assert_eq!(project.edition(&url), Ok(3));
    assert_eq!(project.endings(), ["live", "scaled_to_zero", "scaled_to_zero"]);
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn what_is_live_in_one_environment_is_copied_to_the_next() {
    let project = Project::new();
    project.tested(Good, 1);
    let early = project.run(&["promote", "second", "--yes", "--output", "plain"]);
    assert_eq!(early.code, 6, "{}", early.err);
    assert!(early.err.contains("second ships the live release of rehearsal, but rehearsal has none"), "{}", early.err);
    project.released();
    let second = project.json(&["promote", "second", "--yes"]);
    assert_eq!(second["ok"], true, "{second:#}");
    let digest = |release: &serde_json::Value| {
        let reference = release["images"]["web"]["reference"].as_str().expect("a reference").to_owned();
        reference.split_once('@').expect("a digest").1.to_owned()
    };
    assert_eq!(digest(&second["release"]), digest(&project.history()[0]["release"]), "the very same image");
    assert_eq!(project.edition(second["url"].as_str().expect("an address")), Ok(1));
    project.commit("Another commit");
    let other = project.run(&["promote", "second", "--yes", "--output", "plain"]);
    assert_eq!(other.code, 6, "{}", other.err);
    assert!(other.err.contains("hint: git checkout"), "{}", other.err);
}
