//! The units and ports of an emulator, and the addresses that follow from them.

use devenv_model::addresses::Addresses;
use devenv_model::intent::{Binding, Ports, binding_of};
use devenv_model::manifest::{EmulatorKind, Manifest};
use devenv_model::messaging::PORT;
use devenv_model::unit::{EMULATOR, MESSAGES};

/// A port of one of devenv's own emulators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmulatorPort {
    pub unit: &'static str,
    pub container: u16,
    /// The port of this machine that other programs expect.
    pub wish: Option<u16>,
    /// Whether it stands in for the service that the emulator replaces.
    pub replaces: bool,
}

/// The ports of an emulator of this kind, the tables' first. Queues and topics have another one where a project declares some, so that
/// requests for tables take no detour; the clients of a replaced service have one port for everything.
pub fn emulator_ports(manifest: &Manifest, kind: EmulatorKind) -> Vec<EmulatorPort> {
    let emulator = &manifest.emulator;
    let has_messages = !manifest.messaging.is_empty();
    // Other tools expect DynamoDB Local and LocalStack on their usual ports.
    let usual = (kind != EmulatorKind::Embedded).then(|| kind.port());
    let tables = EmulatorPort { unit: EMULATOR, container: kind.port(), wish: usual, replaces: false };
    let apart = match kind {
        EmulatorKind::DynamodbLocal if has_messages => Some(MESSAGES),
        EmulatorKind::Embedded if has_messages && emulator.replaces.is_none() => Some(EMULATOR),
        _ => None,
    };
    let apart = apart.map(|unit| EmulatorPort { unit, container: PORT, wish: None, replaces: false });
    let mut ports: Vec<EmulatorPort> = [tables].into_iter().chain(apart).collect();
    if let (Some(replaced), Some(port)) = (&emulator.replaces, ports.last_mut()) {
        port.replaces = true;
        if let Some(replaced) = replaced.port {
            (port.container, port.wish) = (replaced.container, replaced.published.or(port.wish));
        }
    }
    ports
}

/// The units of an emulator of this kind.
pub fn emulator_units(manifest: &Manifest, kind: EmulatorKind) -> Vec<&'static str> {
    let mut units: Vec<_> = emulator_ports(manifest, kind).into_iter().map(|port| port.unit).collect();
    units.dedup();
    units
}

/// The addresses of an emulator on this machine.
pub fn on_loopback(ports: &Ports) -> Addresses {
    let url = |binding: Option<&Binding>| {
        format!("http://127.0.0.1:{}", binding.map(|binding| binding.host.port()).unwrap_or_default())
    };
    Addresses { tables: url(tables(ports)), messages: url(messages(ports).map(|(_, binding)| binding)) }
}

/// The addresses of an emulator on the network of its containers.
pub fn on_network(ports: &Ports, kind: EmulatorKind) -> Addresses {
    let url = |unit: &str, port: u16| format!("http://{unit}:{port}");
    let tables = url(EMULATOR, tables(ports).map_or(kind.port(), |binding| binding.container));
    let messages = messages(ports).map(|(unit, binding)| url(unit, binding.container));
    Addresses { messages: messages.unwrap_or_else(|| tables.clone()), tables }
}

fn tables(ports: &Ports) -> Option<&Binding> {
    let bindings = ports.get(EMULATOR)?;
    bindings.iter().find(|binding| binding.container != PORT).or(bindings.first())
}

fn messages(ports: &Ports) -> Option<(&'static str, &Binding)> {
    let of_unit = ports.get(MESSAGES).and_then(|bindings| Some((MESSAGES, bindings.first()?)));
    let second = || ports.get(EMULATOR).and_then(|bindings| Some((EMULATOR, binding_of(bindings, PORT)?)));
    of_unit.or_else(second).or_else(|| Some((EMULATOR, tables(ports)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(ports: &[(&str, &[(u16, u16)])]) -> (Addresses, Addresses) {
        let bindings = |of: &[(u16, u16)]| of.iter().map(|(one, other)| Binding::on_loopback(*one, *other)).collect();
        let ports: Ports = ports.iter().map(|(unit, of)| ((*unit).to_owned(), bindings(of))).collect();
        (on_loopback(&ports), on_network(&ports, EmulatorKind::Embedded))
    }

    fn urls(tables: &str, messages: &str) -> Addresses {
        Addresses { tables: format!("http://{tables}"), messages: format!("http://{messages}") }
    }

    #[test]
    fn messages_are_at_the_tables_address_at_another_port_or_in_another_unit() {
        for (ports, here, there) in [
            (&[("emulator", &[(8000, 1)][..])][..], ("127.0.0.1:1", "127.0.0.1:1"), ("emulator:8000", "emulator:8000")),
            (
                &[("emulator", &[(8000, 1), (9324, 2)])],
                ("127.0.0.1:1", "127.0.0.1:2"),
                ("emulator:8000", "emulator:9324"),
            ),
            (
                &[("emulator", &[(8000, 1)]), ("emulator-messages", &[(9324, 2)])],
                ("127.0.0.1:1", "127.0.0.1:2"),
                ("emulator:8000", "emulator-messages:9324"),
            ),
            // A replaced service may have that very port.
            (&[("emulator", &[(9324, 1)])], ("127.0.0.1:1", "127.0.0.1:1"), ("emulator:9324", "emulator:9324")),
        ] {
            assert_eq!(addresses(ports), (urls(here.0, here.1), urls(there.0, there.1)), "{ports:?}");
        }
    }
}
