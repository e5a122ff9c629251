//! The operations on one kind of resource in one emulator.

use std::collections::BTreeMap;
use std::fmt;

use devenv_model::observed::ObservedResource;
use devenv_model::resource::ResourceKind;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::error::Error;

pub type Answer<'a, T> = BoxFuture<'a, Result<T, Error>>;

/// A provider has the files of its kind; callers pass only names from those files.
pub trait Provider: fmt::Debug + Send + Sync {
    fn kind(&self) -> ResourceKind;
    /// Returns the names of the resources in the files, in the order of their creation.
    fn names(&self) -> Vec<String>;
    /// Returns the existing resources by name and leaves out absent ones.
    fn observe(&self) -> Answer<'_, BTreeMap<String, ObservedResource>>;
    /// Creates the resource and returns when it is usable, or compares the existing resource with its file.
    fn ensure<'a>(&'a self, name: &'a str) -> Answer<'a, ()>;
    /// Inserts the seed items that are absent and returns their number. Leaves existing items unchanged.
    fn seed<'a>(&'a self, name: &'a str) -> Answer<'a, usize>;
    /// Removes the resource with its content and waits until it is gone. An absent resource is no error.
    fn remove<'a>(&'a self, name: &'a str) -> Answer<'a, ()>;
    /// Returns up to `limit` items of the resource, in no order.
    fn dump<'a>(&'a self, name: &'a str, limit: usize) -> Answer<'a, Vec<Value>>;
}
