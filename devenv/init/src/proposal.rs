//! From the findings and the answers to the files to write. Pure.

use std::collections::BTreeMap;
use std::fmt::Write;

use camino::Utf8PathBuf;
use devenv_compose::load::Project;
use devenv_document::problem::{Mistakes, Problem};
use devenv_document::source::SourceFile;
use devenv_document::tree::Node;
use devenv_manifest::assemble::assemble;
use devenv_manifest::load::MANIFEST;
use devenv_manifest::settings::Settings;
use devenv_model::names::is_name;
use devenv_resource_files::ResourceFiles;

use crate::found::{ComposeFile, Found, TestCommand};

/// The length limit of a project's name.
const NAME_LIMIT: usize = 40;
const TABLES: &str = "tables";

/// The answers to the three questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    pub name: String,
    pub test: Option<TestCommand>,
    /// The service that devenv's own emulator replaces.
    pub replaces: Option<String>,
}

/// The files to write.
#[derive(Debug, Clone)]
pub struct Proposal {
    pub root: Utf8PathBuf,
    /// The files by their paths from the root: `devenv.toml`, and what it names and is not there.
    pub files: Vec<(Utf8PathBuf, String)>,
    /// The parts of the Compose file that `up` refuses.
    pub left_out: Vec<Problem>,
}

impl Answers {
    /// The answers that the findings suggest.
    pub fn suggested(found: &Found) -> Self {
        Self {
            name: valid_name(&found.name),
            test: found.tests.first().cloned(),
            replaces: found.replaceable().map(|emulator| emulator.service.clone()),
        }
    }
}

/// The nearest valid name of a project.
pub fn valid_name(name: &str) -> String {
    let lower = name.to_lowercase();
    let parts: Vec<&str> =
        lower.split(|character: char| !character.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let mut valid = parts.join("-");
    valid.truncate(NAME_LIMIT);
    let valid = valid.trim_end_matches('-').to_owned();
    if is_name(&valid) { valid } else { "project".to_owned() }
}

/// Makes the proposal. `project` is the Compose model.
///
/// # Errors
///
/// The mistakes in the proposed `devenv.toml`: a name that is not valid.
pub fn propose(
    found: &Found,
    project: &Project,
    answers: &Answers,
    variables: &BTreeMap<String, String>,
) -> Result<Proposal, Mistakes> {
    let text = text(found, project, answers);
    let file = SourceFile { path: MANIFEST.into(), text: text.clone() };
    let settings = Settings::parse(file)?;
    let read = assemble(found.root.clone(), settings, Ok(project.clone()), &ResourceFiles::default(), variables);
    let left_out = read.err().map(|mistakes| mistakes.problems).unwrap_or_default();
    let mut files = vec![(Utf8PathBuf::from(MANIFEST), text)];
    if let ComposeFile::Absent { text } = &found.compose.file {
        files.push((Utf8PathBuf::from("compose.yaml"), text.clone()));
    }
    if names_new_tables(found, answers) {
        files.push((Utf8PathBuf::from(TABLES).join("README.md"), TABLES_README.to_owned()));
    }
    Ok(Proposal { root: found.root.clone(), files, left_out })
}

const TABLES_README: &str = "\
Each `*.json` file here is one table: the input of DynamoDB's CreateTable, as `aws dynamodb create-table --cli-input-json`
takes it. `devenv resources import --from http://127.0.0.1:PORT` writes them from a running emulator.
";

/// Whether the services need an emulator that nothing in the Compose file is.
fn names_new_tables(found: &Found, answers: &Answers) -> bool {
    let compose = &found.compose;
    let has_emulator = answers.replaces.is_some() || !compose.emulators.is_empty();
    found.tables.is_none() && !compose.callers.is_empty() && !has_emulator
}

fn text(found: &Found, project: &Project, answers: &Answers) -> String {
    let mut text = String::from("# The settings that have no place in the Compose file.\nversion = 1\n");
    let _ = writeln!(text, "name = {}", quoted(&answers.name));
    match &found.compose.file {
        ComposeFile::Usual(path) | ComposeFile::Named(path) => {
            let _ = writeln!(text, "compose = {}", quoted(path.as_str()));
        }
        ComposeFile::OfVariable => text.push_str("# The Compose files are those of COMPOSE_FILE.\n"),
        ComposeFile::Absent { .. } => text.push_str("compose = \"compose.yaml\"\n"),
    }
    if let Some(tables) = &found.tables {
        let _ = writeln!(text, "tables = {}", quoted(tables.as_str()));
    } else if names_new_tables(found, answers) {
        text.push_str("# DynamoDB tables, a file each. From a running emulator: devenv resources import --from URL\n");
        let _ = writeln!(text, "tables = {}", quoted(TABLES));
    } else if answers.replaces.is_some() {
        text.push_str("# DynamoDB tables that devenv itself creates, a file each:\n# tables = \"tables\"\n");
    }
    if let Some(service) = &answers.replaces {
        text.push_str(
            "\n[emulator]\n# devenv's own emulator takes the place of this service, under its name and port.\n",
        );
        let _ = writeln!(text, "replaces = {}", quoted(service));
    }
    test_section(&mut text, found, project, answers);
    text
}

fn test_section(text: &mut String, found: &Found, project: &Project, answers: &Answers) {
    let Some(test) = &answers.test else {
        text.push_str("\n# The command that tests everything together:\n# [test]\n# command = [\"./test.sh\"]\n");
        return;
    };
    text.push_str("\n[test]\n# devenv test runs this beside a copy of everything on free ports");
    let addresses = addresses(project, answers);
    if addresses.is_empty() {
        text.push_str(".\n");
    } else {
        let _ = writeln!(text, ",\n# whose addresses are in {}.", addresses.join(", "));
    }
    let _ = writeln!(text, "command = {}", list(&test.command));
    let others: Vec<String> =
        found.tests.iter().filter(|other| other.command != test.command).map(|other| list(&other.command)).collect();
    if !others.is_empty() {
        let _ = writeln!(text, "# Found too: {}", others.join(", "));
    }
}

/// The variables with the addresses of the services that publish a port.
fn addresses(project: &Project, answers: &Answers) -> Vec<String> {
    let services = project.model.get("services").and_then(Node::entries).unwrap_or_default();
    let published = services.iter().filter(|service| {
        let ports = service.value.get("ports").and_then(Node::items).unwrap_or_default();
        !ports.is_empty() && answers.replaces.as_ref() != Some(&service.key)
    });
    let variable = |name: &str| name.to_uppercase().replace(|character: char| !character.is_ascii_alphanumeric(), "_");
    published.map(|service| format!("{}_URL", variable(&service.key))).collect()
}

fn list(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("[{}]", words.join(", "))
}

/// A string of TOML: those of JSON are among them.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_valid() {
        for (name, valid) in [("shop", "shop"), ("My_Shop 2", "my-shop-2"), ("---", "project"), ("Über", "ber")] {
            assert_eq!(valid_name(name), valid, "{name}");
        }
        assert!(is_name(&valid_name(&"long-".repeat(20))));
    }

    #[test]
    fn words_are_quoted() {
        let words = ["sh", "-c", "echo \"a\\b\""].map(str::to_owned);
        assert_eq!(list(&words), r#"["sh", "-c", "echo \"a\\b\""]"#);
    }
}
