//! The data types of a manifest; `devenv-manifest` reads the files.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::artifact::CommandArtifact;
use crate::container::ContainerSettings;
use crate::database::Database;
use crate::dockerfile::DockerfileBuild;
use crate::functions::Functions;
use crate::messaging::Messaging;
use crate::resource::{ResourceId, ResourceKind};
use crate::transport::Protocol;

/// One environment as its files describe it: checked, interpolated, and free of any choice that depends on the machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// `name` of `devenv.toml`: lower-case letters, digits and `-`.
    pub name: String,
    /// The folder that holds `devenv.toml`; every relative path below starts here.
    pub root: Utf8PathBuf,
    /// The services by name. Every name in a `depends_on` exists, and there is no cycle.
    pub services: BTreeMap<String, Service>,
    pub emulator: Emulator,
    /// Whether the project uses AWS at all: without, it has no emulator.
    pub uses_aws: bool,
    /// The tables in the order of their file names.
    pub tables: Vec<Table>,
    /// The seeds in the order of their file names; every item has the key of its table.
    pub seeds: Vec<Seed>,
    /// The queues, topics and subscriptions.
    pub messaging: Messaging,
    /// The PostgreSQL databases whose services are there, in the order of their file names. Their units make them, no emulator does.
    pub databases: Vec<Database>,
    /// The functions, each of which is a service of its name, and their event source mappings.
    pub functions: Functions,
    pub test: Option<TestSettings>,
    /// The targets by name.
    pub promote: BTreeMap<String, PromoteTarget>,
}

impl Manifest {
    /// Every resource that the files describe, in the order of creation.
    pub fn resources(&self) -> Vec<ResourceId> {
        let tables = self.tables.iter().map(|table| ResourceId::table(&table.name));
        tables.chain(self.messaging.resources()).collect()
    }

    /// Each resource that needs others to exist before it, with those.
    pub fn needs(&self) -> BTreeMap<ResourceId, Vec<ResourceId>> {
        self.messaging.needs().collect()
    }

    /// The Cargo packages that become images, sorted; the emulator's is among them even if another emulator is chosen.
    pub fn image_packages(&self) -> Vec<String> {
        let services = self.services.values().filter_map(Service::package);
        let mut packages: Vec<_> =
            services.chain(self.emulator.embedded_package.as_deref()).map(str::to_owned).collect();
        packages.sort_unstable();
        packages.dedup();
        packages
    }

    /// The names of all units of services.
    pub fn units(&self) -> impl Iterator<Item = String> {
        self.services.values().flat_map(Service::units)
    }

    /// The service that a unit is a replica of.
    pub fn service_of(&self, unit: &str) -> Option<&Service> {
        self.services.values().find(|service| service.units().any(|name| name == unit))
    }

    /// Whether a service runs once: another one waits for its completion.
    pub fn is_one_shot(&self, service: &str) -> bool {
        let condition = |other: &Service| other.depends_on.get(service).map(|dependency| dependency.condition);
        self.services.values().any(|other| condition(other) == Some(Condition::ServiceCompletedSuccessfully))
    }

    /// The database that a service is.
    pub fn database(&self, service: &str) -> Option<&Database> {
        self.databases.iter().find(|database| database.name == service)
    }

    /// Each resource that has seed items, with their number.
    pub fn seeded(&self) -> Vec<(ResourceId, usize)> {
        let tables = self.seeds.iter().map(|seed| (ResourceId::table(&seed.table), seed.items.len()));
        let queue = |name: &str| ResourceId::new(ResourceKind::Queue, name);
        let queues = self.messaging.seeds.iter().map(|seed| (queue(&seed.queue), seed.messages.len()));
        tables.chain(queues).collect()
    }

    /// The file that describes a resource.
    pub fn file_of(&self, resource: &ResourceId) -> Option<&Utf8Path> {
        let Messaging { queues, topics, subscriptions, .. } = &self.messaging;
        let name = &resource.name;
        let file = match resource.kind {
            ResourceKind::Table => &self.tables.iter().find(|table| table.name == *name)?.file,
            ResourceKind::Queue => &queues.iter().find(|queue| queue.name == *name)?.file,
            ResourceKind::Topic => &topics.iter().find(|topic| topic.name == *name)?.file,
            ResourceKind::Subscription => &subscriptions.iter().find(|one| one.name == *name)?.file,
            ResourceKind::Database => &self.database(name)?.file,
            ResourceKind::Function => &self.functions.function(name)?.file,
            ResourceKind::EventSourceMapping => &self.functions.mappings.iter().find(|one| one.name == *name)?.file,
        };
        Some(file)
    }
}

