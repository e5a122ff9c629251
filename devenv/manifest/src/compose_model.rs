//! The choice of a project's Compose files, and their model, as `devenv config` prints it.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_compose::files::Disk;
use devenv_compose::load::{Error as ComposeError, FileChoice, Project, Request};
use serde::{Deserialize, Serialize};

use crate::load::{Error, find_root, settings};

const FILES_VARIABLE: &str = "COMPOSE_FILE";
const SEPARATOR_VARIABLE: &str = "COMPOSE_PATH_SEPARATOR";
const PROFILES_VARIABLE: &str = "COMPOSE_PROFILES";
const ENV_FILES_VARIABLE: &str = "COMPOSE_ENV_FILES";

/// The options of a command that reads Compose files, as `docker compose` has them. An empty list leaves the choice open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComposeOptions {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<Utf8PathBuf>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env_files: Vec<Utf8PathBuf>,
}

impl ComposeOptions {
    /// Whether every choice is open.
    pub fn is_open(&self) -> bool {
        self.files.is_empty() && self.profiles.is_empty() && self.env_files.is_empty()
    }

    /// The options with absolute paths; relative ones begin at `folder`.
    #[must_use]
    pub fn from_folder(&self, folder: &Utf8Path) -> Self {
        let absolute = |paths: &[Utf8PathBuf]| paths.iter().map(|path| folder.join(path)).collect();
        Self { files: absolute(&self.files), profiles: self.profiles.clone(), env_files: absolute(&self.env_files) }
    }

    /// Takes each open choice from `other`.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        fn chosen<T: Clone>(own: Vec<T>, other: &[T]) -> Vec<T> {
            if own.is_empty() { other.to_vec() } else { own }
        }
        Self {
            files: chosen(self.files, &other.files),
            profiles: chosen(self.profiles, &other.profiles),
            env_files: chosen(self.env_files, &other.env_files),
        }
    }

    /// The choices in the variables that stand for the options: lists separated as Compose separates them.
    pub fn of_variables(variables: &BTreeMap<String, String>) -> Self {
        let list = |name: &str, separator: &str| -> Vec<String> {
            let parts = variables.get(name).into_iter().flat_map(|list| list.split(separator));
            parts.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        let separator = variables.get(SEPARATOR_VARIABLE).filter(|text| !text.is_empty());
        let paths = |list: Vec<String>| list.into_iter().map(Utf8PathBuf::from).collect();
        Self {
            files: paths(list(FILES_VARIABLE, separator.map_or(":", String::as_str))),
            profiles: list(PROFILES_VARIABLE, ","),
            env_files: paths(list(ENV_FILES_VARIABLE, ",")),
        }
    }
}

/// Reads the Compose files of the options, of the variables, of `devenv.toml`, or of the folder, in this order. Changes nothing.
pub fn compose_model(
    start: &Utf8Path,
    options: &ComposeOptions,
    variables: &BTreeMap<String, String>,
) -> Result<Project, Error> {
    let folder = start.canonicalize_utf8().map_err(|source| Error::Unread { path: start.to_owned(), source })?;
    let options = options.clone().or(&ComposeOptions::of_variables(variables));
    let root = find_root(&folder).filter(|_| options.files.is_empty());
    let named = match root {
        Some(root) => settings(root)?.compose().map(|path| root.join(path)),
        None => None,
    };
    let request = Request {
        folder: &folder,
        root: root.unwrap_or(&folder),
        files: file_choice(&options, named),
        profiles: options.profiles,
        env_files: options.env_files,
        variables,
    };
    devenv_compose::load::load(&request, &Disk).map_err(|error| match error {
        ComposeError::NoFile { folder } => Error::NoComposeFile { folder },
        ComposeError::Unread { path, source } => Error::Unread { path, source },
        ComposeError::Mistakes(mistakes) => mistakes.into(),
    })
}

/// `named` is the file of `devenv.toml`.
pub(crate) fn file_choice(options: &ComposeOptions, named: Option<Utf8PathBuf>) -> FileChoice {
    match named {
        _ if !options.files.is_empty() => FileChoice::Named(options.files.clone()),
        Some(path) => FileChoice::WithOverride(path),
        None => FileChoice::Found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn variables_stand_for_the_options_that_are_not_given() {
        let set = variables(&[
            ("COMPOSE_FILE", "a.yaml:/b.yaml"),
            ("COMPOSE_PROFILES", "debug, ,test"),
            ("COMPOSE_ENV_FILES", "one.env,two.env"),
        ]);
        let of_variables = ComposeOptions::of_variables(&set);
        assert_eq!(of_variables.files, ["a.yaml", "/b.yaml"]);
        assert_eq!(of_variables.profiles, ["debug", "test"]);
        assert_eq!(of_variables.env_files, ["one.env", "two.env"]);
        let given = ComposeOptions { files: vec!["c.yaml".into()], ..ComposeOptions::default() };
        let all = given.or(&of_variables).from_folder("/shop".into());
        assert_eq!(all.files, ["/shop/c.yaml"]);
        assert_eq!(all.env_files, ["/shop/one.env", "/shop/two.env"]);
        assert_eq!(all.profiles, ["debug", "test"]);
        let other = variables(&[("COMPOSE_FILE", "a.yaml;b.yaml"), ("COMPOSE_PATH_SEPARATOR", ";")]);
        assert_eq!(ComposeOptions::of_variables(&other).files, ["a.yaml", "b.yaml"]);
        assert!(ComposeOptions::of_variables(&variables(&[("COMPOSE_FILE", "")])).is_open());
    }
}
