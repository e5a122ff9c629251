//! What is asked of one kind of resource of one emulator.

use std::collections::BTreeMap;
use std::fmt;

use devenv_model::observed::ObservedResource;
use devenv_model::resource::ResourceKind;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::error::Error;

pub type Answer<'a, T> = BoxFuture<'a, Result<T, Error>>;

/// It knows the files of its kind, and is given names out of them only.
pub trait Provider: fmt::Debug + Send + Sync {
    fn kind(&self) -> ResourceKind;
    /// Of everything that the files describe, in the order in which it is made.
    fn names(&self) -> Vec<String>;
    /// What is there of it, by name. A resource that does not exist is not in the answer.
    fn observe(&self) -> Answer<'_, BTreeMap<String, ObservedResource>>;
    /// Makes the resource and returns when it can be used, or compares the existing one with its file.
    fn ensure<'a>(&'a self, name: &'a str) -> Answer<'a, ()>;
    /// Puts the seed items that are absent and returns how many they were. An item that exists is left as it is.
    fn seed<'a>(&'a self, name: &'a str) -> Answer<'a, usize>;
    /// Returns when the resource is gone with all that it held; one that is not there is fine.
    fn remove<'a>(&'a self, name: &'a str) -> Answer<'a, ()>;
    /// Up to `limit` of what the resource holds, in no order.
    fn dump<'a>(&'a self, name: &'a str, limit: usize) -> Answer<'a, Vec<Value>>;
}
