//! The checks, one function each.

use std::fmt::Write;
use std::process::Stdio;

use camino::Utf8Path;
use devenv_supervisor::port_holder::port_holder;
use devenv_supervisor::unwritable::{Unwritable, unwritable};
use tokio::process::Command;

use devenv_artifacts::terraform::terraform_version;
use devenv_databases::choice::choose;
use devenv_databases::server::{Server, on_this_machine};
use devenv_engine::{is_port_free, running_ports};
use devenv_model::database::Database;
use devenv_model::manifest::{Manifest, ProcessRun, ProcessSettings, Service};
use devenv_model::messaging::Messaging;
use devenv_runtime::{About, Found, NoHost, Project, ProjectOptions};

use crate::finding::{Finding, State};

/// The minimum Rust version, as in Cargo.toml.
const RUST: (u32, u32) = (1, 95);
/// Bytes: enough for a build with its dependencies, and for the data.
const FREE_DISK: u64 = 4 << 30;

/// The number of services and of each kind of resource; of a kind other than tables only if there are some.
fn contents(manifest: &Manifest) -> String {
    let Messaging { queues, topics, subscriptions, .. } = &manifest.messaging;
    let mut text = format!("{} services, {} tables", manifest.services.len(), manifest.tables.len());
    let counts = [
        (queues.len(), "queues"),
        (topics.len(), "topics"),
        (subscriptions.len(), "subscriptions"),
        (manifest.databases.len(), "databases"),
    ];
    for (count, noun) in counts {
        if count > 0 {
            let _ = write!(text, ", {count} {noun}");
        }
    }
    text
}

/// Checks everything that devenv needs on this machine.
pub async fn doctor(options: &ProjectOptions) -> Vec<Finding> {
    let project = Project::current(options);
    // Without a Cargo package, devenv compiles nothing of the project.
    let compiles = project.as_ref().map_or(true, compiles);
    let mut findings = if compiles { vec![rust().await, c_compiler().await] } else { Vec::new() };
    let needs_engine = project.as_ref().is_ok_and(needs_engine);
    let database = project.as_ref().ok().and_then(database_here);
    match project {
        Ok(project) => {
            findings.push(Finding::ok("manifest", contents(&project.manifest)));
            findings.push(state_directory(&project.instance.state_dir));
            findings.push(disk(&project.instance.root));
            findings.extend(ports(&project).await);
            if !project.manifest.promote.is_empty() {
                findings.push(terraform().await);
            }
        }
        Err(error) => findings.push(Finding::problem("manifest", error.to_string(), "devenv up --dry-run", false)),
    }
    let engine = container_engine(options, needs_engine).await;
    findings.extend(database.map(|database| judge_server(&database, on_this_machine(), engine.state == State::Ok)));
    findings.push(engine);
    findings.push(credentials());
    findings.push(proxy());
    findings
}

/// Whether Cargo builds a program of the project.
fn compiles(project: &Project) -> bool {
    let is_package = |settings: &ProcessSettings| matches!(settings.run, ProcessRun::Package(_));
    let mut services = project.manifest.services.values();
    project.manifest.emulator.embedded_package.is_some()
        || services.any(|service| service.process.as_ref().is_some_and(is_package))
}

/// Whether a service cannot run as a process.
fn needs_engine(project: &Project) -> bool {
    let is_database = |service: &Service| project.manifest.database(&service.name).is_some();
    project.manifest.services.values().any(|service| service.process.is_none() && !is_database(service))
}

/// The database with the newest PostgreSQL that devenv serves where it runs services as processes.
fn database_here(project: &Project) -> Option<Database> {
    let is_served = |database: &&Database| {
        project.manifest.services.get(&database.name).is_some_and(|service| service.process.is_none())
    };
    project.manifest.databases.iter().filter(is_served).max_by_key(|database| database.major).cloned()
}

