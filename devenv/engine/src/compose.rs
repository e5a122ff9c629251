//! The Compose model of a project, as `devenv config` prints it.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use devenv_compose::files::Disk;
use devenv_compose::load::{Error as ComposeError, FileChoice, Project, Request, load};
use devenv_manifest::load as manifest;

use crate::error::Error;
use crate::project::{ProjectOptions, variables};

/// The options of a command that reads Compose files, as `docker compose` has them. Paths begin at the caller's folder.
#[derive(Debug, Clone, Default)]
pub struct ComposeOptions {
    pub files: Vec<Utf8PathBuf>,
    pub profiles: Vec<String>,
    pub env_files: Vec<Utf8PathBuf>,
}

/// Reads the Compose files of the options, of `devenv.toml`, or of the folder, in this order. Changes nothing.
pub fn compose_model(project: &ProjectOptions, options: &ComposeOptions) -> Result<Project, Error> {
    let start = &project.directory;
    let folder = start.canonicalize_utf8().map_err(|source| Error::ReadFile { path: start.clone(), source })?;
    let root = manifest::find_root(&folder).filter(|_| options.files.is_empty());
    let files = match root {
        Some(root) => FileChoice::WithOverride(root.join(manifest::compose_file(root)?)),
        None if options.files.is_empty() => FileChoice::Found,
        None => FileChoice::Named(options.files.clone()),
    };
    let variables: BTreeMap<String, String> = variables();
    let request = Request {
        folder: &folder,
        root: root.unwrap_or(&folder),
        files,
        profiles: options.profiles.clone(),
        env_files: options.env_files.clone(),
        variables: &variables,
    };
    Ok(load(&request, &Disk)?)
}

impl From<ComposeError> for Error {
    fn from(error: ComposeError) -> Self {
        match error {
            ComposeError::NoFile { folder } => Self::NoComposeFile { folder },
            ComposeError::Unread { path, source } => Self::ReadFile { path, source },
            ComposeError::Mistakes(mistakes) => Self::Manifest(mistakes),
        }
    }
}
