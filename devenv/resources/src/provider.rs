//! The operations on one kind of resource in one emulator.

use std::collections::BTreeMap;
use std::fmt;

use devenv_model::observed::ObservedResource;
use devenv_model::resource::{ResourceId, ResourceKind};
use futures_util::future::{BoxFuture, ready};
use serde_json::Value;

use crate::error::Error;
use crate::messaging::depth::Depth;

pub type Answer<'a, T> = BoxFuture<'a, Result<T, Error>>;

/// A provider has the files of its kind; callers pass only names from those files.
pub trait Provider: fmt::Debug + Send + Sync {
    fn kind(&self) -> ResourceKind;
    /// Returns the names of the resources in the files, in the order of their creation.
    fn names(&self) -> Vec<String>;
    /// Returns the resources that must exist before this one.
    fn needs(&self, _name: &str) -> Vec<ResourceId> {
        Vec::new()
    }
    /// Returns the existing resources by name and leaves out absent ones.
    fn observe(&self) -> Answer<'_, BTreeMap<String, ObservedResource>>;
    /// Creates the resource and returns when it is usable. Changes an existing one to match its file, or returns an error if only
    /// a new one can match it.
    fn ensure<'a>(&'a self, name: &'a str) -> Answer<'a, ()>;
    /// Inserts the seed items that are absent and returns their number. Leaves existing items unchanged.
    fn seed<'a>(&'a self, name: &'a str) -> Answer<'a, usize>;
    /// Removes the resource with its content and waits until it is gone. An absent resource is no error.
    fn remove<'a>(&'a self, name: &'a str) -> Answer<'a, ()>;
    /// Returns up to `limit` items of the resource, in no order.
    fn dump<'a>(&'a self, name: &'a str, limit: usize) -> Answer<'a, Vec<Value>>;
    /// Returns the number of messages in the resource; `None` if it is of a kind that holds none.
    fn depth<'a>(&'a self, _name: &'a str) -> Answer<'a, Option<Depth>> {
        Box::pin(ready(Ok(None)))
    }
}