/// `has_engine`: whether the database can run in a container instead.
fn judge_server(database: &Database, servers: &[Server], has_engine: bool) -> Finding {
    match choose(servers, database.major, Utf8Path::new(""), None) {
        Ok(server) => Finding::ok("postgresql", format!("PostgreSQL {} in {}", server.version, server.bin)),
        Err(none) if has_engine => {
            let message = format!("{none}; {} runs in a container, and only --runtime process needs it", database.name);
            Finding::warning("postgresql", message, Some(&none.remedy()))
        }
        Err(none) => {
            Finding::problem("postgresql", format!("{none}; {} needs it", database.name), &none.remedy(), false)
        }
    }
}

async fn rust() -> Finding {
    judge_rust(first_line("cargo", &["--version"]).await)
}

/// `version` is the output of `cargo --version`; `None` if there is no Cargo.
fn judge_rust(version: Option<String>) -> Finding {
    let install = "rustup update stable";
    let Some(text) = version else {
        return Finding::problem(
            "rust",
            "cargo is not on the PATH",
            "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh",
            false,
        );
    };
    let version: Vec<u32> = text
        .split_whitespace()
        .nth(1)
        .map(|version| version.split(['.', '-']).filter_map(|part| part.parse().ok()).collect())
        .unwrap_or_default();
    match version[..] {
        [major, minor, ..] if (major, minor) >= RUST => Finding::ok("rust", text),
        _ => Finding::problem("rust", format!("{text}; {}.{} or later is needed", RUST.0, RUST.1), install, false),
    }
}

async fn c_compiler() -> Finding {
    match first_line("cc", &["--version"]).await {
        Some(text) => Finding::ok("c compiler", text),
        None => Finding::problem("c compiler", "cc is not on the PATH; it compiles SQLite", c_install(), false),
    }
}

async fn terraform() -> Finding {
    match terraform_version().await {
        Ok(version) => Finding::ok("terraform", format!("Terraform {version}")),
        Err(error) => Finding::warning("terraform", format!("{error}; only promote needs it"), None),
    }
}

/// The install command for this system's package manager.
fn c_install() -> &'static str {
    if cfg!(target_os = "macos") {
        return "xcode-select --install";
    }
    let has = |program: &str| Utf8Path::new("/usr/bin").join(program).exists();
    if has("dnf") {
        "sudo dnf install -y gcc"
    } else if has("pacman") {
        "sudo pacman -S --noconfirm gcc"
    } else if has("zypper") {
        "sudo zypper install -y gcc"
    } else {
        "sudo apt-get install -y gcc libc6-dev"
    }
}

async fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().await.ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
}

fn state_directory(path: &Utf8Path) -> Finding {
    let probe = path.join(format!(".doctor-{}", std::process::id()));
    let written =
        std::fs::create_dir_all(path).and_then(|()| std::fs::write(&probe, b"")).map(|()| std::fs::remove_file(&probe));
    match written {
        Ok(_) => Finding::ok("state directory", format!("{path} is writable")),
        Err(error) => {
            let (fix, safe) = match unwritable(&probe, &error) {
                Unwritable::Mode => (format!("chmod -R u+rwX '{path}'"), true),
                Unwritable::DiskFull => ("cargo clean".to_owned(), false),
                Unwritable::TooManyFiles => ("ulimit -n 4096".to_owned(), false),
                Unwritable::Foreign(_) | Unwritable::ReadOnly | Unwritable::Other => {
                    ("export DEVENV_STATE_DIR=\"$(mktemp -d)\"".to_owned(), false)
                }
            };
            Finding::problem("state directory", format!("cannot write {path}: {error}"), &fix, safe)
        }
    }
}

