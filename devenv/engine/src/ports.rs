//! Which port of this machine stands for which container port.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use devenv_model::manifest::EmulatorKind;
use devenv_model::observed::Observed;
use devenv_model::unit::EMULATOR;
use sha2::{Digest, Sha256};

use crate::choice::ChosenEmulator;
use crate::{Emitter, Error, Project, host};

/// Below the range from which the kernel takes the near end of outgoing connections: a port that is free here stays
/// free while a service restarts.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// Unit, container port, host port.
pub(crate) type Ports = BTreeMap<String, BTreeMap<u16, u16>>;

/// Keeps what a running unit has, then what the Compose file wishes, then what was used last, then any free port.
/// A wish that cannot be met is told with the name of what has the port: one of `held`, or the program that listens.
pub(crate) fn choose(
    project: &Project,
    emulator: &ChosenEmulator,
    observed: &Observed,
    held: &BTreeMap<u16, String>,
    remembered: &Ports,
    emitter: &Emitter,
) -> Result<Ports, Error> {
    let mut chosen = Ports::new();
    let mut used: BTreeSet<u16> = observed.units.values().flat_map(|unit| unit.ports.values().copied()).collect();
    used.extend(held.keys());
    let mut next = start_of(&project.instance.name);
    for (unit, container, wish) in wanted(project, emulator) {
        let running = observed.units.get(unit).and_then(|unit| unit.ports.get(&container).copied());
        let last = remembered.get(unit).and_then(|ports| ports.get(&container).copied());
        // A leftover still has its port, and gives it back before anything starts.
        let ours = observed.leftovers.iter().any(|leftover| leftover.unit == unit);
        let port = if let Some(port) = running {
            port
        } else if let Some(port) = wish.filter(|port| (ours && last == Some(*port)) || is_free(*port, &used)) {
            port
        } else {
            let port = match last.filter(|port| ours || is_free(*port, &used)) {
                Some(port) => port,
                None => any_free(&mut next, &used)?,
            };
            if let Some(wish) = wish {
                emitter.notice(taken(unit, wish, port, held));
            }
            port
        };
        used.insert(port);
        chosen.entry(unit.to_owned()).or_default().insert(container, port);
    }
    Ok(chosen)
}

/// Whether a port that was last chosen for this unit, which does not run, is somebody else's now.
pub(crate) fn are_taken(project: &Project, unit: &str) -> bool {
    let remembered = project.state.remembered().unwrap_or_default();
    let chosen = remembered.ports.get(unit);
    chosen.is_some_and(|ports| ports.values().any(|port| !is_free_now(*port)))
}

fn wanted<'a>(project: &'a Project, emulator: &ChosenEmulator) -> Vec<(&'a str, u16, Option<u16>)> {
    let ephemeral = project.instance.ephemeral;
    let mut wanted = Vec::new();
    if let ChosenEmulator::Own(kind) = emulator {
        // Other tools look for these two at the ports that they are known by.
        let usual = (*kind != EmulatorKind::Embedded && !ephemeral).then(|| kind.port());
        wanted.push((EMULATOR, kind.port(), usual));
    }
    for service in project.manifest.services.values() {
        for port in &service.ports {
            wanted.push((&service.name, port.container, port.published.filter(|_| !ephemeral)));
        }
        for container in &service.expose {
            if service.ports.iter().all(|port| port.container != *container) {
                wanted.push((&service.name, *container, None));
            }
        }
    }
    wanted
}

/// Two environments begin their search at different places, so that they seldom meet.
fn start_of(instance: &str) -> u16 {
    let digest = Sha256::digest(instance);
    let hash = u16::from_be_bytes([digest[0], digest[1]]);
    RANGE.start + hash % (RANGE.end - RANGE.start)
}

fn any_free(next: &mut u16, used: &BTreeSet<u16>) -> Result<u16, Error> {
    let first = *next;
    for _ in RANGE {
        let port = *next;
        *next = if port + 1 < RANGE.end { port + 1 } else { RANGE.start };
        if is_free(port, used) {
            return Ok(port);
        }
    }
    Err(Error::NoFreePort { near: first })
}

pub(crate) fn is_free_now(port: u16) -> bool {
    is_free(port, &BTreeSet::new())
}

fn is_free(port: u16, used: &BTreeSet<u16>) -> bool {
    if used.contains(&port) {
        return false;
    }
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    // Some systems let a program bind beside another one's wildcard address: then a connection tells.
    TcpListener::bind(address).is_ok() && TcpStream::connect_timeout(&address, Duration::from_millis(50)).is_err()
}

fn taken(unit: &str, wish: u16, port: u16, held: &BTreeMap<u16, String>) -> String {
    let holder = held.get(&wish).cloned().unwrap_or_else(|| match host::port_holder(wish) {
        Some(holder) => format!("{} (process {})", holder.program, holder.pid),
        None => "another program".to_owned(),
    });
    format!("port {wish} is held by {holder}; {unit} is at {port} instead")
}
