//! Joins the manifest's files.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use camino::Utf8PathBuf;
use devenv_compose::load::Project;
use toml::Spanned;

use crate::check::Check;
use crate::compose::Read;
use crate::compose_reader::Reader;
use crate::databases;
use crate::image::image;
use crate::promotion;
use crate::replaced::replaced;
use crate::settings::{HealthSetting, ProcessSection, ServiceSettings, Settings};
use devenv_document::closest::closest;
use devenv_document::problem::Mistakes;
use devenv_document::problem::Problem;
use devenv_document::tree::Node;
use devenv_model::artifact::{CommandArtifact, CommandInputs};
use devenv_model::manifest::{
    Emulator, EmulatorKind, Health, Manifest, ProcessRun, ProcessSettings, Service, TestSettings,
};
use devenv_resource_files::{ReadResources, ResourceFiles, read as read_resources};

/// Joins the files that `settings` names. `compose` is the model of the Compose files, or the mistakes in them; `environment` has
/// the caller's environment variables.
///
/// # Errors
///
/// All mistakes, not only the first.
pub fn assemble(
    root: Utf8PathBuf,
    settings: Settings,
    compose: Result<Project, Mistakes>,
    files: &ResourceFiles,
    environment: &BTreeMap<String, String>,
) -> Result<Manifest, Mistakes> {
    let mut problems = Vec::new();
    let replaces = compose.as_ref().ok().and_then(|project| replaced(&settings, project, &mut problems));
    let replaced = replaces.as_ref().map(|replaced| replaced.service.clone());
    let profiles = compose.as_ref().map(disabled_by_profile).unwrap_or_default();
    let mut reader = Reader { problems, replaced, ..Reader::default() };
    let read = compose.map(|project| (reader.services(&project, &root), project.disabled.into_keys().collect()));
    let mut problems = reader.problems;
    // An unreadable Compose file would make every reference to it look wrong too.
    let (mut services, disabled) = match read {
        Ok((services, disabled)) => (services.unwrap_or_default(), disabled),
        Err(mistakes) => {
            problems.extend(mistakes.problems);
            (Vec::new(), BTreeSet::new())
        }
    };
    let mut of_data = Vec::new();
    let ReadResources { tables, seeds, messaging, messages, databases, functions } =
        read_resources(files, &mut of_data);
    if problems.is_empty() || !services.is_empty() {
        join(&settings, &mut services, &disabled, &mut problems);
        for read in services.iter_mut().filter(|read| functions.is_function(&read.service.name)) {
            // A function listens nowhere: it asks for events. The setting stays for the day on which its files are removed.
            read.service.health = None;
        }
        problems.extend(databases::join(&databases, &mut services, &disabled));
        problems.extend(Check::new(&settings, &services, &messaging, &databases, &functions).all());
        let disabled: Vec<&str> = disabled.iter().map(String::as_str).collect();
        problems.extend(functions.without_service(&names(&services), &disabled));
    }
    problems.append(&mut of_data);
    let emulator = Emulator { replaces, ..emulator(&settings, environment, &mut problems) };
    let promote = promotion::targets(&settings, environment, &mut problems);
    if !problems.is_empty() {
        return Err(Mistakes::new(problems));
    }
    let uses_aws = settings.uses_aws();
    let functions = functions.into_functions(&names(&services), profiles);
    let services: BTreeMap<String, Service> =
        services.into_iter().map(|read| (read.service.name.clone(), read.service)).collect();
    let databases = databases::of_services(databases, &services);
    let content = settings.content;
    Ok(Manifest {
        name: content.name.into_inner(),
        root,
        services,
        emulator,
        uses_aws,
        tables,
        seeds,
        messaging: messaging.into_messaging(messages),
        databases,
        functions,
        test: content.test.map(|test| TestSettings {
            command: test.command.into_inner(),
            smoke: test.smoke.map(Spanned::into_inner),
            junit: test.junit.map(Spanned::into_inner),
        }),
        promote,
    })
}

/// The services that no enabled profile has, with their profiles.
fn disabled_by_profile(project: &Project) -> BTreeMap<String, Vec<String>> {
    let profiles = |service: &Node| -> Vec<String> {
        let items = service.get("profiles").and_then(Node::items).unwrap_or_default();
        items.iter().filter_map(Node::text).map(str::to_owned).collect()
    };
    project.disabled.iter().map(|(name, service)| (name.clone(), profiles(service))).collect()
}

