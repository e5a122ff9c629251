//! Obligations of an undisturbed environment.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use crate::folder::{eventually, signal};
use crate::project::Project;

#[test]
fn an_unchanged_up_is_a_no_op() {
    let project = Project::new();
    let first = project.json(&["up", "-d"]);
    assert_eq!((&first["ok"], &first["changed"]), (&true.into(), &true.into()), "{first}");
    let before = project.pids();
    let again = project.done(&["up", "-d", "--output", "plain"]);
    assert!(again.err.contains("unchanged"), "{}", again.err);
    assert_eq!(project.pids(), before);
    assert_eq!(project.done(&["up", "--dry-run"]).out.trim(), "nothing to do");
}

#[test]
fn one_changed_service_alone_is_replaced() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    let before = project.pids();
    project.change("compose.yaml", "image: web:1", "image: web:1\n    environment: { COLOUR: blue }");
    let plan = project.done(&["up", "--dry-run"]).out;
    assert!(plan.contains("replace web (configuration changed)"), "{plan}");
    project.done(&["up", "-d"]);
    let after = project.pids();
    assert_eq!((after[0], after[2]), (before[0], before[2]));
    assert_ne!(after[1], before[1]);
}

#[test]
fn a_service_is_stopped_started_and_restarted_while_the_others_run() {
    let project = Project::new();
    let early = project.run(&["restart", "web"]);
    assert_eq!(early.code, 1, "{}", early.err);
    assert!(early.err.contains("is not running") && early.err.contains("hint: devenv up -d"), "{}", early.err);
    project.done(&["up", "-d"]);
    let before = project.pids();
    let stopped = project.done(&["stop", "web", "--output", "plain"]);
    assert_eq!(stopped.out.trim(), "stopped web");
    assert!(stopped.err.contains("stop web"), "{}", stopped.err);
    assert_eq!(project.unit("web")["state"], "stopped");
    assert_eq!(project.done(&["stop", "web"]).out.trim(), "stopped already");
    assert_eq!(project.json(&["start"])["changed"], serde_json::json!(["web"]));
    assert_eq!(project.json(&["restart", "web"])["changed"], serde_json::json!(["web"]));
    let after = project.pids();
    assert_eq!((after[0], after[2]), (before[0], before[2]), "nothing else changed");
    assert_eq!(project.unit("web")["state"], "ready");
    project.done(&["stop", "web"]);
    let plan = project.done(&["up", "--dry-run"]).out;
    assert!(plan.contains("start web (not running)"), "{plan}");
    let unknown = project.run(&["restart", "wb"]);
    assert_eq!(unknown.code, 2, "{}", unknown.err);
}

#[test]
fn logs_are_filtered_by_time_and_pattern_and_show_their_times() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    let read = |arguments: &[&str]| project.done(&[&["logs", "--output", "plain"], arguments].concat()).out;
    let all = read(&["emulator"]);
    assert!(!all.is_empty());
    let timed = read(&["emulator", "--timestamps", "--since", "10m"]);
    assert_eq!(timed.lines().count(), all.lines().count());
    let first = timed.lines().next().expect("a line").split("| ").nth(1).expect("a text").split(' ').next();
    let age = jiff::Timestamp::now().duration_since(first.expect("a time").parse().expect("RFC 3339"));
    assert!(age.as_secs() < 600, "{timed}");
    assert_eq!(read(&["emulator", "--grep", "^no line begins so$"]), "");
    assert_eq!(read(&["--since", "2099-01-01T00:00:00Z"]), "");
}

#[test]
fn down_leaves_nothing_and_keeps_the_data() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    project.done(&["down"]);
    project.nothing_is_left();
    assert!(project.path().join(".devenv/data/dynamodb.sqlite").exists());
    assert_eq!(project.unit("web")["state"], "stopped");
    let again = project.done(&["down", "--volumes"]);
    assert!(again.out.contains("nothing was running; removed the data"), "{}", again.out);
    assert!(!project.path().join(".devenv/data").exists());
}

