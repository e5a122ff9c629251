//! Checks between the files of functions, mappings, queues and tables.

use devenv_document::closest::closest;
use devenv_document::problem::Problem;
use devenv_model::functions::EventSource;
use devenv_model::manifest::Table;

use super::function::ReadFunction;
use super::mapping::ReadMapping;
use crate::messaging::files::ReadMessaging;

/// A message stays hidden for this many times the function's timeout: AWS's advice, so that a batch that is throttled or tried again
/// is not received a second time meanwhile.
const HIDDEN: i64 = 6;
/// SQS's default, in seconds.
const DEFAULT_VISIBILITY: i64 = 30;

pub(super) struct Cross<'a> {
    pub(super) functions: &'a [ReadFunction],
    pub(super) mappings: &'a [ReadMapping],
    pub(super) messaging: &'a ReadMessaging,
    pub(super) tables: &'a [Table],
}

impl Cross<'_> {
    pub(super) fn check(&self, problems: &mut Vec<Problem>) {
        self.duplicates(problems);
        for read in self.mappings {
            let function = self.functions.iter().find(|function| function.name.name == read.function.name);
            if function.is_none() {
                problems.push(self.unknown_function(read));
            }
            match &read.mapping.source {
                EventSource::Queue(queue) => self.queue(read, function, queue, problems),
                EventSource::Stream(table) => self.stream(read, table, problems),
            }
        }
    }

    fn duplicates(&self, problems: &mut Vec<Problem>) {
        for (index, read) in self.functions.iter().enumerate() {
            if let Some(other) = self.functions[..index].iter().find(|other| other.name.name == read.name.name) {
                let message = format!("function {} is also defined in {}", read.name.name, other.file.path);
                let problem = Problem::new("function.duplicate", &read.file, read.name.span.clone(), message);
                problems.push(problem.help("keep one of the two files"));
            }
        }
        for (index, read) in self.mappings.iter().enumerate() {
            let same = |other: &&ReadMapping| {
                (&other.mapping.function, &other.mapping.source) == (&read.mapping.function, &read.mapping.source)
            };
            if let Some(other) = self.mappings[..index].iter().find(same) {
                let message = format!("{} already feeds {} from this source", other.file.path, read.function.name);
                let problem = Problem::new("mapping.duplicate", &read.file, read.source.span.clone(), message);
                problems.push(problem.help("keep one of the two files"));
            }
        }
    }

    fn unknown_function(&self, read: &ReadMapping) -> Problem {
        let name = &read.function.name;
        let names: Vec<&str> = self.functions.iter().map(|function| function.name.name.as_str()).collect();
        let help = match closest(name, names.iter().copied()) {
            Some(meant) => format!("did you mean {meant}?"),
            None if names.is_empty() => {
                "there is no function file; name their folder in devenv.toml: functions = \"...\"".to_owned()
            }
            None => format!("the functions are {}", names.join(", ")),
        };
        let message = format!("no file declares the function {name}");
        Problem::new("mapping.unknown", &read.file, read.function.span.clone(), message).help(help)
    }

    fn queue(&self, read: &ReadMapping, function: Option<&ReadFunction>, queue: &str, problems: &mut Vec<Problem>) {
        if let Some(help) = self.messaging.unknown_queue(queue) {
            let message = format!("no file declares the queue {queue}");
            problems.push(Problem::new("mapping.unknown", &read.file, read.source.span.clone(), message).help(help));
            return;
        }
        let (Some(function), Some(definition)) = (function, self.messaging.definition_of_queue(queue)) else { return };
        let visibility =
            definition["Attributes"]["VisibilityTimeout"].as_str().and_then(|text| text.parse::<i64>().ok());
        let visibility = visibility.unwrap_or(DEFAULT_VISIBILITY);
        let timeout = i64::from(function.function.timeout_seconds);
        let needed = HIDDEN * timeout + read.window_seconds;
        if visibility < needed {
            let name = &function.name.name;
            let window = if read.window_seconds > 0 { " and the batching window" } else { "" };
            let message = format!(
                "{queue} hides a message for {visibility} s, less than six times the timeout of {name}{window}: {needed} s"
            );
            let help = format!(
                "set VisibilityTimeout of {queue} to \"{needed}\", or a shorter Timeout in {}",
                function.file.path
            );
            problems.push(Problem::new("mapping.visibility", &read.file, read.source.span.clone(), message).help(help));
        }
    }

    fn stream(&self, read: &ReadMapping, table: &str, problems: &mut Vec<Problem>) {
        let names = || self.tables.iter().map(|table| table.name.as_str());
        let Some(known) = self.tables.iter().find(|known| known.name == table) else {
            let help = match closest(table, names()) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("the tables are {}", names().collect::<Vec<_>>().join(", ")),
            };
            let message = format!("no file declares the table {table}");
            problems.push(Problem::new("mapping.unknown", &read.file, read.source.span.clone(), message).help(help));
            return;
        };
        if known.definition["StreamSpecification"]["StreamEnabled"] != true {
            let message = format!("{table} has no stream");
            let help = format!(
                "add \"StreamSpecification\": {{ \"StreamEnabled\": true, \"StreamViewType\": \"NEW_AND_OLD_IMAGES\" }} to {}",
                known.file
            );
            problems.push(Problem::new("mapping.stream", &read.file, read.source.span.clone(), message).help(help));
        }
    }
}
