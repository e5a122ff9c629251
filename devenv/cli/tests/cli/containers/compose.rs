//! What a Compose file says about its containers, as a real engine does it.

use serde_json::Value;

use super::engine::{IMAGE, docker, labelled, python_image, required_image};
use crate::folder::{Folder, Ran};
use crate::taken_down::{Kind, TakenDown};

/// A project whose Compose file is the text of a test.
type Project = TakenDown<Composed>;

struct Composed;

impl Kind for Composed {
    const DOWN: &'static [&'static str] = &["down", "--volumes"];
}

impl Project {
    fn new(compose: &str) -> Self {
        let emulator = std::env::var("EMULATOR_IMAGE").unwrap_or_else(|_| IMAGE.to_owned());
        required_image(&emulator);
        let project = Self { folder: Folder::new(), kind: Composed };
        let settings = "version = 1\nname = \"shop\"\ncompose = \"compose.yaml\"\ntables = \"tables\"\n[emulator.embedded]\nimage = ";
        project.write("devenv.toml", &format!("{settings}\"{emulator}\"\n"));
        std::fs::create_dir(project.path().join("tables")).expect("writable");
        project.compose(compose);
        project
    }

    /// Writes the Compose file. `IDLE` stands for a program that waits.
    fn compose(&self, text: &str) {
        let idle = format!(
            "image: {}\n    entrypoint: [sh, -c]\n    command: [\"trap 'exit 0' TERM INT; sleep 600 & wait\"]\n    \
             stop_grace_period: 2s",
            python_image()
        );
        self.write("compose.yaml", &text.replace("IDLE", &idle));
    }

    fn up(&self) -> Ran {
        self.done(&["up", "-d", "--runtime", "docker", "--output", "plain"])
    }

    fn container(&self, unit: &str) -> String {
        self.unit(unit)["container"].as_str().unwrap_or_else(|| panic!("{unit} has no container")).to_owned()
    }

    /// Runs a line of shell in a container.
    fn sh(&self, unit: &str, line: &str) -> String {
        docker(&["exec", &self.container(unit), "sh", "-c", line])
    }

    fn inspect(&self, unit: &str) -> Value {
        let facts: Value = serde_json::from_str(&docker(&["inspect", &self.container(unit)])).expect("JSON");
        facts[0].clone()
    }

    fn things(&self) -> Vec<String> {
        labelled(&self.path().canonicalize().expect("it exists").display().to_string())
    }
}

#[test]
#[ignore = "needs a container engine and an image with Python"]
fn a_volume_keeps_its_data_until_it_is_removed_and_a_path_is_the_projects() {
    let project = Project::new(
        "services:\n  web:\n    IDLE\n    volumes: [\"data:/data\", \"./made:/made\", \"/scratch\", { type: tmpfs, target: \
         /memory, tmpfs: { size: 1m, mode: 01777 } }]\nvolumes: { data: }\n",
    );
    project.up();
    project.sh("web", "echo kept > /data/file; echo seen > /made/file");
    let memory = project.sh("web", "stat -f -c %T /memory; stat -c %a /memory");
    assert_eq!(memory, "tmpfs\n1777");
    assert_eq!(std::fs::read_to_string(project.path().join("made/file")).expect("bound").trim(), "seen");
    project.done(&["down"]);
    let left = project.things();
    assert!(left.iter().all(|thing| thing.starts_with("volume ")), "{left:?}");
    project.up();
    assert_eq!(project.sh("web", "cat /data/file"), "kept");
    assert_eq!(project.done(&["up", "--dry-run"]).out.trim(), "nothing to do");
    project.done(&["down", "--volumes"]);
    assert_eq!(project.things(), Vec::<String>::new());
    project.up();
    assert_eq!(project.sh("web", "ls /data"), "");
}

#[test]
#[ignore = "needs a container engine and an image with Python"]
fn an_external_volume_must_exist_and_is_left_alone() {
    let name = format!("devenv-test-external-{}", std::process::id());
    let project = Project::new(&format!(
        "services:\n  web:\n    IDLE\n    volumes: [\"data:/data\"]\nvolumes: {{ data: {{ external: true, name: {name} }} }}\n"
    ));
    let absent = project.run(&["up", "-d", "--runtime", "docker"]);
    assert_eq!(absent.code, 1, "{}", absent.err);
    assert!(absent.err.contains(&format!("docker volume create {name}")), "{}", absent.err);
    docker(&["volume", "create", &name]);
    project.up();
    project.done(&["down", "--volumes"]);
    assert_eq!(docker(&["volume", "ls", "--quiet", "--filter", &format!("name={name}")]), name);
    docker(&["volume", "rm", &name]);
}

