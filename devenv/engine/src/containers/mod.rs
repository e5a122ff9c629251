//! Containers: what is asked of an engine, and the runtime that is built on it.

mod archive;
mod build_in_engine;
mod engine;
mod host;
mod images;
mod logs;
mod removal;
mod runtime;
mod scope;
mod spec;

pub use engine::{
    BuildOrder, ContainerEngine, ContainerEngines, ContainerState, ContainerSummary, EngineAbout, EngineError,
    EngineErrorKind, Image, JoinedNetwork, Labelled, LogLine, LogQuery, NewContainer, NoEngine, Phase,
};
pub use host::ContainerHosts;
pub use images::{Images, Known};
pub(crate) use removal::remove_state;
pub use scope::Scope;
