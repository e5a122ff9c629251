//! The Compose model of a project, as `devenv config` prints it.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_compose::files::Disk;
use devenv_compose::load::{Error as ComposeError, FileChoice, Project, Request};

use crate::load::{Error, find_root, settings};

/// The options of a command that reads Compose files, as `docker compose` has them. Paths begin at the caller's folder.
#[derive(Debug, Clone, Default)]
pub struct ComposeOptions {
    pub files: Vec<Utf8PathBuf>,
    pub profiles: Vec<String>,
    pub env_files: Vec<Utf8PathBuf>,
}

/// Reads the Compose files of the options, of `devenv.toml`, or of the folder, in this order. Changes nothing.
pub fn compose_model(
    start: &Utf8Path,
    options: &ComposeOptions,
    variables: &BTreeMap<String, String>,
) -> Result<Project, Error> {
    let folder = start.canonicalize_utf8().map_err(|source| Error::Unread { path: start.to_owned(), source })?;
    let root = find_root(&folder).filter(|_| options.files.is_empty());
    let files = match root {
        Some(root) => FileChoice::WithOverride(root.join(settings(root)?.compose())),
        None if options.files.is_empty() => FileChoice::Found,
        None => FileChoice::Named(options.files.clone()),
    };
    let request = Request {
        folder: &folder,
        root: root.unwrap_or(&folder),
        files,
        profiles: options.profiles.clone(),
        env_files: options.env_files.clone(),
        variables,
    };
    devenv_compose::load::load(&request, &Disk).map_err(|error| match error {
        ComposeError::NoFile { folder } => Error::NoComposeFile { folder },
        ComposeError::Unread { path, source } => Error::Unread { path, source },
        ComposeError::Mistakes(mistakes) => mistakes.into(),
    })
}