#[test]
fn two_copies_run_side_by_side_and_a_taken_port_is_named() {
    let (one, two) = (Project::new(), Project::new());
    for project in [&one, &two] {
        project.change("compose.yaml", "[\"80\"]", "[\"127.0.0.1:19480:80\"]");
    }
    one.done(&["up", "-d"]);
    assert_eq!(one.unit("web")["url"], "http://127.0.0.1:19480");
    let second = two.done(&["up", "-d", "--output", "plain"]);
    let holder = format!("port 19480 is held by devenv (process {})", one.pid("web"));
    assert!(second.err.contains(&holder), "{}", second.err);
    one.done(&["down"]);
    assert_eq!(two.unit("web")["state"], "ready");
}

#[test]
fn a_strangers_port_is_replaced_and_its_holder_named() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let project = Project::new();
    project.change("compose.yaml", "[\"80\"]", &format!("[\"{port}:80\"]"));
    let up = project.done(&["up", "-d", "--output", "plain"]);
    assert!(up.err.contains(&format!("port {port} is held by")), "{}", up.err);
    assert!(up.err.contains(&format!("(process {})", std::process::id())), "{}", up.err);
    assert_ne!(project.unit("web")["url"], format!("http://127.0.0.1:{port}"));
}

#[test]
fn seeds_put_what_is_absent_and_reset_returns_to_them() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    assert_eq!(project.json(&["seed"])["put"]["items"], 0);
    assert_eq!(project.json(&["reset"])["put"]["items"], 2);
    project.done(&["down"]);
    project.write("seeds/items.json", r#"[{ "id": { "S": "a" } }, { "id": { "S": "b" } }, { "id": { "S": "c" } }]"#);
    project.done(&["up", "-d"]);
    assert_eq!(project.json(&["seed"])["put"]["items"], 0, "up has put the third one");
    project.write("seeds/items.json", r#"[{ "id": { "S": "d" } }]"#);
    assert_eq!(project.json(&["seed"])["put"]["items"], 1);
}

#[test]
fn a_table_that_differs_is_reported_and_reset_rebuilds_it() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    let table = std::fs::read_to_string(project.path().join("tables/items.json")).expect("readable");
    project.write("tables/items.json", &table.replace("\"id\"", "\"sku\""));
    project.write("seeds/items.json", r#"[{ "sku": { "S": "a" } }]"#);
    let up = project.run(&["up", "-d", "--output", "plain"]);
    assert_eq!(up.code, 1, "{up:?}");
    assert!(up.err.contains("partition key is sku in the file, id in the table"), "{}", up.err);
    assert!(up.err.contains("devenv reset"), "{}", up.err);
    project.done(&["reset"]);
    project.done(&["up", "-d"]);
}

#[test]
fn the_variables_work_in_a_shell() {
    let project = Project::new();
    assert_eq!(project.run(&["env"]).code, 1, "nothing runs yet");
    project.done(&["up", "-d"]);
    let script = project.done(&["env"]).out + "\necho \"$AWS_ENDPOINT_URL $WEB_URL [$AWS_PROFILE]\"";
    let shell = Command::new("sh").args(["-c", &script]).env("AWS_PROFILE", "production").output().expect("a shell");
    let words = String::from_utf8_lossy(&shell.stdout).into_owned();
    assert!(words.starts_with("http://127.0.0.1:") && words.trim().ends_with("[]"), "{words}");
}

#[test]
fn no_service_is_given_real_credentials() {
    let project = Project::new();
    project.change("compose.yaml", "image: web:1", "image: web:1\n    environment: [AWS_SECRET_ACCESS_KEY]");
    let mut up = project.command(&["up", "-d"]);
    let up = up.env("AWS_PROFILE", "production").env("AWS_SECRET_ACCESS_KEY", "real").env("SECRET", "real");
    assert!(up.output().expect("the program starts").status.success());
    for unit in ["emulator", "web"] {
        let environment = std::fs::read(format!("/proc/{}/environ", project.pid(unit))).expect("our own process");
        let environment = String::from_utf8_lossy(&environment).into_owned();
        assert!(!environment.contains("real") && !environment.contains("production"), "{environment}");
    }
}

#[test]
fn tests_run_in_an_environment_of_their_own() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    let before = project.pids();
    let mut test = project.command(&["test", "--output", "json"]);
    let test = test.env("AWS_PROFILE", "production").output().expect("the program starts");
    assert_eq!(test.status.code(), Some(0), "{}", String::from_utf8_lossy(&test.stdout));
    assert_eq!(project.pids(), before);
    assert!(project.path().join(".devenv/junit.xml").exists());
    let folders = std::fs::read_dir(project.path().join(".devenv/test")).expect("made by the run").count();
    assert_eq!(folders, 0, "the environment of the tests is removed");
}

