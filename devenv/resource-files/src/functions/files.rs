//! Reads all files of functions and event source mappings.

use std::collections::BTreeMap;
use std::sync::Arc;

use devenv_document::closest::closest;
use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;
use devenv_model::functions::Functions;
use devenv_model::manifest::Table;

use super::cross::Cross;
use super::function::{self, ReadFunction};
use super::mapping::{self, ReadMapping};
use crate::messaging::files::ReadMessaging;

/// The files that were read, with the places that later checks mark.
#[derive(Debug, Default)]
pub struct ReadFunctions {
    functions: Vec<ReadFunction>,
    mappings: Vec<ReadMapping>,
}

/// Reads and checks the files against each other and against their sources.
pub(crate) fn read(
    functions: &[SourceFile],
    mappings: &[SourceFile],
    messaging: &ReadMessaging,
    tables: &[Table],
    problems: &mut Vec<Problem>,
) -> ReadFunctions {
    // What refers to an unreadable file proves nothing.
    let is_whole = problems.is_empty();
    let shared = |file: &SourceFile| Arc::new(file.clone());
    let functions: Vec<_> = functions.iter().filter_map(|file| function::read(&shared(file), problems)).collect();
    let mappings: Vec<_> = mappings.iter().filter_map(|file| mapping::read(&shared(file), problems)).collect();
    if is_whole && problems.is_empty() {
        Cross { functions: &functions, mappings: &mappings, messaging, tables }.check(problems);
    }
    ReadFunctions { functions, mappings }
}

impl ReadFunctions {
    pub fn is_function(&self, service: &str) -> bool {
        self.functions.iter().any(|read| read.name.name == service)
    }

    pub fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }

    /// The mistake of each function that is neither of `services` nor of `disabled`, the services of profiles that are not enabled.
    pub fn without_service(&self, services: &[&str], disabled: &[&str]) -> Vec<Problem> {
        let is_absent = |read: &&ReadFunction| {
            let name = read.name.name.as_str();
            !services.contains(&name) && !disabled.contains(&name)
        };
        let problem = |read: &ReadFunction| {
            let name = &read.name.name;
            let help = match closest(name, services.iter().copied()) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("add a service {name}: its image is the function's code"),
            };
            let message = format!("the Compose file has no service {name}");
            Problem::new("function.service", &read.file, read.name.span.clone(), message).help(help)
        };
        self.functions.iter().filter(is_absent).map(problem).collect()
    }

    /// The functions among `services`, and their mappings: those of a profile that is not enabled are left out. `profiles` has the
    /// services that are left out.
    pub fn into_functions(self, services: &[&str], mut profiles: BTreeMap<String, Vec<String>>) -> Functions {
        profiles.retain(|service, _| self.is_function(service));
        let is_here = |name: &str| services.contains(&name);
        let functions = self.functions.into_iter().map(|read| read.function).filter(|one| is_here(&one.name)).collect();
        let mappings =
            self.mappings.into_iter().map(|read| read.mapping).filter(|one| is_here(&one.function)).collect();
        Functions { functions, mappings, disabled: profiles }
    }
}