#[test]
#[ignore = "needs a container engine and an image with Python"]
fn networks_separate_services_and_give_them_names() {
    let project = Project::new(
        "services:\n  web:\n    IDLE\n    networks: { front: , back: { aliases: [shop] } }\n  db:\n    IDLE\n    networks: [back]\n  \
         proxy:\n    IDLE\n    networks: [front]\n    links: [\"web:application\"]\n  sidecar:\n    IDLE\n    network_mode: \
         service:web\n  alone:\n    IDLE\n    network_mode: none\nnetworks: { front: , back: { internal: true } }\n",
    );
    project.up();
    let resolves = |unit: &str, name: &str| {
        let line =
            format!("python3 -c 'import socket; socket.gethostbyname(\"{name}\")' 2>/dev/null && echo yes || echo no");
        project.sh(unit, &line) == "yes"
    };
    for (unit, name, expected) in [
        ("web", "db", true),
        ("web", "proxy", true),
        ("db", "shop", true),
        ("db", "proxy", false),
        ("proxy", "db", false),
        ("proxy", "application", true),
        ("sidecar", "db", true),
        ("alone", "web", false),
    ] {
        assert_eq!(resolves(unit, name), expected, "{unit} resolves {name}");
    }
    let reaches = "python3 -c 'import urllib.request as u, urllib.error as e\ntry: u.urlopen(\"http://emulator:8000/\")\nexcept \
                   e.HTTPError: pass'";
    for unit in ["web", "db", "proxy", "sidecar"] {
        project.sh(unit, reaches);
    }
    let before = docker(&["inspect", "--format", "{{.Id}}", &project.container("web")]);
    project.up();
    assert_eq!(docker(&["inspect", "--format", "{{.Id}}", &project.container("web")]), before, "nothing changed");
    // Another description is another network.
    project.change("compose.yaml", "back: { internal: true }", "back: { labels: { a: b } }");
    project.up();
    assert!(resolves("web", "db") && !resolves("db", "proxy"));
    project.done(&["down", "--volumes"]);
    assert_eq!(project.things(), Vec::<String>::new());
}

#[test]
#[ignore = "needs a container engine and an image with Python"]
fn a_secret_is_in_the_container_and_nowhere_else() {
    let mut project = Project::new(
        "services:\n  web:\n    IDLE\n    user: \"1000\"\n    secrets: [password, { source: key, target: app.key, uid: \"1000\", \
         mode: 0400 }]\n    configs: [settings, { source: settings, target: /etc/app/settings.conf }]\n  closed:\n    IDLE\n    \
         read_only: true\n    secrets: [password, key]\nsecrets: { password: { environment: SHOP_PASSWORD }, key: { file: ./key \
         } }\nconfigs: { settings: { content: \"level=debug\" } }\n",
    );
    project.write("key", "the-key");
    let absent = project.run(&["up", "-d", "--runtime", "docker"]);
    assert!(absent.code != 0 && absent.err.contains("SHOP_PASSWORD"), "{}", absent.err);
    project.folder.set("SHOP_PASSWORD", "correct-horse");
    let up = project.run(&["up", "-d", "--runtime", "docker", "--output", "json"]);
    assert_eq!(up.code, 0, "{}{}", up.out, up.err);
    assert_eq!(project.sh("web", "cat /run/secrets/password"), "correct-horse");
    assert_eq!(
        project.sh("web", "cat /run/secrets/app.key; stat -c ' %u %a' /run/secrets/app.key"),
        "the-key 1000 400"
    );
    assert_eq!(project.sh("web", "cat /settings; cat /etc/app/settings.conf"), "level=debuglevel=debug");
    assert_eq!(project.sh("closed", "cat /run/secrets/password /run/secrets/key"), "correct-horsethe-key");
    for unit in ["web", "closed"] {
        let facts = project.inspect(unit).to_string();
        assert!(!facts.contains("correct-horse") && !facts.contains("the-key"), "{facts}");
    }
    assert!(!up.out.contains("correct-horse") && !up.err.contains("correct-horse"), "{}", up.out);
    assert!(project.done(&["up", "--dry-run"]).out.contains("nothing to do"));
    project.folder.set("SHOP_PASSWORD", "battery-staple");
    assert!(project.done(&["up", "--dry-run"]).out.contains("replace web"), "another content is another container");
    project.up();
    assert_eq!(project.sh("web", "cat /run/secrets/password"), "battery-staple");
    project.done(&["down"]);
    assert!(!project.path().join(".devenv/files").exists());
}

