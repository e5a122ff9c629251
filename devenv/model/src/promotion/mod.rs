//! What a person reads of a promotion before it begins: the changes that Terraform would make, and the rules for them.

pub mod changes;
pub mod proposal;
