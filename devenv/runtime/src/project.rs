use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_manifest::compose_model::ComposeOptions;
use devenv_manifest::load;
use devenv_model::functions::Functions;
use devenv_model::manifest::{Emulator, Manifest};
use devenv_model::messaging::Messaging;
use devenv_model::names::environment_name;
use devenv_supervisor::state_directory::StateDirectory;

use crate::error::Error;
use crate::host::Runtimes;
use crate::local_project::{Instance, LocalProject};
use crate::memory::Remembered;
use devenv_artifacts::builds::BuildsFile;

/// The name of the state directory beside `devenv.toml`.
const STATE: &str = ".devenv";

#[derive(Debug, Clone)]
pub struct ProjectOptions {
    /// The folder in which the search for `devenv.toml` begins; it continues in the folders above.
    pub directory: Utf8PathBuf,
    /// The Compose files, profiles and files of variables that the caller names; paths begin at `directory`.
    pub compose: ComposeOptions,
    /// The state directory; `.devenv/` beside `devenv.toml` if `None`.
    pub state_dir: Option<Utf8PathBuf>,
    /// Whether the environment is temporary, with its data: free ports, everything in its state directory.
    pub ephemeral: bool,
    /// The hosts of this machine.
    pub runtimes: Arc<dyn Runtimes>,
}

/// A project on this machine, with the machine's hosts: what commands work on.
#[derive(Debug, Clone)]
pub struct Project {
    local: LocalProject,
    pub runtimes: Arc<dyn Runtimes>,
}

impl Deref for Project {
    type Target = LocalProject;

    fn deref(&self) -> &LocalProject {
        &self.local
    }
}

impl DerefMut for Project {
    fn deref_mut(&mut self) -> &mut LocalProject {
        &mut self.local
    }
}

impl Project {
    /// The root and the state directory of the project, without a look at its other files; `None` where there is no project.
    pub fn place(options: &ProjectOptions) -> Option<(Utf8PathBuf, Utf8PathBuf)> {
        let located = Located::find(options).ok().or_else(|| Located::by_state(options).ok().flatten())?;
        Some((located.root, located.state_dir))
    }

    /// Reads every file that describes the environment, with the Compose files that the caller or the project names. Changes
    /// nothing.
    pub fn load(options: &ProjectOptions) -> Result<Self, Error> {
        Located::find(options)?.read(false)
    }

    /// Like [`Self::load`] for a command about an existing environment: where the caller names no Compose files, profiles or
    /// files of variables, those of its last start count.
    pub fn current(options: &ProjectOptions) -> Result<Self, Error> {
        Located::find(options)?.read(true)
    }

    /// Like [`Self::current`] for a command that needs no more of the files than they say of running units. Returns the project
    /// without any service, and the error, if the files cannot be read.
    pub fn current_or_bare(options: &ProjectOptions) -> Result<(Self, Option<Error>), Error> {
        let located = match Located::find(options) {
            Ok(located) => located,
            Err(error @ Error::NoManifest { .. }) => match Located::by_state(options)? {
                Some(located) => return Ok((located.bare(), Some(error))),
                None => return Err(error),
            },
            Err(error) => return Err(error),
        };
        match located.read(true) {
            Ok(project) => Ok((project, None)),
            Err(error @ (Error::Manifest(_) | Error::ReadFile { .. } | Error::NoComposeFile { .. })) => {
                Ok((located.bare(), Some(error)))
            }
            Err(error) => Err(error),
        }
    }
}

/// The place of a project, before its files are read.
struct Located<'a> {
    options: &'a ProjectOptions,
    folder: Utf8PathBuf,
    root: Utf8PathBuf,
    default_state: Utf8PathBuf,
    state_dir: Utf8PathBuf,
}

impl<'a> Located<'a> {
    fn find(options: &'a ProjectOptions) -> Result<Self, Error> {
        let folder = absolute(&options.directory)?;
        match load::find_root(&folder) {
            Some(root) => Ok(Self::new(options, folder.clone(), root.to_owned())),
            None => Err(Error::NoManifest { start: folder }),
        }
    }

    /// Finds an environment whose `devenv.toml` is gone by its state directory.
    fn by_state(options: &'a ProjectOptions) -> Result<Option<Self>, Error> {
        let folder = absolute(&options.directory)?;
        let is_root = |root: &&Utf8Path| StateDirectory::new(&root.join(STATE)).memory_file().is_file();
        let root = folder.ancestors().find(is_root).map(Utf8Path::to_owned);
        Ok(root.map(|root| Self::new(options, folder, root)))
    }

    fn new(options: &'a ProjectOptions, folder: Utf8PathBuf, root: Utf8PathBuf) -> Self {
        let default_state = root.join(STATE);
        let state_dir = options.state_dir.clone().unwrap_or_else(|| default_state.clone());
        Self { options, folder, root, default_state, state_dir }
    }

    fn read(&self, remembers: bool) -> Result<Project, Error> {
        let variables = load::variables();
        let mut compose = self.options.compose.clone().or(&ComposeOptions::of_variables(&variables));
        compose = compose.from_folder(&self.folder);
        if remembers {
            // The command meets an unreadable memory again, and reports it.
            let remembered = Remembered::read(&StateDirectory::new(&self.state_dir)).unwrap_or_default();
            compose = compose.or(&remembered.compose);
        }
        let manifest = load::load(&self.root, &compose, &variables)?;
        Ok(self.project(manifest, compose))
    }

    fn bare(&self) -> Project {
        let name = self.root.file_name().unwrap_or_default().to_owned();
        let manifest = Manifest {
            name,
            root: self.root.clone(),
            services: BTreeMap::new(),
            uses_aws: true,
            emulator: Emulator::default(),
            tables: Vec::new(),
            seeds: Vec::new(),
            messaging: Messaging::default(),
            databases: Vec::new(),
            functions: Functions::default(),
            test: None,
            promote: BTreeMap::new(),
        };
        self.project(manifest, ComposeOptions::default())
    }

    fn project(&self, manifest: Manifest, compose: ComposeOptions) -> Project {
        let Self { options, root, default_state, state_dir, .. } = self;
        let name = environment_name(root.file_name().unwrap_or(&manifest.name), root, state_dir);
        let local = LocalProject {
            manifest,
            compose,
            state: StateDirectory::new(state_dir),
            instance: Instance { name, root: root.clone(), state_dir: state_dir.clone(), ephemeral: options.ephemeral },
            programs: default_state.join("programs"),
            builds: BuildsFile::within(default_state),
        };
        Project { local, runtimes: options.runtimes.clone() }
    }
}

fn absolute(folder: &Utf8Path) -> Result<Utf8PathBuf, Error> {
    folder.canonicalize_utf8().map_err(|source| Error::ReadFile { path: folder.to_owned(), source })
}
