//! The findings of a look at a folder.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use devenv_model::manifest::EmulatorKind;
use serde::Serialize;

/// Everything that the proposal depends on.
#[derive(Debug, Clone)]
pub struct Found {
    /// The folder that becomes the project's root.
    pub root: Utf8PathBuf,
    /// The proposed name: the Compose project's, else the folder's.
    pub name: String,
    pub compose: FoundCompose,
    /// The commands that could test the project, the most telling first.
    pub tests: Vec<TestCommand>,
    /// The folder of table files, if there is one.
    pub tables: Option<Utf8PathBuf>,
    /// Whether `.gitignore` ignores the state directory.
    pub is_ignored: bool,
}

#[derive(Debug, Clone)]
pub struct FoundCompose {
    pub file: ComposeFile,
    /// Every service, with what it runs: an image, or its build context.
    pub services: BTreeMap<String, String>,
    pub emulators: Vec<FoundEmulator>,
    /// The services that talk to AWS, each with the first variable that shows it.
    pub callers: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComposeFile {
    /// The file that Compose chooses, by its path from the root; with an override beside it.
    Usual(Utf8PathBuf),
    /// A file that the caller names, by its path from the root.
    Named(Utf8PathBuf),
    /// The files that `COMPOSE_FILE` in the folder's `.env` names.
    OfVariable,
    /// There is none yet: this is the text of a minimal one.
    Absent { text: String },
}

/// An emulator of AWS among the services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundEmulator {
    pub service: String,
    pub image: String,
    pub kind: EmulatorKind,
    /// The reason that devenv's own emulator, which has DynamoDB, SQS and SNS, is no replacement.
    pub kept_because: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestCommand {
    pub command: Vec<String>,
    /// The file that shows it.
    pub because: String,
}

impl Found {
    /// The first emulator that devenv's own can replace.
    pub fn replaceable(&self) -> Option<&FoundEmulator> {
        self.compose.emulators.iter().find(|emulator| emulator.kept_because.is_none())
    }

    /// The findings, a line each.
    pub fn lines(&self) -> Vec<String> {
        let compose = &self.compose;
        let services: Vec<&str> = compose.services.keys().map(String::as_str).collect();
        let mut lines = vec![match &compose.file {
            ComposeFile::Usual(path) | ComposeFile::Named(path) => {
                format!("{path}: services {}", services.join(", "))
            }
            ComposeFile::OfVariable => format!("the files of COMPOSE_FILE: services {}", services.join(", ")),
            ComposeFile::Absent { .. } => {
                "a Dockerfile, but no Compose file: devenv init writes a small one".to_owned()
            }
        }];
        for emulator in &compose.emulators {
            let FoundEmulator { service, image, kept_because, .. } = emulator;
            lines.push(match kept_because {
                None => format!("{service} ({image}): devenv's own emulator can take its place"),
                Some(why) => format!("{service} ({image}): it stays, because {why}"),
            });
        }
        for (service, variable) in &compose.callers {
            lines.push(format!("{service} talks to AWS: it has {variable}"));
        }
        for test in &self.tests {
            lines.push(format!("{}: {}", test.because, test.command.join(" ")));
        }
        if let Some(tables) = &self.tables {
            lines.push(format!("{tables}: table files"));
        }
        lines
    }
}
