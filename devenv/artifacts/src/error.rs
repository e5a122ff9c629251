/// Why a program is not there.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("cargo cannot be started: {source}")]
    CargoMissing { source: std::io::Error },
    /// `output` holds the compiler's own words.
    #[error("cargo could not build {}", packages.join(", "))]
    Failed { packages: Vec<String>, output: Vec<String> },
    #[error("cargo built {package} without a binary of that name")]
    NoBinary { package: String },
}
