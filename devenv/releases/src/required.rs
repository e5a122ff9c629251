//! The release that is live in every environment that another one requires.

use std::collections::BTreeMap;
use std::fmt;

use crate::record::{Release, ReleasedImage};

/// How the release of one environment differs from that of the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    pub first: String,
    pub other: String,
    pub what: Vec<Differs>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Differs {
    Commit,
    Terraform,
    Image { service: String },
}

impl std::error::Error for Disagreement {}

impl fmt::Display for Disagreement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what: Vec<String> = self.what.iter().map(ToString::to_string).collect();
        write!(formatter, "{} and {} do not have the same release: {}", self.first, self.other, what.join(", "))
    }
}

impl fmt::Display for Differs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit => formatter.write_str("another commit"),
            Self::Terraform => formatter.write_str("other Terraform files"),
            Self::Image { service } => write!(formatter, "another image of {service}"),
        }
    }
}

/// The release that is live in all of them, or the first environment with another one. Registries do not matter: each
/// environment has its own.
///
/// # Panics
///
/// If `live` is empty.
pub fn agreed<'a>(live: &[(&str, &'a Release)]) -> Result<&'a Release, Disagreement> {
    let (first, release) = live.first().expect("an environment that requires others names one");
    for (other, theirs) in &live[1..] {
        let what = differences(release, theirs);
        if !what.is_empty() {
            return Err(Disagreement { first: (*first).to_owned(), other: (*other).to_owned(), what });
        }
    }
    Ok(release)
}

fn differences(one: &Release, other: &Release) -> Vec<Differs> {
    let mut found = Vec::new();
    if one.commit != other.commit {
        found.push(Differs::Commit);
    }
    if one.terraform != other.terraform {
        found.push(Differs::Terraform);
    }
    let mut services: Vec<&String> = one.images.keys().chain(other.images.keys()).collect();
    services.sort_unstable();
    services.dedup();
    let of = |images: &BTreeMap<String, ReleasedImage>, service: &String| {
        images.get(service).map(|image| (image.digest().to_owned(), image.platform.clone()))
    };
    let differ = services.into_iter().filter(|service| of(&one.images, service) != of(&other.images, service));
    found.extend(differ.map(|service| Differs::Image { service: service.clone() }));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(host: &str, digit: &str) -> Release {
        let image = ReleasedImage {
            reference: format!("{host}/order-api@sha256:{}", digit.repeat(64)),
            platform: "linux/amd64".to_owned(),
            tested: format!("sha256:{}", "2".repeat(64)),
        };
        Release {
            id: host.to_owned(),
            commit: "4".repeat(40),
            images: [("order-api".to_owned(), image)].into(),
            terraform: "3".repeat(64),
        }
    }

    #[test]
    fn one_release_in_every_registry_is_one_release() {
        let (dev, staging) = (release("dev.example", "1"), release("staging.example", "1"));
        assert_eq!(agreed(&[("dev", &dev), ("staging", &staging)]), Ok(&dev));
        assert_eq!(agreed(&[("dev", &dev)]), Ok(&dev));
    }

    #[test]
    fn another_release_is_named_with_all_that_differs() {
        let dev = release("dev.example", "1");
        let mut staging = release("staging.example", "9");
        staging.commit = "5".repeat(40);
        staging.terraform = "6".repeat(64);
        staging.images.insert("mailer".to_owned(), staging.images["order-api"].clone());
        let error = agreed(&[("dev", &dev), ("staging", &dev), ("test", &staging)]).expect_err("they differ");
        assert_eq!((error.first.as_str(), error.other.as_str()), ("dev", "test"));
        insta::assert_snapshot!(error);
    }
}
