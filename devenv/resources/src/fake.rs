//! A kind of resource in memory, with faults.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use devenv_model::observed::ObservedResource;
use devenv_model::resource::{ResourceId, ResourceKind};
use futures_util::future::ready;
use serde_json::{Value, json};

use crate::error::Error;
use crate::provider::{Answer, Provider};

#[derive(Debug)]
pub(crate) struct FakeProvider {
    kind: ResourceKind,
    /// The name and the number of seed items of each resource.
    files: Vec<(String, usize)>,
    state: Mutex<State>,
    calls: Arc<Mutex<Vec<String>>>,
}

#[derive(Debug, Default)]
struct State {
    there: BTreeMap<String, Held>,
    fails: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Held {
    items: usize,
    differs: bool,
}

impl FakeProvider {
    /// Tables.
    pub(crate) fn new(files: &[(&str, usize)]) -> Self {
        Self::with_calls(ResourceKind::Table, files, Arc::default())
    }

    /// Another kind, whose calls are among those of this one.
    pub(crate) fn beside(&self, kind: ResourceKind, files: &[(&str, usize)]) -> Self {
        Self::with_calls(kind, files, Arc::clone(&self.calls))
    }

    fn with_calls(kind: ResourceKind, files: &[(&str, usize)], calls: Arc<Mutex<Vec<String>>>) -> Self {
        let files = files.iter().map(|(name, items)| ((*name).to_owned(), *items)).collect();
        Self { kind, files, state: Mutex::default(), calls }
    }

    /// Simulates another program's change to an existing resource.
    pub(crate) fn change(&self, name: &str) {
        self.state().there.get_mut(name).expect("it is there").differs = true;
    }

    /// Makes a call, such as `ensure orders`, fail from now on.
    pub(crate) fn fail(&self, call: &str) {
        self.state().fails.insert(call.to_owned());
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seeds(&self, name: &str) -> usize {
        self.files.iter().find(|(known, _)| known == name).expect("a name of the files").1
    }

    fn call(&self, call: String) -> Result<MutexGuard<'_, State>, Error> {
        let state = self.state();
        let fails = state.fails.contains(&call);
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        if fails {
            let message = "told to fail".to_owned();
            return Err(Error::Refused { operation: "Fake", kind: "FakeException".to_owned(), message });
        }
        Ok(state)
    }

    fn made(&self, name: &str) -> Result<(), Error> {
        let mut state = self.call(format!("ensure {name}"))?;
        let held = state.there.entry(name.to_owned()).or_default();
        if held.differs {
            let differences = vec!["it was changed".to_owned()];
            return Err(Error::Differs { resource: ResourceId::table(name), file: "file.json".into(), differences });
        }
        Ok(())
    }
}

impl Provider for FakeProvider {
    fn kind(&self) -> ResourceKind {
        self.kind
    }

    fn names(&self) -> Vec<String> {
        self.files.iter().map(|(name, _)| name.clone()).collect()
    }

    fn observe_one<'a>(&'a self, name: &'a str) -> Answer<'a, Option<ObservedResource>> {
        let observed = self.call(format!("observe {name}")).map(|state| {
            let held = state.there.get(name)?;
            Some(if held.differs {
                ObservedResource::Different { differences: vec!["it was changed".to_owned()] }
            } else {
                ObservedResource::Matching { absent_seeds: self.seeds(name) - held.items }
            })
        });
        Box::pin(ready(observed))
    }

    fn ensure<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        Box::pin(ready(self.made(name)))
    }

    fn seed<'a>(&'a self, name: &'a str) -> Answer<'a, usize> {
        let put = self.call(format!("seed {name}")).map(|mut state| {
            let held = state.there.get_mut(name).expect("it was made before");
            let absent = self.seeds(name) - held.items;
            held.items += absent;
            absent
        });
        Box::pin(ready(put))
    }

    fn remove<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        let removed = self.call(format!("remove {name}")).map(|mut state| {
            state.there.remove(name);
        });
        Box::pin(ready(removed))
    }

    fn dump<'a>(&'a self, name: &'a str, limit: usize) -> Answer<'a, Vec<Value>> {
        let held = self.call(format!("dump {name}")).map(|state| {
            let items = state.there.get(name).map_or(0, |held| held.items);
            (0..items.min(limit)).map(|number| json!(number)).collect()
        });
        Box::pin(ready(held))
    }
}
