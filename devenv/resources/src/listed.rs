use devenv_model::observed::ObservedResource;
use devenv_model::resource::ResourceId;

use crate::messaging::depth::Depth;

/// A resource of the files, as the emulator has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub resource: ResourceId,
    /// `None` if the resource does not exist.
    pub state: Option<ObservedResource>,
    /// Of a queue that exists.
    pub depth: Option<Depth>,
}
