//! The keys of Compose, for a reader that must decide about every one of them.

use crate::keys::{
    CONFIG, DEPLOY, FILE, FILE_MOUNT, MOUNT, NETWORK, PORT, SECRET, SERVICE_KEYS, SERVICE_NETWORK, VOLUME,
};
use crate::shape::{Keys, Shape};

/// A mapping of a Compose file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    File,
    Service,
    Deploy,
    Port,
    ServiceVolume,
    ServiceNetwork,
    /// A secret or a config of a service.
    ServiceFile,
    Network,
    Volume,
    Secret,
    Config,
}

/// Returns every key that the Compose Specification has in a section.
pub fn known_keys(section: Section) -> Vec<&'static str> {
    let keys = match section {
        Section::File => of(FILE),
        Section::Service => SERVICE_KEYS,
        Section::Deploy => DEPLOY,
        Section::Port => PORT,
        Section::ServiceVolume => MOUNT,
        Section::ServiceNetwork => SERVICE_NETWORK,
        Section::ServiceFile => FILE_MOUNT,
        Section::Network => of(NETWORK),
        Section::Volume => of(VOLUME),
        Section::Secret => of(SECRET),
        Section::Config => of(CONFIG),
    };
    keys.iter().map(|(key, _)| *key).collect()
}

fn of(shape: Shape) -> Keys {
    match shape {
        Shape::Object(keys) => keys,
        _ => &[],
    }
}
