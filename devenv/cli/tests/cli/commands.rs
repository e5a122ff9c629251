//! Services that are commands, with a build of their own.

use std::process::Stdio;

use crate::folder::{Folder, eventually, signal};
use crate::served::app;
use crate::taken_down::{Kind, TakenDown};

const ADDRESS: &str = r#"("127.0.0.1", int(sys.argv[1]))"#;

/// `web` runs what its build copies; `other` runs its source.
type Commands = TakenDown<Built>;

struct Built;

impl Kind for Built {
    const DOWN: &'static [&'static str] = &["down"];
}

impl Commands {
    fn new() -> Self {
        let mut folder = Folder::new();
        folder.variables.push(("DOCKER_HOST", "unix:///nonexistent/docker.sock".to_owned()));
        let commands = Self { folder, kind: Built };
        let services = ["web", "other"].map(|name| format!("  {name}: {{ image: \"{name}:1\", ports: [\"8000\"] }}\n"));
        commands.write("compose.yaml", &format!("services:\n{}", services.concat()));
        for name in ["web", "other"] {
            commands.write(&format!("{name}/app.py"), &app(ADDRESS));
        }
        commands.write(".gitignore", "*.tmp\nbuilt.py\n");
        commands.settings("echo building >&2; cp app.py built.py");
        commands
    }

    fn settings(&self, build: &str) {
        self.write(
            "devenv.toml",
            &format!(
                "version = 1\nname = \"commands\"\ncompose = \"compose.yaml\"\n[services.web.process]\n\
                 command = [\"python3\", \"-u\", \"built.py\", \"${{port:8000}}\"]\nbuild = [\"sh\", \"-c\", \"{build}\"]\n\
                 inputs = [\"web/**\"]\nworkdir = \"web\"\n[services.other.process]\n\
                 command = [\"python3\", \"-u\", \"other/app.py\", \"${{port:8000}}\"]\ninputs = [\"other/*.py\"]\n\
                 [test]\ncommand = [\"sh\", \"-c\", \"test -n \\\"$OTHER_URL\\\"\"]\n"
            ),
        );
    }

    fn pids(&self) -> [u64; 2] {
        ["web", "other"].map(|name| self.unit(name)["pid"].as_u64().expect("it runs"))
    }
}

#[test]
#[ignore = "needs python3"]
fn a_changed_source_is_served_after_up_and_only_its_service_is_built_and_restarted() {
    let commands = Commands::new();
    let first = commands.up();
    assert!(first.err.contains("web             | building"), "{}", first.err);
    assert!(first.err.contains("emulator none"), "{}", first.err);
    assert_eq!(commands.answers(), ["one", "one"]);
    let before = commands.pids();
    commands.write("web/app.py", &app(ADDRESS));
    commands.write("web/scratch.tmp", "version control ignores it");
    assert!(commands.up().err.contains("unchanged"));

    commands.change("web/app.py", "\"one\"", "\"two\"");
    let plan = commands.done(&["up", "--dry-run"]).out;
    assert!(plan.contains("build web (web/app.py changed)"), "{plan}");
    assert!(plan.contains("replace web (web/app.py changed)") && !plan.contains("other"), "{plan}");
    commands.up();
    assert_eq!(commands.answers(), ["two", "one"]);
    let after = commands.pids();
    assert!(after[0] != before[0] && after[1] == before[1], "{before:?} {after:?}");

    commands.change("other/app.py", "\"one\"", "\"two\"");
    let plan = commands.done(&["up", "--dry-run"]).out;
    assert!(plan.contains("replace other (other/app.py changed)") && !plan.contains("build"), "{plan}");
    commands.up();
    assert_eq!(commands.answer("other"), "two");
    assert_eq!(commands.pids()[0], after[0]);
    commands.done(&["test"]);
    assert!(commands.up().err.contains("unchanged"), "a test run takes nothing from the environment");
}

#[test]
#[ignore = "needs python3"]
fn a_failed_build_leaves_what_runs_alone_and_shows_the_builders_words() {
    let commands = Commands::new();
    commands.up();
    let before = commands.pids();
    commands.settings("echo these are my last words; exit 3");
    commands.change("other/app.py", "\"one\"", "\"two\"");
    let failed = commands.run(&["up", "-d", "--output", "plain"]);
    assert_eq!(failed.code, 1, "{}", failed.err);
    assert!(failed.err.contains("ended with exit code 3"), "{}", failed.err);
    assert!(failed.err.contains("| these are my last words"), "{}", failed.err);
    assert_eq!(commands.pids(), before);
    assert_eq!(commands.answers(), ["one", "one"]);
    commands.settings("cp app.py built.py");
    commands.up();
    assert_eq!(commands.answers(), ["one", "two"]);
}

#[test]
fn a_build_ends_with_its_command_and_a_killed_commands_build_before_the_next() {
    let commands = Commands::new();
    commands.settings("echo $$ > started; sleep 600");
    let started = commands.path().join("web/started");
    let lives = |pid: u64| std::path::Path::new(&format!("/proc/{pid}")).exists();
    let start = || {
        let _ = std::fs::remove_file(&started);
        let mut command = commands.command(&["up", "-d"]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
        let mut pid = None;
        eventually("the build runs", || {
            pid = std::fs::read_to_string(&started).ok().and_then(|text| text.trim().parse::<u64>().ok());
            pid.is_some()
        });
        (child, pid.expect("it runs"))
    };
    let (mut interrupted, build) = start();
    signal(u64::from(interrupted.id()), "INT");
    assert_eq!(interrupted.wait().expect("it ends").code(), Some(130));
    eventually("the build has ended", || !lives(build));
    let (mut killed, build) = start();
    killed.kill().expect("it runs");
    killed.wait().expect("it ends");
    commands.settings("exit 3");
    assert_eq!(commands.run(&["up", "-d"]).code, 1);
    eventually("the build of the killed command has ended", || !lives(build));
}

#[test]
fn without_an_engine_a_project_of_images_is_told_both_remedies() {
    let commands = Commands::new();
    commands.write("devenv.toml", "version = 1\nname = \"commands\"\ncompose = \"compose.yaml\"\n");
    let failed = commands.run(&["up", "-d"]);
    assert_eq!(failed.code, 4, "{}", failed.err);
    assert!(failed.err.contains("no container engine answers"), "{}", failed.err);
    assert!(failed.err.contains("[services.other.process]"), "{}", failed.err);
}
