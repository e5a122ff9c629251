//! AWS behind the engine's promotion traits: the only crate that names its interfaces for identities, objects, images,
//! services, load balancers and logs.

mod connect;
mod emulated;
mod error;
mod http;
mod identity;
mod objects;
mod registry;
mod release_probe;
mod repository;
mod services;

pub use connect::Aws;
pub use release_probe::HttpProbe;
