use camino::{Utf8Path, Utf8PathBuf};

/// The absolute path without symbolic links, also if the last folders do not exist.
pub(crate) fn real_path(path: &Utf8Path) -> Utf8PathBuf {
    let path = camino::absolute_utf8(path).unwrap_or_else(|_| path.to_owned());
    let there = path.ancestors().find_map(|folder| Some((folder, folder.canonicalize_utf8().ok()?)));
    match there {
        Some((folder, real)) => match path.strip_prefix(folder) {
            Ok(rest) if !rest.as_str().is_empty() => real.join(rest),
            _ => real,
        },
        None => path,
    }
}
