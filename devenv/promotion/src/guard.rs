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
use devenv_model::container::{ContainerSettings, Mount, Resources, Security};
use devenv_model::event::Event;
use devenv_model::manifest::EmulatorKind;
use devenv_model::transport::Protocol;
use devenv_rehearsal::account::{HOST, PORT};
use devenv_runtime::{Emitter, ImageBuild, OWN_EMULATOR, Project, own_program};
use serde_json::json;

use crate::cloud::EmulatedLogin;
use crate::error::Error;
use crate::pull::pull_if_absent;

/// The published port; tasks use the emulator's own.
pub(crate) const OUTSIDE: u16 = 4565;
/// The emulator finds "the engine" here, on the loopback that it shares with its guard.
const ENGINE: u16 = 2375;
pub(crate) const ENGINE_ADDRESS: &str = "tcp://127.0.0.1:2375";
/// The engine's socket in the container, and on a host whose engine runs in a virtual machine.
const SOCKET: &str = "/var/run/docker.sock";
/// The argument of the emulator's program.
const OF_EMULATOR: &str = "guard";
/// The argument of `devenv-promote`.
pub const OWN_GUARD: &str = "emulated-aws-guard";
/// A label of task containers only: the emulator may ask about no others.
const TASK: &str = "devenv.task";
/// Enough for the engine to finish a request of the emulator.
const GRACE: Duration = Duration::from_secs(5);
const MEMORY: u64 = 256 * 1024 * 1024;
const PIDS: i64 = 256;

/// An image with the guard in it, and the argument by which its program is the guard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GuardImage {
    pub(crate) image: String,
    argument: &'static str,
}

/// The image of the guard: the embedded emulator's image holds it as a second program, and is built the same way. A project without
/// such an image gets one of this program.
pub(crate) async fn image(
    project: &Project,
    engine: &Arc<dyn ContainerEngine>,
    emitter: &Emitter,
) -> Result<GuardImage, Error> {
    let images = Images::new(engine.clone(), project, &ImageBuild::default());
    let progress = |line| emitter.emit(Event::StageProgress { line, detail: true });
    let emulator = |image: String| GuardImage { image, argument: OF_EMULATOR };
    let settings = &project.manifest.emulator;
    let is_bundled = |devenv: Utf8PathBuf| bundled::beside(&devenv, bundled::EMULATOR).is_some();
    let bundled =
        || (settings.embedded_image.is_none() && own_program().is_ok_and(is_bundled)).then(|| OWN_EMULATOR.to_owned());
    let Some(package) = &settings.embedded_package.clone().or_else(bundled) else {
        let Some(named) = settings.image(EmulatorKind::Embedded) else {
            return Ok(GuardImage { image: images.own_guard(&progress).await?, argument: OWN_GUARD });
        };
        pull_if_absent(engine.as_ref(), named, emitter).await?;
        return Ok(emulator(named.to_owned()));
    };
    let packages = [package.clone()];
    let mut known = images.known(&packages).await?.ids;
    if let Some(id) = known.remove(package) {
        return Ok(emulator(id));
    }
    emitter.notice(format!("building {package}, which contains the guard of the emulated AWS"));
    let mut built = images.build(&packages, &progress).await?;
    let id = built.remove(package).ok_or_else(|| devenv_runtime::Error::NoImage { package: package.clone() })?;
    Ok(emulator(id))
}

/// Returns the address of the rehearsal's registry: the guard at its published port.
pub(crate) fn registry(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// `address` is the engine's; `port` is the published port on this machine.
pub(crate) fn spec(
    scope: &Scope,
    address: &str,
    image: &GuardImage,
    port: u16,
    login: &EmulatedLogin,
) -> ContainerSpec {
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
        command: Some(vec![image.argument.to_owned()]),
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
        ..ContainerSpec::new(HOST, &image.image)
    }
}
