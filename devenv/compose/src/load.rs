//! Reads the Compose files of a project and joins them into its model.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_document::problem::{Mistakes, Problem};
use devenv_document::tree::Node;

use crate::check::check;
use crate::defaults::defaults;
use crate::discover::{discover, with_override};
use crate::environment::environment;
use crate::files::Files;
use crate::interpolate::interpolate;
use crate::keys::FILE;
use crate::layer::{Layers, Scope};
use crate::merge::prune;
use crate::names::{is_valid, normalized};
use crate::node::{is_empty, mapping, remove, set, set_default, text};
use crate::references::{remove_unused, select};
use crate::sources::{Sources, Unread};

/// The variables that stand for options of the command line.
const FILES_VARIABLE: &str = "COMPOSE_FILE";
const SEPARATOR_VARIABLE: &str = "COMPOSE_PATH_SEPARATOR";
const PROFILES_VARIABLE: &str = "COMPOSE_PROFILES";
const NAME_VARIABLE: &str = "COMPOSE_PROJECT_NAME";

/// The files to read, and the caller's surroundings.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The caller's folder, an absolute path: relative paths of this request begin there.
    pub folder: &'a Utf8Path,
    /// The folder that the paths in messages begin at.
    pub root: &'a Utf8Path,
    pub files: FileChoice,
    /// The profiles to enable, instead of the list in `COMPOSE_PROFILES`; `*` stands for all.
    pub profiles: Vec<String>,
    /// The files of variables, instead of `.env`.
    pub env_files: Vec<Utf8PathBuf>,
    /// The caller's environment variables.
    pub variables: &'a BTreeMap<String, String>,
}

/// Which Compose files to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileChoice {
    /// The files of `COMPOSE_FILE`; without it the usual names in the folder, or in the nearest folder above it that has one.
    Found,
    /// These, each over the files before it.
    Named(Vec<Utf8PathBuf>),
    /// This one, and the override beside it if it has a usual name.
    WithOverride(Utf8PathBuf),
}

/// The joined and resolved model of a project.
#[derive(Debug, Clone)]
pub struct Project {
    pub name: String,
    /// The folder of the first file, an absolute path.
    pub folder: Utf8PathBuf,
    /// The model in long forms: `name`, `services`, `networks`, `volumes`, `secrets`, `configs` and extensions.
    pub model: Node,
    /// The services that no enabled profile has, each with its place.
    pub disabled: BTreeMap<String, Node>,
    /// The obsolete `version`, which has no effect.
    pub version: Option<Node>,
    /// The caller's variables, and beneath them the variables of `.env`.
    pub variables: BTreeMap<String, String>,
    /// The variables that the files name and nobody sets: an empty value took their place.
    pub unset: BTreeSet<String>,
}

/// The reason a model cannot be read.
#[derive(Debug)]
pub enum Error {
    /// Neither the folder nor one above it has a Compose file.
    NoFile {
        folder: Utf8PathBuf,
    },
    /// A file that the request or a variable names cannot be read.
    Unread {
        path: Utf8PathBuf,
        source: std::io::Error,
    },
    Mistakes(Mistakes),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFile { folder } => write!(formatter, "no Compose file in {folder}, or in a folder above it"),
            Self::Unread { path, source } => write!(formatter, "cannot read {path}: {source}"),
            Self::Mistakes(mistakes) => mistakes.fmt(formatter),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    fn unread(path: &Utf8Path, unread: Unread) -> Self {
        match unread {
            Unread::Failed(source) => Self::Unread { path: path.to_owned(), source },
            Unread::Mistakes(mistakes) => Self::Mistakes(mistakes),
        }
    }
}

/// Reads a project's model. Changes nothing.
///
/// # Errors
///
/// All mistakes in the files, each with its place, not only the first.
pub fn load(request: &Request, files: &dyn Files) -> Result<Project, Error> {
    let mut sources = Sources::new(files, request.root);
    let first = first_variables(&mut sources, request)?;
    let paths = paths(request, files, &first)?;
    let folder = paths[0].parent().unwrap_or(request.folder).to_owned();
    let mut variables = first;
    // A `.env` beside the first file counts, wherever the caller stands.
    if request.env_files.is_empty() && folder != request.folder {
        let mut beside = beside(&mut sources, &folder, request)?;
        let found = request.files == FileChoice::Found && !request.variables.contains_key(FILES_VARIABLE);
        if found && variables.contains_key(FILES_VARIABLE) {
            // The caller's `.env` named the files, and stays in force.
            beside.extend(variables);
        }
        variables = beside;
    }
    let mut documents = Vec::new();
    for path in paths {
        let document = sources.compose(&path).map_err(|unread| Error::unread(&path, unread))?;
        documents.push((path, document));
    }
    if documents.iter().all(|(_, document)| is_empty(document)) {
        let problem = Problem::at("compose.no_services", &documents[0].1, "the file is empty");
        return Err(Error::Mistakes(problem.help("add `services`").into()));
    }
    let name = name(&documents, &variables, &folder);
    variables.insert(NAME_VARIABLE.to_owned(), name.clone());
    let home = request.variables.get("HOME").map(String::as_str);
    let mut layers = Layers { sources: &mut sources, home };
    let scope = Scope { base: &folder, variables: &variables };
    let model = layers.model(&documents, &scope, &mut Vec::new());
    let Some(model) = model.filter(|_| sources.problems.is_empty()) else {
        return Err(Error::Mistakes(Mistakes::new(sources.problems)));
    };
    let profiles = profiles(request, &variables);
    let unset = BTreeSet::new();
    let project = Project { name, folder, model, disabled: BTreeMap::new(), version: None, variables, unset };
    finish(project, &profiles, sources)
}

