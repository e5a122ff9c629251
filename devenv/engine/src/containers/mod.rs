//! Containers: what is asked of an engine, and the runtime that is built on it.

mod archive;
mod build_in_engine;
mod engine;
mod images;
mod logs;
mod removal;
mod runtime;
mod scope;
mod settle;

pub use build_in_engine::BuildInEngine;
pub use engine::{
    BuildOrder, ContainerEngine, ContainerEngines, ContainerState, ContainerSummary, EngineAbout, EngineError,
    EngineErrorKind, Image, JoinedNetwork, Labelled, LogLine, LogQuery, NewContainer, NoEngine, Phase,
};
pub use images::{EMULATOR_IMAGE, Images, Known};
pub(crate) use removal::{remove_orphans, remove_state};
pub(crate) use runtime::ContainerRuntime;
pub use scope::Scope;
pub use settle::{Making, settle};
