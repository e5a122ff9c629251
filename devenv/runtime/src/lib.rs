//! The traits of runtimes ([`Runtime`]) and their hosts ([`RuntimeHost`]), and what both sides of them share: the [`LocalProject`], the
//! memory of its last start, events, cancellation and errors.
//!
//! `devenv-processes` and `devenv-containers` implement the traits; `devenv-engine` decides over them.

mod cancel;
mod emitter;
mod error;
mod explained;
mod host;
mod host_error;
mod interface;
mod local_project;
mod own_images;
mod own_program;
mod project;
mod request;

pub mod memory;
pub mod processes;
pub mod settle;

pub use cancel::{Cancel, Canceller};
pub use devenv_manifest::compose_model::ComposeOptions;
pub use emitter::{Emitter, millis};
pub use error::{Error, LOG_TAIL};
pub use explained::explained;
pub use host::{About, Found, RuntimeHost, Runtimes, TakenDown};
pub use host_error::{HostError, HostErrorKind, NoHost};
pub use interface::{Abilities, LogOptions, Missing, Observation, Progress, Runtime};
pub use local_project::{Instance, LocalProject};
pub use memory::{Remembered, RememberedChoice};
pub use own_images::{EMULATOR_IMAGE, FUNCTION_HOST_PROGRAM, OWN_EMULATOR, OWN_FUNCTION_HOST};
pub use own_program::own_program;
pub use project::{Project, ProjectOptions};
pub use request::{BuildInEngine, ImageBuild, ImageKind, RuntimeKind, RuntimeRequest};
