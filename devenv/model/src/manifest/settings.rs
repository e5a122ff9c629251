//! `devenv.toml`, key by key. The published schema is made from these types.

use std::collections::BTreeMap;
use std::ops::Range;

use camino::{Utf8Path, Utf8PathBuf};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::source::SIZE_LIMIT;
use super::types::EmulatorKind;
use super::{Problem, SourceFile};
use crate::names::{closest, is_name};

/// The one version of the file's shape.
const VERSION: i64 = 1;

/// A `devenv.toml` that has been read, with the paths of the files it names.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(super) file: SourceFile,
    pub(super) content: Content,
}

/// What Compose and the table files cannot say about an environment.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "devenv.toml")]
pub(super) struct Content {
    /// The version of this file's shape; always 1.
    #[schemars(with = "i64", range(min = 1, max = 1))]
    pub(super) version: Spanned<i64>,
    /// The system's name: lower-case letters, digits and hyphens.
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    /// The Compose file, relative to this one.
    #[schemars(with = "String")]
    pub(super) compose: Utf8PathBuf,
    /// The folder of the table files (`*.json`, each the input of `CreateTable`).
    #[schemars(with = "String")]
    pub(super) tables: Utf8PathBuf,
    /// The folder of the seed files (`TABLE.json`, each a list of items in DynamoDB JSON).
    #[schemars(with = "Option<String>")]
    pub(super) seeds: Option<Utf8PathBuf>,
    /// The emulators that can stand for AWS.
    #[serde(default)]
    pub(super) emulator: EmulatorSettings,
    /// What is to be said of the services of the Compose file, by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ServiceSettings>")]
    pub(super) services: BTreeMap<Spanned<String>, ServiceSettings>,
    /// The end-to-end tests.
    pub(super) test: Option<TestSection>,
    /// The environments of AWS to which a tested system is promoted, by name.
    #[serde(default)]
    #[expect(dead_code, reason = "read so that a mistake in it is found; promotion is not part of this version")]
    pub(super) promote: BTreeMap<String, PromoteSettings>,
}

