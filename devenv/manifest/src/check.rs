//! The checks that need more than one service or more than one file.

use std::ops::Range;

use devenv_model::functions::FUNCTION_HOST;
use devenv_model::manifest::{Condition, HealthTest, Port};
use devenv_model::template::{Reference, names, references};
use devenv_model::unit::{EMULATOR, MESSAGES};
use toml::Spanned;

use crate::compose::{Place, Read};
use crate::endpoint::{is_elsewhere, turns_local_off};
use crate::settings::Settings;
use devenv_document::closest::closest;
use devenv_document::problem::Problem;
use devenv_resource_files::{ReadDatabases, ReadFunctions, ReadMessaging};

pub(crate) struct Check<'a> {
    settings: &'a Settings,
    services: &'a [Read],
    messaging: &'a ReadMessaging,
    databases: &'a ReadDatabases,
    functions: &'a ReadFunctions,
    problems: Vec<Problem>,
}

impl<'a> Check<'a> {
    pub(crate) fn new(
        settings: &'a Settings,
        services: &'a [Read],
        messaging: &'a ReadMessaging,
        databases: &'a ReadDatabases,
        functions: &'a ReadFunctions,
    ) -> Self {
        Self { settings, services, messaging, databases, functions, problems: Vec::new() }
    }

    pub(crate) fn all(mut self) -> Vec<Problem> {
        self.processes();
        self.variables();
        self.names();
        self.ports();
        self.dependencies();
        self.problems
    }

    fn in_settings(&mut self, code: &'static str, span: Range<usize>, message: String, help: impl Into<String>) {
        self.problems.push(Problem::new(code, &self.settings.file, span, message).help(help));
    }

    fn in_compose(&mut self, code: &'static str, place: &Place, message: String, help: impl Into<String>) {
        self.problems.push(Problem::new(code, &place.file, place.span.clone(), message).help(help));
    }