#[test]
fn red_tests_keep_a_bundle_and_exit_1() {
    let project = Project::new();
    project.change("devenv.toml", "test -n", "echo it broke; false && test -n");
    assert_eq!(project.run(&["test"]).code, 1);
    let test = project.json(&["test"]);
    assert_eq!((&test["ok"], &test["failed"]), (&false.into(), &1.into()), "{test}");
    let bundle = std::path::PathBuf::from(test["bundle"].as_str().expect("a bundle"));
    for file in ["output.txt", "tests.json", "items-items.json", "logs/emulator.log"] {
        assert!(bundle.join(file).exists(), "{file} is not in the bundle");
    }
    project.nothing_is_left();
}

#[test]
fn logs_are_shown_and_followed() {
    let project = Project::new();
    let wrapped = "command = [\"sh\", \"-c\", \"echo hello from web; exec \\\"$@\\\"\", \"sh\", \"";
    project.change("devenv.toml", "command = [\"", wrapped);
    project.done(&["up", "-d"]);
    eventually("the line is in the log", || project.done(&["logs", "web"]).out.contains("hello from web"));
    assert_eq!(project.run(&["logs", "nobody"]).code, 2);
    let mut follow = project.command(&["logs", "-f"]);
    let mut follow = follow.stdout(Stdio::piped()).spawn().expect("the program starts");
    let mut first = [0; 1];
    std::io::Read::read_exact(follow.stdout.as_mut().expect("piped"), &mut first).expect("a line is shown");
    signal(u64::from(follow.id()), "INT");
    assert_eq!(follow.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_port_taken_after_it_was_chosen_is_chosen_anew() {
    let project = Project::new();
    project.change("compose.yaml", "[\"80\"]", "[\"127.0.0.1:19481:80\"]");
    // `web` waits for `back`, which is slow: another program takes the port first.
    let slow = "command = [\"sh\", \"-c\", \"touch begun; while [ ! -e go ]; do sleep 0.01; done; exec \\\"$@\\\"\", \"sh\", \"";
    let settings = std::fs::read_to_string(project.path().join("devenv.toml")).expect("readable");
    let (head, back) = settings.split_at(settings.find("[services.back]").expect("it is there"));
    project.write("devenv.toml", &(head.to_owned() + &back.replacen("command = [\"", slow, 1)));
    let mut up = project.start(&["up", "-d"]);
    eventually("back has begun", || project.path().join("begun").exists());
    let thief = TcpListener::bind("127.0.0.1:19481").expect("web does not run yet");
    project.write("go", "");
    assert_eq!(up.wait().expect("it ends").code(), Some(0));
    assert_eq!(project.unit("web")["state"], "ready");
    assert_ne!(project.unit("web")["url"], "http://127.0.0.1:19481");
    drop(thief);
}

#[test]
fn up_proposes_a_test_run_where_the_project_has_a_test() {
    let project = Project::new();
    assert!(project.done(&["up", "-d"]).out.contains("devenv test"));
    project.change("devenv.toml", "[test]\ncommand", "# [test]\n# command");
    let next = project.done(&["up", "-d"]).out;
    assert!(next.contains("next: devenv logs -f, devenv down"), "{next}");
}
