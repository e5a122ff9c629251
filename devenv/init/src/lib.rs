//! `devenv init`: looks at a folder, and proposes the `devenv.toml` that makes it a project.
//!
//! [`look`] reads and [`mod@write`] writes; everything between them is pure: what was found gives a [`proposal::Proposal`].

mod aws;
mod minimal;
mod test_command;

pub mod error;
pub mod found;
pub mod look;
pub mod proposal;
pub mod write;
