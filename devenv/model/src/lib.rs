//! What an environment is, decided without touching the world.
//!
//! This crate is pure: no input or output, no clock, no async. What is wanted ([`manifest`], which `devenv-manifest` reads)
//! is compared with one [`observed::Observed`] snapshot, and the answer is a [`plan::Plan`]. Everything that has an effect
//! lives in `devenv-engine`.

pub mod artifact;
pub mod event;
pub mod evidence;
pub mod gate;
pub mod intent;
pub mod manifest;
pub mod names;
pub mod observed;
pub mod plan;
pub mod promotion;
pub mod reconcile;
pub mod resource;
pub mod template;
pub mod unit;
