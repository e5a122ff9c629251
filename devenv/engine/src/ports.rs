//! Which port of this machine stands for which container port.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use devenv_model::intent::Ports;
use devenv_model::manifest::EmulatorKind;
use devenv_model::unit::EMULATOR;
use devenv_supervisor::port_holder::port_holder;
use sha2::{Digest, Sha256};

use crate::chosen_emulator::ChosenEmulator;
use crate::memory::Remembered;
use crate::runtime::Abilities;
use crate::snapshot::Snapshot;
use crate::{Emitter, Error, Project, desired};

/// Below the range from which the kernel takes the near end of outgoing connections: a port that is free here stays
/// free while a service restarts.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// Keeps what a running unit has, then what the Compose file wishes, then what was used last, then any free port.
/// A wish that cannot be met is told with the name of what has the port: one of those that others hold, or the program that listens.
pub(crate) fn choose(
    project: &Project,
    emulator: &ChosenEmulator,
    snapshot: &Snapshot,
    remembered: &Ports,
    emitter: &Emitter,
) -> Result<Ports, Error> {
    let Snapshot { observed, held_ports: held, abilities, .. } = snapshot;
    let mut chosen = Ports::new();
    let address =
        |unit: &str, container: u16| desired::bound(*abilities, project.manifest.services.get(unit), container);
    let running = observed.units.values().flat_map(|unit| {
        unit.ports.iter().map(|(container, port)| SocketAddr::new(address(&unit.name, *container), *port))
    });
    // Others hold theirs at whatever address it is.
    let everywhere = |port: &u16| SocketAddr::from((Ipv4Addr::UNSPECIFIED, *port));
    let mut used: Vec<SocketAddr> = running.chain(held.keys().map(everywhere)).collect();
    let mut next = start_of(&project.instance.name);
    for (unit, container, wish) in wanted(project, emulator) {
        let address = address(unit, container);
        let running = observed.units.get(unit).and_then(|unit| unit.ports.get(&container).copied());
        let last = remembered.get(unit).and_then(|ports| ports.get(&container).copied());
        // A leftover still has its port, and gives it back before anything starts.
        let ours = observed.leftovers.iter().any(|leftover| leftover.unit == unit);
        let port = if let Some(port) = running {
            port
        } else if let Some(port) =
            wish.filter(|port| (ours && last == Some(*port)) || is_free(SocketAddr::new(address, *port), &used))
        {
            port
        } else {
            let port = match last.filter(|port| ours || is_free(SocketAddr::new(address, *port), &used)) {
                Some(port) => port,
                None => any_free(&mut next, address, &used)?,
            };
            if let Some(wish) = wish {
                emitter.notice(taken(unit, wish, port, held));
            }
            port
        };
        used.push(SocketAddr::new(address, port));
        chosen.entry(unit.to_owned()).or_default().insert(container, port);
    }
    Ok(chosen)
}

/// Whether a port that was last chosen for this unit, which does not run, is somebody else's now.
pub(crate) fn are_taken(project: &Project, abilities: Abilities, unit: &str) -> bool {
    let remembered = Remembered::read(&project.state).unwrap_or_default();
    let service = project.manifest.services.get(unit);
    let is_taken = |(container, port): (&u16, &u16)| {
        !is_free(SocketAddr::new(desired::bound(abilities, service, *container), *port), &[])
    };
    remembered.ports.get(unit).is_some_and(|ports| ports.iter().any(is_taken))
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

fn any_free(next: &mut u16, address: IpAddr, used: &[SocketAddr]) -> Result<u16, Error> {
    let first = *next;
    for _ in RANGE {
        let port = *next;
        *next = if port + 1 < RANGE.end { port + 1 } else { RANGE.start };
        if is_free(SocketAddr::new(address, port), used) {
            return Ok(port);
        }
    }
    Err(Error::NoFreePort { near: first })
}

pub(crate) fn is_free_now(port: u16) -> bool {
    is_free(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), &[])
}

fn is_free(address: SocketAddr, used: &[SocketAddr]) -> bool {
    if used.iter().any(|other| overlap(*other, address)) {
        return false;
    }
    match TcpListener::bind(address).map(drop) {
        // Some systems let a program bind beside another one's wildcard address: then a connection tells.
        Ok(()) => {
            let reached = desired::reached(address.ip(), address.port());
            TcpStream::connect_timeout(&reached, Duration::from_millis(50)).is_err()
        }
        // Not an address of this machine: another port would not help, and who binds it says so.
        Err(error) => error.kind() == ErrorKind::AddrNotAvailable,
    }
}

/// Whether two programs cannot have both: an unspecified address is every address.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let (here, there) = (one.ip(), other.ip());
    one.port() == other.port() && (here == there || here.is_unspecified() || there.is_unspecified())
}

fn taken(unit: &str, wish: u16, port: u16, held: &BTreeMap<u16, String>) -> String {
    let holder = held.get(&wish).cloned().unwrap_or_else(|| match port_holder(wish) {
        Some(holder) => format!("{} (process {})", holder.program, holder.pid),
        None => "another program".to_owned(),
    });
    format!("port {wish} is held by {holder}; {unit} is at {port} instead")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_port_at_two_addresses_is_two_ports() {
        let address = |text: &str| text.parse::<SocketAddr>().expect("an address");
        assert!(!overlap(address("127.0.0.1:80"), address("127.0.0.2:80")));
        assert!(!overlap(address("127.0.0.1:80"), address("127.0.0.1:81")));
        assert!(overlap(address("0.0.0.0:80"), address("127.0.0.2:80")));
        let taken = TcpListener::bind("127.0.0.2:0").expect("an address of this machine");
        let there = taken.local_addr().expect("bound");
        assert!(!is_free(there, &[]));
        assert!(is_free(SocketAddr::from((Ipv4Addr::LOCALHOST, there.port())), &[]));
    }
}
