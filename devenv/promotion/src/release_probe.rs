//! Asks the address of a release which image answers there.

use std::fmt;

use futures_util::future::BoxFuture;

/// Asks a live release for its identity.
pub trait ReleaseProbe: Send + Sync + fmt::Debug {
    /// The image that `/version` at this address reports, or the reason why it reports none.
    fn image<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<String, String>>;
    /// Requests the URL. Any answer but a success is an `Err` that describes it.
    fn answers<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), String>>;
}
