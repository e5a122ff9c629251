//! The data types and pure decisions of an environment.
//!
//! This crate is pure: no input or output, no clock, no async. [`reconcile`] compares the wanted units and resources with
//! one [`observed::Observed`] snapshot and returns a [`plan::Plan`]. `devenv-manifest` reads the [`manifest`];
//! `devenv-engine` has all effects.

pub mod addresses;
pub mod artifact;
pub mod container;
pub mod database;
pub mod dockerfile;
pub mod event;
pub mod evidence;
pub mod exec;
pub mod functions;
pub mod gate;
pub mod intent;
pub mod manifest;
pub mod messaging;
pub mod names;
pub mod observed;
pub mod plan;
pub mod promotion;
pub mod reconcile;
pub mod resource;
pub mod template;
pub mod transport;
pub mod unit;
mod written_plan;