fn disk(path: &Utf8Path) -> Finding {
    let Ok(facts) = rustix::fs::statvfs(path.as_std_path()) else {
        return Finding::warning("disk", format!("cannot read the free space at {path}"), None);
    };
    let free = facts.f_bavail.saturating_mul(facts.f_frsize);
    let text = format!("{} GiB free", free >> 30);
    if free >= FREE_DISK {
        Finding::ok("disk", text)
    } else {
        Finding::warning("disk", format!("{text}; a build needs 4 GiB"), Some("cargo clean"))
    }
}

/// One finding per published port: free, this environment's, or held by another program.
async fn ports(project: &Project) -> Vec<Finding> {
    let running = running_ports(project).await;
    let ours: Vec<u16> = running.values().flatten().map(|binding| binding.host.port()).collect();
    let wished =
        project.manifest.services.values().flat_map(|service| service.ports.iter().filter_map(|port| port.published));
    wished
        .map(|port| {
            if ours.contains(&port) {
                return Finding::ok("port", format!("{port} belongs to this environment"));
            }
            match port_holder(port) {
                None if is_port_free(port) => Finding::ok("port", format!("{port} is free")),
                None => {
                    let message = format!("{port} is held by another user's program; up picks a free port instead");
                    Finding::warning("port", message, None)
                }
                Some(holder) => Finding::warning(
                    "port",
                    format!(
                        "{port} is held by {} (process {}); up picks a free port instead",
                        holder.program, holder.pid
                    ),
                    Some(&format!("kill {}", holder.pid)),
                ),
            }
        })
        .collect()
}

async fn container_engine(options: &ProjectOptions, is_needed: bool) -> Finding {
    judge_engine(options.runtimes.find().await.map(|Found { about, .. }| about), is_needed)
}

/// `is_needed`: whether a service runs as a container only.
fn judge_engine(found: Result<About, NoHost>, is_needed: bool) -> Finding {
    match found {
        Ok(about) => {
            Finding::ok("container engine", format!("{} at {} ({})", about.name, about.address, about.chosen_by))
        }
        Err(none) if is_needed => {
            let message = format!("{none}; a service without [services.NAME.process] runs in a container only");
            Finding::problem("container engine", message, &none.remedy, false)
        }
        Err(none) => Finding::warning(
            "container engine",
            format!("{none}; everything runs as processes, and only --runtime docker needs one"),
            Some(&none.remedy),
        ),
    }
}

fn credentials() -> Finding {
    let set: Vec<&str> = ["AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"]
        .into_iter()
        .filter(|name| std::env::var_os(name).is_some())
        .collect();
    if set.is_empty() {
        return Finding::ok("aws", "no credentials are set; local commands need none");
    }
    Finding::ok("aws", format!("{} set; local commands ignore real credentials", set.join(", ")))
}

fn proxy() -> Finding {
    judge_proxy(|name| std::env::var(name).ok())
}

