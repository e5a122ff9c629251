//! The guard of an emulated AWS: its container, and the login that it lets in.
//!
//! The guard alone is given the engine's socket and a place on the network; the emulator shares its network namespace and
//! listens on its loopback. What it lets through is decided in `devenv-guard`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_containers::container::{BindMount, ContainerSpec, PublishedPort};
use devenv_containers::engine::ContainerEngine;
use devenv_containers::images::Images;
use devenv_containers::scope::Scope;
use devenv_engine::{EMULATOR_IMAGE, Emitter, Project};
use devenv_model::event::Event;
use devenv_model::intent::RestartPolicy;
use devenv_model::manifest::{EmulatorKind, Limits};
use devenv_model::unit::Probe;
use devenv_resources::endpoint::Endpoint;
use devenv_supervisor::files;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cloud::{CloudAddress, EmulatedLogin, ServiceNeeds};
use crate::emulated_aws::{HOST, PORT, REGION, fetch};
use crate::error::Error;
use crate::place::random;

/// The port that is published; tasks have the emulator's own.
pub(crate) const OUTSIDE: u16 = 4565;
/// What the emulator takes for the engine, on the loopback that it shares with its guard.
const ENGINE: u16 = 2375;
pub(crate) const ENGINE_ADDRESS: &str = "tcp://127.0.0.1:2375";
/// Where the engine's socket is seen in the container, and on machines whose engine is in a virtual one.
const SOCKET: &str = "/var/run/docker.sock";
/// On the containers of tasks alone, which are all that the emulator may ask about.
const TASK: &str = "devenv.task";
/// What the engine is about to do for the emulator is done by then.
const GRACE: Duration = Duration::from_secs(5);
const MEMORY: u64 = 256 * 1024 * 1024;
const PIDS: i64 = 256;

/// An emulated AWS that runs, and the one login that its guard lets in.
#[derive(Debug, Clone)]
pub(crate) struct EmulatedAws {
    pub(crate) endpoint: Endpoint,
    pub(crate) login: EmulatedLogin,
}

impl EmulatedAws {
    pub(crate) fn address(self) -> CloudAddress {
        CloudAddress::Emulated { endpoint: self.endpoint, region: REGION.to_owned(), login: self.login }
    }

    /// Has the guard let everybody through to the load balancers of these services, which are there.
    pub(crate) async fn open(&self, services: &BTreeMap<String, ServiceNeeds>) -> Result<(), Error> {
        let client = reqwest::Client::builder().no_proxy().build().expect("plain HTTP needs nothing of the machine");
        for ServiceNeeds { load_balancer: name, .. } in services.values() {
            let asked = client.put(format!("{}/_guard/balancers/{name}", self.endpoint));
            let answer = asked.bearer_auth(&self.login.access_key).send().await;
            if let Err(error) = answer.and_then(reqwest::Response::error_for_status) {
                let cause = format!("its guard does not open the load balancer {name}: {error}");
                return Err(Error::Rehearsal { cause, log: Vec::new() });
            }
        }
        Ok(())
    }
}

/// The login as it is kept beside the rehearsal, for its user alone.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptLogin {
    version: u32,
    access_key: String,
    secret_key: String,
}

fn place(folder: &Utf8Path) -> Utf8PathBuf {
    folder.join("login.json")
}

/// The login of the rehearsal that was started last; `None` where none can be read.
pub(crate) fn kept_login(folder: &Utf8Path) -> Option<EmulatedLogin> {
    let text = std::fs::read(place(folder)).ok()?;
    let kept: KeptLogin = serde_json::from_slice(&text).ok().filter(|kept: &KeptLogin| kept.version == 1)?;
    Some(EmulatedLogin { access_key: kept.access_key, secret_key: kept.secret_key })
}

