//! The choice of a port of this machine for each container port.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use devenv_model::functions::FUNCTION_HOST;
use devenv_model::intent::{Binding, Ports};
use devenv_model::transport::Protocol;
use devenv_resources::chosen_emulator::ChosenEmulator;
use devenv_runtime::{Abilities, Emitter, Project, Remembered};
use devenv_supervisor::port_holder::port_holder;
use sha2::{Digest, Sha256};

use crate::desired;
use crate::error::Error;
use crate::snapshot::Snapshot;

/// The searched ports. They are below the kernel's range for outgoing connections, so no connection takes one while a service
/// restarts.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// Chooses, in this order: the running unit's port, the Compose file's port, the last used port, any free port. If the Compose
/// file's port is taken, emits a notice that names its holder.
pub(crate) fn choose(
    project: &Project,
    emulator: &ChosenEmulator,
    snapshot: &Snapshot,
    remembered: &Remembered,
    emitter: &Emitter,
) -> Result<Ports, Error> {
    let Snapshot { observed, held_ports: held, abilities, .. } = snapshot;
    let of_unit = |binding: &Binding| (Some(binding.protocol), binding.host);
    let running = observed.units.values().flat_map(|unit| unit.bindings.iter().map(of_unit));
    // The addresses and protocols of held ports are unknown, so each counts as held at every address.
    let everywhere = |port: &u16| (None, SocketAddr::from((Ipv4Addr::UNSPECIFIED, *port)));
    let mut used: Vec<Used> = running.chain(held.keys().map(everywhere)).collect();
    let mut next = start_of(&project.instance.name);
    let all = wanted(project, emulator, *abilities, emitter);
    let mut chosen = Ports::new();
    for wanted in &all {
        let Wanted { ref unit, container, protocol, address, wish, nth } = *wanted;
        let last = remembered.ports(unit, container).get(nth).copied();
        // A leftover still has its port, and gives it back before anything starts.
        let ours = observed.leftovers.iter().any(|leftover| leftover.unit == *unit);
        let own = observed.units.get(unit).map_or(&[][..], |unit| &unit.bindings);
        let taken_here = chosen.get(unit).map_or(&[][..], Vec::as_slice);
        let is_free = |port: u16| is_free(protocol, SocketAddr::new(address, port), &used);
        let port = if let Some(port) = wanted.running(own, taken_here, last, &all) {
            port
        } else if let Some(port) = wanted.wishes(last).find(|port| (ours && last == Some(*port)) || is_free(*port)) {
            port
        } else {
            let port = match last.filter(|port| ours || is_free(*port)) {
                Some(port) => port,
                None => any_free(&mut next, is_free)?,
            };
            if let Some((first, last)) = wish.filter(|(first, last)| first < last) {
                emitter.notice(format!("the ports {first} to {last} are taken; {unit} uses port {port} instead"));
            } else if let Some((wish, _)) = wish {
                let replica =
                    chosen.iter().find(|(_, bindings)| bindings.iter().any(|other| other.host.port() == wish));
                let holder = replica.map(|(other, _)| other.clone()).or_else(|| held.get(&wish).cloned());
                emitter.notice(taken(unit, wish, port, holder));
            }
            port
        };
        let host = SocketAddr::new(address, port);
        used.push((Some(protocol), host));
        chosen.entry(unit.to_owned()).or_default().push(Binding { container, protocol, host });
    }
    Ok(chosen)
}

/// Whether another program now has a port that was last chosen for this unit, which does not run.
pub(crate) fn are_taken(project: &Project, abilities: Abilities, unit: &str) -> bool {
    let remembered = Remembered::read(&project.state).unwrap_or_default();
    let service = project.manifest.service_of(unit);
    remembered.all_ports(unit).any(|(container, port)| {
        let protocol = desired::protocol(abilities, service, container);
        !is_free(protocol, SocketAddr::new(desired::bound(abilities, service, container), port), &[])
    })
}

/// A port in use, with its protocol if that is known.
type Used = (Option<Protocol>, SocketAddr);

/// A port of a unit that needs a port of this machine.
#[derive(Debug, Clone)]
struct Wanted {
    unit: String,
    container: u16,
    protocol: Protocol,
    /// The number of the unit's earlier ports with the same container port.
    nth: usize,
    address: IpAddr,
    /// The first and the last port of the Compose file's range.
    wish: Option<(u16, u16)>,
}

