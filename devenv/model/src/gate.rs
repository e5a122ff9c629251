//! The gate of a promotion: whether the candidate was tested, or the reasons for a refusal.

use std::collections::BTreeMap;
use std::fmt;

use crate::evidence::{Evidence, EvidenceError, NO_EMULATOR, Shortcoming};

/// The candidate: the images, Terraform files and commit that a promotion would release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtHand {
    /// The image's digest, by service.
    pub images: BTreeMap<String, String>,
    /// The tracked files of the Terraform folder, as [`crate::evidence::tree_digest`] sees them.
    pub terraform: String,
    /// The digest of each service's configuration, where the release is made from it: see
    /// [`Circumstances::configuration`](crate::evidence::Circumstances::configuration).
    pub configuration: BTreeMap<String, String>,
    pub commit: String,
    /// Whether files differ from the commit.
    pub dirty: bool,
}

/// An evidence file: its name, and its content or the error of reading it.
pub type Filed = (String, Result<Evidence, EvidenceError>);

/// Why the gate refuses a promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub reasons: Vec<Reason>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Files differ from the commit, so the commit would not identify the release.
    Dirty,
    /// A target that names no emulator would accept any release.
    NoEmulatorNamed,
    /// No evidence on this emulator.
    Missing { emulator: String },
    /// The newest evidence on this emulator, and every reason why it does not prove the candidate.
    Differs { emulator: String, file: String, differences: Vec<Difference> },
    /// A file whose content does not match its name. It may have been the evidence needed here.
    Damaged { file: String, error: EvidenceError },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// `None` on one side: only the other side has the service.
    Image {
        service: String,
        tested: Option<String>,
        at_hand: Option<String>,
    },
    Terraform,
    /// Of another configuration of the service, or from a run that did not record it.
    Configuration {
        service: String,
        is_recorded: bool,
    },
    Commit {
        tested: String,
    },
    Counts(Shortcoming),
}

/// Finds evidence for exactly the candidate on every one of `emulators`. Returns the name of one file per emulator.
/// `files` are in the order in which they were written.
pub fn gate<'a>(at_hand: &AtHand, emulators: &[&str], files: &'a [Filed]) -> Result<Vec<&'a str>, Refusal> {
    let mut reasons = Vec::new();
    if at_hand.dirty {
        reasons.push(Reason::Dirty);
    }
    if emulators.is_empty() {
        reasons.push(Reason::NoEmulatorNamed);
    }
    let mut passed = Vec::new();
    for emulator in emulators {
        let runs = files.iter().rev().filter_map(|(name, read)| Some((name, read.as_ref().ok()?)));
        let runs: Vec<_> = runs.filter(|(_, evidence)| evidence.circumstances.emulator == *emulator).collect();
        // The newest run with the same subjects decides. A green run of only some tests decides nothing, nor does a run
        // with other subjects.
        let same = runs.iter().find(|(_, evidence)| subjects(at_hand, evidence).is_empty() && evidence.decides());
        if let Some((name, _)) = same.filter(|(_, evidence)| evidence.shortcomings().is_empty()) {
            passed.push(name.as_str());
            continue;
        }
        reasons.push(match same.or(runs.first()) {
            None => Reason::Missing { emulator: (*emulator).to_owned() },
            Some((name, evidence)) => Reason::Differs {
                emulator: (*emulator).to_owned(),
                file: (*name).clone(),
                differences: differences(at_hand, evidence),
            },
        });
    }
    if passed.len() < emulators.len() {
        let damaged = files.iter().filter_map(|(name, read)| Some((name, read.as_ref().err()?)));
        reasons.extend(damaged.map(|(name, error)| Reason::Damaged { file: name.clone(), error: error.clone() }));
    }
    if reasons.is_empty() { Ok(passed) } else { Err(Refusal { reasons }) }
}

/// [`gate`] for the evidence that a record names, which must be complete: an absent or damaged file could be a failed run
/// that invalidates the others.
pub fn gate_recorded<'a>(at_hand: &AtHand, emulators: &[&str], files: &'a [Filed]) -> Result<Vec<&'a str>, Refusal> {
    let passed = gate(at_hand, emulators, files);
    let mut reasons = passed.as_ref().err().map(|refusal| refusal.reasons.clone()).unwrap_or_default();
    for (file, error) in files.iter().filter_map(|(name, read)| Some((name, read.as_ref().err()?))) {
        let reason = Reason::Damaged { file: file.clone(), error: error.clone() };
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    if reasons.is_empty() { passed } else { Err(Refusal { reasons }) }
}

fn differences(at_hand: &AtHand, evidence: &Evidence) -> Vec<Difference> {
    let shortcomings = evidence.shortcomings().into_iter().map(Difference::Counts);
    subjects(at_hand, evidence).into_iter().chain(shortcomings).collect()
}

