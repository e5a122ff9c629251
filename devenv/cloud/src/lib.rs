//! The requests of a promotion to AWS, in its own terms: one trait per system, without code. `devenv-aws` implements them over
//! the network, `devenv-fakes` in memory.

mod emulated;
mod error;
mod identity;
mod objects;
mod registry;
mod services;

pub use emulated::{AccountMade, AccountNeeds, EmulatedAccount, ServiceNeeds, ServiceOrder};
pub use error::{CloudError, CloudErrorKind};
pub use identity::{Caller, Identity};
pub use objects::{Condition, Object, Objects};
pub use registry::{ImageReference, PushedImage, Registry, RegistryImage, RepositoryAddress};
pub use services::{DefinedContainer, LogPlace, Services, TaskDefinition};