impl Wanted {
    /// The wished ports, the last used one first.
    fn wishes(&self, last: Option<u16>) -> impl Iterator<Item = u16> {
        let all = self.wish.into_iter().flat_map(|(first, last)| first..=last);
        last.filter(|port| self.wishes_for(*port)).into_iter().chain(all)
    }

    fn wishes_for(&self, port: u16) -> bool {
        self.wish.is_some_and(|(first, last)| (first..=last).contains(&port))
    }

    fn is_beside(&self, other: &Self) -> bool {
        self.unit == other.unit && self.container == other.container && self.nth != other.nth
    }

    /// The running unit's host port for this one: not in `taken`, and not the wish of another port beside it.
    fn running(&self, own: &[Binding], taken: &[Binding], last: Option<u16>, all: &[Self]) -> Option<u16> {
        let of_this = |binding: &&Binding| binding.container == self.container && binding.protocol == self.protocol;
        let has = |bindings: &[Binding], port: u16| {
            bindings.iter().filter(of_this).any(|binding| binding.host.port() == port)
        };
        let open = |port: &u16| has(own, *port) && !has(taken, *port);
        let is_others = |port: &u16| all.iter().any(|other| other.is_beside(self) && other.wishes_for(*port));
        let any = own.iter().filter(of_this).map(|binding| binding.host.port());
        self.wishes(last).find(open).or(last.filter(open)).or_else(|| any.filter(open).find(|port| !is_others(port)))
    }
}

fn wanted(project: &Project, emulator: &ChosenEmulator, abilities: Abilities, emitter: &Emitter) -> Vec<Wanted> {
    let ephemeral = project.instance.ephemeral;
    let mut wanted = Vec::new();
    for port in emulator.ports(&project.manifest) {
        let wish = port.wish.filter(|_| !ephemeral).map(|port| (port, port));
        let address = desired::bound(abilities, None, port.container);
        let (unit, protocol) = (port.unit.to_owned(), Protocol::Tcp);
        wanted.push(Wanted { unit, container: port.container, protocol, nth: 0, address, wish });
    }
    for container in desired::host_ports(project, abilities) {
        let address = desired::bound(abilities, None, container);
        let (unit, protocol) = (FUNCTION_HOST.to_owned(), Protocol::Tcp);
        wanted.push(Wanted { unit, container, protocol, nth: 0, address, wish: None });
    }
    let units = project.manifest.services.values().flat_map(|service| service.units().map(move |unit| (service, unit)));
    for (service, unit) in units {
        for (index, port) in service.ports.iter().enumerate() {
            let nth = service.ports[..index].iter().filter(|earlier| earlier.container == port.container).count();
            if nth > 0 && !abilities.any_address {
                emitter.notice(format!(
                    "{unit} publishes its port {} once: a process binds a port only once",
                    port.container
                ));
                continue;
            }
            let address = if abilities.any_address { port.host_ip } else { desired::LOOPBACK };
            let wish = port.published.zip(port.published_to).filter(|_| !ephemeral);
            // A process binds its port itself, and the supervisor knows no protocol.
            let protocol = if abilities.any_address { port.protocol } else { Protocol::Tcp };
            wanted.push(Wanted { unit: unit.clone(), container: port.container, protocol, nth, address, wish });
        }
        for container in &service.expose {
            if service.ports.iter().all(|port| port.container != *container) {
                let address = desired::LOOPBACK;
                let (unit, protocol) = (unit.clone(), Protocol::Tcp);
                wanted.push(Wanted { unit, container: *container, protocol, nth: 0, address, wish: None });
            }
        }
    }
    wanted
}

/// The port at which the search begins; it depends on the environment, so that two environments seldom collide.
fn start_of(name: &str) -> u16 {
    let digest = Sha256::digest(name);
    let hash = u16::from_be_bytes([digest[0], digest[1]]);
    RANGE.start + hash % (RANGE.end - RANGE.start)
}

fn any_free(next: &mut u16, is_free: impl Fn(u16) -> bool) -> Result<u16, Error> {
    let first = *next;
    for _ in RANGE {
        let port = *next;
        *next = if port + 1 < RANGE.end { port + 1 } else { RANGE.start };
        if is_free(port) {
            return Ok(port);
        }
    }
    Err(Error::NoFreePort { near: first })
}

/// A free port on loopback for something that is no unit. `name` decides where the search begins.
pub fn any_free_port(name: &str) -> Result<u16, Error> {
    any_free(&mut start_of(name), is_port_free)
}

