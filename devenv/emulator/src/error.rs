use std::net::SocketAddr;
use std::path::PathBuf;

/// The reason the emulator does not start or stops.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Usage(String),
    #[error("{address} is not a loopback address; in a container, allow it with --allow-any-address")]
    NotLoopback { address: SocketAddr },
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("the folder of the data file {path} does not exist")]
    NoFolder { path: PathBuf },
    #[error("cannot open the data file {path}: {cause}")]
    Data { path: PathBuf, cause: String },
    #[error(transparent)]
    Messages(#[from] devenv_messaging::OpenError),
    #[error("cannot write the calls to {path}: {source}")]
    Calls { path: PathBuf, source: std::io::Error },
    #[error("{cause}")]
    Serve { cause: String },
    #[error("cannot start the runtime: {0}")]
    Runtime(std::io::Error),
}

impl Error {
    /// Returns 2 for a mistake on the command line, 1 for every other error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::NotLoopback { .. } => 2,
            _ => 1,
        }
    }
}
