use camino::Utf8PathBuf;
use devenv_artifacts::builds::BuildsFile;
use devenv_manifest::compose_model::ComposeOptions;
use devenv_model::manifest::Manifest;
use devenv_supervisor::state_directory::StateDirectory;

/// A manifest, and the place of its environment on this machine: what a host knows of a project.
#[derive(Debug, Clone)]
pub struct LocalProject {
    pub manifest: Manifest,
    /// The choice of Compose files, with absolute paths, for the memory of the next commands.
    pub compose: ComposeOptions,
    pub instance: Instance,
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
