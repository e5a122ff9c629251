//! The names in the emulated account of a rehearsal.

use devenv_model::names::short_digest;

/// The emulated AWS on its network, by which tasks reach it.
pub const HOST: &str = "emulated-aws";
pub const PORT: u16 = 4566;
/// The emulator's region; tasks and Terraform use the same.
pub const REGION: &str = "eu-west-1";
/// The only account of the emulator.
pub const ACCOUNT: &str = "000000000000";

/// Bytes of a digest that separates two buckets.
const DIGEST: usize = 4;
/// Characters of the names in a bucket's name, which may have 63.
const NAMES: usize = 50;

/// The address at which tasks reach the emulated AWS.
pub fn endpoint() -> String {
    format!("http://{HOST}:{PORT}")
}

pub fn load_balancer(system: &str, service: &str) -> String {
    format!("{system}-{service}")
}

pub fn log_group(system: &str, service: &str) -> String {
    format!("/{system}/{service}")
}

/// The path of a load balancer at the emulated AWS, without slashes around it.
pub fn balanced(load_balancer: &str) -> String {
    format!("_alb/{load_balancer}")
}

/// The bucket for state and records. Its name has lower-case letters, digits and hyphens only.
pub fn bucket(system: &str, target: &str) -> String {
    let names = format!("{system}-{target}").to_ascii_lowercase();
    let is_plain = |character: &char| character.is_ascii_alphanumeric() || *character == '-';
    let plain: String = names.chars().filter(is_plain).take(NAMES).collect();
    format!("{plain}-{}", short_digest(format!("{system}/{target}"), DIGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_targets_have_two_buckets_with_names_that_s3_takes() {
        let (one, other) = (bucket("shop", "rehearsal"), bucket("shop", "Rehearsal."));
        assert!(one.starts_with("shop-rehearsal-"), "{one}");
        assert_ne!(one, other);
        let long = bucket(&"a".repeat(40), &"b".repeat(40));
        assert!(long.len() <= 63, "{long}");
    }
}