fn names(services: &[Read]) -> Vec<&str> {
    services.iter().map(|read| read.service.name.as_str()).collect()
}

fn emulator(settings: &Settings, variables: &BTreeMap<String, String>, problems: &mut Vec<Problem>) -> Emulator {
    let content = settings.emulator();
    let embedded = content.embedded.as_ref().map(Spanned::get_ref);
    let mut image = |written: Option<&Spanned<String>>| image(settings, written?, variables, problems);
    Emulator {
        default: content.default.as_ref().map_or(EmulatorKind::Embedded, |kind| *kind.get_ref()),
        embedded_package: embedded.and_then(|embedded| embedded.package.clone()).map(Spanned::into_inner),
        embedded_image: image(embedded.and_then(|embedded| embedded.image.as_ref())),
        dynamodb_local_image: image(content.dynamodb_local.as_ref().map(|setting| &setting.image)),
        localstack_image: image(content.localstack.as_ref().map(|setting| &setting.image)),
        replaces: None,
    }
}

/// Applies each `[services.NAME]` section to its service. Those of services that no enabled profile has wait for their profile.
fn join(settings: &Settings, services: &mut [Read], disabled: &BTreeSet<String>, problems: &mut Vec<Problem>) {
    for (name, section) in &settings.content.services {
        if let Some(read) = services.iter_mut().find(|read| read.service.name == *name.get_ref()) {
            problems.extend(lay_over(settings, read, section));
            continue;
        }
        if disabled.contains(name.get_ref()) {
            continue;
        }
        let names: Vec<&str> = services.iter().map(|read| read.service.name.as_str()).collect();
        let help = match closest(name.get_ref(), names.iter().copied()) {
            Some(meant) => format!("did you mean {meant}?"),
            None if names.is_empty() => "add it there, or remove this section".to_owned(),
            None => format!("its services are {}", names.join(", ")),
        };
        let message = format!("the Compose file has no service {}", name.get_ref());
        problems.push(Problem::new("manifest.unknown_service", &settings.file, name.span(), message).help(help));
    }
}

fn lay_over(settings: &Settings, read: &mut Read, section: &ServiceSettings) -> Option<Problem> {
    read.service.process = section.process.as_ref().map(|section| process(section.get_ref()));
    read.service.start = section.start;
    match health(read, section.health.as_ref()?) {
        Ok(health) => {
            read.service.health = Some(health);
            None
        }
        Err(_) if read.incomplete => None,
        Err((span, message)) => Some(
            Problem::new("manifest.health", &settings.file, span, message)
                .help("add the port to `ports` in the Compose file"),
        ),
    }
}

/// Returns the health path with its published port; other ports are unreachable from outside.
fn health(read: &Read, setting: &HealthSetting) -> Result<Health, (Range<usize>, String)> {
    let service = &read.service;
    let port = match setting.port() {
        Some(port) if service.ports.iter().any(|known| known.container == *port.get_ref()) => *port.get_ref(),
        Some(port) => {
            let message = format!("{} publishes no container port {}", service.name, port.get_ref());
            return Err((port.span(), message));
        }
        None => service.first_stream().map(|port| port.container).ok_or_else(|| {
            let message = format!("{} has a health path but publishes no port", service.name);
            (setting.path().span(), message)
        })?,
    };
    Ok(Health { path: setting.path().get_ref().clone(), port })
}

fn process(section: &ProcessSection) -> ProcessSettings {
    let run = match (&section.package, &section.command) {
        (Some(package), _) => ProcessRun::Package(package.get_ref().clone()),
        (None, command) => ProcessRun::Command(CommandArtifact {
            run: command.as_ref().map(|command| command.get_ref().clone()).unwrap_or_default(),
            workdir: section.workdir.as_ref().map(|folder| folder.get_ref().clone()).unwrap_or_default(),
            build: section.build.as_ref().map(|build| build.get_ref().clone()),
            inputs: inputs(section),
        }),
    };
    ProcessSettings {
        run,
        env: section.env.iter().map(|(name, value)| (name.clone(), value.get_ref().clone())).collect(),
    }
}

fn inputs(section: &ProcessSection) -> CommandInputs {
    let Some(inputs) = &section.inputs else {
        return CommandInputs::default();
    };
    CommandInputs::Patterns(inputs.get_ref().iter().map(|pattern| pattern.get_ref().clone()).collect())
}
