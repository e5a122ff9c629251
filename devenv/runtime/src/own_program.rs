use camino::Utf8PathBuf;

use crate::error::Error;

/// The path of this running `devenv` program.
pub fn own_program() -> Result<Utf8PathBuf, Error> {
    let own = std::env::current_exe()
        .and_then(|path| Utf8PathBuf::from_path_buf(path).map_err(|_| std::io::Error::other("its path is not UTF-8")));
    own.map_err(|source| Error::ReadFile { path: "the devenv program itself".into(), source })
}
