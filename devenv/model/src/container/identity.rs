use serde::Serialize;

/// The names of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The engine's name of the container, instead of one that begins with the environment's.
    pub container_name: Option<String>,
    pub hostname: Option<String>,
    pub domainname: Option<String>,
}
