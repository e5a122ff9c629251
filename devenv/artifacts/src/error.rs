use camino::Utf8PathBuf;

use crate::tree::WalkError;

/// Why a program or an image could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("cannot start cargo: {source}")]
    CargoMissing { source: std::io::Error },
    /// `output` holds the compiler's messages.
    #[error("cargo could not build {}", packages.join(", "))]
    Failed { packages: Vec<String>, output: Vec<String> },
    #[error("cargo built the package {package}, but it has no binary of that name")]
    NoBinary { package: String },
    /// The build of one unit failed. `output` holds the builder's last lines.
    #[error("{unit} could not be built: {cause}")]
    Unit { unit: String, cause: String, output: Vec<String>, remedy: String },
    #[error("{unit} cannot be built: {source}")]
    Files { unit: String, source: FilesError },
}

/// Why the files of a build cannot be listed or read.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    #[error("its context {path} is not a folder")]
    NoContext { path: Utf8PathBuf },
    #[error("there is no Dockerfile {path}")]
    NoDockerfile { path: Utf8PathBuf },
    #[error("{path}: {cause}")]
    Ignore { path: Utf8PathBuf, cause: String },
    #[error("cannot read {path}: {source}")]
    Read { path: Utf8PathBuf, source: std::io::Error },
    #[error(transparent)]
    Walk(#[from] WalkError),
}

impl FilesError {
    /// The next thing to do.
    pub fn remedy(&self) -> String {
        match self {
            Self::NoContext { .. } | Self::NoDockerfile { .. } => {
                "correct `build` of the service in the Compose file: devenv config prints it".to_owned()
            }
            Self::Ignore { .. } => "correct the line, see docs/compose.md".to_owned(),
            Self::Walk(WalkError::TooMany { .. } | WalkError::TooLarge { .. } | WalkError::TooDeep { .. }) => {
                "name what the build does not need in .dockerignore, such as node_modules and .git, or in `inputs` only what it \
                 is made from"
                    .to_owned()
            }
            Self::Walk(WalkError::Name { .. }) => "rename it, or leave it out with .dockerignore".to_owned(),
            Self::Walk(WalkError::Pattern(_)) => "correct `inputs` in devenv.toml".to_owned(),
            Self::Read { .. } | Self::Walk(WalkError::Read { .. }) => {
                "make it readable, or leave it out with .dockerignore".to_owned()
            }
        }
    }
}
