//! Checks between the files of queues, topics and subscriptions.

use std::ops::Range;
use std::sync::Arc;

use devenv_document::closest::closest;
use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;

use super::order::cycles;
use super::queues::{ReadQueue, Sources};
use super::reader::Named;
use super::subscriptions::ReadSubscription;
use super::topics::ReadTopic;

pub(super) struct Cross<'a> {
    pub(super) queues: &'a [ReadQueue],
    pub(super) topics: &'a [ReadTopic],
    pub(super) subscriptions: &'a [ReadSubscription],
}

impl Cross<'_> {
    pub(super) fn check(&self, problems: &mut Vec<Problem>) {
        let before = problems.len();
        self.duplicates(problems);
        // A name that two files have may be meant for another: what refers to it proves nothing.
        if problems.len() > before {
            return;
        }
        self.queues.iter().for_each(|queue| self.dead_letters(queue, problems));
        self.cycles(problems);
        self.subscriptions.iter().for_each(|subscription| self.subscription(subscription, problems));
    }

    fn duplicates(&self, problems: &mut Vec<Problem>) {
        let queues = self.queues.iter().map(|read| (&read.name, &read.file));
        twice("queue.duplicate", "queue", queues, problems);
        let topics = self.topics.iter().map(|read| (&read.name, &read.file));
        twice("topic.duplicate", "topic", topics, problems);
        for (index, read) in self.subscriptions.iter().enumerate() {
            let same = |other: &&ReadSubscription| {
                (&other.topic.name, &other.queue.name) == (&read.topic.name, &read.queue.name)
            };
            if let Some(other) = self.subscriptions[..index].iter().find(same) {
                let message =
                    format!("{} already subscribes {} to {}", other.file.path, read.queue.name, read.topic.name);
                let problem = Problem::new("subscription.duplicate", &read.file, read.queue.span.clone(), message);
                problems.push(problem.help("keep one of the two files: a topic has one subscription for each queue"));
            }
        }
    }

    fn dead_letters(&self, read: &ReadQueue, problems: &mut Vec<Problem>) {
        if let Some(target) = &read.dead_letter
            && let Some(dead) = self.queue("queue.unknown", &read.file, target, problems)
        {
            dead_letter(read, target, dead, problems);
        }
        if let Sources::Named(sources) = &read.sources {
            for source in sources {
                self.queue("queue.unknown", &read.file, source, problems);
            }
        }
    }

    fn cycles(&self, problems: &mut Vec<Problem>) {
        for (queue, names) in cycles(self.queues) {
            let span = queue.dead_letter.as_ref().map(|target| target.span.clone()).unwrap_or_default();
            let message = if names.len() == 1 {
                format!("{} is its own dead-letter queue", names[0])
            } else {
                format!("a cycle of dead-letter queues: {}, {}", names.join(", "), names[0])
            };
            let help = "a message that nobody can handle must end somewhere: remove one RedrivePolicy";
            problems.push(Problem::new("queue.cycle", &queue.file, span, message).help(help));
        }
    }

    fn subscription(&self, read: &ReadSubscription, problems: &mut Vec<Problem>) {
        let topic = self.topics.iter().find(|topic| topic.name.name == read.topic.name);
        if topic.is_none() {
            let names = self.topics.iter().map(|topic| topic.name.name.as_str());
            problems.push(unknown("subscription.unknown", "topic", &read.file, &read.topic, names));
        }
        let queue = self.queue("subscription.unknown", &read.file, &read.queue, problems);
        let dead = read
            .dead_letter
            .as_ref()
            .map(|named| (named, self.queue("subscription.unknown", &read.file, named, problems)));
        let Some(topic) = topic else { return };
        if let Some(queue) = queue.filter(|queue| queue.is_fifo && !topic.is_fifo) {
            let message = format!("{} is a FIFO queue, and {} a standard topic", queue.name.name, topic.name.name);
            let help = "subscribe a standard queue, or make the topic FIFO: \"FifoTopic\": \"true\"";
            problems.push(Problem::new("subscription.fifo", &read.file, read.queue.span.clone(), message).help(help));
        }
        if let Some((named, Some(dead))) = dead
            && dead.is_fifo != topic.is_fifo
        {
            let message = format!("{} is not of the same type as the topic {}", dead.name.name, topic.name.name);
            let help = "a FIFO topic has FIFO dead-letter queues, a standard topic standard ones";
            problems.push(Problem::new("subscription.fifo", &read.file, named.span.clone(), message).help(help));
        }
    }

    fn queue(
        &self,
        code: &'static str,
        file: &Arc<SourceFile>,
        named: &Named,
        problems: &mut Vec<Problem>,
    ) -> Option<&ReadQueue> {
        let found = self.queues.iter().find(|queue| queue.name.name == named.name);
        if found.is_none() {
            let names = self.queues.iter().map(|queue| queue.name.name.as_str());
            problems.push(unknown(code, "queue", file, named, names));
        }
        found
    }
}

/// Checks a queue against its dead-letter queue.
fn dead_letter(read: &ReadQueue, target: &Named, dead: &ReadQueue, problems: &mut Vec<Problem>) {
    if dead.is_fifo != read.is_fifo {
        let word = |is_fifo| if is_fifo { "a FIFO queue" } else { "a standard queue" };
        let message = format!(
            "{} is {}, and its dead-letter queue {} is {}",
            read.name.name,
            word(read.is_fifo),
            dead.name.name,
            word(dead.is_fifo)
        );
        let help = "a dead-letter queue is of the same type as the queue";
        problems.push(Problem::new("queue.fifo", &read.file, target.span.clone(), message).help(help));
    }
    let is_allowed = match &dead.sources {
        Sources::All => true,
        Sources::None => false,
        Sources::Named(sources) => sources.iter().any(|source| source.name == read.name.name),
    };
    if !is_allowed {
        let message = format!("{} does not allow the dead letters of {}", dead.name.name, read.name.name);
        let help = format!("change RedriveAllowPolicy in {}", dead.file.path);
        problems.push(Problem::new("queue.redrive", &read.file, target.span.clone(), message).help(help));
    }
}

fn twice<'a>(
    code: &'static str,
    noun: &str,
    files: impl Iterator<Item = (&'a Named, &'a Arc<SourceFile>)>,
    problems: &mut Vec<Problem>,
) {
    let mut seen: Vec<(&Named, &Arc<SourceFile>)> = Vec::new();
    for (named, file) in files {
        if let Some((_, other)) = seen.iter().find(|(other, _)| other.name == named.name) {
            let message = format!("{noun} {} is also defined in {}", named.name, other.path);
            let span: Range<usize> = named.span.clone();
            problems.push(Problem::new(code, file, span, message).help("keep one of the two files"));
        }
        seen.push((named, file));
    }
}

fn unknown<'n>(
    code: &'static str,
    noun: &str,
    file: &Arc<SourceFile>,
    named: &Named,
    names: impl Iterator<Item = &'n str>,
) -> Problem {
    let message = format!("no file declares the {noun} {}", named.name);
    Problem::new(code, file, named.span.clone(), message).help(meant(noun, &named.name, names))
}

/// The nearest name, or all of them.
pub(crate) fn meant<'n>(noun: &str, name: &str, names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    match closest(name, names.iter().copied()) {
        Some(meant) => format!("did you mean {meant}?"),
        None if names.is_empty() => {
            format!("there is no {noun} file; name their folder in devenv.toml: {noun}s = \"...\"")
        }
        None => format!("the {noun}s are {}", names.join(", ")),
    }
}
