use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_manifest::load;
use devenv_model::manifest::Manifest;
use devenv_model::names::environment_name;
use devenv_supervisor::state_directory::StateDirectory;

use crate::error::Error;
use crate::runtime::Runtimes;
use devenv_artifacts::builds::BuildsFile;

#[derive(Debug, Clone)]
pub struct ProjectOptions {
    /// The folder in which the search for `devenv.toml` begins; it continues in the folders above.
    pub directory: Utf8PathBuf,
    /// The state directory; `.devenv/` beside `devenv.toml` if `None`.
    pub state_dir: Option<Utf8PathBuf>,
    /// Whether the environment is temporary, with its data: free ports, everything in its state directory.
    pub ephemeral: bool,
    /// The hosts of this machine.
    pub runtimes: Arc<dyn Runtimes>,
}

/// A manifest, and the place of its environment on this machine.
#[derive(Debug, Clone)]
pub struct Project {
    pub manifest: Manifest,
    pub instance: Instance,
    pub(crate) runtimes: Arc<dyn Runtimes>,
    pub state: StateDirectory,
    /// The folder of programs that were compiled in a container, shared by all environments of the checkout.
    pub programs: Utf8PathBuf,
    pub builds: BuildsFile,
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
        let manifest = load::load(&root, &load::variables())?;
        let default_state = root.join(".devenv");
        let state_dir = options.state_dir.clone().unwrap_or_else(|| default_state.clone());
        let name = environment_name(root.file_name().unwrap_or(&manifest.name), &root, &state_dir);
        Ok(Self {
            manifest,
            state: StateDirectory::new(&state_dir),
            instance: Instance { name, root, state_dir, ephemeral: options.ephemeral },
            runtimes: options.runtimes.clone(),
            programs: default_state.join("programs"),
            builds: BuildsFile::within(&default_state),
        })
    }
}

fn find_root(start: &Utf8Path) -> Result<Utf8PathBuf, Error> {
    let absolute = start.canonicalize_utf8().map_err(|source| Error::ReadFile { path: start.to_owned(), source })?;
    match load::find_root(&absolute) {
        Some(root) => Ok(root.to_owned()),
        None => Err(Error::NoManifest { start: absolute }),
    }
}
