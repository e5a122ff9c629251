//! All resources of one environment, of every kind.

use std::collections::BTreeMap;
use std::sync::Arc;

use devenv_model::addresses::Addresses;
use devenv_model::manifest::Manifest;
use devenv_model::observed::ObservedResource;
use devenv_model::resource::{ResourceId, ResourceKind};
use futures_util::future::try_join_all;
use serde_json::Value;

use crate::dynamo::store::Store;
use crate::dynamo::tables::Tables;
use crate::endpoint::{DUMMY, Endpoint};
use crate::error::Error;
use crate::levels::levels;
use crate::listed::Listed;
use crate::messaging::queues::Queues;
use crate::messaging::sns::Sns;
use crate::messaging::subscriptions::Subscriptions;
use crate::messaging::topic_service::TopicService;
use crate::messaging::topics::Topics;
use crate::provider::Provider;

#[derive(Debug, Clone)]
pub struct Resources {
    providers: Vec<Arc<dyn Provider>>,
}

impl Resources {
    /// Takes one provider per kind, in the order of their creation.
    pub fn new(providers: Vec<Arc<dyn Provider>>) -> Self {
        Self { providers }
    }

    /// Returns the resources of `manifest` in the emulator at `addresses`.
    pub fn of(manifest: &Manifest, addresses: &Addresses<Endpoint>, region: &str) -> Self {
        Self::as_caller(manifest, addresses, region, DUMMY)
    }

    /// Like [`Self::of`], but with its own access key, for an emulator that reads it.
    pub fn as_caller(manifest: &Manifest, addresses: &Addresses<Endpoint>, region: &str, access_key: &str) -> Self {
        let store = Store::new(addresses.tables.clone(), region, access_key);
        let messages = &addresses.messages;
        let topics: Arc<dyn TopicService> = Arc::new(Sns::new(messages, region, access_key));
        Self::new(vec![
            Arc::new(Tables::new(store, manifest)),
            Arc::new(Queues::as_caller(manifest, messages, region, access_key)),
            Arc::new(Topics::new(Arc::clone(&topics), manifest, region)),
            Arc::new(Subscriptions::new(topics, manifest, region)),
        ])
    }

    pub fn ids(&self) -> Vec<ResourceId> {
        let of = |provider: &Arc<dyn Provider>| {
            let kind = provider.kind();
            provider.names().into_iter().map(move |name| ResourceId::new(kind, name))
        };
        self.providers.iter().flat_map(of).collect()
    }

    /// Returns the existing resources and leaves out absent ones.
    pub async fn observe(&self) -> Result<BTreeMap<ResourceId, ObservedResource>, Error> {
        let each = self.providers.iter().map(async |provider| {
            let kind = provider.kind();
            let seen = provider.observe().await?;
            Ok::<_, Error>(seen.into_iter().map(move |(name, seen)| (ResourceId::new(kind, name), seen)))
        });
        Ok(try_join_all(each).await?.into_iter().flatten().collect())
    }

    pub async fn ensure(&self, resource: &ResourceId) -> Result<(), Error> {
        self.provider(resource.kind).ensure(&resource.name).await
    }

    /// Inserts the seed items that are absent and returns their number.
    pub async fn seed(&self, resource: &ResourceId) -> Result<usize, Error> {
        self.provider(resource.kind).seed(&resource.name).await
    }

    /// Creates absent resources one after the other: a resource may refer to an earlier one.
    pub async fn ensure_all(&self) -> Result<(), Error> {
        for resource in self.ids() {
            self.ensure(&resource).await?;
        }
        Ok(())
    }

    /// Removes every resource, each before those that it needs, and tables before all others. A running service misses a resource until
    /// [`Self::make_all`]; deleting single items would take longer the more there are, and would keep a resource that differs from its file.
    pub async fn remove_all(&self) -> Result<(), Error> {
        for level in self.levels().iter().rev() {
            try_join_all(level.iter().map(|resource| self.provider(resource.kind).remove(&resource.name))).await?;
        }
        Ok(())
    }

    /// Creates and seeds every resource, each after those that it needs, and tables after all others. Returns the number of inserted items for
    /// each.
    pub async fn make_all(&self) -> Result<BTreeMap<ResourceId, usize>, Error> {
        let mut rebuilt = BTreeMap::new();
        for level in self.levels() {
            let made = level.into_iter().map(async |resource| {
                self.ensure(&resource).await?;
                let put = self.seed(&resource).await?;
                Ok::<_, Error>((resource, put))
            });
            rebuilt.extend(try_join_all(made).await?);
        }
        Ok(rebuilt)
    }

    /// The resources in the order of their creation. A service sends a message about an item that it has written: the queue must not be
    /// younger than the table.
    fn levels(&self) -> Vec<Vec<ResourceId>> {
        let is_table = |resource: &ResourceId| resource.kind == ResourceKind::Table;
        let (tables, others) = self.ids().into_iter().partition(is_table);
        let mut levels = levels(others, |resource| self.provider(resource.kind).needs(&resource.name));
        levels.push(tables);
        levels
    }

    /// Returns every resource with its state, in the order of creation.
    pub async fn list(&self) -> Result<Vec<Listed>, Error> {
        let mut seen = self.observe().await?;
        let each = self.ids().into_iter().map(|resource| {
            let state = seen.remove(&resource);
            async move {
                let depth = match &state {
                    Some(_) => self.provider(resource.kind).depth(&resource.name).await?,
                    None => None,
                };
                Ok::<_, Error>(Listed { resource, state, depth })
            }
        });
        try_join_all(each).await
    }

    /// Returns up to `limit` items of a resource, in no order.
    pub async fn dump(&self, resource: &ResourceId, limit: usize) -> Result<Vec<Value>, Error> {
        self.provider(resource.kind).dump(&resource.name, limit).await
    }