fn finish(mut project: Project, profiles: &BTreeSet<String>, mut sources: Sources) -> Result<Project, Error> {
    let (model, variables) = (&mut project.model, &project.variables);
    project.version = remove(model, "version");
    let written = remove(model, "name").unwrap_or_else(|| model.clone());
    if !is_valid(&project.name) {
        let message = format!("{} is not a valid name of a project", project.name);
        let help = "use small letters, digits, `_` and `-`; begin with a letter or digit";
        sources.problems.push(Problem::at("compose.name", &written, message).help(help));
    }
    set(model, "name", text(&written, project.name.clone()));
    project.disabled = select(model, profiles);
    defaults(model, &project.name, &project.folder, variables);
    check(model, &project.disabled, &mut sources.problems);
    environment(model, variables, &mut sources);
    remove_unused(model);
    prune(model, &FILE);
    set_default(model, "services", |place| mapping(place, Vec::<(&str, Node)>::new()));
    project.unset = sources.unset;
    if sources.problems.is_empty() { Ok(project) } else { Err(Error::Mistakes(Mistakes::new(sources.problems))) }
}

/// Returns the caller's variables, and beneath them the variables of `--env-file` or of the `.env` in the caller's folder.
fn first_variables(sources: &mut Sources, request: &Request) -> Result<BTreeMap<String, String>, Error> {
    if request.env_files.is_empty() {
        return beside(sources, request.folder, request);
    }
    let paths: Vec<Utf8PathBuf> = request.env_files.iter().map(|path| request.folder.join(path)).collect();
    variables(sources, &paths, request.variables)
}

fn beside(sources: &mut Sources, folder: &Utf8Path, request: &Request) -> Result<BTreeMap<String, String>, Error> {
    let path = folder.join(".env");
    let found = sources.is_file(&path).then_some(path);
    variables(sources, found.as_slice(), request.variables)
}

fn variables(
    sources: &mut Sources,
    paths: &[Utf8PathBuf],
    callers: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Error> {
    let mut of_files = BTreeMap::new();
    for path in paths {
        let mut outer: BTreeMap<String, String> = of_files.clone();
        outer.extend(callers.iter().map(|(name, value)| (name.clone(), value.clone())));
        let (_, found) = sources.variables(path, false, &outer).map_err(|unread| Error::unread(path, unread))?;
        of_files.extend(found.into_iter().map(|variable| (variable.name, variable.value)));
    }
    of_files.extend(callers.iter().map(|(name, value)| (name.clone(), value.clone())));
    Ok(of_files)
}

/// Returns the absolute paths of the Compose files; at least one.
fn paths(
    request: &Request,
    files: &dyn Files,
    variables: &BTreeMap<String, String>,
) -> Result<Vec<Utf8PathBuf>, Error> {
    let absolute = |path: &str| crate::paths::clean(&request.folder.join(path));
    let found = match &request.files {
        FileChoice::WithOverride(path) => with_override(files, absolute(path.as_str())),
        FileChoice::Named(paths) => paths.iter().map(|path| absolute(path.as_str())).collect(),
        FileChoice::Found => match variables.get(FILES_VARIABLE).filter(|list| !list.is_empty()) {
            Some(list) => {
                let separator = variables.get(SEPARATOR_VARIABLE).filter(|text| !text.is_empty());
                list.split(separator.map_or(":", String::as_str))
                    .filter(|path| !path.is_empty())
                    .map(absolute)
                    .collect()
            }
            None => discover(files, request.folder).unwrap_or_default(),
        },
    };
    if found.is_empty() { Err(Error::NoFile { folder: request.folder.to_owned() }) } else { Ok(found) }
}

/// Returns the project's name: of the variable, of the last file that has one, or of the folder.
fn name(documents: &[(Utf8PathBuf, Rc<Node>)], variables: &BTreeMap<String, String>, folder: &Utf8Path) -> String {
    if let Some(name) = variables.get(NAME_VARIABLE).filter(|name| !name.is_empty()) {
        return name.clone();
    }
    let written = documents.iter().rev().find_map(|(_, document)| document.get("name")?.text());
    let written = written.and_then(|text| interpolate(text, &|name| variables.get(name).cloned()).ok());
    let written = written.map(|name| normalized(&name)).filter(|name| !name.is_empty());
    written.unwrap_or_else(|| normalized(folder.file_name().unwrap_or_default()))
}

fn profiles(request: &Request, variables: &BTreeMap<String, String>) -> BTreeSet<String> {
    let listed = variables.get(PROFILES_VARIABLE).map_or("", String::as_str);
    let listed = listed.split(',').map(str::trim).filter(|profile| !profile.is_empty()).map(str::to_owned);
    // As Compose has it, the options replace the variable.
    if request.profiles.is_empty() { listed.collect() } else { request.profiles.iter().cloned().collect() }
}
