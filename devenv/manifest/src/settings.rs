//! `devenv.toml`, key by key. The published schema is generated from these types.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::manifest::{EmulatorKind, EvidenceOrigin, StartOrder};
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::schema;
use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;

/// A parsed `devenv.toml`, with the paths of the files it names.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(crate) file: Arc<SourceFile>,
    pub(crate) content: Content,
}

/// The settings of a project beyond its Compose file and table files.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "devenv.toml")]
pub(crate) struct Content {
    /// The version of this file's format; always 1.
    #[schemars(with = "i64", range(min = 1, max = 1))]
    pub(crate) version: Spanned<i64>,
    /// The project's name: lower-case letters, digits and hyphens.
    #[schemars(with = "String")]
    pub(crate) name: Spanned<String>,
    /// The Compose file, relative to this one; by default the one that `docker compose` would choose.
    #[schemars(with = "Option<String>")]
    pub(crate) compose: Option<Spanned<Utf8PathBuf>>,
    /// The folder of the table files (`*.json`, each the input of `CreateTable`). A project with neither a folder of resources nor
    /// `[emulator]` has no emulator.
    #[schemars(with = "Option<String>")]
    pub(crate) tables: Option<Spanned<Utf8PathBuf>>,
    /// The folder of the queue files (`*.json`, each the input of `CreateQueue`).
    #[schemars(with = "Option<String>")]
    pub(crate) queues: Option<Spanned<Utf8PathBuf>>,
    /// The folder of the topic files (`*.json`, each the input of `CreateTopic`).
    #[schemars(with = "Option<String>")]
    pub(crate) topics: Option<Spanned<Utf8PathBuf>>,
    /// The folder of the subscription files (`*.json`, each the input of `Subscribe`). A file's name is the subscription's.
    #[schemars(with = "Option<String>")]
    pub(crate) subscriptions: Option<Spanned<Utf8PathBuf>>,
    /// The folder of the database files (`*.json`, each the input of `CreateDBInstance` for PostgreSQL). The Compose service of a
    /// database's name is that database on this machine.
    #[schemars(with = "Option<String>")]
    pub(crate) databases: Option<Spanned<Utf8PathBuf>>,
    /// The folder of the function files (`*.json`, each the input of `CreateFunction` without code, role and environment). The
    /// Compose service of a function's name is that function.
    #[schemars(with = "Option<String>")]
    pub(crate) functions: Option<Spanned<Utf8PathBuf>>,
    /// The folder of the files of event source mappings (`*.json`, each the input of `CreateEventSourceMapping`). A file's name is
    /// the mapping's.
    #[serde(rename = "event-source-mappings")]
    #[schemars(with = "Option<String>")]
    pub(crate) event_source_mappings: Option<Spanned<Utf8PathBuf>>,
    /// The folder of the seed files: `TABLE.json`, a list of items in DynamoDB JSON; `QUEUE.json`, a list of `SendMessage` inputs.
    #[schemars(with = "Option<String>")]
    pub(crate) seeds: Option<Spanned<Utf8PathBuf>>,
    /// The emulators that can stand for AWS.
    pub(crate) emulator: Option<EmulatorSettings>,
    /// Settings for the Compose file's services, by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ServiceSettings>")]
    pub(crate) services: BTreeMap<Spanned<String>, ServiceSettings>,
    /// The end-to-end tests.
    pub(crate) test: Option<TestSection>,
    /// The targets of promotions, by name.
    #[serde(default)]
    pub(crate) promote: BTreeMap<String, PromoteSettings>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct EmulatorSettings {
    /// The emulator that `up` starts by default.
    #[schemars(with = "Option<schema::EmulatorKind>")]
    pub(crate) default: Option<Spanned<EmulatorKind>>,
    /// The Compose service that this emulator replaces, such as `dynamodb-local`. devenv does not start that service; the other
    /// services reach the emulator under its name and port.
    #[schemars(with = "Option<String>")]
    pub(crate) replaces: Option<Spanned<String>>,
    /// The emulator that is part of devenv, as a container: either a package or an image.
    #[schemars(with = "Option<EmbeddedSettings>")]
    pub(crate) embedded: Option<Spanned<EmbeddedSettings>>,
    /// DynamoDB Local, as a container.
    pub(crate) dynamodb_local: Option<ImageSettings>,
    /// LocalStack or an emulator compatible with it, as a container.
    pub(crate) localstack: Option<ImageSettings>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmbeddedSettings {
    /// The Cargo package of this workspace from which the emulator's image is built.
    #[schemars(with = "Option<String>")]
    pub(crate) package: Option<Spanned<String>>,
    /// The emulator's image with its exact version, if it is not built here.
    #[schemars(with = "Option<String>")]
    pub(crate) image: Option<Spanned<String>>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImageSettings {
    /// The image with its exact version, such as `amazon/dynamodb-local:2.6.1`; a digest may follow. devenv fills in the
    /// caller's variables as in a Compose file: `"${DYNAMODB_LOCAL_IMAGE:-amazon/dynamodb-local:2.6.1}"`.
    #[schemars(with = "String")]
    pub(crate) image: Spanned<String>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceSettings {
    /// The path that answers 200 when the service and all its dependencies are usable: `"/health"`, on the first published
    /// port, or `{ path = "/health", port = 8000 }`.
    pub(crate) health: Option<HealthSetting>,
    /// When the service's container starts: `after-tables`, the default, or `at-once`.
    #[serde(default)]
    #[schemars(with = "schema::StartOrder")]
    pub(crate) start: StartOrder,
    /// How the service runs without Docker.
    #[schemars(with = "Option<ProcessSection>")]
    pub(crate) process: Option<Spanned<ProcessSection>>,
}

/// The path, and optionally the port, of a service's health check.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub(crate) enum HealthSetting {
    Path(#[schemars(with = "String")] Spanned<String>),
    Probe(HealthSection),
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HealthSection {
    /// The path that answers 200.
    #[schemars(with = "String")]
    pub(crate) path: Spanned<String>,
    /// The container port of the path; by default the first published one.
    #[schemars(with = "Option<u16>")]
    pub(crate) port: Option<Spanned<u16>>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProcessSection {
    /// A Cargo package of this workspace whose binary has the same name.
    #[schemars(with = "Option<String>")]
    pub(crate) package: Option<Spanned<String>>,
    /// A program and its arguments, in place of a package.
    #[schemars(with = "Option<Vec<String>>")]
    pub(crate) command: Option<Spanned<Vec<String>>>,
    /// With `command`: the command that makes its program, such as `["npm", "ci"]`. It runs before the first start, and
    /// again when one of `inputs` has changed.
    #[schemars(with = "Option<Vec<String>>")]
    pub(crate) build: Option<Spanned<Vec<String>>>,
    /// With `command`: the files whose change starts the program again, as patterns relative to `devenv.toml`, such as
    /// `["src/**", "package.json"]`. Files that `.gitignore` names do not count.
    #[schemars(with = "Option<Vec<String>>")]
    pub(crate) inputs: Option<Spanned<Vec<Spanned<String>>>>,
    /// With `command`: the folder in which `command` and `build` run, relative to `devenv.toml`.
    #[schemars(with = "Option<String>")]
    pub(crate) workdir: Option<Spanned<Utf8PathBuf>>,
    /// Variables that override the Compose file's; devenv fills in `${port:N}`, `${port:SERVICE:N}`,
    /// `${emulator}` (a URL), `${emulator:dynamodb}`, `${emulator:sqs}` or `${emulator:sns}`, `${queue:NAME}` (a URL), `${topic:NAME}` (an ARN) and
    /// `${database:NAME}` (a URL).
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(crate) env: BTreeMap<String, Spanned<String>>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestSection {
    /// The command that `devenv test` runs in an environment of its own.
    #[schemars(with = "Vec<String>")]
    pub(crate) command: Spanned<Vec<String>>,
    /// The command that a promotion runs against its new release, with the release's address in `RELEASE_URL`, and in a rehearsal
    /// with `ORDER_API_URL` or the like for each service. Its tests must tolerate concurrent runs on permanent data.
    #[schemars(with = "Option<Vec<String>>")]
    pub(crate) smoke: Option<Spanned<Vec<String>>>,
    /// The JUnit files that `command` writes, such as `"reports/*.xml"`: their tests count in place of those in its output. Only
    /// files that this run wrote count. `*` and `?` stand for parts of a name, `**` for folders.
    #[schemars(with = "Option<String>")]
    pub(crate) junit: Option<Spanned<String>>,
}

/// A target of promotions: an AWS account, or with `image` a rehearsal on this machine.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PromoteSettings {
    /// The twelve digits of the AWS account.
    #[schemars(with = "Option<String>")]
    pub(crate) account: Option<Spanned<String>>,
    /// The AWS region, such as `eu-west-1`.
    #[schemars(with = "Option<String>")]
    pub(crate) region: Option<Spanned<String>>,
    /// The folder of the target's Terraform roots; `terraform/envs/NAME` by default. A rehearsal needs none: devenv carries
    /// roots for it.
    #[schemars(with = "Option<String>")]
    pub(crate) terraform: Option<Spanned<Utf8PathBuf>>,
    /// The platform of the images; `linux/amd64` by default.
    #[schemars(with = "Option<String>")]
    pub(crate) platform: Option<Spanned<String>>,
    /// The emulators on which the tests must pass; `embedded` by default.
    #[serde(default)]
    #[schemars(with = "Vec<schema::EmulatorKind>")]
    pub(crate) emulators: Vec<Spanned<EmulatorKind>>,
    /// The targets whose release this one takes over; the same release must be live in all of them.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(crate) requires: Vec<Spanned<String>>,
    /// Where evidence comes from: `promoter`, the default, or `recorded` by the build server.
    #[serde(default)]
    #[schemars(with = "schema::EvidenceOrigin")]
    pub(crate) evidence: EvidenceOrigin,
    /// Instead of an account: the image, with its exact version, of an emulated AWS with a registry, containers and load
    /// balancers. devenv fills in the caller's variables as in a Compose file.
    #[schemars(with = "Option<String>")]
    pub(crate) image: Option<Spanned<String>>,
}

impl HealthSetting {
    pub(crate) fn path(&self) -> &Spanned<String> {
        match self {
            Self::Path(path) | Self::Probe(HealthSection { path, .. }) => path,
        }
    }

    pub(crate) fn port(&self) -> Option<&Spanned<u16>> {
        match self {
            Self::Path(_) => None,
            Self::Probe(section) => section.port.as_ref(),
        }
    }
}

/// Written by hand: the derived code of an untagged enum reports neither the place nor the key of a mistake.
impl<'de> Deserialize<'de> for HealthSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Choice;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a path or { path = ..., port = ... }")
            }

            fn visit_str<E: serde::de::Error>(self, path: &str) -> Result<Choice, E> {
                Ok(Choice::Path(path.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Choice, A::Error> {
                HealthSection::deserialize(MapAccessDeserializer::new(map)).map(Choice::Probe)
            }
        }

        /// A string carries no place, so the enclosing `Spanned` supplies it.
        enum Choice {
            Path(String),
            Probe(HealthSection),
        }

        struct Chosen(Choice);

        impl<'de> Deserialize<'de> for Chosen {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Either).map(Self)
            }
        }

        let chosen = Spanned::<Chosen>::deserialize(deserializer)?;
        let span = chosen.span();
        Ok(match chosen.into_inner().0 {
            Choice::Path(path) => Self::Path(Spanned::new(span, path)),
            Choice::Probe(section) => Self::Probe(section),
        })
    }
}

/// The settings of a project that has no `[emulator]`.
static NO_EMULATOR: EmulatorSettings =
    EmulatorSettings { default: None, replaces: None, embedded: None, dynamodb_local: None, localstack: None };

impl Settings {
    pub(crate) fn emulator(&self) -> &EmulatorSettings {
        self.content.emulator.as_ref().unwrap_or(&NO_EMULATOR)
    }

    /// Whether the project has a folder of resources or names an emulator.
    pub(crate) fn uses_aws(&self) -> bool {
        let Content { tables, queues, topics, subscriptions, emulator, .. } = &self.content;
        [tables, queues, topics, subscriptions].into_iter().any(Option::is_some) || emulator.is_some()
    }

    /// The paths of the project's files, as written.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Spanned<Utf8PathBuf>> {
        let Content { compose, tables, queues, topics, subscriptions, databases, seeds, .. } = &self.content;
        let Content { functions, event_source_mappings, .. } = &self.content;
        let resources = [tables, queues, topics, subscriptions, databases, seeds, functions, event_source_mappings];
        [compose].into_iter().chain(resources).flatten()
    }

    pub(crate) fn problem(&self, code: &'static str, span: Range<usize>, message: impl Into<String>) -> Problem {
        Problem::new(code, &self.file, span, message)
    }

    /// The Compose file, relative to `devenv.toml`.
    pub fn compose(&self) -> Option<&Utf8Path> {
        path(self.content.compose.as_ref())
    }

    /// The folder of the table files, relative to `devenv.toml`.
    pub fn tables(&self) -> Option<&Utf8Path> {
        path(self.content.tables.as_ref())
    }

    /// The folder of the queue files, relative to `devenv.toml`.
    pub fn queues(&self) -> Option<&Utf8Path> {
        path(self.content.queues.as_ref())
    }

    /// The folder of the topic files, relative to `devenv.toml`.
    pub fn topics(&self) -> Option<&Utf8Path> {
        path(self.content.topics.as_ref())
    }

    /// The folder of the subscription files, relative to `devenv.toml`.
    pub fn subscriptions(&self) -> Option<&Utf8Path> {
        path(self.content.subscriptions.as_ref())
    }

    /// The folder of the database files, relative to `devenv.toml`.
    pub fn databases(&self) -> Option<&Utf8Path> {
        path(self.content.databases.as_ref())
    }

    /// The folder of the function files, relative to `devenv.toml`.
    pub fn functions(&self) -> Option<&Utf8Path> {
        path(self.content.functions.as_ref())
    }

    /// The folder of the files of event source mappings, relative to `devenv.toml`.
    pub fn event_source_mappings(&self) -> Option<&Utf8Path> {
        path(self.content.event_source_mappings.as_ref())
    }

    /// The folder of the seed files, relative to `devenv.toml`.
    pub fn seeds(&self) -> Option<&Utf8Path> {
        path(self.content.seeds.as_ref())
    }
}

fn path(written: Option<&Spanned<Utf8PathBuf>>) -> Option<&Utf8Path> {
    written.map(|path| path.get_ref().as_path())
}

/// Returns the JSON Schema of `devenv.toml`, the content of `devenv.schema.json`.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Content);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is plain JSON");
    text.push('\n');
    text
}
