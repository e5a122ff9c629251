//! Tables as a kind of resource.

use devenv_model::manifest::{Manifest, Seed, Table};
use devenv_model::observed::ObservedResource;
use devenv_model::resource::ResourceKind;
use serde_json::Value;

use crate::dynamo::store::Store;
use crate::provider::{Answer, Provider};

/// The table files and their seeds, and their emulator.
#[derive(Debug)]
pub(crate) struct Tables {
    store: Store,
    files: Vec<Table>,
    seeds: Vec<Seed>,
}

impl Tables {
    pub(crate) fn new(store: Store, manifest: &Manifest) -> Self {
        Self { store, files: manifest.tables.clone(), seeds: manifest.seeds.clone() }
    }

    fn table(&self, name: &str) -> &Table {
        self.files.iter().find(|table| table.name == name).expect("only tables of the manifest are named")
    }

    fn seeds_of(&self, name: &str) -> impl Iterator<Item = &Seed> {
        self.seeds.iter().filter(move |seed| seed.table == name)
    }
}

impl Provider for Tables {
    fn kind(&self) -> ResourceKind {
        ResourceKind::Table
    }

    fn names(&self) -> Vec<String> {
        self.files.iter().map(|table| table.name.clone()).collect()
    }

    fn observe_one<'a>(&'a self, name: &'a str) -> Answer<'a, Option<ObservedResource>> {
        Box::pin(async move {
            let seeds: Vec<&Seed> = self.seeds_of(name).collect();
            self.store.observe(self.table(name), &seeds).await
        })
    }

    fn ensure<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        Box::pin(self.store.ensure(self.table(name)))
    }

    fn seed<'a>(&'a self, name: &'a str) -> Answer<'a, usize> {
        Box::pin(async move {
            let mut put = 0;
            for seed in self.seeds_of(name) {
                put += self.store.seed(self.table(name), seed).await?;
            }
            Ok(put)
        })
    }

    fn remove<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        Box::pin(self.store.remove(name))
    }

    fn dump<'a>(&'a self, name: &'a str, limit: usize) -> Answer<'a, Vec<Value>> {
        Box::pin(self.store.dump(name, limit))
    }
}
