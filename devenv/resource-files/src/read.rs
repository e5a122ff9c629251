//! Reads all files of resources, and the seeds that are checked against them.

use std::sync::Arc;

use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;
use devenv_model::manifest::{Seed, Table};
use devenv_model::messaging::MessageSeed;

use crate::databases::files::{self as databases, ReadDatabases};
use crate::functions::files::{self as functions, ReadFunctions};
use crate::messaging::files::{self as messaging, ReadMessaging};
use crate::seeds::SeedReader;
use crate::tables::TableReader;

/// The files of the folders of resources and seeds that `devenv.toml` names.
#[derive(Debug, Clone, Default)]
pub struct ResourceFiles {
    pub tables: Vec<SourceFile>,
    pub queues: Vec<SourceFile>,
    pub topics: Vec<SourceFile>,
    pub subscriptions: Vec<SourceFile>,
    pub databases: Vec<SourceFile>,
    pub functions: Vec<SourceFile>,
    pub event_source_mappings: Vec<SourceFile>,
    pub seeds: Vec<SourceFile>,
}

/// The content of the files.
pub struct ReadResources {
    pub tables: Vec<Table>,
    pub seeds: Vec<Seed>,
    pub messaging: ReadMessaging,
    pub messages: Vec<MessageSeed>,
    pub databases: ReadDatabases,
    pub functions: ReadFunctions,
}

/// Reads and checks the files, and appends their mistakes to `problems`.
pub fn read(files: &ResourceFiles, problems: &mut Vec<Problem>) -> ReadResources {
    let tables = tables(&files.tables, problems);
    let messaging = messaging::read(&files.queues, &files.topics, &files.subscriptions, problems);
    // Seeds are checked against tables and queues, so every one must be readable first.
    let all_are_read = problems.is_empty();
    let functions = functions::read(&files.functions, &files.event_source_mappings, &messaging, &tables, problems);
    let (seeds, messages) = (Vec::new(), Vec::new());
    let databases = ReadDatabases::default();
    let mut read = ReadResources { tables, seeds, messaging, messages, databases, functions };
    read.databases = databases::read(&files.databases, problems);
    for file in files.seeds.iter().filter(|_| all_are_read) {
        let file = Arc::new(file.clone());
        let is_table = |name: &str| read.tables.iter().any(|table| table.name == name);
        if read.messaging.has_seed(&file, is_table) {
            read.messages.extend(read.messaging.seed(&file, problems));
            continue;
        }
        let mut reader = SeedReader::new(&file);
        let queues: Vec<&str> = read.messaging.queue_names().collect();
        read.seeds.extend(reader.seed(&read.tables, &queues));
        problems.append(&mut reader.problems);
    }
    read
}

fn tables(files: &[SourceFile], problems: &mut Vec<Problem>) -> Vec<Table> {
    let mut read: Vec<Table> = Vec::new();
    for file in files {
        let file = Arc::new(file.clone());
        let mut reader = TableReader::new(&file);
        if let Some(found) = reader.table() {
            if let Some(other) = read.iter().find(|other| other.name == found.table.name) {
                let message = format!("table {} is also defined in {}", other.name, other.file);
                reader.problems.push(
                    Problem::new("table.duplicate", &file, found.name_span, message).help("keep one of the two files"),
                );
            }
            read.push(found.table);
        }
        problems.append(&mut reader.problems);
    }
    read
}
