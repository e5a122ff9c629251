//! The chosen emulator, its units and its addresses.

use devenv_model::addresses::Addresses;
use devenv_model::intent::Ports;
use devenv_model::manifest::{EmulatorKind, Manifest};

use crate::emulator_ports::{EmulatorPort, emulator_ports, emulator_units, on_loopback, on_network};
use crate::endpoint::Endpoint;
use crate::error::Error;

/// The emulator that an environment uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChosenEmulator {
    /// A unit of the environment.
    Own(EmulatorKind),
    /// An emulator outside this environment.
    Outside(Endpoint),
    /// The project does not use AWS.
    Absent,
}

/// The address of an absent emulator: nothing listens on the port for discarded data, and no request leaves the machine.
const NOWHERE: &str = "http://127.0.0.1:9";

impl ChosenEmulator {
    /// The ports of this environment's own emulator.
    pub fn ports(&self, manifest: &Manifest) -> Vec<EmulatorPort> {
        match self {
            Self::Own(kind) => emulator_ports(manifest, *kind),
            Self::Outside(_) | Self::Absent => Vec::new(),
        }
    }

    /// The units of this environment's own emulator.
    pub fn units(&self, manifest: &Manifest) -> Vec<&'static str> {
        match self {
            Self::Own(kind) => emulator_units(manifest, *kind),
            Self::Outside(_) | Self::Absent => Vec::new(),
        }
    }

    /// The emulator's addresses on this machine.
    pub fn endpoints(&self, ports: &Ports) -> Result<Addresses<Endpoint>, Error> {
        Ok(match self {
            Self::Outside(endpoint) => Addresses::single(endpoint.clone()),
            Self::Absent => Addresses::single(Endpoint::parse(NOWHERE)?),
            Self::Own(_) => {
                let Addresses { tables, messages } = on_loopback(ports);
                Addresses { tables: Endpoint::parse(&tables)?, messages: Endpoint::parse(&messages)? }
            }
        })
    }

    /// The emulator's addresses for units, which may have a network of their own.
    pub fn seen_by_units(&self, have_network: bool, ports: &Ports) -> Result<Addresses, Error> {
        match self {
            // On a network of their own, units have another loopback.
            Self::Outside(endpoint) if have_network => Err(Error::OutOfReach { endpoint: endpoint.to_string() }),
            Self::Own(kind) if have_network => Ok(on_network(ports, *kind)),
            Self::Outside(_) | Self::Own(_) | Self::Absent => Ok(self.endpoints(ports)?.urls()),
        }
    }
}
