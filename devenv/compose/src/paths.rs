//! Paths in Compose files.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

/// Returns the path as seen from everywhere: `~` is the caller's home, a relative path begins at `base`.
pub(crate) fn resolve(base: &Utf8Path, home: Option<&str>, path: &str) -> String {
    let in_home = home.and_then(|home| match path.strip_prefix('~') {
        Some("") => Some(Utf8PathBuf::from(home)),
        Some(rest) => rest.strip_prefix('/').map(|rest| Utf8Path::new(home).join(rest)),
        None => None,
    });
    match in_home {
        Some(path) => path.into_string(),
        None if path.starts_with('/') => path.to_owned(),
        None => clean(&base.join(path)).into_string(),
    }
}

/// Removes `.` and `..` without a look at the disk, as Compose does.
pub(crate) fn clean(path: &Utf8Path) -> Utf8PathBuf {
    let mut cleaned = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => {
                cleaned.pop();
            }
            component => cleaned.push(component),
        }
    }
    cleaned
}

/// Whether a build context is the address of a repository or an archive.
pub(crate) fn is_remote(context: &str) -> bool {
    const REMOTE: [&str; 3] = ["git@", "github.com/", "service:"];
    context.contains("://") || REMOTE.iter().any(|prefix| context.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let of = |path| resolve(Utf8Path::new("/a/b"), Some("/home/x"), path);
        assert_eq!(of("."), "/a/b");
        assert_eq!(of("../c/./d"), "/a/c/d");
        assert_eq!(of("~/d"), "/home/x/d");
        assert_eq!(of("~"), "/home/x");
        assert_eq!(of("~d"), "/a/b/~d");
        assert_eq!(of("../../../.."), "/");
        assert_eq!(of("/e"), "/e");
    }
}
