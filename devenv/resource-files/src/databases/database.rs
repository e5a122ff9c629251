//! A database file: the `CreateDBInstance` input in the AWS CLI's form.

use std::sync::Arc;

use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;
use devenv_document::tree::Node;
use devenv_model::database::Database;

use super::rules::{KEYS, Rule};
use crate::messaging::reader::{self, Kind, Named, Reader};

const KIND: Kind = Kind {
    noun: "database",
    syntax: "database.syntax",
    unknown_key: "database.unknown_key",
    value: "database.value",
    reference: "see `aws rds create-db-instance help`",
};
/// RDS's and PostgreSQL's limit for names, in characters.
const NAME_LIMIT: usize = 63;
/// The major versions that devenv runs and RDS offers.
const VERSIONS: std::ops::RangeInclusive<u16> = 13..=99;
/// RDS keeps these for itself, or PostgreSQL does.
const RESERVED: [&str; 7] = ["admin", "rdsadmin", "rds_superuser", "rdsrepladmin", "user", "public", "none"];
/// Databases of each server: templates for others, and RDS's own.
const RESERVED_DATABASES: [&str; 3] = ["template0", "template1", "rdsadmin"];

/// A database, and the places that checks across files mark.
#[derive(Debug)]
pub struct ReadDatabase {
    pub database: Database,
    pub file: Arc<SourceFile>,
    pub(super) name: Named,
}

impl ReadDatabase {
    /// A problem at the database's name.
    pub fn problem(&self, code: &'static str, message: String) -> Problem {
        Problem::new(code, &self.file, self.name.span.clone(), message)
    }
}

/// Reads a database file.
pub(super) fn read(file: &Arc<SourceFile>, problems: &mut Vec<Problem>) -> Option<ReadDatabase> {
    reader::read(file, &KIND, problems, database)
}

fn database(reader: &mut Reader<'_>) -> Option<ReadDatabase> {
    let keys: Vec<&str> = KEYS.iter().map(|(name, _)| *name).collect();
    let (document, definition) = reader.document(&keys)?;
    for entry in document.entries().unwrap_or_default() {
        let rule = KEYS.iter().find(|(name, _)| *name == entry.key).map(|(_, rule)| rule);
        if let Some((message, help)) = rule.and_then(|rule| rule.broken_by(&entry.key, &entry.value)) {
            let span = if matches!(rule, Some(Rule::LeftOut(_))) { &entry.key_span } else { &entry.value.span };
            reader.report(span.clone(), message, help);
        }
    }
    let name = identifier(reader, &document);
    engine(reader, &document);
    let major = version(reader, &document);
    let database = word(reader, &document, "DBName", &RESERVED_DATABASES);
    let user = word(reader, &document, "MasterUsername", &RESERVED);
    let name = name?;
    let database = Database {
        name: name.name.clone(),
        file: reader.file.path.clone(),
        major: major?,
        database: database?,
        user: user?,
        definition,
    };
    Some(ReadDatabase { database, file: Arc::clone(reader.file), name })
}

/// RDS keeps identifiers in lower case, and the Compose service has the same name.
fn identifier(reader: &mut Reader<'_>, document: &Node) -> Option<Named> {
    let named = reader.required_text(document, "DBInstanceIdentifier")?;
    let name = &named.name;
    let allowed = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-';
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
    let is_apart = !name.ends_with('-') && !name.contains("--");
    if !begins || !is_apart || name.len() > NAME_LIMIT || !name.chars().all(allowed) {
        let help =
            format!("use 1 to {NAME_LIMIT} lower-case letters, digits and single inner hyphens; begin with a letter");
        reader.report(named.span.clone(), format!("{name} is not a valid identifier of a database"), help);
    }
    Some(named)
}

fn engine(reader: &mut Reader<'_>, document: &Node) {
    if let Some(engine) = reader.required_text(document, "Engine").filter(|engine| engine.name != "postgres") {
        let help = "write \"postgres\": devenv runs PostgreSQL only";
        reader.report(engine.span, format!("the engine {} is not supported", engine.name), help);
    }
}

/// The major version of `EngineVersion`.
fn version(reader: &mut Reader<'_>, document: &Node) -> Option<u16> {
    let Named { name, span } = reader.required_text(document, "EngineVersion")?;
    let (major, minor) = name.split_once('.').map_or((name.as_str(), None), |(major, minor)| (major, Some(minor)));
    let is_number = |text: &str| text.len() <= 4 && text.parse::<u16>().is_ok() && !text.starts_with('+');
    let major = Some(major).filter(|major| is_number(major)).and_then(|major| major.parse().ok());
    let major = major.filter(|_| minor.is_none_or(is_number));
    match major {
        Some(major) if VERSIONS.contains(&major) => Some(major),
        Some(_) => {
            let message = format!("PostgreSQL {name} is too old");
            reader.report(span, message, format!("write \"{}\" or later", VERSIONS.start()));
            None
        }
        None => {
            let message = format!("{name} is no version of PostgreSQL");
            reader.report(span, message, "write the major version, such as \"15\", or a minor one, such as \"15.7\"");
            None
        }
    }
}

/// A name within PostgreSQL. SQL without quotes folds letters to lower case, so there are no others.
fn word(reader: &mut Reader<'_>, document: &Node, key: &str, reserved: &[&str]) -> Option<String> {
    let Named { name, span } = reader.required_text(document, key)?;
    let allowed = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
    let begins = name.starts_with(|first: char| first.is_ascii_lowercase());
    if !begins || name.len() > NAME_LIMIT || !name.chars().all(allowed) {
        let help = format!("use 1 to {NAME_LIMIT} lower-case letters, digits and `_`; begin with a letter");
        reader.report(span, format!("{key} cannot be {name}"), help);
    } else if reserved.contains(&name.as_str()) || name.starts_with("pg_") {
        reader.report(span, format!("{key} cannot be {name}, which is reserved"), "choose another name");
    }
    Some(name)
}