#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct EmulatorSettings {
    /// The emulator that `up` starts unless told otherwise.
    pub(super) default: Option<EmulatorKind>,
    /// DynamoDB Local, as a container.
    pub(super) dynamodb_local: Option<ImageSettings>,
    /// LocalStack or an emulator compatible with it, as a container.
    pub(super) localstack: Option<ImageSettings>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ImageSettings {
    /// The image with its exact version, such as `amazon/dynamodb-local:2.6.1`; a digest may follow.
    #[schemars(with = "String")]
    pub(super) image: Spanned<String>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceSettings {
    /// The path that answers 200 when the service and all it depends on are usable.
    #[schemars(with = "Option<String>")]
    pub(super) health: Option<Spanned<String>>,
    /// How the service runs without Docker.
    pub(super) process: Option<ProcessSection>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProcessSection {
    /// A Cargo package of this workspace whose binary has the same name.
    #[schemars(with = "Option<String>")]
    pub(super) package: Option<Spanned<String>>,
    /// A program and its arguments, in place of a package.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) command: Option<Spanned<Vec<String>>>,
    /// Variables laid over those of the Compose file; `${port:N}`, `${port:SERVICE:N}` and `${emulator}` are filled in.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) env: BTreeMap<String, Spanned<String>>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TestSection {
    /// The command that `devenv test` runs in an environment of its own.
    #[schemars(with = "Vec<String>")]
    pub(super) command: Spanned<Vec<String>>,
}

/// Read so that a file written for promotion is accepted; promotion itself is not part of this version.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "typed so that a mistake in it is found; nothing reads it yet")]
pub(super) struct PromoteSettings {
    /// The twelve digits of the AWS account.
    account: Option<String>,
    /// The AWS region, such as `eu-west-1`.
    region: Option<String>,
    /// The folder of the environment's Terraform roots.
    #[schemars(with = "Option<String>")]
    terraform: Option<Utf8PathBuf>,
    /// The platform the images must have, such as `linux/amd64`.
    platform: Option<String>,
    /// The emulators on which the tests must be green.
    #[serde(default)]
    emulators: Vec<EmulatorKind>,
    /// The environments whose release this one takes over.
    #[serde(default)]
    requires: Vec<String>,
}

impl Settings {
    /// Reads `devenv.toml`. What concerns other files too is checked by [`super::Manifest::assemble`].
    pub fn parse(file: SourceFile) -> Result<Self, super::ManifestError> {
        if file.text.len() > SIZE_LIMIT {
            return Err(Problem::new("manifest.too_large", &file, 0..0, "the file is larger than 1 MiB").into());
        }
        let content: Content = toml::from_str(&file.text).map_err(|error| explained(&file, &error))?;
        let settings = Self { file, content };
        let problems = settings.check();
        if problems.is_empty() { Ok(settings) } else { Err(super::ManifestError { problems }) }
    }

    /// The Compose file, relative to `devenv.toml`.
    pub fn compose(&self) -> &Utf8Path {
        &self.content.compose
    }

    pub fn tables(&self) -> &Utf8Path {
        &self.content.tables
    }

    pub fn seeds(&self) -> Option<&Utf8Path> {
        self.content.seeds.as_deref()
    }

    fn problem(&self, code: &'static str, span: Range<usize>, message: impl Into<String>) -> Problem {
        Problem::new(code, &self.file, span, message)
    }

    fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let content = &self.content;
        if *content.version.get_ref() != VERSION {
            let message =
                format!("version {} is not known; this devenv reads version {VERSION}", content.version.get_ref());
            problems.push(self.problem("manifest.version", content.version.span(), message));
        }
        if !is_name(content.name.get_ref()) {
            problems.push(
                self.problem("manifest.name", content.name.span(), "this is not a name")
                    .help("use lower-case letters, digits and inner hyphens, 40 at most"),
            );
        }
        for image in [&content.emulator.dynamodb_local, &content.emulator.localstack].into_iter().flatten() {
            if !has_exact_version(image.image.get_ref()) {
                problems.push(
                    self.problem("manifest.image", image.image.span(), "the image has no exact version")
                        .help("name one, such as amazon/dynamodb-local:2.6.1; `latest` is not one"),
                );
            }
        }
        if let Some(test) = &content.test
            && test.command.get_ref().is_empty()
        {
            problems.push(self.problem("manifest.command", test.command.span(), "the command is empty"));
        }
        for service in content.services.values() {
            self.check_service(service, &mut problems);
        }
        problems
    }

    fn check_service(&self, service: &ServiceSettings, problems: &mut Vec<Problem>) {
        if let Some(health) = &service.health
            && !health.get_ref().starts_with('/')
        {
            problems.push(
                self.problem("manifest.health", health.span(), "a path begins with /").help("write \"/health\", say"),
            );
        }
        let Some(process) = &service.process else {
            return;
        };
        match (&process.package, &process.command) {
            (Some(_), Some(command)) => problems.push(
                self.problem("manifest.process", command.span(), "package and command exclude each other")
                    .help("keep the one that starts the service"),
            ),
            (None, None) => {
                problems.push(
                    self.problem(
                        "manifest.process",
                        self.file.find(".process]"),
                        "neither package nor command is given",
                    )
                    .help("name the Cargo package to run: package = \"...\""),
                );
            }
            (None, Some(command)) if command.get_ref().is_empty() => {
                problems.push(self.problem("manifest.command", command.span(), "the command is empty"));
            }
            _ => {}
        }
    }
}

/// A tag that is not `latest`, or a digest.
fn has_exact_version(image: &str) -> bool {
    if image.contains("@sha256:") {
        return true;
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split_once(':').is_some_and(|(_, tag)| !tag.is_empty() && tag != "latest")
}

/// The parser's words, with a suggestion where it names a key that it does not know.
fn explained(file: &SourceFile, error: &toml::de::Error) -> Problem {
    let span = error.span().unwrap_or(0..0);
    let message = error.message();
    let Some(unknown) = message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next()) else {
        return Problem::new("manifest.syntax", file, span, message);
    };
    let known: Vec<&str> = message
        .split_once("expected")
        .map(|(_, list)| list.split('`').skip(1).step_by(2).collect())
        .unwrap_or_default();
    let help = match closest(unknown, known.iter().copied()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("the keys here are {}", known.join(", ")),
    };
    Problem::new("manifest.unknown_key", file, span, format!("unknown key {unknown}")).help(help)
}

/// The JSON Schema of `devenv.toml`, as `devenv.schema.json` holds it.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Content);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is plain JSON");
    text.push('\n');
    text
}
