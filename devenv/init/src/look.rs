//! Looks at a folder: its Compose files, and the files that show how it is tested. Changes nothing.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_compose::files::{Disk, Files, Memory};
use devenv_compose::load::{Error as ComposeError, FileChoice, Project, Request};
use devenv_document::input;
use devenv_document::tree::{Entry, Node};
use devenv_manifest::compose_model::ComposeOptions;
use devenv_manifest::load::MANIFEST;

use crate::error::Error;
use crate::found::{ComposeFile, Found, FoundCompose};
use crate::test_command::{PRESENT, READ, commands, is_python_test};
use crate::{aws, minimal};

/// The names that Compose looks for, in its order.
const USUAL: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
/// The limit on each file that is read for its hints only.
const HINT_LIMIT: u64 = 256 * 1024;
/// The limit on the names that are read from a folder.
const NAMES_LIMIT: usize = 2_000;
const TABLES: &str = "tables";

/// Looks at `start`, or at the folder above it that has the Compose file. Returns the findings and the Compose model.
pub fn look(
    start: &Utf8Path,
    options: &ComposeOptions,
    variables: &BTreeMap<String, String>,
) -> Result<(Found, Project), Error> {
    let folder = start.canonicalize_utf8().map_err(|source| Error::Read { path: start.to_owned(), source })?;
    refuse_existing(&folder)?;
    let options = options.clone().or(&ComposeOptions::of_variables(variables));
    if options.files.len() > 1 {
        return Err(Error::SeveralFiles { files: options.files });
    }
    let files = if options.files.is_empty() { FileChoice::Found } else { FileChoice::Named(options.files.clone()) };
    let request = Request {
        folder: &folder,
        root: &folder,
        files,
        profiles: options.profiles.clone(),
        env_files: options.env_files.clone(),
        variables,
    };
    let (root, file, project) = match devenv_compose::load::load(&request, &Disk) {
        Ok(project) => match options.files.first() {
            Some(named) => {
                let path = named.strip_prefix(&folder).unwrap_or(named).to_owned();
                (folder.clone(), ComposeFile::Named(path), project)
            }
            None => (project.folder.clone(), usual(&folder, &project.folder), project),
        },
        Err(ComposeError::NoFile { .. }) => {
            let text = minimal::compose(&dockerfile(&folder)?);
            let project = in_memory(&folder, &text, variables)?;
            (folder.clone(), ComposeFile::Absent { text }, project)
        }
        Err(ComposeError::Unread { path, source }) => return Err(Error::Read { path, source }),
        Err(ComposeError::Mistakes(mistakes)) => return Err(mistakes.into()),
    };
    refuse_existing(&root)?;
    let found = Found {
        name: project.name.clone(),
        compose: compose(&project, file),
        tests: tests(&root),
        tables: json_files(&root.join(TABLES)).then(|| TABLES.into()),
        is_ignored: hint(&root.join(".gitignore")).is_some_and(|text| text.lines().any(ignores_state)),
        root,
    };
    Ok((found, project))
}

fn refuse_existing(folder: &Utf8Path) -> Result<(), Error> {
    let path = folder.join(MANIFEST);
    if path.symlink_metadata().is_ok() { Err(Error::Exists { path }) } else { Ok(()) }
}

/// The name of the file that Compose has chosen in `root`.
fn usual(caller: &Utf8Path, root: &Utf8Path) -> ComposeFile {
    let names_files = |text: String| text.lines().any(|line| line.trim_start().starts_with("COMPOSE_FILE="));
    if hint(&caller.join(".env")).is_some_and(names_files) {
        return ComposeFile::OfVariable;
    }
    let name = USUAL.into_iter().find(|name| root.join(name).is_file());
    name.map_or(ComposeFile::OfVariable, |name| ComposeFile::Usual(name.into()))
}

fn dockerfile(folder: &Utf8Path) -> Result<String, Error> {
    hint(&folder.join("Dockerfile")).ok_or_else(|| Error::NothingToStart { folder: folder.to_owned() })
}

fn in_memory(folder: &Utf8Path, text: &str, variables: &BTreeMap<String, String>) -> Result<Project, Error> {
    let files = Memory(BTreeMap::from([(folder.join(USUAL[0]), text.as_bytes().to_vec())]));
    load_in(&files, folder, variables)
}

fn load_in(files: &dyn Files, folder: &Utf8Path, variables: &BTreeMap<String, String>) -> Result<Project, Error> {
    let request = Request {
        folder,
        root: folder,
        files: FileChoice::Found,
        profiles: Vec::new(),
        env_files: Vec::new(),
        variables,
    };
    devenv_compose::load::load(&request, files).map_err(|error| match error {
        ComposeError::Mistakes(mistakes) => mistakes.into(),
        ComposeError::Unread { path, source } => Error::Read { path, source },
        ComposeError::NoFile { folder } => Error::NothingToStart { folder },
    })
}

fn compose(project: &Project, file: ComposeFile) -> FoundCompose {
    let services = project.model.get("services").and_then(Node::entries).unwrap_or_default();
    let emulators = aws::emulators(services);
    FoundCompose {
        file,
        services: services.iter().map(|service| (service.key.clone(), runs(service))).collect(),
        callers: aws::callers(services, &emulators),
        emulators,
    }
}

/// The image or the build context of a service.
fn runs(service: &Entry) -> String {
    let image = service.value.get("image").and_then(Node::text);
    let context = || service.value.get("build")?.get("context")?.text();
    image.or_else(context).unwrap_or_default().to_owned()
}

fn tests(root: &Utf8Path) -> Vec<crate::found::TestCommand> {
    let read = |name: &&str| Some(((*name).to_owned(), hint(&root.join(name))?));
    let texts: BTreeMap<String, String> = READ.iter().filter_map(read).collect();
    let mut present: Vec<String> =
        PRESENT.iter().filter(|name| root.join(name).is_file()).map(|name| (*name).to_owned()).collect();
    let in_tests = names(&root.join("tests")).into_iter().map(|name| format!("tests/{name}"));
    present.extend(names(root).into_iter().chain(in_tests).filter(|path| is_python_test(path)));
    commands(&texts, &present)
}

/// The names in a folder, sorted.
fn names(folder: &Utf8Path) -> Vec<String> {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten().take(NAMES_LIMIT);
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_owned()).collect();
    names.sort_unstable();
    names
}

fn json_files(folder: &Utf8Path) -> bool {
    names(folder).iter().any(|name| Utf8Path::new(name).extension() == Some("json"))
}

/// The text of a file that is read for its hints: none if it is absent, unreadable, too large or no text.
fn hint(path: &Utf8PathBuf) -> Option<String> {
    String::from_utf8(input::read(path, HINT_LIMIT).ok()?).ok()
}

fn ignores_state(line: &str) -> bool {
    matches!(line.trim(), ".devenv" | ".devenv/" | "/.devenv" | "/.devenv/" | "**/.devenv" | "**/.devenv/")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The services of a Compose file in memory.
    pub(crate) fn services(text: &str) -> Vec<Entry> {
        let project = in_memory(Utf8Path::new("/shop"), text, &BTreeMap::new()).expect("no mistake");
        project.model.get("services").and_then(Node::entries).expect("services").to_vec()
    }
}
