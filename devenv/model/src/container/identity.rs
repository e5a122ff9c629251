use serde::Serialize;

/// The names of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The container's name in the engine; by default, it begins with the environment's name.
    pub container_name: Option<String>,
    pub hostname: Option<String>,
    pub domainname: Option<String>,
}
