//! Promotion makes a tested release live in AWS in eight steps: gate, lock, push, plan, apply, wait, smoke, record. When a step
//! fails, it restores the previous release.

mod account;
mod at_hand;
mod carried;
mod chosen_delivery;
mod cloud;
mod context;
mod decider;
mod delivery;
mod ecs;
mod emulated_aws;
mod emulated_endpoint;
mod end;
mod error;
#[cfg(test)]
mod fake_delivery;
mod foundation;
mod guard;
mod kept;
mod locked;
mod login;
mod patience;
mod place;
mod plan;
mod private;
mod promote;
mod proposal;
mod pull;
mod push;
mod recorded;
mod rehearsal;
mod release_probe;
mod required;
mod run;
mod smoke;
mod terraform;
mod terraform_ecs;
mod terraform_folder;
mod tools;
mod tree;
mod wait;

pub use cloud::{
    AccountMade, AccountNeeds, Caller, Cloud, CloudAddress, CloudError, CloudErrorKind, Clouds, Condition,
    DefinedContainer, EmulatedAccount, EmulatedLogin, Identity, ImageReference, LogPlace, Object, Objects, PushedImage,
    Registry, RegistryImage, RepositoryAddress, ServiceNeeds, ServiceOrder, Services, TaskDefinition,
};
pub use decider::Decider;
pub use end::Promoted;
pub use error::Error;
pub use guard::OWN_GUARD;
pub use promote::{PromoteOptions, RollbackOptions, history, promote, roll_back};
pub use recorded::{RecordedEvidence, record_evidence};
pub use rehearsal::{RehearsedService, rehearse_service};
pub use release_probe::ReleaseProbe;
pub use terraform::{InstalledTerraform, Terraform, TerraformEnd, TerraformOrder, Terraforms};
pub use tools::{PromotionOptions, PromotionTools};