/// A target: an AWS account, or a rehearsal, to which releases are promoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromoteTarget {
    pub name: String,
    pub place: PromotePlace,
    /// The folder of its Terraform roots, `foundation` and `release`, relative to the project.
    pub terraform: Utf8PathBuf,
    /// Whether `devenv.toml` names that folder. A rehearsal without it may do with the roots that `devenv` carries.
    pub names_terraform: bool,
    /// The platform of the images, such as `linux/amd64`.
    pub platform: String,
    /// The emulators on which the tests must pass.
    pub emulators: Vec<EmulatorKind>,
    /// Targets whose live release this one takes over, instead of the images of this machine.
    pub requires: Vec<String>,
    pub evidence: EvidenceOrigin,
}

/// The source of the evidence for a target's releases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceOrigin {
    /// The machine that promotes; with `requires`, the records of those targets.
    #[default]
    Promoter,
    /// The target's bucket, or with `requires` the buckets of those targets. Only the build server's role may write there:
    /// `devenv evidence record ENV`.
    Recorded,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromotePlace {
    Account {
        /// Twelve digits.
        account: String,
        region: String,
    },
    /// An emulated AWS on this machine.
    Rehearsal { image: String },
}

/// A service of the Compose file, joined with its `[services.NAME]` section of `devenv.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    pub name: String,
    pub image: Option<String>,
    /// How the engine builds the image; its `image` is the service's.
    pub build: Option<DockerfileBuild>,
    /// `entrypoint` and `command` of the Compose file, for the Docker runtime.
    pub entrypoint: Option<Vec<String>>,
    pub command: Option<Vec<String>>,
    /// The environment variables, after interpolation. A variable without a value (`- NAME`) takes the caller's value, and is
    /// absent if that is unset.
    pub environment: BTreeMap<String, String>,
    pub ports: Vec<Port>,
    /// The number of units that run this service.
    pub replicas: u32,
    /// Ports that other services reach, but the host does not.
    pub expose: Vec<u16>,
    pub depends_on: BTreeMap<String, Dependency>,
    pub healthcheck: Option<Healthcheck>,
    pub labels: BTreeMap<String, String>,
    pub user: Option<String>,
    pub container: ContainerSettings,
    /// The time between SIGTERM and SIGKILL.
    pub stop_grace_period: Duration,
    /// The Compose file's restart policy. devenv restarts a service that dies, unless this is `no`.
    pub restart: Option<String>,
    /// `health` of `[services.NAME]`: the path that answers 200 when the service is usable.
    pub health: Option<Health>,
    pub start: StartOrder,
    /// `[services.NAME.process]`: how the service runs without Docker.
    pub process: Option<ProcessSettings>,
    /// What a person should know about the service's part of the files.
    pub notices: Vec<Notice>,
}

impl Service {
    /// The names of the service's units: its own for the first, and `NAME-2`, `NAME-3` and so on for further replicas. The first one
    /// stays as it is when the number changes, and other units reach the service at its ports.
    pub fn units(&self) -> impl Iterator<Item = String> {
        (1..=self.replicas).map(|number| match number {
            1 => self.name.clone(),
            number => format!("{}-{number}", self.name),
        })
    }

    /// The Cargo package of the service's program and image; `None` if they are not built here, or if a Dockerfile makes the
    /// image.
    pub fn package(&self) -> Option<&str> {
        match &self.process.as_ref()?.run {
            ProcessRun::Package(package) if self.build.is_none() => Some(package),
            ProcessRun::Package(_) | ProcessRun::Command(_) => None,
        }
    }

    /// Whether the service's image is built here, from this project's sources.
    pub fn is_built(&self) -> bool {
        self.build.is_some() || self.package().is_some()
    }

    /// The first published port of TCP.
    pub fn first_stream(&self) -> Option<&Port> {
        self.ports.iter().find(|port| port.protocol == Protocol::Tcp)
    }
}

/// A fact of the files that is no mistake, but that a person may not expect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub concerns: Concerns,
    /// Begins with the place in the file.
    pub text: String,
}

/// The units that a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concerns {
    Containers,
    Processes,
    All,
}

/// An HTTP path on one of the service's container ports (the first published port by default).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub path: String,
    pub port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    pub container: u16,
    pub protocol: Protocol,
    /// The host port from the Compose file, or the first of a range; `None` for any free port.
    pub published: Option<u16>,
    /// The last host port of the range, or the only one.
    pub published_to: Option<u16>,
    /// The host address; loopback unless the Compose file names another.
    pub host_ip: IpAddr,
}

/// When the container of a service starts. A process always waits for the tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartOrder {
    /// After the emulator is ready and has the tables.
    #[default]
    AfterTables,
    /// Beside the emulator, for a service that tolerates an absent database. Its probe runs only when the tables exist.
    AtOnce,
}

