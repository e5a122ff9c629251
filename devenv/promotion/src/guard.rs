//! The container of the guard of an emulated AWS.
//!
//! Only the guard has the engine's socket and an address on the network; the emulator shares its network namespace and listens
//! on its loopback. `devenv-guard` decides which requests pass.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_artifacts::bundled;
use devenv_containers::container::{ContainerSpec, PublishedPort};
use devenv_containers::engine::ContainerEngine;
use devenv_containers::images::Images;
use devenv_containers::scope::Scope;
use devenv_engine::runtime::ImageBuild;
use devenv_engine::{EMULATOR_IMAGE, Emitter, OWN_EMULATOR, Project, own_program};
use devenv_model::container::{ContainerSettings, Mount, Resources, Security};
use devenv_model::event::Event;
use devenv_model::manifest::EmulatorKind;
use devenv_model::transport::Protocol;
use serde_json::json;

use crate::cloud::EmulatedLogin;
use crate::emulated_endpoint::{HOST, PORT};
use crate::error::Error;
use crate::pull::pull_if_absent;

/// The published port; tasks use the emulator's own.
pub(crate) const OUTSIDE: u16 = 4565;
/// The emulator finds "the engine" here, on the loopback that it shares with its guard.
const ENGINE: u16 = 2375;
pub(crate) const ENGINE_ADDRESS: &str = "tcp://127.0.0.1:2375";
/// The engine's socket in the container, and on a host whose engine runs in a virtual machine.
const SOCKET: &str = "/var/run/docker.sock";
/// A label of task containers only: the emulator may ask about no others.
const TASK: &str = "devenv.task";
/// Enough for the engine to finish a request of the emulator.
const GRACE: Duration = Duration::from_secs(5);
const MEMORY: u64 = 256 * 1024 * 1024;
const PIDS: i64 = 256;

/// The image of the guard: the embedded emulator's image holds it as a second program, and is built the same way.
pub(crate) async fn image(
    project: &Project,
    engine: &Arc<dyn ContainerEngine>,
    emitter: &Emitter,
) -> Result<String, Error> {
    let emulator = &project.manifest.emulator;
    let is_bundled = |devenv: Utf8PathBuf| bundled::emulator(&devenv).is_some();
    let bundled =
        || (emulator.embedded_image.is_none() && own_program().is_ok_and(is_bundled)).then(|| OWN_EMULATOR.to_owned());
    let Some(package) = &emulator.embedded_package.clone().or_else(bundled) else {
        let named = emulator.image(EmulatorKind::Embedded).unwrap_or(EMULATOR_IMAGE).to_owned();
        pull_if_absent(engine.as_ref(), &named, emitter).await?;
        return Ok(named);
    };
    let images = Images::new(engine.clone(), project, &ImageBuild::default());
    let packages = [package.clone()];
    let mut known = images.known(&packages).await?.ids;
    if let Some(id) = known.remove(package) {
        return Ok(id);
    }
    emitter.notice(format!("building {package}, which contains the guard of the emulated AWS"));
    let progress = |line| emitter.emit(Event::StageProgress { line, detail: true });
    let mut built = images.build(&packages, &progress).await?;
    built.remove(package).ok_or_else(|| devenv_engine::Error::NoImage { package: package.clone() }.into())
}

/// Returns the address of the rehearsal's registry: the guard at its published port.
pub(crate) fn registry(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// `address` is the engine's; `port` is the published port on this machine.
pub(crate) fn spec(scope: &Scope, address: &str, image: &str, port: u16, login: &EmulatedLogin) -> ContainerSpec {
    let socket = address.strip_prefix("unix://").filter(|path| Utf8Path::new(path).exists()).unwrap_or(SOCKET);
    let mut labels = scope.labels();
    labels.insert(TASK.to_owned(), scope.state().to_owned());
    let settings = json!({
        "container": scope.container("guard"),
        "prefix": scope.instance,
        "labels": labels,
        "host": HOST,
        "registry": registry(port),
        "key": login.access_key,
        "ports": { "outside": OUTSIDE, "tasks": PORT, "engine": ENGINE, "emulator": PORT },
    });
    ContainerSpec {
        command: Some(vec!["guard".to_owned()]),
        // Not on the command line, which every user of this machine can read.
        environment: [("DEVENV_GUARD".to_owned(), settings.to_string())].into(),
        ports: vec![PublishedPort {
            container: OUTSIDE,
            protocol: Protocol::Tcp,
            host: port,
            host_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        }],
        stop_grace_period: GRACE,
        // The owner of the socket.
        user: Some("0:0".to_owned()),
        settings: ContainerSettings {
            resources: Resources { memory: Some(MEMORY), pids: Some(PIDS), ..Resources::default() },
            security: Security {
                read_only: true,
                cap_drop: vec!["ALL".to_owned()],
                security_opt: vec!["no-new-privileges:true".to_owned()],
                ..Security::default()
            },
            mounts: vec![Mount::path(socket, SOCKET)],
            ..ContainerSettings::default()
        },
        ..ContainerSpec::new(HOST, image)
    }
}
