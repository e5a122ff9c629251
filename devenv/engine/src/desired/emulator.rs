//! The intents of the environment's own emulator.

use std::collections::BTreeMap;
use std::time::Duration;

use devenv_model::artifact::{Artifact, CommandArtifact, CommandInputs};
use devenv_model::container::{ContainerSettings, Mount, Resources, Security};
use devenv_model::intent::{Binding, Lifetime, RestartPolicy, UnitIntent};
use devenv_model::manifest::EmulatorKind;
use devenv_model::unit::{EMULATOR, MESSAGES, Probe};
use devenv_resources::emulator_ports::emulator_ports;
use devenv_runtime::{Error as RuntimeError, OWN_EMULATOR, Project};

use crate::error::Error;
use crate::snapshot::{Caller, Snapshot};

/// The restarts of a crashing container before it is left failed.
const RESTARTS: u32 = 5;
const GRACE: Duration = Duration::from_secs(10);
/// The mount point of the data volume.
pub(super) const DATA: &str = "/data";
pub(super) const MEBIBYTE: u64 = 1024 * 1024;
/// A Java virtual machine takes a quarter of its limit for its heap.
const JAVA_MEMORY: u64 = 1024 * MEBIBYTE;
const PYTHON_MEMORY: u64 = 1024 * MEBIBYTE;
const EMBEDDED_MEMORY: u64 = 512 * MEBIBYTE;
const EMULATOR_PIDS: i64 = 512;

/// The artifact of one of the emulator's units, if units are images.
pub(super) fn image(project: &Project, unit: &str, kind: EmulatorKind) -> Result<Artifact, Error> {
    let settings = &project.manifest.emulator;
    // Queues and topics beside an emulator of tables are ours.
    let kind = if unit == MESSAGES { EmulatorKind::Embedded } else { kind };
    if kind == EmulatorKind::Embedded && settings.image(kind).is_none() {
        let package = settings.embedded_package.as_deref().unwrap_or(OWN_EMULATOR);
        return Ok(Artifact::Cargo { package: package.to_owned() });
    }
    let named = settings.image(kind).ok_or(RuntimeError::NoEmulatorImage { emulator: kind.name() })?;
    Ok(Artifact::Image { reference: named.to_owned() })
}

/// The intent of one of the emulator's units.
pub(super) fn intent(
    project: &Project,
    unit: &str,
    kind: EmulatorKind,
    snapshot: &Snapshot,
    bindings: Vec<Binding>,
) -> Result<UnitIntent, Error> {
    let host = bindings.first().map(|binding| binding.host.port()).unwrap_or_default();
    let url = format!("http://127.0.0.1:{host}");
    if !snapshot.abilities.images {
        let second = bindings.get(1).map(|binding| format!("127.0.0.1:{}", binding.host.port()));
        let artifact = own_program(project, &snapshot.caller, host, second.as_deref());
        let probe = Probe::Http { url: format!("{url}/") };
        return Ok(plain(unit, artifact, probe, bindings));
    }
    let ports: Vec<_> = emulator_ports(&project.manifest, kind).into_iter().filter(|port| port.unit == unit).collect();
    let port = ports.first().map_or(kind.port(), |port| port.container);
    let second = ports.get(1).map(|port| format!("0.0.0.0:{}", port.container));
    let moved = (port != kind.port()).then(|| port.to_string());
    let replaced = project.manifest.emulator.replaces.iter().filter(|_| ports.iter().any(|port| port.replaces));
    let intent = UnitIntent {
        aliases: replaced.map(|replaced| replaced.service.clone()).collect(),
        ..plain(unit, image(project, unit, kind)?, Probe::Http { url: url.clone() }, bindings)
    };
    if unit == MESSAGES {
        let tables = format!("{EMULATOR}:{}", kind.port());
        let listen = format!("0.0.0.0:{port}");
        let place = ["--tables-at", &tables, "--messages", "/data/messages.sqlite"];
        return Ok(UnitIntent {
            command: Some(words(&[&["--listen", &listen, "--allow-any-address"], &place[..]].concat())),
            // A request for its root goes to the tables; any answer shows that it runs.
            probe: Probe::Answer { url },
            container: hardened(EMBEDDED_MEMORY, Some(Mount::volume(MESSAGES, DATA))),
            ..intent
        });
    }
    let volume = Mount::volume(kind.name(), DATA);
    Ok(match kind {
        EmulatorKind::Embedded => UnitIntent {
            command: Some(words(
                &[
                    &["--listen", &format!("0.0.0.0:{port}"), "--allow-any-address", "--data", "/data/dynamodb.sqlite"],
                    &messages(project, second.as_deref())[..],
                ]
                .concat(),
            )),
            container: hardened(EMBEDDED_MEMORY, Some(volume)),
            ..intent
        },
        EmulatorKind::DynamodbLocal => {
            let program = ["-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar", "-sharedDb"];
            let keeps = !project.instance.ephemeral;
            let data: &[&str] = if keeps { &["-dbPath", DATA] } else { &["-inMemory"] };
            let port = moved.as_ref().map(|port| vec!["-port", port.as_str()]).unwrap_or_default();
            UnitIntent {
                command: Some(words(&[&QUICK_START[..], &program, &port, data].concat())),
                environment: [("DDB_LOCAL_TELEMETRY".to_owned(), "0".to_owned())].into(),
                // It refuses a request without a signature; the refusal shows that it runs.
                probe: Probe::Answer { url },
                // A new volume belongs to root, and the image's own user could not write to it.
                user: keeps.then(|| "0:0".to_owned()),
                // The services have ended before, and the SQLite file survives a kill: an orderly shutdown only costs a third
                // of a second.
                stop_grace_period: Duration::ZERO,
                container: hardened(JAVA_MEMORY, keeps.then_some(volume)),
                ..intent
            }
        }
        EmulatorKind::Localstack => {
            let used = project.manifest.messaging.services();
            let has_stream = project.manifest.tables.iter().any(|table| table.stream().is_some());
            let of_tables = ["dynamodb"].into_iter().chain(has_stream.then_some("dynamodbstreams"));
            let services: Vec<String> = of_tables.chain(used).map(str::to_owned).collect();
            let mut environment = BTreeMap::from([("SERVICES".to_owned(), services.join(","))]);
            environment.insert("DISABLE_EVENTS".to_owned(), "1".to_owned());
            environment.extend(moved.map(|port| ("GATEWAY_LISTEN".to_owned(), format!("0.0.0.0:{port}"))));
            let token = snapshot.caller.localstack_token.clone();
            environment.extend(token.map(|token| (Caller::LOCALSTACK_TOKEN.to_owned(), token)));
            UnitIntent {
                environment,
                probe: Probe::Services { url: format!("{url}/_localstack/health"), services },
                // LocalStack writes to many of its folders, as root.
                container: ContainerSettings {
                    resources: resources(PYTHON_MEMORY),
                    security: Security { security_opt: vec![NO_NEW_PRIVILEGES.to_owned()], ..Security::default() },
                    ..ContainerSettings::default()
                },
                ..intent
            }
        }
    })
}

