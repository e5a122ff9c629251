use std::{
    fs::File,
    hash::{DefaultHasher, Hash, Hasher},
    io,
};

use camino::{Utf8Path, Utf8PathBuf};

use crate::Settings;

/// The right to use the system, shared or exclusive. File locks work between processes too, and end with their holder.
#[derive(Debug)]
pub(crate) struct Turn {
    // Fields are dropped in this order, so the floor is released before the gate.
    _floor: File,
    _gate: Option<File>,
}

impl Turn {
    /// Takes a shared turn.
    pub(crate) fn shared(settings: &Settings) -> io::Result<Self> {
        let (gate, floor) = files(settings)?;
        // A test that waits for its exclusive turn holds the gate: a stream of others cannot make it wait for ever.
        gate.lock_shared()?;
        floor.lock_shared()?;
        Ok(Self { _floor: floor, _gate: None })
    }

    /// Takes an exclusive turn.
    pub(crate) fn exclusive(settings: &Settings) -> io::Result<Self> {
        let (gate, floor) = files(settings)?;
        gate.lock()?;
        floor.lock()?;
        Ok(Self { _floor: floor, _gate: Some(gate) })
    }
}

fn files(settings: &Settings) -> io::Result<(File, File)> {
    let base = base(settings);
    let open = |name: &str| -> io::Result<File> {
        let path = Utf8PathBuf::from(format!("{base}.{name}"));
        Ok(fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(path)?.into_parts().0)
    };
    Ok((open("gate")?, open("floor")?))
}

fn base(settings: &Settings) -> Utf8PathBuf {
    if let Some(directory) = settings.state_directory.as_deref().filter(|directory| directory.is_dir()) {
        return directory.join("tests");
    }
    let mut hash = DefaultHasher::new();
    settings.order_api.hash(&mut hash);
    let temporary = std::env::temp_dir();
    let temporary = Utf8Path::from_path(&temporary).unwrap_or(Utf8Path::new("/tmp"));
    temporary.join(format!("order-system-tests-{:016x}", hash.finish()))
}