/// Makes a new random login and keeps it in `folder`, readable by its owner only.
pub(crate) fn new_login(folder: &Utf8Path) -> Result<EmulatedLogin, Error> {
    let path = place(folder);
    let kept = || -> std::io::Result<EmulatedLogin> {
        // Letters first: twelve digits would be an account.
        let login = EmulatedLogin { access_key: format!("devenv{}", random::<16>()?), secret_key: random::<24>()? };
        let kept = KeptLogin { version: 1, access_key: login.access_key.clone(), secret_key: login.secret_key.clone() };
        files::replace_private(&path, &serde_json::to_vec(&kept)?)?;
        Ok(login)
    };
    kept().map_err(|source| devenv_engine::Error::State { path: path.clone(), source }.into())
}

/// The image of the guard: the embedded emulator's, which has it as a second program. Built where that one is.
pub(crate) async fn image(
    project: &Project,
    engine: &Arc<dyn ContainerEngine>,
    emitter: &Emitter,
) -> Result<String, Error> {
    let emulator = &project.manifest.emulator;
    let Some(package) = &emulator.embedded_package else {
        let named = emulator.image(EmulatorKind::Embedded).unwrap_or(EMULATOR_IMAGE).to_owned();
        fetch(engine.as_ref(), &named, emitter).await?;
        return Ok(named);
    };
    let images = Images::new(engine.clone(), project, None);
    let packages = [package.clone()];
    let mut known = images.known(&packages).await?.ids;
    if let Some(id) = known.remove(package) {
        return Ok(id);
    }
    emitter.notice(format!("building {package}, which guards the emulated AWS"));
    let progress = |line| emitter.emit(Event::StageProgress { line, detail: true });
    let mut built = images.build(&packages, &progress).await?;
    built.remove(package).ok_or_else(|| devenv_engine::Error::NoImage { package: package.clone() }.into())
}

/// `address` is the engine's, `port` the one of this machine that is published.
pub(crate) fn spec(scope: &Scope, address: &str, image: String, port: u16, login: &EmulatedLogin) -> ContainerSpec {
    let socket = address.strip_prefix("unix://").filter(|path| Utf8Path::new(path).exists()).unwrap_or(SOCKET);
    let mut labels = scope.labels();
    labels.insert(TASK.to_owned(), scope.state().to_owned());
    let settings = json!({
        "container": scope.container("guard"),
        "prefix": scope.instance,
        "labels": labels,
        "host": HOST,
        "registry": format!("127.0.0.1:{port}"),
        "key": login.access_key,
        "ports": { "outside": OUTSIDE, "tasks": PORT, "engine": ENGINE, "emulator": PORT },
    });
    ContainerSpec {
        name: HOST.to_owned(),
        image,
        entrypoint: None,
        command: Some(vec!["guard".to_owned()]),
        // Not in its command line, which everybody on this machine may read.
        environment: [("DEVENV_GUARD".to_owned(), settings.to_string())].into(),
        ports: vec![PublishedPort { container: OUTSIDE, host: port, host_ip: IpAddr::V4(Ipv4Addr::LOCALHOST) }],
        probe: Probe::Started,
        stop_grace_period: GRACE,
        // The socket's owner.
        user: Some("0:0".to_owned()),
        limits: Limits {
            memory: Some(MEMORY),
            pids: Some(PIDS),
            read_only: true,
            cap_drop: vec!["ALL".to_owned()],
            security_opt: vec!["no-new-privileges:true".to_owned()],
            ..Limits::default()
        },
        healthcheck: None,
        volume: None,
        binds: vec![BindMount { source: socket.to_owned(), target: SOCKET.to_owned() }],
        labels: BTreeMap::new(),
        restart: RestartPolicy::No,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn every_rehearsal_has_a_login_of_its_own_that_its_user_alone_can_read() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let folder = Utf8Path::from_path(folder.path()).expect("UTF-8");
        assert_eq!(kept_login(folder), None);
        let first = new_login(folder).expect("writable");
        assert_eq!(kept_login(folder).as_ref(), Some(&first));
        let mode = std::fs::metadata(place(folder)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = new_login(folder).expect("writable");
        assert!(first.access_key != second.access_key && first.secret_key != second.secret_key);
        assert_eq!((second.access_key.len(), second.secret_key.len()), (38, 48));
        std::fs::write(place(folder), r#"{"version":2,"access_key":"a","secret_key":"b"}"#).expect("writable");
        assert_eq!(kept_login(folder), None, "of a newer version");
    }
}