/// A service's dependency on another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dependency {
    pub condition: Condition,
    /// Whether the service restarts when a command replaces or restarts the other one.
    pub restart: bool,
}

impl From<Condition> for Dependency {
    fn from(condition: Condition) -> Self {
        Self { condition, restart: false }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    ServiceStarted,
    ServiceHealthy,
    ServiceCompletedSuccessfully,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Healthcheck {
    pub test: HealthTest,
    pub interval: Duration,
    pub timeout: Duration,
    pub retries: u32,
    pub start_period: Duration,
    pub start_interval: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum HealthTest {
    /// `["CMD", program, args...]`
    Command(Vec<String>),
    /// `["CMD-SHELL", line]` or a plain string
    Shell(String),
    /// `["NONE"]` or `disable: true`
    Disabled,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessSettings {
    pub run: ProcessRun,
    /// Overrides the Compose `environment`. Values may hold `${port:N}`, `${emulator}` and other references, which
    /// [`crate::template::fill`] replaces once ports are chosen. Every reference has been checked.
    pub env: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessRun {
    /// A Cargo package of this workspace whose binary has the same name.
    Package(String),
    /// A program and its arguments. They may hold the same references as `env`.
    Command(CommandArtifact),
}

impl ProcessRun {
    /// The folder of the process relative to the project, if it is another one.
    pub fn workdir(&self) -> Option<String> {
        match self {
            Self::Package(_) => None,
            Self::Command(command) => Some(command.workdir.to_string()).filter(|folder| !folder.is_empty()),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Emulator {
    pub default: EmulatorKind,
    /// `[emulator.embedded] package`: the Cargo package from which the embedded emulator's image is built.
    pub embedded_package: Option<String>,
    /// `[emulator.embedded] image`, if the image is not built here.
    pub embedded_image: Option<String>,
    /// `[emulator.dynamodb-local] image`
    pub dynamodb_local_image: Option<String>,
    /// `[emulator.localstack] image`
    pub localstack_image: Option<String>,
    /// `[emulator] replaces`: the Compose service that the emulator replaces.
    pub replaces: Option<Replaced>,
}

/// A service of the Compose file that the emulator replaces. Others reach the emulator by its name, at its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    pub service: String,
    /// Its first port; the emulator's own port if the Compose file names none.
    pub port: Option<Port>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmulatorKind {
    #[default]
    Embedded,
    DynamodbLocal,
    Localstack,
}

impl EmulatorKind {
    /// Sorted by start time, the fastest first.
    pub const ALL: [Self; 3] = [Self::Embedded, Self::DynamodbLocal, Self::Localstack];

    /// The kind's name in `devenv.toml` and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::DynamodbLocal => "dynamodb-local",
            Self::Localstack => "localstack",
        }
    }

    /// The emulator's port in its container.
    pub fn port(self) -> u16 {
        match self {
            Self::Embedded | Self::DynamodbLocal => 8000,
            Self::Localstack => 4566,
        }
    }
}

impl Emulator {
    /// The port of an emulator of this kind in its container: of the service that it replaces, or its own.
    pub fn port(&self, kind: EmulatorKind) -> u16 {
        let replaced = self.replaces.as_ref().and_then(|replaced| replaced.port);
        replaced.map_or(kind.port(), |port| port.container)
    }

    /// The image that `devenv.toml` names for this kind; `None` if it names none, as for an image built here.
    pub fn image(&self, kind: EmulatorKind) -> Option<&str> {
        match kind {
            EmulatorKind::Embedded => self.embedded_image.as_deref(),
            EmulatorKind::DynamodbLocal => self.dynamodb_local_image.as_deref(),
            EmulatorKind::Localstack => self.localstack_image.as_deref(),
        }
    }
}

/// A table file: the `CreateTable` input, sent as written.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub name: String,
    pub file: Utf8PathBuf,
    /// The partition key, then the sort key, if any.
    pub key: Vec<KeyAttribute>,
    pub definition: Value,
}

impl Table {
    /// The view type of the table's stream, if it has one.
    pub fn stream(&self) -> Option<&str> {
        let stream = &self.definition["StreamSpecification"];
        stream["StreamViewType"].as_str().filter(|_| stream["StreamEnabled"] == true)
    }
}

/// An attribute of a key and its DynamoDB type: `S`, `N` or `B`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyAttribute {
    pub name: String,
    pub kind: String,
}

/// A seed file: items of one table, named by the file's stem, in DynamoDB JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Seed {
    pub table: String,
    pub file: Utf8PathBuf,
    pub items: Vec<Value>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestSettings {
    pub command: Vec<String>,
    /// The command of the smoke tests that a promotion runs against its release.
    pub smoke: Option<Vec<String>>,
    /// A pattern of the JUnit files that the command writes.
    pub junit: Option<String>,
}