/// The subjects of the evidence that differ from the candidate.
fn subjects(at_hand: &AtHand, evidence: &Evidence) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut services: Vec<&String> = at_hand.images.keys().chain(evidence.images.keys()).collect();
    services.sort_unstable();
    services.dedup();
    for service in services {
        let (tested, wanted) = (evidence.images.get(service), at_hand.images.get(service));
        if tested != wanted {
            let (tested, at_hand) = (tested.cloned(), wanted.cloned());
            found.push(Difference::Image { service: service.clone(), tested, at_hand });
        }
    }
    if evidence.terraform != at_hand.terraform {
        found.push(Difference::Terraform);
    }
    for (service, at_hand) in &at_hand.configuration {
        let tested = evidence.circumstances.configuration.get(service);
        if tested != Some(at_hand) {
            found.push(Difference::Configuration { service: service.clone(), is_recorded: tested.is_some() });
        }
    }
    if evidence.circumstances.commit != at_hand.commit {
        found.push(Difference::Commit { tested: evidence.circumstances.commit.clone() });
    }
    found
}

impl std::error::Error for Refusal {}

/// One reason per line.
impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, reason) in self.reasons.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(formatter, "{end}{reason}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dirty => formatter.write_str("files differ from the commit that is checked out"),
            Self::NoEmulatorNamed => formatter.write_str("the target names no emulator on which the tests must pass"),
            Self::Missing { emulator } => write!(formatter, "the tests have not run{}", on(emulator)),
            Self::Differs { emulator, file, differences } => {
                write!(formatter, "the last run{} ({file})", on(emulator))?;
                for (index, difference) in differences.iter().enumerate() {
                    write!(formatter, "{} {difference}", if index == 0 { "" } else { ";" })?;
                }
                Ok(())
            }
            Self::Damaged { file, error: error @ EvidenceError::Absent(_) } => {
                write!(formatter, "{file} is absent: {error}")
            }
            Self::Damaged { file, error } => write!(formatter, "{file} is damaged: {error}"),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image { service, tested: Some(tested), at_hand: Some(at_hand) } => {
                write!(formatter, "tested another image of {service}: {}, not {}", short(tested), short(at_hand))
            }
            Self::Image { service, tested: None, .. } => write!(formatter, "did not run {service}"),
            Self::Image { service, at_hand: None, .. } => {
                write!(formatter, "ran a service {service}, which this release does not have")
            }
            Self::Terraform => formatter.write_str("tested other Terraform files"),
            Self::Configuration { service, is_recorded: true } => {
                write!(
                    formatter,
                    "tested {service} with other variables, or another command, port or number of replicas"
                )
            }
            Self::Configuration { service, is_recorded: false } => {
                write!(formatter, "did not record the variables of {service}")
            }
            Self::Commit { tested } => write!(formatter, "tested the commit {}", short(tested)),
            Self::Counts(shortcoming) => write!(formatter, "does not count: {shortcoming}"),
        }
    }
}

/// Where tests ran, as a part of a sentence.
fn on(emulator: &str) -> String {
    if emulator == NO_EMULATOR { String::new() } else { format!(" on {emulator}") }
}

