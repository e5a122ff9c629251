use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::manifest::{Manifest, ManifestError, Settings, SourceFile};
use devenv_model::names::instance_name;
use devenv_supervisor::state_directory::StateDirectory;
use devenv_supervisor::unwritable::is_exhausted;

use crate::builds::BuildsFile;
use crate::containers::{ContainerEngines, ContainerHosts};
use crate::runtime::Runtimes;
use crate::{Error, input};

/// The file that makes a folder a project.
const MANIFEST: &str = "devenv.toml";

#[derive(Debug, Clone)]
pub struct ProjectOptions {
    /// Where to look for `devenv.toml`; the folders above are searched too.
    pub directory: Utf8PathBuf,
    /// Instead of `.devenv/` beside `devenv.toml`.
    pub state_dir: Option<Utf8PathBuf>,
    /// An environment that goes with its data: free ports, everything in its state directory.
    pub ephemeral: bool,
    /// Finds the container engine of this machine when one is needed.
    pub engines: Arc<dyn ContainerEngines>,
}

/// A manifest and the place on this machine where its environment lives.
#[derive(Debug, Clone)]
pub struct Project {
    pub manifest: Manifest,
    pub instance: Instance,
    pub engines: Arc<dyn ContainerEngines>,
    pub(crate) runtimes: Arc<dyn Runtimes>,
    pub state: StateDirectory,
    /// Of programs that were compiled in a container: every environment of the checkout shares them.
    pub(crate) programs: Utf8PathBuf,
    pub(crate) builds: BuildsFile,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The folder's name and a short hash of its path, such as `orders-1a2b3c`.
    pub name: String,
    pub root: Utf8PathBuf,
    pub state_dir: Utf8PathBuf,
    pub ephemeral: bool,
}

impl Project {
    /// Reads every file that describes the environment. Changes nothing.
    pub fn load(options: &ProjectOptions) -> Result<Self, Error> {
        let root = find_root(&options.directory)?;
        let of_machine = |path: Utf8PathBuf, source| Error::ReadFile { path: root.join(path), source };
        let manifest = read(&root, Utf8Path::new(MANIFEST)).map_err(|unread| match unread {
            Unread::Failed { path, source } => of_machine(path, source),
            Unread::NoText(error) => error.into(),
        })?;
        let settings = Settings::parse(manifest)?;
        let unreadable = |unread: Unread| match unread {
            // No place in a file is to blame.
            Unread::Failed { path, source } if is_exhausted(&source) => of_machine(path, source),
            Unread::Failed { path, source } => settings.unreadable(&path, &source.to_string()).into(),
            Unread::NoText(error) => error.into(),
        };
        let compose = read(&root, settings.compose()).map_err(unreadable)?;
        let tables = read_folder(&root, settings.tables()).map_err(unreadable)?;
        let seeds = settings.seeds().map_or(Ok(Vec::new()), |seeds| read_folder(&root, seeds)).map_err(unreadable)?;
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let manifest = Manifest::assemble(root.clone(), settings, &compose, &tables, &seeds, &environment)?;
        let default_state = root.join(".devenv");
        let state_dir = options.state_dir.clone().unwrap_or_else(|| default_state.clone());
        let mut name = instance_name(root.file_name().unwrap_or(&manifest.name), &root);
        if state_dir != default_state {
            name = format!("{name}-{}", state_dir.file_name().unwrap_or("other"));
        }
        Ok(Self {
            manifest,
            state: StateDirectory::new(&state_dir),
            instance: Instance { name, root, state_dir, ephemeral: options.ephemeral },
            runtimes: Arc::new(ContainerHosts::new(options.engines.clone())),
            engines: options.engines.clone(),
            programs: default_state.join("programs"),
            builds: BuildsFile::within(&default_state),
        })
    }
}

fn find_root(start: &Utf8Path) -> Result<Utf8PathBuf, Error> {
    let absolute = start.canonicalize_utf8().map_err(|source| Error::ReadFile { path: start.to_owned(), source })?;
    absolute
        .ancestors()
        .find(|folder| folder.join(MANIFEST).is_file())
        .map(Utf8Path::to_owned)
        .ok_or(Error::NoManifest { start: absolute })
}

/// Why a file of the project is not read.
enum Unread {
    Failed {
        /// Relative to the project's root.
        path: Utf8PathBuf,
        source: std::io::Error,
    },
    NoText(ManifestError),
}

fn read(root: &Utf8Path, path: &Utf8Path) -> Result<SourceFile, Unread> {
    let content = input::read(&root.join(path), SourceFile::SIZE_LIMIT as u64);
    let content = content.map_err(|source| Unread::Failed { path: path.to_owned(), source })?;
    SourceFile::new(path.to_owned(), content).map_err(Unread::NoText)
}

/// The `*.json` files of a folder, by name.
fn read_folder(root: &Utf8Path, folder: &Utf8Path) -> Result<Vec<SourceFile>, Unread> {
    let failed = |source| Unread::Failed { path: folder.to_owned(), source };
    let mut names = Vec::new();
    for entry in root.join(folder).read_dir_utf8().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().extension() == Some("json") {
            names.push(entry.file_name().to_owned());
        }
    }
    names.sort();
    names.iter().map(|name| read(root, &folder.join(name))).collect()
}
