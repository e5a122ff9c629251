//! AWS behind the engine's promotion traits: the only crate that names its interfaces for identities, objects, images,
//! services, load balancers and logs.

mod connect;
mod emulated;
mod error;
mod identity;
mod objects;
mod registry;
mod services;

pub use connect::Aws;
