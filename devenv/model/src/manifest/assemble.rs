//! The three kinds of files joined, and the checks that need more than one of them.

use std::collections::BTreeMap;
use std::ops::Range;

use camino::Utf8PathBuf;
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use super::compose::{Read, Reader};
use super::settings::{ProcessSection, ServiceSettings, Settings};
use super::tables::TableReader;
use super::template::{Reference, references};
use super::types::{
    Condition, Emulator, EmulatorKind, Health, HealthTest, Manifest, ProcessRun, ProcessSettings, Table, TestSettings,
};
use super::{ManifestError, Problem, SourceFile};
use crate::names::closest;
use crate::unit::EMULATOR;

impl Manifest {
    /// Joins the files that `settings` names. `environment` is the caller's, for the Compose file's variables.
    ///
    /// # Errors
    ///
    /// Everything found wrong, not only the first.
    pub fn assemble(
        root: Utf8PathBuf,
        settings: Settings,
        compose: &SourceFile,
        tables: &[SourceFile],
        seeds: &[SourceFile],
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, ManifestError> {
        let mut reader = Reader::new(compose, environment);
        let mut services = reader.services();
        let mut problems = reader.problems;
        // A file that could not be read at all would make everything that refers to it look wrong too.
        if !services.is_empty() || problems.is_empty() {
            let mut joiner = Joiner { settings: &settings, compose, problems: Vec::new() };
            joiner.join(&mut services);
            joiner.check(&services);
            problems.append(&mut joiner.problems);
        }
        let (read_tables, seeds) = data(tables, seeds, &mut problems);
        if !problems.is_empty() {
            return Err(ManifestError { problems });
        }
        let content = settings.content;
        let image = |image: Option<super::settings::ImageSettings>| image.map(|image| image.image.into_inner());
        Ok(Self {
            name: content.name.into_inner(),
            root,
            services: services.into_iter().map(|read| (read.service.name.clone(), read.service)).collect(),
            emulator: Emulator {
                default: content.emulator.default.unwrap_or(EmulatorKind::Embedded),
                dynamodb_local_image: image(content.emulator.dynamodb_local),
                localstack_image: image(content.emulator.localstack),
            },
            tables: read_tables,
            seeds,
            test: content.test.map(|test| TestSettings { command: test.command.into_inner() }),
        })
    }
}

fn data(
    tables: &[SourceFile],
    seeds: &[SourceFile],
    problems: &mut Vec<Problem>,
) -> (Vec<Table>, Vec<super::types::Seed>) {
    let mut read: Vec<Table> = Vec::new();
    let before = problems.len();
    for file in tables {
        let mut reader = TableReader::new(file);
        if let Some(found) = reader.table() {
            if let Some(other) = read.iter().find(|other| other.name == found.table.name) {
                let message = format!("table {} is described by {} too", other.name, other.file);
                reader.problems.push(
                    Problem::new("table.duplicate", file, found.name_span, message).help("keep one of the two files"),
                );
            }
            read.push(found.table);
        }
        problems.append(&mut reader.problems);
    }
    let mut sown = Vec::new();
    let tables_are_read = problems.len() == before;
    for file in seeds.iter().filter(|_| tables_are_read) {
        let mut reader = TableReader::new(file);
        sown.extend(reader.seed(&read));
        problems.append(&mut reader.problems);
    }
    (read, sown)
}

struct Joiner<'a> {
    settings: &'a Settings,
    compose: &'a SourceFile,
    problems: Vec<Problem>,
}