    fn service(&self, name: &str) -> Option<&'a Read> {
        self.services.iter().find(|read| read.service.name == name)
    }

    /// Checks that every `${...}` of the process settings refers to an existing port, and that no variable leads to AWS.
    fn processes(&mut self) {
        let settings = self.settings;
        for (name, section) in &settings.content.services {
            let Some(section) = &section.process else { continue };
            let section = section.get_ref();
            if let Some(command) = &section.command {
                for word in command.get_ref() {
                    self.references(name.get_ref(), word, &command.span());
                }
            }
            for (variable, value) in &section.env {
                self.references(name.get_ref(), value.get_ref(), &value.span());
                self.endpoint(variable, value);
            }
        }
    }

    fn endpoint(&mut self, variable: &str, value: &Spanned<String>) {
        if variable.starts_with("AWS_ENDPOINT_URL") && is_elsewhere(value.get_ref()) {
            let message = format!("{variable} is not an address of this machine");
            self.in_settings("manifest.endpoint", value.span(), message, "write \"${emulator}\"");
        } else if turns_local_off(variable, value.get_ref()) {
            let message = format!("{variable} could lead to real AWS, which no local command may reach");
            self.in_settings("manifest.endpoint", value.span(), message, "remove it");
        }
    }

    fn references(&mut self, own: &str, template: &str, span: &Range<usize>) {
        let file = &self.settings.file;
        match references(template) {
            Ok(found) => {
                for (reference, part) in found {
                    self.reference(own, &reference, file.within(span, template, &part));
                }
            }
            Err((error, part)) => {
                let help = "write a lone $ for a dollar sign; it reaches the service's program unchanged";
                self.in_settings("manifest.reference", file.within(span, template, &part), error.to_string(), help);
            }
        }
    }

    fn reference(&mut self, own: &str, reference: &Reference, span: Range<usize>) {
        let (service, container) = match reference {
            Reference::Port { service, container } => (service, container),
            Reference::Emulator(_) => {
                if !self.settings.uses_aws() {
                    let help = "add `tables` or [emulator], or remove the reference";
                    self.in_settings("manifest.reference", span, "this project has no emulator".to_owned(), help);
                }
                return;
            }
            Reference::Queue(_) | Reference::Topic(_) | Reference::Database(_) => {
                if let Some((message, help)) = self.undeclared(reference) {
                    self.in_settings("manifest.reference", span, message, help);
                }
                return;
            }
        };
        let name = service.as_deref().unwrap_or(own);
        let Some(read) = self.service(name) else {
            // A section without a service is reported already.
            if service.is_some() {
                let help = self.meant(name);
                self.in_settings("manifest.reference", span, format!("there is no service {name}"), help);
            }
            return;
        };
        let published = read.service.ports.iter().map(|port| port.container);
        let known: Vec<u16> = published.chain(read.service.expose.iter().copied()).collect();
        if known.contains(container) || read.incomplete {
            return;
        }
        let help = if known.is_empty() {
            "add it under `ports` or `expose` in the Compose file".to_owned()
        } else {
            let known: Vec<String> = known.iter().map(ToString::to_string).collect();
            format!("it has {}; add others under `ports` or `expose`", known.join(", "))
        };
        self.in_settings("manifest.reference", span, format!("{name} has no container port {container}"), help);
    }

    /// Checks the names of queues, topics and databases in the variables of the Compose file.
    fn variables(&mut self) {
        for read in self.services {
            for (variable, value) in &read.service.environment {
                let Some(place) = read.variable_places.get(variable) else { continue };
                for (reference, part) in names(value) {
                    if let Some((message, help)) = self.undeclared(&reference) {
                        let span = place.file.within(&place.span, value, &part);
                        let place = Place { file: place.file.clone(), span };
                        self.in_compose("compose.reference", &place, message, help);
                    }
                }
            }
        }
    }

    /// The mistake in a reference to a queue, topic or database that no file declares, and its remedy.
    fn undeclared(&self, reference: &Reference) -> Option<(String, String)> {
        let (noun, name, help) = match reference {
            Reference::Queue(name) => ("queue", name, self.messaging.unknown_queue(name)?),
            Reference::Topic(name) => ("topic", name, self.messaging.unknown_topic(name)?),
            Reference::Database(name) => return self.unreachable_database(name),
            Reference::Port { .. } | Reference::Emulator(_) => return None,
        };
        Some((format!("there is no {noun} {name}"), help))
    }

    /// The mistake in a reference to a database that no file declares, or whose service no enabled profile has.
    fn unreachable_database(&self, name: &str) -> Option<(String, String)> {
        if let Some(help) = self.databases.unknown(name) {
            return Some((format!("there is no database {name}"), help));
        }
        let is_declared = self.databases.databases.iter().any(|read| read.database.name == name);
        let help = format!("enable it with --profile NAME, or give {name} the profiles of this service");
        (is_declared && self.service(name).is_none())
            .then(|| (format!("the service {name} is in a profile that is not enabled"), help))
    }

    /// Suggests a service's name.
    fn meant(&self, name: &str) -> String {
        let names: Vec<&str> = self.services.iter().map(|read| read.service.name.as_str()).collect();
        match closest(name, names.iter().copied()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("the services are {}", names.join(", ")),
        }
    }

    fn names(&mut self) {
        let of_functions = (!self.functions.is_empty()).then_some(FUNCTION_HOST);
        for name in [EMULATOR, MESSAGES].into_iter().chain(of_functions) {
            if let Some(read) = self.service(name) {
                let message = format!("the name {name} is reserved for devenv's own unit");
                self.in_compose("compose.reserved", &read.name_place, message, "choose another name");
            }
        }
        for read in self.services {
            let of = |other: &&Read| other.service.name != read.service.name;
            let is_named = |other: &&Read| other.service.units().any(|unit| unit == read.service.name);
            if let Some(other) = self.services.iter().filter(of).find(is_named) {
                let message = format!("{} is also the name of a replica of {}", read.service.name, other.service.name);
                self.in_compose("compose.duplicate_name", &read.name_place, message, "choose another name");
            }
        }
    }

    fn ports(&mut self) {
        let services = self.services;
        let all = services.iter().flat_map(|read| {
            let placed = read.service.ports.iter().zip(&read.port_places);
            placed.map(|(port, place)| (read.service.name.as_str(), port, place))
        });
        let mut seen: Vec<(&str, &Port, &Place)> = Vec::new();
        for (name, port, place) in all {
            let Some(published) = port.published else { continue };
            if let Some((other, _, first)) = seen.iter().find(|(_, other, _)| collide(other, port)) {
                let (line, _) = first.file.position(first.span.start);
                let is_same = first.file.path == place.file.path;
                let of = if is_same { String::new() } else { format!(" of {}", first.file.path) };
                let message = format!("{other} already publishes port {published}, on line {line}{of}");
                let problem = Problem::new("compose.duplicate_port", &place.file, place.span.clone(), message);
                let problem = problem.help("publish another port");
                self.problems.push(if is_same { problem.other(first.span.clone(), "first here") } else { problem });
            }
            seen.push((name, port, place));
        }
    }

    fn dependencies(&mut self) {
        for read in self.services {
            for (name, dependency) in &read.service.depends_on {
                let (Some(place), Some(other)) = (read.dependency_places.get(name), self.service(name)) else {
                    continue;
                };
                let check = other.service.healthcheck.as_ref();
                let checked = check.is_some_and(|check| check.test != HealthTest::Disabled);
                if dependency.condition == Condition::ServiceHealthy
                    && !checked
                    && other.service.health.is_none()
                    && !other.incomplete
                    // It is ready when it asks for its first event.
                    && !self.functions.is_function(name)
                {
                    let message = format!("{name} has no health check to wait for");
                    let help =
                        format!("give {name} a healthcheck, or `health` in devenv.toml, or wait for service_started");
                    self.in_compose("compose.no_healthcheck", place, message, help);
                }
            }
        }
    }
}

/// Whether two published ports conflict. An unspecified address covers every address.
fn collide(one: &Port, other: &Port) -> bool {
    let (here, there) = (one.host_ip, other.host_ip);
    one.published == other.published
        && one.protocol == other.protocol
        && (here == there || here.is_unspecified() || there.is_unspecified())
}
