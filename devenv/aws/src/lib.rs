//! Implements `devenv-cloud`'s traits over AWS's API. No other crate links AWS's SDKs for identities, objects, images, services,
//! load balancers and logs.

mod connect;
mod emulated;
mod error;
mod identity;
mod objects;
mod registry;
mod services;

pub use connect::Aws;