fn judge_proxy(variable: impl Fn(&str) -> Option<String>) -> Finding {
    let set = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"].into_iter().find(|name| variable(name).is_some());
    let excepted =
        ["no_proxy", "NO_PROXY"].into_iter().filter_map(variable).any(|list| list == "*" || list.contains("127.0.0.1"));
    match set {
        Some(name) if !excepted => Finding::warning(
            "proxy",
            format!("{name} is set; curl and SDKs in your shell send loopback requests to that proxy"),
            Some("export NO_PROXY=127.0.0.1,localhost"),
        ),
        _ => Finding::ok("proxy", "no proxy intercepts loopback requests"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use devenv_processes::host::ProcessHost;
    use devenv_runtime::{RuntimeHost, Runtimes};
    use futures_util::future::{BoxFuture, ready};

    use super::*;
    use crate::finding::Fix;

    /// No container engine answers.
    #[derive(Debug)]
    struct Nowhere;

    impl Runtimes for Nowhere {
        fn processes(&self) -> Arc<dyn RuntimeHost> {
            Arc::new(ProcessHost)
        }

        fn find(&self) -> BoxFuture<'_, Result<Found, NoHost>> {
            Box::pin(ready(Err(NoHost::default())))
        }
    }

    /// A project with one published port.
    struct Place(tempfile::TempDir);

    impl Place {
        fn new(port: u16) -> Self {
            let place = Self(tempfile::tempdir().expect("a temporary directory"));
            std::fs::create_dir(place.0.path().join("tables")).expect("writable");
            place.write(
                "devenv.toml",
                "version = 1\nname = \"shop\"\ncompose = \"compose.yaml\"\ntables = \"tables\"\n",
            );
            let ports = format!("ports: [\"127.0.0.1:{port}:80\"]");
            place.write("compose.yaml", &format!("services:\n  api:\n    image: api:1\n    {ports}\n"));
            place
        }

        fn write(&self, file: &str, text: &str) {
            std::fs::write(self.0.path().join(file), text).expect("writable");
        }
    }

    #[tokio::test]
    async fn this_machine_can_build() {
        assert_eq!(rust().await.state, State::Ok);
        assert_eq!(c_compiler().await.state, State::Ok);
    }

    #[test]
    fn a_state_directory_that_cannot_be_made_is_a_problem_with_a_fix() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let file = Utf8Path::from_path(folder.path()).expect("UTF-8").join("file");
        std::fs::write(&file, b"").expect("writable");
        let finding = state_directory(&file.join("state"));
        assert_eq!(finding.state, State::Problem);
        assert!(finding.fix.is_some());
    }

    #[test]
    fn an_old_cargo_is_a_problem_and_a_missing_one_another() {
        let judged = |version: Option<&str>| judge_rust(version.map(str::to_owned));
        assert_eq!(judged(Some("cargo 1.95.0 (f2d3ce0bd 2026-03-21)")).state, State::Ok);
        assert_eq!(judged(Some("cargo 2.0.0-nightly")).state, State::Ok);
        let command = |finding: Finding| finding.fix.map(|fix| fix.command).unwrap_or_default();
        let old = judged(Some("cargo 1.70.0"));
        assert!(old.message.contains("1.95 or later is needed"), "{}", old.message);
        assert_eq!(command(old), "rustup update stable");
        assert!(command(judged(None)).contains("rustup.rs"));
        assert_eq!(judged(Some("cargo")).state, State::Problem);
    }

    #[test]
    fn a_proxy_that_would_get_loopback_requests_is_named() {
        let with = |set: &[(&str, &str)]| {
            judge_proxy(|name| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(with(&[]).state, State::Ok);
        let caught = with(&[("HTTP_PROXY", "http://proxy:3128")]);
        assert_eq!(caught.state, State::Warning);
        assert!(caught.message.starts_with("HTTP_PROXY is set"), "{}", caught.message);
        for list in ["*", "internal,127.0.0.1"] {
            assert_eq!(with(&[("HTTP_PROXY", "http://proxy:3128"), ("no_proxy", list)]).state, State::Ok, "{list}");
        }
    }

    #[test]
    fn an_absent_server_is_a_problem_only_where_nothing_else_can_run_it() {
        let definition = serde_json::Value::Null;
        let (name, file) = ("reports".to_owned(), "databases/reports.json".into());
        let (database, user) = ("reports".to_owned(), "reports".to_owned());
        let database = Database { name, file, major: 15, database, user, definition };
        let server = Server { bin: "/pg/bin".into(), major: 16, version: "16.2".to_owned() };
        assert_eq!(judge_server(&database, &[server], false).state, State::Ok);
        let absent = judge_server(&database, &[], false);
        assert_eq!(absent.state, State::Problem);
        assert!(absent.message.starts_with("PostgreSQL 15 is not installed"), "{}", absent.message);
        assert_eq!(judge_server(&database, &[], true).state, State::Warning);
    }

    async fn findings(place: &Place) -> Vec<Finding> {
        let directory = Utf8Path::from_path(place.0.path()).expect("UTF-8").to_owned();
        let options = ProjectOptions {
            directory,
            compose: devenv_runtime::ComposeOptions::default(),
            state_dir: None,
            ephemeral: false,
            runtimes: Arc::new(Nowhere),
        };
        doctor(&options).await
    }

    fn of<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
        findings.iter().find(|finding| finding.check == check).unwrap_or_else(|| panic!("no {check} in {findings:?}"))
    }

    #[tokio::test]
    async fn a_port_that_another_program_holds_is_named_with_its_holder() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let place = Place::new(port);
        let held = findings(&place).await;
        let held = of(&held, "port");
        let kill = Fix { command: format!("kill {}", std::process::id()), safe: false };
        assert_eq!((held.state, held.fix.as_ref()), (State::Warning, Some(&kill)), "{}", held.message);
        drop(listener);
        // A process that another test is starting has a copy until its exec.
        let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
        let free = Finding::ok("port", format!("{port} is free"));
        loop {
            let found = findings(&place).await;
            if *of(&found, "port") == free {
                break;
            }
            assert!(std::time::Instant::now() < end, "{found:?}");
        }
    }

    #[tokio::test]
    async fn a_compiler_is_needed_only_where_a_package_is_compiled() {
        let place = Place::new(20181);
        let wants_rust = |findings: &[Finding]| findings.iter().any(|finding| finding.check == "rust");
        assert!(!wants_rust(&findings(&place).await));
        place.write(
            "devenv.toml",
            "version = 1\nname = \"shop\"\ncompose = \"compose.yaml\"\ntables = \"tables\"\n\
             [services.api.process]\npackage = \"api\"\n",
        );
        assert!(wants_rust(&findings(&place).await));
    }

    #[tokio::test]
    async fn a_mistake_in_a_file_is_a_problem_and_the_rest_is_looked_at_all_the_same() {
        let place = Place::new(20180);
        let found = findings(&place).await;
        assert_eq!(of(&found, "manifest"), &Finding::ok("manifest", "1 services, 0 tables"));
        assert_eq!(of(&found, "state directory").state, State::Ok);
        place.write("compose.yaml", "services: 7");
        let found = findings(&place).await;
        assert_eq!(of(&found, "manifest").state, State::Problem);
        assert_eq!(of(&found, "container engine").state, State::Warning);
        assert_eq!(of(&found, "rust").state, State::Ok);
    }

    #[tokio::test]
    async fn a_project_without_packages_needs_no_compiler_and_one_without_processes_an_engine() {
        let place = Place::new(20181);
        let found = findings(&place).await;
        assert!(found.iter().all(|finding| finding.check != "rust" && finding.check != "c compiler"), "{found:?}");
        assert_eq!(of(&found, "container engine").state, State::Problem);
        let settings = std::fs::read_to_string(place.0.path().join("devenv.toml")).expect("readable");
        place.write("devenv.toml", &format!("{settings}[services.api.process]\npackage = \"api\"\n"));
        let found = findings(&place).await;
        assert_eq!(of(&found, "rust").state, State::Ok);
        assert_eq!(of(&found, "container engine").state, State::Warning);
    }

    #[test]
    fn a_container_engine_is_named_with_its_address_and_a_missing_one_is_no_obstacle() {
        let about = About {
            name: "Docker 28".to_owned(),
            address: "unix:///run/docker.sock".to_owned(),
            chosen_by: "DOCKER_HOST".to_owned(),
        };
        let found = judge_engine(Ok(about), true);
        assert_eq!(found.message, "Docker 28 at unix:///run/docker.sock (DOCKER_HOST)");
        assert_eq!(judge_engine(Err(NoHost::default()), true).state, State::Problem);
        let absent = judge_engine(Err(NoHost::default()), false);
        assert_eq!(absent.state, State::Warning);
        assert!(absent.message.contains("everything runs as processes"), "{}", absent.message);
    }
}
