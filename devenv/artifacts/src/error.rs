/// Why a program could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("cannot start cargo: {source}")]
    CargoMissing { source: std::io::Error },
    /// `output` holds the compiler's messages.
    #[error("cargo could not build {}", packages.join(", "))]
    Failed { packages: Vec<String>, output: Vec<String> },
    #[error("cargo built the package {package}, but it has no binary of that name")]
    NoBinary { package: String },
}
