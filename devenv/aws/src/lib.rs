//! Implements `devenv-cloud`'s traits over AWS's API. No other crate links AWS's SDKs for identities, objects, images, services,
//! load balancers and logs.

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