/// Whether nothing on this machine listens at this port on loopback.
pub fn is_port_free(port: u16) -> bool {
    is_free(Protocol::Tcp, SocketAddr::from((Ipv4Addr::LOCALHOST, port)), &[])
}

fn is_free(protocol: Protocol, address: SocketAddr, used: &[Used]) -> bool {
    let is_same = |other: Option<Protocol>| other.is_none_or(|other| other == protocol);
    if used.iter().any(|(other, at)| is_same(*other) && overlap(*at, address)) {
        return false;
    }
    let bound = match protocol {
        Protocol::Tcp => TcpListener::bind(address).map(drop),
        Protocol::Udp => UdpSocket::bind(address).map(drop),
    };
    match bound {
        Ok(()) if protocol == Protocol::Udp => true,
        // Some systems let a program bind beside another program's wildcard address; a connection then shows it.
        Ok(()) => {
            let reached = desired::reached(address);
            TcpStream::connect_timeout(&reached, Duration::from_millis(50)).is_err()
        }
        // Not an address of this machine: another port does not help, and the later bind reports the error.
        Err(error) => error.kind() == ErrorKind::AddrNotAvailable,
    }
}

/// Whether two programs cannot bind both: a wildcard address includes every address.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let (here, there) = (one.ip(), other.ip());
    one.port() == other.port() && (here == there || here.is_unspecified() || there.is_unspecified())
}

fn taken(unit: &str, wish: u16, port: u16, holder: Option<String>) -> String {
    let holder = holder.unwrap_or_else(|| match port_holder(wish) {
        Some(holder) => format!("{} (process {})", holder.program, holder.pid),
        None => "another program".to_owned(),
    });
    format!("port {wish} is held by {holder}; {unit} uses port {port} instead")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_loopback(ports: &[u16]) -> Vec<Binding> {
        ports.iter().map(|port| Binding::on_loopback(80, *port)).collect()
    }

    #[test]
    fn each_binding_of_one_container_port_keeps_what_it_has() {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let (unit, protocol) = ("api".to_owned(), Protocol::Tcp);
        let free = Wanted { unit, container: 80, protocol, nth: 0, address, wish: None };
        let wished = Wanted { nth: 1, wish: Some((8081, 8081)), ..free.clone() };
        let all = [free.clone(), wished.clone()];
        let own = on_loopback(&[8081, 9000]);
        assert_eq!(free.running(&own, &[], None, &all), Some(9000), "8081 is wished for by the other");
        assert_eq!(wished.running(&own, &on_loopback(&[9000]), None, &all), Some(8081));
        assert_eq!(free.running(&on_loopback(&[8081]), &[], None, &all), None, "it has none yet");
        let both = [free.clone(), Wanted { nth: 1, ..free }];
        let own = on_loopback(&[9000, 9001]);
        assert_eq!(both[0].running(&own, &[], Some(9001), &both), Some(9001), "as it was last");
        assert_eq!(both[1].running(&own, &on_loopback(&[9001]), Some(9000), &both), Some(9000));
    }

    #[test]
    fn one_port_at_two_addresses_is_two_ports() {
        let address = |text: &str| text.parse::<SocketAddr>().expect("an address");
        assert!(!overlap(address("127.0.0.1:80"), address("127.0.0.2:80")));
        assert!(!overlap(address("127.0.0.1:80"), address("127.0.0.1:81")));
        assert!(overlap(address("0.0.0.0:80"), address("127.0.0.2:80")));
        let taken = TcpListener::bind("127.0.0.2:0").expect("an address of this machine");
        let there = taken.local_addr().expect("bound");
        assert!(!is_free(Protocol::Tcp, there, &[]));
        assert!(is_free(Protocol::Udp, there, &[]), "another protocol has ports of its own");
        assert!(is_free(Protocol::Tcp, SocketAddr::from((Ipv4Addr::LOCALHOST, there.port())), &[]));
    }

    #[test]
    fn a_range_is_wished_for_from_its_beginning_or_from_the_last_port() {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let (unit, protocol) = ("api".to_owned(), Protocol::Tcp);
        let ranged = Wanted { unit, container: 80, protocol, nth: 0, address, wish: Some((8001, 8003)) };
        let wishes = |last| ranged.wishes(last).collect::<Vec<_>>();
        assert_eq!(wishes(None), [8001, 8002, 8003]);
        assert_eq!(wishes(Some(8002)), [8002, 8001, 8002, 8003]);
        assert_eq!(wishes(Some(9000)), [8001, 8002, 8003], "it was taken then");
    }
}
