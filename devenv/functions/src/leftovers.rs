//! Files that a kill left half written.

use camino::Utf8Path;
use devenv_supervisor::files::DRAFT;

/// Removes them from the folders of the host's data. Nobody else may write there.
pub(crate) fn remove(data: &Utf8Path) {
    for folder in ["events", "checkpoints"] {
        // A folder that is not there yet has none.
        let Ok(entries) = data.join(folder).read_dir_utf8() else { continue };
        for entry in entries.flatten().filter(|entry| entry.file_name().starts_with(DRAFT)) {
            if let Err(error) = std::fs::remove_file(entry.path()) {
                crate::say(&format!("cannot remove {}, which a kill left half written: {error}", entry.path()));
            }
        }
    }
}
