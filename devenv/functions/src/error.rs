use std::net::SocketAddr;

use camino::Utf8PathBuf;
use devenv_resources::function_host::settings::{HOST_FORMAT, HOST_SETTINGS, RUNTIME_API};

/// The reason the host does not start or stops.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{HOST_SETTINGS} is not set: `devenv up` starts this program, with its settings in that variable")]
    NoSettings,
    #[error("{HOST_SETTINGS} cannot be read: {0}")]
    Settings(#[from] serde_json::Error),
    #[error(
        "the settings have format {found}, and this program reads format {HOST_FORMAT}: install devenv and devenv-functions of one version"
    )]
    Format { found: u32 },
    #[error("{address} is not a loopback address")]
    NotLoopback { address: SocketAddr },
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("cannot write to {path}: {source}")]
    Data { path: Utf8PathBuf, source: std::io::Error },
    #[error("the mapping {mapping} cannot be served: {cause}")]
    Mapping { mapping: String, cause: String },
    #[error("cannot start the runtime: {0}")]
    Runtime(std::io::Error),
    #[error("devenv-functions init needs the program to start: devenv-functions init -- PROGRAM ARGUMENTS")]
    NoProgram,
    #[error("{RUNTIME_API} is not set: devenv-functions init runs in the container of a function")]
    NoRuntime,
    #[error("cannot start {program}: {source}")]
    Program { program: String, source: std::io::Error },
}
