//! Asks the address of a release which image answers there.

use std::fmt;

use futures_util::future::BoxFuture;

/// Asks a live release for its identity.
pub trait ReleaseProbe: Send + Sync + fmt::Debug {
    /// The image that `/version` at this address reports, or the reason why it reports none.
    fn image<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<String, String>>;
    /// Whether this URL answers with a success, or what it answers.
    fn answers<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), String>>;
}
