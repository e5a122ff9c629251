//! What an environment is, decided without touching the world.
//!
//! This crate is pure: no input or output, no clock, no async. It reads the three files that describe an environment
//! (already in memory, see [`manifest`]), compares the result with one [`observed::Observed`] snapshot, and answers with
//! a [`plan::Plan`]. Everything that has an effect lives in `devenv-engine`.

pub mod artifact;
pub mod container;
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
pub mod unit;
