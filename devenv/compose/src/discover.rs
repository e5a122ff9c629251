//! The Compose files of a folder, by their names.

use camino::{Utf8Path, Utf8PathBuf};

use crate::files::Files;

const NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// Returns the Compose file of the nearest folder that has one, from `folder` upwards, and its override.
pub(crate) fn discover(files: &dyn Files, folder: &Utf8Path) -> Option<Vec<Utf8PathBuf>> {
    let base = folder.ancestors().find_map(|folder| first_of(files, folder, &NAMES))?;
    Some(with_override(files, base))
}

/// Adds the override beside a file that has one of Compose's own names.
pub(crate) fn with_override(files: &dyn Files, base: Utf8PathBuf) -> Vec<Utf8PathBuf> {
    let named = base.file_name().is_some_and(|name| NAMES.contains(&name));
    let beside = base.parent().filter(|_| named).and_then(|folder| first_of(files, folder, &OVERRIDES));
    std::iter::once(base).chain(beside).collect()
}

fn first_of(files: &dyn Files, folder: &Utf8Path, names: &[&str]) -> Option<Utf8PathBuf> {
    names.iter().map(|name| folder.join(name)).find(|path| files.is_file(path))
}