/// The embedded emulator as a process: this `devenv` program, so nothing has to be found or fetched.
fn own_program(project: &Project, caller: &Caller, port: u16, second: Option<&str>) -> Artifact {
    let mut run = words(&[
        caller.program.as_str(),
        "emulator",
        "--listen",
        &format!("127.0.0.1:{port}"),
        "--data",
        project.state.database().as_str(),
    ]);
    run.extend(words(&messages(project, second)));
    if let Some(file) = &caller.calls {
        run.extend(["--calls".to_owned(), file.clone()]);
    }
    let inputs = CommandInputs::Files(vec![caller.program.clone()]);
    Artifact::Command(CommandArtifact { inputs, run, ..CommandArtifact::default() })
}

/// The arguments for queues and topics: their port if they have one. A replaced emulator's clients may ask for anything at the only port.
fn messages<'a>(project: &Project, second: Option<&'a str>) -> Vec<&'a str> {
    match second {
        Some(address) => vec!["--listen-messages", address],
        None if project.manifest.emulator.replaces.is_none() => vec!["--tables-only"],
        None => Vec::new(),
    }
}

/// A unit of devenv's own, without settings of a container.
pub(super) fn plain(unit: &str, artifact: Artifact, probe: Probe, bindings: Vec<Binding>) -> UnitIntent {
    UnitIntent {
        name: unit.to_owned(),
        service: unit.to_owned(),
        aliases: Vec::new(),
        artifact,
        entrypoint: None,
        command: None,
        environment: BTreeMap::new(),
        bindings,
        probe,
        healthcheck: None,
        container: ContainerSettings::default(),
        user: None,
        labels: BTreeMap::new(),
        stop_grace_period: GRACE,
        lifetime: Lifetime::LongLived { restart: RestartPolicy::OnFailure { times: RESTARTS } },
        runs_under_init: false,
    }
}

fn resources(memory: u64) -> Resources {
    Resources { memory: Some(memory), pids: Some(EMULATOR_PIDS), ..Resources::default() }
}

pub(super) fn hardened(memory: u64, data: Option<Mount>) -> ContainerSettings {
    ContainerSettings {
        resources: resources(memory),
        security: Security {
            read_only: true,
            cap_drop: vec!["ALL".to_owned()],
            security_opt: vec![NO_NEW_PRIVILEGES.to_owned()],
            ..Security::default()
        },
        mounts: [Mount::memory("/tmp")].into_iter().chain(data).collect(),
        ..ContainerSettings::default()
    }
}

