//! The program or image of a unit.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

/// Where a unit's program comes from. A runtime that cannot run a kind refuses it by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Artifact {
    /// The binary of a package of this workspace, or the image that is assembled around it.
    Cargo { package: String },
    /// An image that a container engine builds.
    Dockerfile { context: Utf8PathBuf, file: Utf8PathBuf, target: Option<String>, args: BTreeMap<String, String> },
    /// A program with its arguments. `build` makes it from `inputs`, where it is made here.
    Command { build: Option<Vec<String>>, inputs: Vec<Utf8PathBuf>, run: Vec<String> },
    /// A ready-made image.
    Image { reference: String },
}

impl Artifact {
    pub fn package(&self) -> Option<&str> {
        match self {
            Self::Cargo { package } => Some(package),
            _ => None,
        }
    }

    /// The image that has to be there before the unit starts.
    pub fn image(&self) -> Option<&str> {
        match self {
            Self::Image { reference } => Some(reference),
            _ => None,
        }
    }

    /// For an error, such as `a Dockerfile`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Cargo { .. } => "a Cargo package",
            Self::Dockerfile { .. } => "a Dockerfile",
            Self::Command { .. } => "a command",
            Self::Image { .. } => "an image",
        }
    }
}
