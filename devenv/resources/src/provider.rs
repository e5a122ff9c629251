//! The operations on one kind of resource in one emulator.

use std::collections::BTreeMap;
use std::fmt;

use devenv_model::observed::ObservedResource;
use devenv_model::resource::{ResourceId, ResourceKind};
use futures_util::future::{BoxFuture, ready, try_join_all};
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
    /// Returns the state of a resource; `None` if it is absent.
    fn observe_one<'a>(&'a self, name: &'a str) -> Answer<'a, Option<ObservedResource>>;
    /// Returns the existing resources by name and leaves out absent ones.
    fn observe(&self) -> Answer<'_, BTreeMap<String, ObservedResource>> {
        Box::pin(async {
            let names = self.names();
            let observed = try_join_all(names.iter().map(|name| self.observe_one(name))).await?;
            Ok(names.into_iter().zip(observed).filter_map(|(name, observed)| Some((name, observed?))).collect())
        })
    }
    /// Creates the resource and returns when it is usable. Changes an existing one to match its file, or returns an error if only
    /// a new one can match it.
    fn ensure<'a>(&'a self, name: &'a str) -> Answer<'a, ()>;
    /// Inserts the seed items that are absent and returns their number. Leaves existing items unchanged. A kind without seeds
    /// inserts none.
    fn seed<'a>(&'a self, _name: &'a str) -> Answer<'a, usize> {
        Box::pin(ready(Ok(0)))
    }
    /// Removes the resource with its content and waits until it is gone. An absent resource is no error.
    fn remove<'a>(&'a self, name: &'a str) -> Answer<'a, ()>;
    /// Returns up to `limit` items of the resource, in no order. A kind that keeps none returns none.
    fn dump<'a>(&'a self, _name: &'a str, _limit: usize) -> Answer<'a, Vec<Value>> {
        Box::pin(ready(Ok(Vec::new())))
    }
    /// Returns the number of messages in the resource; `None` if it is of a kind that holds none.
    fn depth<'a>(&'a self, _name: &'a str) -> Answer<'a, Option<Depth>> {
        Box::pin(ready(Ok(None)))
    }
}