#[test]
#[ignore = "needs a container engine and an image with Python"]
fn limits_names_and_rights_are_the_engines() {
    let name = format!("devenv-test-named-{}", std::process::id());
    let project = Project::new(&format!(
        "services:\n  web:\n    IDLE\n    container_name: {name}\n    hostname: shop\n    working_dir: /tmp\n    stop_signal: \
         SIGINT\n    tty: true\n    shm_size: 2m\n    ulimits: {{ nofile: {{ soft: 100, hard: 200 }} }}\n    sysctls: {{ \
         net.core.somaxconn: 123 }}\n    extra_hosts: [\"elsewhere:10.1.2.3\"]\n    group_add: [\"7\"]\n    cpu_shares: 99\n    \
         deploy: {{ resources: {{ limits: {{ cpus: \"0.5\", memory: 64M, pids: 50 }} }} }}\n    ports: \
         [\"127.0.0.1::5353/udp\"]\n    logging: {{ driver: json-file, options: {{ max-size: 1m }} }}\n    pid: host\n"
    ));
    let up = project.up();
    assert!(up.err.contains("web shares the processes of this machine"), "{}", up.err);
    assert_eq!(project.container("web"), name);
    let facts = project.inspect("web");
    let host = &facts["HostConfig"];
    assert_eq!(
        (&host["NanoCpus"], &host["Memory"], &host["PidsLimit"]),
        (&500_000_000.into(), &(64 << 20).into(), &50.into())
    );
    assert_eq!(
        (&host["ShmSize"], &host["CpuShares"], &host["PidMode"]),
        (&(2 << 20).into(), &99.into(), &"host".into())
    );
    assert_eq!(host["LogConfig"]["Config"]["max-size"], "1m");
    assert_eq!((&facts["Config"]["StopSignal"], &facts["Config"]["Tty"]), (&"SIGINT".into(), &true.into()));
    let seen = project.sh(
        "web",
        "hostname; pwd; ulimit -n; cat /proc/sys/net/core/somaxconn; grep elsewhere /etc/hosts | cut -f1; id -G",
    );
    assert_eq!(seen.lines().collect::<Vec<_>>(), ["shop", "/tmp", "100", "123", "10.1.2.3", "0 7"]);
    assert_eq!(project.unit("web")["bindings"][0]["protocol"], "udp");
    project.change("compose.yaml", &name, &format!("{name}-again"));
    project.up();
    assert_eq!(project.container("web"), format!("{name}-again"));
    assert_eq!(docker(&["ps", "--all", "--quiet", "--filter", &format!("name=^{name}$")]), "");
}

#[test]
#[ignore = "needs a container engine and an image with Python"]
fn a_kill_during_the_making_leaves_nothing_that_the_next_command_does_not_find() {
    let project = Project::new(
        "services:\n  web:\n    IDLE\n    networks: [front, back]\n    volumes: [\"data:/data\"]\n    configs: [settings]\nnetworks: { \
         front: , back: }\nvolumes: { data: }\nconfigs: { settings: { content: a } }\n",
    );
    for delay in [150, 300, 450, 600, 800] {
        let mut up = project.command(&["up", "-d", "--runtime", "docker"]).spawn().expect("it starts");
        std::thread::sleep(std::time::Duration::from_millis(delay));
        let _ = up.kill();
        up.wait().expect("it has ended");
        if delay % 300 == 0 {
            project.up();
            assert_eq!(project.sh("web", "cat /settings; ls -d /data"), "a/data");
        }
        project.done(&["down", "--volumes"]);
        assert_eq!(project.things(), Vec::<String>::new(), "killed after {delay} ms");
    }
}