const NO_NEW_PRIVILEGES: &str = "no-new-privileges:true";

/// Options for a fast start of DynamoDB Local: a person waits for it, and it runs for minutes only. They select the quick
/// compiler, skip bytecode verification (the image is pinned), begin with a heap that needs no early collection, and turn off
/// JMX, which is not used. The Java virtual machine ignores unknown options.
const QUICK_START: [&str; 6] = [
    "-XX:+IgnoreUnrecognizedVMOptions",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:-BytecodeVerificationRemote",
    "-Xms256m",
    "-Dlog4j2.disable.jmx=true",
];

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use devenv_fakes::FakeProject;
    use devenv_model::messaging::Queue;
    use devenv_model::observed::Observed;
    use devenv_runtime::Abilities;

    use super::*;

    fn images() -> Snapshot {
        Snapshot {
            observed: Observed::default(),
            held_ports: BTreeMap::new(),
            abilities: Abilities { images: true, network: true, any_address: true },
            caller: Caller { program: "/bin/devenv".into(), calls: None, localstack_token: Some("secret".to_owned()) },
        }
    }

    /// The intent of an emulator whose port is 4000 on this machine.
    fn of(project: &Project, kind: EmulatorKind, snapshot: &Snapshot) -> UnitIntent {
        let bindings = vec![Binding::on_loopback(kind.port(), 4000)];
        intent(project, EMULATOR, kind, snapshot, bindings).expect("its image is named")
    }

    /// A project that names an image for every emulator.
    fn project() -> (FakeProject, Project) {
        let fake = FakeProject::new();
        let settings = fake.settings();
        fake.write(
            "devenv.toml",
            &format!("{settings}\n[emulator.localstack]\nimage = \"localstack/localstack:4.14.0\"\n[emulator.embedded]\npackage = \"emulator\"\n"),
        );
        let project = fake.load();
        (fake, project)
    }

    fn declare_queue(project: &mut Project) {
        let (file, definition) = ("queues/work.json".into(), serde_json::Value::Null);
        project.manifest.messaging.queues =
            vec![Queue { name: "work".to_owned(), file, dead_letter: None, definition }];
    }

    fn command(intent: &UnitIntent) -> String {
        intent.command.as_ref().expect("its own").join(" ")
    }

    #[test]
    fn queues_have_a_port_of_their_own_or_a_unit_beside_dynamodb_local() {
        let (_fake, mut project) = project();
        assert!(command(&of(&project, EmulatorKind::Embedded, &images())).ends_with("--tables-only"));
        declare_queue(&mut project);
        let embedded = of(&project, EmulatorKind::Embedded, &images());
        assert!(command(&embedded).ends_with("--listen-messages 0.0.0.0:9324"), "{embedded:?}");
        assert!(!command(&of(&project, EmulatorKind::DynamodbLocal, &images())).contains("messages"));
        let bindings = vec![Binding::on_loopback(9324, 4001)];
        let beside =
            intent(&project, MESSAGES, EmulatorKind::DynamodbLocal, &images(), bindings.clone()).expect("ours");
        assert_eq!(beside.name, MESSAGES);
        assert_eq!(beside.artifact, Artifact::Cargo { package: "emulator".to_owned() });
        assert!(
            command(&beside).contains("--listen 0.0.0.0:9324")
                && command(&beside).contains("--tables-at emulator:8000")
        );
        assert!(beside.container.mounts.contains(&Mount::volume(MESSAGES, "/data")));
        // Clients of a replaced service have one port for all services.
        project.manifest.emulator.replaces =
            Some(devenv_model::manifest::Replaced { service: "aws".to_owned(), port: None });
        let embedded = of(&project, EmulatorKind::Embedded, &images());
        assert!(command(&embedded).ends_with("--data /data/dynamodb.sqlite"), "{embedded:?}");
        let beside = intent(&project, MESSAGES, EmulatorKind::DynamodbLocal, &images(), bindings).expect("ours");
        assert_eq!(beside.aliases, ["aws"]);
        assert_eq!(of(&project, EmulatorKind::DynamodbLocal, &images()).aliases, [""; 0]);
    }

    #[test]
    fn dynamodb_local_keeps_its_data_in_a_volume_and_a_test_run_keeps_none() {
        let (_fake, mut project) = project();
        let kept = of(&project, EmulatorKind::DynamodbLocal, &images());
        let command = kept.command.expect("its own").join(" ");
        assert!(command.ends_with("-sharedDb -dbPath /data"), "{command}");
        assert_eq!(kept.container.mounts.iter().filter(|mount| mount.is_volume()).count(), 1);
        assert_eq!(kept.user.as_deref(), Some("0:0"));
        let security = &kept.container.security;
        assert!(security.read_only && security.cap_drop == ["ALL"]);
        // It refuses requests without a signature, so its readiness is any answer.
        assert_eq!(kept.probe, Probe::Answer { url: "http://127.0.0.1:4000".to_owned() });
        project.instance.ephemeral = true;
        let lost = of(&project, EmulatorKind::DynamodbLocal, &images());
        assert!(lost.command.expect("its own").join(" ").ends_with("-sharedDb -inMemory"));
        assert!(lost.user.is_none() && !lost.container.mounts.iter().any(Mount::is_volume));
    }

    #[test]
    fn localstack_is_ready_when_its_dynamodb_is_and_alone_gets_the_token() {
        let (_fake, mut project) = project();
        let localstack = of(&project, EmulatorKind::Localstack, &images());
        assert_eq!(localstack.environment[Caller::LOCALSTACK_TOKEN], "secret");
        assert_eq!(localstack.environment["SERVICES"], "dynamodb");
        let url = "http://127.0.0.1:4000/_localstack/health".to_owned();
        assert_eq!(localstack.probe, Probe::Services { url, services: vec!["dynamodb".to_owned()] });
        let settings = &localstack.container;
        assert!(!settings.security.read_only && settings.resources.memory.is_some());
        for kind in [EmulatorKind::Embedded, EmulatorKind::DynamodbLocal] {
            assert!(!of(&project, kind, &images()).environment.contains_key(Caller::LOCALSTACK_TOKEN), "{kind:?}");
        }
        let nobody = Snapshot { caller: Caller::default(), ..images() };
        assert!(!of(&project, EmulatorKind::Localstack, &nobody).environment.contains_key(Caller::LOCALSTACK_TOKEN));
        declare_queue(&mut project);
        assert_eq!(of(&project, EmulatorKind::Localstack, &images()).environment["SERVICES"], "dynamodb,sqs");
    }

    #[test]
    fn an_emulator_that_replaces_a_service_has_its_name_and_port() {
        let (_fake, mut project) = project();
        let host_ip = std::net::Ipv4Addr::LOCALHOST.into();
        let protocol = devenv_model::transport::Protocol::Tcp;
        let port =
            devenv_model::manifest::Port { container: 9000, protocol, published: None, published_to: None, host_ip };
        let service = "dynamo".to_owned();
        project.manifest.emulator.replaces = Some(devenv_model::manifest::Replaced { service, port: Some(port) });
        project.manifest.emulator.embedded_package = None;
        for (kind, expected) in
            [(EmulatorKind::Embedded, "--listen 0.0.0.0:9000"), (EmulatorKind::DynamodbLocal, "-port 9000")]
        {
            let intent = of(&project, kind, &images());
            assert_eq!(intent.aliases, ["dynamo"]);
            let command = intent.command.expect("its own").join(" ");
            assert!(command.contains(expected), "{command}");
        }
        let embedded = of(&project, EmulatorKind::Embedded, &images());
        assert_eq!(embedded.artifact, Artifact::Cargo { package: OWN_EMULATOR.to_owned() }, "nothing else is named");
        let localstack = of(&project, EmulatorKind::Localstack, &images());
        assert_eq!(localstack.environment["GATEWAY_LISTEN"], "0.0.0.0:9000");
    }

    #[test]
    fn the_embedded_emulator_is_an_image_of_its_package_or_this_program() {
        let (_fake, project) = project();
        let image = of(&project, EmulatorKind::Embedded, &images());
        assert_eq!(image.artifact, Artifact::Cargo { package: "emulator".to_owned() });
        assert!(image.command.expect("its own").join(" ").contains("--listen 0.0.0.0:8000 --allow-any-address"));
        let caller = Caller { calls: Some("/tmp/calls".to_owned()), ..images().caller };
        let processes =
            Snapshot { abilities: Abilities { images: false, network: false, any_address: false }, caller, ..images() };
        let Artifact::Command(CommandArtifact { run, inputs: CommandInputs::Files(inputs), .. }) =
            of(&project, EmulatorKind::Embedded, &processes).artifact
        else {
            panic!("a program");
        };
        assert_eq!((inputs[0].as_str(), run[1].as_str()), ("/bin/devenv", "emulator"));
        assert!(run.join(" ").contains("--listen 127.0.0.1:4000"), "loopback only: {run:?}");
        assert!(run.join(" ").ends_with("--calls /tmp/calls"), "{run:?}");
    }

    #[test]
    fn an_emulator_without_an_image_is_named() {
        let fake = FakeProject::new();
        let error = image(&fake.load(), EMULATOR, EmulatorKind::Localstack).expect_err("none is named");
        assert!(matches!(error, Error::Runtime(RuntimeError::NoEmulatorImage { emulator: "localstack" })), "{error}");
    }
}