impl Joiner<'_> {
    fn in_settings(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.problems.push(Problem::new(code, &self.settings.file, span, message).help(help));
    }

    fn in_compose(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.problems.push(Problem::new(code, self.compose, span, message).help(help));
    }

    /// Lays each `[services.NAME]` over its service.
    fn join(&mut self, services: &mut [Read]) {
        let names: Vec<String> = services.iter().map(|read| read.service.name.clone()).collect();
        let sections: Vec<_> = self.settings.content.services.iter().collect();
        for (name, section) in sections {
            match services.iter_mut().find(|read| read.service.name == *name.get_ref()) {
                Some(read) => self.lay_over(read, section),
                None => {
                    let known = names.iter().map(String::as_str);
                    let help = closest(name.get_ref(), known).map_or_else(
                        || format!("its services are {}", names.join(", ")),
                        |meant| format!("did you mean {meant}?"),
                    );
                    let message = format!("the Compose file has no service {}", name.get_ref());
                    self.in_settings("manifest.unknown_service", name.span(), message, help);
                }
            }
        }
        self.check_references(services);
    }

    fn lay_over(&mut self, read: &mut Read, section: &ServiceSettings) {
        let service = &mut read.service;
        if let Some(path) = &section.health {
            match service.ports.first() {
                Some(port) => service.health = Some(Health { path: path.get_ref().clone(), port: port.container }),
                None => {
                    let message = format!("{} has a health path and no port to ask on", service.name);
                    self.in_settings("manifest.health", path.span(), message, "give it `ports` in the Compose file");
                }
            }
        }
        service.process = section.process.as_ref().map(process);
    }

    /// Every `${...}` of the process settings names something that exists, and no endpoint is elsewhere.
    fn check_references(&mut self, services: &[Read]) {
        let settings = self.settings;
        for (name, section) in &settings.content.services {
            let Some(section) = &section.process else { continue };
            for (variable, value) in &section.env {
                match references(value.get_ref()) {
                    Ok(found) => {
                        for reference in found {
                            self.check_reference(name.get_ref(), &reference, value.span(), services);
                        }
                    }
                    Err(error) => {
                        self.in_settings(
                            "manifest.reference",
                            value.span(),
                            error.to_string(),
                            "see devenv.schema.json",
                        );
                    }
                }
                if variable.starts_with("AWS_ENDPOINT_URL") && is_elsewhere(value.get_ref()) {
                    let message = format!("{variable} is not on this machine");
                    self.in_settings("manifest.endpoint", value.span(), message, "write \"${emulator}\"");
                }
            }
        }
    }

    fn check_reference(&mut self, own: &str, reference: &Reference, span: Range<usize>, services: &[Read]) {
        let Reference::Port { service, container } = reference else { return };
        let name = service.as_deref().unwrap_or(own);
        let Some(read) = services.iter().find(|read| read.service.name == name) else {
            let message = format!("there is no service {name}");
            self.in_settings("manifest.reference", span, message, "name a service of the Compose file");
            return;
        };
        let mut known: Vec<u16> = read.service.ports.iter().map(|port| port.container).collect();
        known.extend(&read.service.expose);
        if !known.contains(container) {
            let known: Vec<String> = known.iter().map(ToString::to_string).collect();
            let message = format!("{name} has no container port {container}");
            let help = format!("it has {}; add others under `ports` or `expose`", known.join(", "));
            self.in_settings("manifest.reference", span, message, help);
        }
    }

    fn check(&mut self, services: &[Read]) {
        self.check_names(services);
        self.check_ports(services);
        self.check_dependencies(services);
        self.check_cycles(services);
    }

    fn check_names(&mut self, services: &[Read]) {
        for read in services {
            if read.service.name == EMULATOR {
                self.in_compose(
                    "compose.reserved",
                    read.name_span.clone(),
                    format!("{EMULATOR} is the name of devenv's own unit"),
                    "choose another name",
                );
            }
        }
    }

    fn check_ports(&mut self, services: &[Read]) {
        let mut seen: BTreeMap<u16, (&str, Range<usize>)> = BTreeMap::new();
        for read in services {
            for (port, span) in read.service.ports.iter().zip(&read.port_spans) {
                let Some(published) = port.published else { continue };
                let previous = seen.get(&published).cloned();
                if let Some((other, first)) = previous {
                    let line = self.compose.position(first.start).0;
                    let message = format!("port {published} is published by {other} too, in line {line}");
                    self.in_compose("compose.duplicate_port", span.clone(), message, "publish another port");
                }
                seen.entry(published).or_insert_with(|| (&read.service.name, span.clone()));
            }
        }
    }

    fn check_dependencies(&mut self, services: &[Read]) {
        let names: Vec<&str> = services.iter().map(|read| read.service.name.as_str()).collect();
        for read in services {
            for (name, condition) in &read.service.depends_on {
                let span = read.dependency_spans.get(name).cloned().unwrap_or_default();
                let Some(other) = services.iter().find(|other| other.service.name == *name) else {
                    let help = closest(name, names.iter().copied()).map_or_else(
                        || format!("the services are {}", names.join(", ")),
                        |meant| format!("did you mean {meant}?"),
                    );
                    self.in_compose("compose.unknown_service", span, format!("there is no service {name}"), help);
                    continue;
                };
                let checked =
                    other.service.healthcheck.as_ref().is_some_and(|check| check.test != HealthTest::Disabled);
                if *condition == Condition::ServiceHealthy && !checked && other.service.health.is_none() {
                    let message = format!("{name} has no health check that could be waited for");
                    let help =
                        format!("give {name} a healthcheck, or `health` in devenv.toml, or wait for service_started");
                    self.in_compose("compose.no_healthcheck", span, message, help);
                }
            }
        }
    }

    fn check_cycles(&mut self, services: &[Read]) {
        let mut graph: DiGraphMap<&str, ()> = DiGraphMap::new();
        for read in services {
            for name in read.service.depends_on.keys() {
                graph.add_edge(read.service.name.as_str(), name.as_str(), ());
            }
        }
        for component in tarjan_scc(&graph) {
            let first = *component.iter().min().expect("a component has a member");
            if component.len() == 1 && !graph.contains_edge(first, first) {
                continue;
            }
            let path = walk(&graph, first, &component);
            let span = services
                .iter()
                .find(|read| read.service.name == first)
                .and_then(|read| read.dependency_spans.get(path[1]).cloned())
                .unwrap_or_default();
            let message = format!("these services wait for each other: {}", path.join(" -> "));
            self.in_compose("compose.cycle", span, message, "remove one of the dependencies");
        }
    }
}

/// From `first` through its component back to `first`.
fn walk<'a>(graph: &DiGraphMap<&'a str, ()>, first: &'a str, component: &[&'a str]) -> Vec<&'a str> {
    let mut path = vec![first];
    loop {
        let last = *path.last().expect("it begins with one");
        let next = graph.neighbors(last).filter(|name| component.contains(name));
        let mut next: Vec<&str> = next.collect();
        next.sort_unstable_by_key(|name| (path.contains(name), *name));
        let Some(name) = next.first() else { return path };
        let closes = path.contains(name);
        path.push(name);
        if closes {
            return path;
        }
    }
}

fn process(section: &ProcessSection) -> ProcessSettings {
    let run = match (&section.package, &section.command) {
        (Some(package), _) => ProcessRun::Package(package.get_ref().clone()),
        (None, command) => {
            ProcessRun::Command(command.as_ref().map(|command| command.get_ref().clone()).unwrap_or_default())
        }
    };
    ProcessSettings {
        run,
        env: section.env.iter().map(|(name, value)| (name.clone(), value.get_ref().clone())).collect(),
    }
}

/// A written-out address that is not loopback. A reference is filled with one that is.
fn is_elsewhere(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let host = if let Some(bracketed) = host.strip_prefix('[') {
        bracketed.split(']').next().unwrap_or_default()
    } else {
        host.split(':').next().unwrap_or_default()
    };
    let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    !loopback && !host.starts_with("${")
}