    fn provider(&self, kind: ResourceKind) -> &dyn Provider {
        let provider = self.providers.iter().find(|provider| provider.kind() == kind);
        provider.expect("every kind of the manifest has its provider").as_ref()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use devenv_model::functions::Functions;
    use devenv_model::manifest::{Emulator, KeyAttribute, Seed, Table};
    use devenv_model::messaging::Messaging;
    use serde_json::json;

    use super::*;
    use crate::fake::FakeProvider;

    async fn reset(resources: &Resources) -> Result<BTreeMap<ResourceId, usize>, Error> {
        resources.remove_all().await?;
        resources.make_all().await
    }

    fn faked(fake: &Arc<FakeProvider>) -> Resources {
        Resources::new(vec![Arc::clone(fake) as Arc<dyn Provider>])
    }

    fn id(name: &str) -> ResourceId {
        ResourceId::table(name)
    }

    /// A table without seeds and one with three items.
    fn manifest() -> Manifest {
        let table = |name: &str| Table {
            name: name.to_owned(),
            file: format!("tables/{name}.json").into(),
            key: vec![KeyAttribute { name: "id".to_owned(), kind: "S".to_owned() }],
            definition: json!({
                "TableName": name,
                "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
                "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
                "BillingMode": "PAY_PER_REQUEST",
            }),
        };
        let items = ["a", "b", "c"].map(|id| json!({ "id": { "S": id } })).into();
        Manifest {
            name: "shop".to_owned(),
            root: "/shop".into(),
            services: BTreeMap::new(),
            uses_aws: true,
            emulator: Emulator::default(),
            tables: vec![table("inventory"), table("orders")],
            seeds: vec![Seed { table: "inventory".to_owned(), file: "seeds/inventory.json".into(), items }],
            messaging: Messaging::default(),
            databases: Vec::new(),
            functions: Functions::default(),
            test: None,
            promote: BTreeMap::new(),
        }
    }

    async fn embedded() -> Resources {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        tokio::spawn(dynoxide::server::serve_on(listener, dynoxide::Database::memory().expect("memory")));
        let endpoint = Endpoint::parse(&format!("http://{address}")).expect("loopback");
        Resources::of(&manifest(), &Addresses::single(endpoint), "eu-west-1")
    }

    /// The contract of every provider, real or fake.
    #[tokio::test]
    async fn what_is_made_and_seeded_is_observed_so() {
        let fake = Arc::new(FakeProvider::new(&[("inventory", 3), ("orders", 0)]));
        for resources in [faked(&fake), embedded().await] {
            assert_eq!(resources.ids(), [id("inventory"), id("orders")]);
            assert_eq!(resources.observe().await.expect("answers"), BTreeMap::new());
            resources.ensure_all().await.expect("made");
            resources.ensure_all().await.expect("there already");
            let absent = |absent_seeds| ObservedResource::Matching { absent_seeds };
            let seen = resources.observe().await.expect("answers");
            assert_eq!(seen, BTreeMap::from([(id("inventory"), absent(3)), (id("orders"), absent(0))]));
            assert_eq!(resources.seed(&id("inventory")).await.expect("put"), 3);
            assert_eq!(resources.seed(&id("inventory")).await.expect("nothing is absent"), 0);
            assert_eq!(resources.observe().await.expect("answers")[&id("inventory")], absent(0));
            assert_eq!(resources.dump(&id("inventory"), 2).await.expect("read").len(), 2);
            let put = BTreeMap::from([(id("inventory"), 3), (id("orders"), 0)]);
            assert_eq!(reset(&resources).await.expect("rebuilt"), put);
            assert_eq!(resources.dump(&id("inventory"), 10).await.expect("read").len(), 3);
        }
    }

    #[tokio::test]
    async fn one_that_differs_is_refused_and_a_reset_rebuilds_it() {
        let fake = Arc::new(FakeProvider::new(&[("inventory", 3)]));
        let resources = faked(&fake);
        resources.ensure_all().await.expect("made");
        resources.seed(&id("inventory")).await.expect("put");
        fake.change("inventory");
        let error = resources.ensure_all().await.expect_err("it differs");
        assert!(matches!(error, Error::Differs { resource, .. } if resource == id("inventory")));
        assert_eq!(reset(&resources).await.expect("rebuilt"), BTreeMap::from([(id("inventory"), 3)]));
        resources.ensure_all().await.expect("as its file describes it");
    }

    #[tokio::test]
    async fn tables_go_first_and_come_last() {
        let tables = Arc::new(FakeProvider::new(&[("orders", 1)]));
        let queues = Arc::new(tables.beside(ResourceKind::Queue, &[("work", 0)]));
        let resources = Resources::new(vec![Arc::clone(&tables) as Arc<dyn Provider>, queues]);
        reset(&resources).await.expect("rebuilt");
        let made = ["ensure work", "seed work", "ensure orders", "seed orders"];
        assert_eq!(tables.calls(), [["remove orders", "remove work"].as_slice(), &made].concat());
    }

    #[tokio::test]
    async fn the_first_failure_ends_what_comes_after_it() {
        let fake = Arc::new(FakeProvider::new(&[("a", 0), ("b", 0), ("c", 0)]));
        fake.fail("ensure b");
        let resources = faked(&fake);
        resources.ensure_all().await.expect_err("told to fail");
        assert_eq!(fake.calls(), ["ensure a", "ensure b"]);
        reset(&resources).await.expect_err("b cannot be made");
        let calls: BTreeSet<String> = fake.calls().into_iter().collect();
        assert!(!calls.contains("seed b"), "what is not there is not seeded");
    }
}