/// The first 12 digits of a digest or commit.
fn short(id: &str) -> &str {
    let id = id.strip_prefix("sha256:").unwrap_or(id);
    id.get(..12).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::TestOutcome;
    use crate::evidence::{Circumstances, ProvenTest};

    fn evidence(emulator: &str) -> Evidence {
        Evidence {
            images: at_hand().images,
            terraform: at_hand().terraform,
            circumstances: Circumstances {
                project: "orders".to_owned(),
                commit: at_hand().commit,
                dirty: false,
                emulator: emulator.to_owned(),
                emulator_image: format!("{emulator}:1"),
                filtered: false,
                began: "2026-11-21T10:00:00Z".to_owned(),
                seconds: 1.0,
                failure: None,
                results_from: Vec::new(),
                sources: BTreeMap::new(),
                configuration: [("order-api".to_owned(), "5".repeat(64))].into(),
            },
            tests: vec![ProvenTest { name: "a".to_owned(), outcome: TestOutcome::Passed, seconds: None }],
        }
    }

    fn at_hand() -> AtHand {
        AtHand {
            images: [("order-api", "1"), ("order-processor", "2")]
                .map(|(service, digit)| (service.to_owned(), format!("sha256:{}", digit.repeat(64))))
                .into(),
            terraform: "3".repeat(64),
            configuration: BTreeMap::new(),
            commit: "4".repeat(40),
            dirty: false,
        }
    }

    /// The runs as evidence files, in order.
    fn filed(runs: Vec<Evidence>) -> Vec<Filed> {
        runs.into_iter().enumerate().map(|(index, run)| (format!("run-{index}.json"), Ok(run))).collect()
    }

    fn refused(at_hand: &AtHand, emulators: &[&str], files: &[Filed]) -> Vec<Reason> {
        gate(at_hand, emulators, files).expect_err("it must refuse").reasons
    }

    #[test]
    fn evidence_of_what_is_at_hand_on_every_emulator_passes() {
        let files = filed(vec![evidence("embedded"), evidence("dynamodb-local"), evidence("embedded")]);
        let passed = gate(&at_hand(), &["embedded", "dynamodb-local"], &files);
        assert_eq!(passed, Ok(vec!["run-2.json", "run-1.json"]));
    }

    #[test]
    fn an_emulator_without_evidence_is_named() {
        let files = filed(vec![evidence("embedded")]);
        let reasons = refused(&at_hand(), &["embedded", "localstack"], &files);
        assert_eq!(reasons, [Reason::Missing { emulator: "localstack".to_owned() }]);
        assert_eq!(refused(&at_hand(), &[], &files), [Reason::NoEmulatorNamed]);
    }

    #[test]
    fn every_difference_refuses_and_is_named() {
        type Change = fn(&mut AtHand, &mut Evidence);
        let changes: [Change; 10] = [
            |at_hand, _| at_hand.dirty = true,
            |at_hand, _| drop(at_hand.images.insert("order-api".to_owned(), "sha256:9".to_owned())),
            |at_hand, _| drop(at_hand.images.remove("order-api")),
            |_, evidence| drop(evidence.images.remove("order-api")),
            |at_hand, _| at_hand.terraform.replace_range(..1, "9"),
            |at_hand, _| drop(at_hand.configuration.insert("order-api".to_owned(), "9".repeat(64))),
            |at_hand, _| drop(at_hand.configuration.insert("order-processor".to_owned(), "9".repeat(64))),
            |at_hand, _| at_hand.commit.replace_range(..1, "9"),
            |_, evidence| evidence.circumstances.filtered = true,
            |_, evidence| evidence.tests[0].outcome = TestOutcome::Failed,
        ];
        let mut said = Vec::new();
        for change in changes {
            let (mut at_hand, mut evidence) = (at_hand(), evidence("embedded"));
            change(&mut at_hand, &mut evidence);
            let files = filed(vec![evidence]);
            let refusal = gate(&at_hand, &["embedded"], &files);
            said.push(refusal.expect_err("it must refuse").to_string());
        }
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn a_configuration_counts_where_the_release_is_made_from_it() {
        let files = filed(vec![evidence("embedded")]);
        gate(&at_hand(), &["embedded"], &files).expect("other Terraform has its own variables");
        let configuration = [("order-api".to_owned(), "5".repeat(64))].into();
        gate(&AtHand { configuration, ..at_hand() }, &["embedded"], &files).expect("it is the tested one");
    }

    #[test]
    fn a_damaged_file_is_named_when_it_may_have_been_the_one() {
        let mut files = filed(vec![evidence("embedded")]);
        files.push(("damaged.json".to_owned(), Err(EvidenceError::Damaged)));
        gate(&at_hand(), &["embedded"], &files).expect("another one proves it");
        let reasons = refused(&at_hand(), &["localstack"], &files);
        assert_eq!(reasons[1], Reason::Damaged { file: "damaged.json".to_owned(), error: EvidenceError::Damaged });
    }

    #[test]
    fn of_evidence_that_a_record_names_nothing_may_be_missing() {
        let mut files = filed(vec![evidence("embedded")]);
        assert_eq!(gate_recorded(&at_hand(), &["embedded"], &files), Ok(vec!["run-0.json"]));
        files.push(("damaged.json".to_owned(), Err(EvidenceError::Damaged)));
        files.push(("absent.json".to_owned(), Err(EvidenceError::Absent("dev/releases/1/absent.json".to_owned()))));
        let said =
            |emulators: &[&str]| gate_recorded(&at_hand(), emulators, &files).expect_err("it must refuse").to_string();
        insta::assert_snapshot!(format!("{}\n\n{}", said(&["embedded"]), said(&["localstack"])));
    }

    #[test]
    fn the_newest_run_of_the_same_things_decides() {
        let mut red = evidence("embedded");
        red.tests[0].outcome = TestOutcome::Failed;
        let files = filed(vec![evidence("embedded"), red.clone()]);
        let reasons = refused(&at_hand(), &["embedded"], &files);
        assert!(matches!(&reasons[..], [Reason::Differs { file, .. }] if file == "run-1.json"), "{reasons:?}");
        let mut few = evidence("embedded");
        few.circumstances.filtered = true;
        let files = filed(vec![red, evidence("embedded"), few]);
        assert_eq!(gate(&at_hand(), &["embedded"], &files), Ok(vec!["run-1.json"]));
    }

    #[test]
    fn a_later_run_of_other_images_does_not_undo_an_earlier_one() {
        let mut other = evidence("embedded");
        other.images.insert("order-api".to_owned(), "sha256:9".to_owned());
        let files = filed(vec![evidence("embedded"), other]);
        assert_eq!(gate(&at_hand(), &["embedded"], &files), Ok(vec!["run-0.json"]));
    }
}
