use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The first bytes of every SQLite file, except an empty one, which is a database without tables.
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";

/// Opens the file as SQLite does, and creates an absent one: the operating system's errors are clearer than SQLite's. Returns why it
/// cannot be a database.
pub fn examine(path: &Path) -> Result<(), String> {
    if path.is_dir() {
        return Err("it is a folder; name a file".to_owned());
    }
    let opened = File::options().read(true).write(true).create(true).truncate(false).open(path);
    let mut head = Vec::new();
    opened
        .and_then(|file| file.take(SQLITE_MAGIC.len() as u64).read_to_end(&mut head))
        .map_err(|error| error.to_string())?;
    if head.is_empty() || head == SQLITE_MAGIC {
        return Ok(());
    }
    Err("it is not a SQLite database; name another file, or remove this one".to_owned())
}
