//! The chosen emulator and its address.

use devenv_model::intent::Ports;
use devenv_model::manifest::EmulatorKind;
use devenv_model::unit::EMULATOR;
use devenv_resources::endpoint::Endpoint;
use devenv_runtime::Abilities;

use crate::error::Error;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChosenEmulator {
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
    /// The emulator's address on this machine.
    pub(crate) fn endpoint(&self, ports: &Ports) -> Result<Endpoint, Error> {
        match self {
            Self::Outside(endpoint) => Ok(endpoint.clone()),
            Self::Absent => Ok(Endpoint::parse(NOWHERE)?),
            Self::Own(_) => {
                let port = ports.get(EMULATOR).and_then(|bindings| bindings.first());
                let port = port.map(|binding| binding.host.port()).unwrap_or_default();
                Ok(Endpoint::parse(&format!("http://127.0.0.1:{port}"))?)
            }
        }
    }

    /// The emulator's address for the units of a runtime.
    pub(crate) fn seen_by_units(&self, abilities: Abilities, ports: &Ports) -> Result<String, Error> {
        match self {
            // On a network of their own, units have another loopback.
            Self::Outside(endpoint) if abilities.network => Err(Error::OutOfReach { endpoint: endpoint.to_string() }),
            Self::Own(kind) if abilities.network => {
                let port = ports.get(EMULATOR).and_then(|bindings| bindings.first());
                Ok(format!("http://{EMULATOR}:{}", port.map_or(kind.port(), |binding| binding.container)))
            }
            Self::Outside(_) | Self::Own(_) | Self::Absent => Ok(self.endpoint(ports)?.to_string()),
        }
    }
}
