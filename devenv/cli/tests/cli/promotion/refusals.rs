//! The gate's refusals, each with its reason.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use devenv_containers::oci::OciImage;

use super::project::{Project, access_key, put, remove};
use super::server::Behaviour::{Broken, Good};
use crate::containers::engine::docker;
use crate::folder::Ran;

fn refused(project: &Project, words: &[&str]) {
    let Ran { code, err, .. } = project.promote();
    assert_eq!(code, 6, "{err}");
    for words in words {
        assert!(err.contains(words), "{words}: {err}");
    }
}

/// Gets a manifest from the registry, or puts one there.
fn registry(url: &str, host: &str, reference: &str, words: &[&str]) -> String {
    let login = format!("AWS:{}", access_key(url));
    let address = format!("http://{host}/v2/shop/web/manifests/{reference}");
    let mut curl = std::process::Command::new("curl");
    curl.args(["--silent", "--fail", "--noproxy", "*", "--user", &login]).args(words).arg(address);
    let answer = curl.output().expect("curl is here");
    assert!(answer.status.success(), "{reference}: {}", String::from_utf8_lossy(&answer.stderr));
    String::from_utf8(answer.stdout).expect("JSON")
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
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn evidence_must_be_of_exactly_what_is_at_hand() {
    let project = Project::new();
    project.make(Good, 1);
    refused(
        &project,
        &["the tests have not run on embedded", "hint: devenv test --runtime docker --emulator embedded"],
    );

    project.done(&["test", "--runtime", "docker", "--output", "plain", "--", "one_test"]);
    refused(&project, &["the tests ran with arguments"]);

    project.test();
    project.write("note", "not committed");
    refused(&project, &["files differ from the commit", "hint: git commit"]);
    std::fs::remove_file(project.path().join("note")).expect("ours");

    project.change("terraform/envs/rehearsal/release/main.tf", "tasks        = 1", "tasks        = 2");
    project.commit("Change the Terraform files alone");
    refused(&project, &["tested other Terraform files", "tested the commit"]);
    project.git(&["reset", "--hard", "--quiet", "HEAD~1"]);

    project.commit("Another commit");
    refused(&project, &["tested the commit"]);
    project.git(&["reset", "--hard", "--quiet", "HEAD~1"]);

    let file = evidence(&project);
    project.change(&file, "\"PASSED\"", "\"PASSEd\"");
    refused(&project, &["is damaged: its name does not end with the digest of its content"]);
    project.change(&file, "\"PASSEd\"", "\"PASSED\"");
    let plan = project.done(&["promote", "rehearsal", "--plan", "--output", "plain"]);
    assert!(plan.err.contains("add terraform_data.web"), "{}", plan.err);

    project.change("test.sh", "echo \"running 1 test\"", "echo \"running 1 test\"; RELEASE_URL=http://127.0.0.1:9");
    project.commit("Break the test");
    assert_eq!(project.run(&["test", "--runtime", "docker", "--output", "plain"]).code, 1);
    refused(&project, &["1 failed: it_works"]);
    project.git(&["reset", "--hard", "--quiet", "HEAD~1"]);

    project.make(Good, 2);
    project.git(&["reset", "--hard", "--quiet", "HEAD~1"]);
    refused(&project, &["tested another image of web"]);

    project.change("devenv.toml", "[promote.rehearsal]\n", "[promote.rehearsal]\nplatform = \"linux/arm64\"\n");
    project.commit("Release to another platform");
    project.test();
    refused(&project, &["rehearsal runs linux/arm64", "--platform linux/arm64"]);
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn a_mistake_of_the_command_line_or_of_the_machine_is_said() {
    let project = Project::new();
    project.tested(Good, 1);
    let said = |arguments: &[&str], code: i32, words: &str| {
        let ran = project.run(&[arguments, &["--output", "plain"]].concat());
        assert_eq!(ran.code, code, "{}", ran.err);
        assert!(ran.err.contains(words), "{words}: {}", ran.err);
    };
    said(&["promote", "production", "--yes"], 2, "it defines rehearsal, second, third");
    said(&["promote", "rehearsal"], 2, "hint: add --yes");
    said(&["rollback", "rehearsal", "--yes"], 1, "rehearsal has no earlier release");
    project.released();
    let mut without = project.command(&["promote", "rehearsal", "--yes", "--output", "plain"]);
    let ran = Ran::from(without.env("DEVENV_TERRAFORM", "/nonexistent/terraform").output().expect("it starts"));
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(ran.err.contains("install Terraform"), "{}", ran.err);
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn a_tag_that_another_image_has_stops_a_promotion() {
    let project = Project::new();
    project.tested(Good, 1);
    let url = project.released();
    // The tag that is made from the tested image's digest names another image: the live one.
    project.tested(Good, 2);
    let host = url.trim_start_matches("http://").split('/').next().expect("a host").to_owned();
    let id = docker(&["image", "inspect", "--format", "{{.Id}}", project.image()]);
    let archive = project.path().join(".devenv/image.tar");
    docker(&["image", "save", "--output", archive.to_str().expect("UTF-8"), project.image()]);
    let tested = OciImage::read(&std::fs::read(archive).expect("saved").into(), &id).expect("the engine's own archive");
    let live = project.history().into_iter().find(|record| record["outcome"]["is"] == "live").expect("one is live");
    let reference = live["release"]["images"]["web"]["reference"].as_str().expect("a reference").to_owned();
    let other = reference.split('@').nth(1).expect("a digest");
    let manifest = registry(&url, &host, other, &["--header", &format!("accept: {}", tested.media_type())]);
    let media_type = format!("content-type: {}", tested.media_type());
    let tag = tested.digest().replace(':', "-");
    registry(&url, &host, &tag, &["--request", "PUT", "--header", &media_type, "--data-binary", &manifest]);
    refused(&project, &["another image, sha256:"]);
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn what_the_bucket_and_the_registry_hold_can_stop_it() {
    let project = Project::new();
    project.tested(Good, 1);
    let url = project.released();
    project.tested(Good, 2);

    let lock = |until: i64| {
        format!(
            "{{\"version\":1,\"owner\":\"ada@laptop\",\"place\":\"laptop:/orders\",\"promotion\":\"x\",\"since\":1795000000,\"until\":{until}}}"
        )
    };
    // The lock's holder lives and renews it. The holder's clock does not matter.
    let ends = AtomicBool::new(false);
    let held = std::thread::scope(|scope| {
        scope.spawn(|| {
            for until in 1_000.. {
                put(&url, "rehearsal/releases/lock", &lock(until));
                if ends.load(Ordering::SeqCst) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        let held = project.promote();
        ends.store(true, Ordering::SeqCst);
        held
    });
    assert_eq!(held.code, 9, "{}", held.err);
    assert!(held.err.contains("ada@laptop has been promoting to rehearsal since 2026-11-18"), "{}", held.err);

    put(&url, "rehearsal/releases/lock", "{\"version\":2}");
    refused(&project, &["cannot use the lock rehearsal/releases/lock: it has version 2", "hint: a newer devenv"]);

    // The lock's holder was killed: nobody renews the lock, although by the holder's clock it lasts for ever.
    put(&url, "rehearsal/releases/lock", &lock(32_503_680_000));
    let state_lock = |who: &str| {
        format!(
            "{{\"ID\":\"0a-1b\",\"Operation\":\"OperationTypeApply\",\"Info\":\"\",\"Who\":\"{who}\",\"Version\":\"1.11.4\",\"Created\":\"2026-11-18T11:06:40Z\",\"Path\":\"shop-state/rehearsal/release.tfstate\"}}"
        )
    };
    put(&url, "rehearsal/release.tfstate.tflock", &state_lock("ada@laptop"));
    let locked = project.promote();
    assert_eq!(locked.code, 9, "{}", locked.err);
    assert!(
        locked.err.contains("ada@laptop has locked the Terraform state") && locked.err.contains("force-unlock 0a-1b"),
        "{}",
        locked.err
    );
    assert_eq!(project.endings()[0], "nothing_changed");
    // Another folder or container of the same user and host may hold Terraform's lock.
    let owner = project.history()[0]["owner"].as_str().expect("a name").to_owned();
    put(&url, "rehearsal/release.tfstate.tflock", &state_lock(&owner));
    let theirs = project.promote();
    assert_eq!(theirs.code, 9, "{}", theirs.err);
    assert!(theirs.err.contains(&format!("{owner} has locked the Terraform state")), "{}", theirs.err);
    remove(&url, "rehearsal/release.tfstate.tflock");
    project.released();
    assert_eq!(project.edition(&url), Ok(2));

    // A release fails while its predecessor's files are damaged.
    project.tested(Broken, 4);
    let live = project.history().into_iter().find(|record| record["outcome"]["is"] == "live").expect("one is live");
    let id = live["release"]["id"].as_str().expect("an id");
    put(&url, &format!("rehearsal/releases/{id}/terraform.tar"), "damaged");
    let worst = project.promote();
    assert_eq!(worst.code, 8, "{}", worst.err);
    for words in ["the smoke tests failed", "the rollback failed too", "the live release of rehearsal is now uncertain"]
    {
        assert!(worst.err.contains(words), "{words}: {}", worst.err);
    }

    let newest = project.history()[0]["id"].as_str().expect("an id").to_owned();
    put(&url, &format!("rehearsal/releases/{newest}/record.json"), "{");
    refused(&project, &["it is not a record", "hint: restore an earlier version"]);
    let history = project.done(&["history", "rehearsal", "--output", "plain"]);
    assert!(history.out.contains("cannot use the record"), "{}", history.out);
}

#[test]
#[ignore = "needs a container engine, Terraform and REHEARSAL_IMAGE"]
fn another_account_region_or_login_is_refused_before_anything_else() {
    let project = Project::new();
    project.tested(Good, 1);
    let url = project.released();
    let account = |id: &str| {
        let text =
            format!("{{ \"bucket\": \"shop-state\", \"region\": \"eu-west-1\", \"allowed_account_ids\": [\"{id}\"] }}");
        project.write("terraform/envs/dev/account.tfvars.json", &text);
    };
    let settings = std::fs::read_to_string(project.path().join("devenv.toml")).expect("readable");
    let said = |in_settings: &str, variables: &[(&str, &str)], code: i32, words: &str| {
        project.write("devenv.toml", &format!("{settings}[promote.dev]\n{in_settings}\n"));
        let ran = project.promote_dev(&url, variables);
        assert_eq!(ran.code, code, "{}", ran.err);
        assert!(ran.err.contains(words), "{words}: {}", ran.err);
    };
    let key = access_key(&url);
    let login = [("AWS_ACCESS_KEY_ID", key.as_str()), ("AWS_SECRET_ACCESS_KEY", "test")];
    account("123456789012");
    let theirs = "account = \"123456789012\"\nregion = \"eu-west-1\"";
    said(theirs, &login, 6, "the login belongs to account 000000000000, but dev is account 123456789012");
    account("000000000000");
    let ours = "account = \"000000000000\"\nregion = \"eu-west-1\"";
    let elsewhere = [login[0], login[1], ("AWS_REGION", "us-east-1")];
    said(ours, &elsewhere, 6, "the login is for region us-east-1, but dev is in eu-west-1");
    said(ours, &[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")], 4, "hint: log in again");
    said(theirs, &login, 3, "allowed_account_ids is not");
    said("region = \"eu-west-1\"", &login, 3, "[promote.dev] lacks account");
    // The gate comes next, and the tree is dirty.
    said(ours, &login, 6, "files differ from the commit");
}
