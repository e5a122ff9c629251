//! Evidence of a test run: an in-toto Statement (`https://in-toto.io/Statement/v1`) with a test-result predicate
//! (`https://in-toto.io/attestation/test-result/v0.1`).
//!
//! Evidence protects against accidents and corruption, not against its author: anybody who can run the tests can write it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::event::TestOutcome;
use crate::names::hexadecimal;

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";
/// In place of an emulator's name, for a project without AWS.
pub const NO_EMULATOR: &str = "none";
/// The subject that stands for the Terraform files.
const TERRAFORM: &str = "terraform";
/// The separator between the prefix of a file's name and the digest of its content.
const BEFORE_DIGEST: char = '-';
const EXTENSION: &str = ".json";

/// One run of the tests, and its subjects.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The manifest digest of the image that ran (`sha256:` and 64 digits), by service. A registry uses the same digest.
    pub images: BTreeMap<String, String>,
    /// The [`tree_digest`] of the tracked files of the Terraform folder (64 digits).
    pub terraform: String,
    pub circumstances: Circumstances,
    pub tests: Vec<ProvenTest>,
}

/// The circumstances of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Circumstances {
    pub project: String,
    /// The checked-out commit.
    pub commit: String,
    /// Whether files differed from the commit.
    pub dirty: bool,
    pub emulator: String,
    /// The emulator's image: name and version.
    pub emulator_image: String,
    /// Whether the run may have left tests out: the tests had arguments, or reported filtered tests.
    pub filtered: bool,
    /// RFC 3339.
    pub began: String,
    pub seconds: f64,
    /// Why the run as a whole failed, if no single test did.
    pub failure: Option<String>,
    /// Where the results come from: names of test runners, `junit`, or `exit code` for a command that counts as one test.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results_from: Vec<String>,
    /// The digest of the files that a Dockerfile's build saw (64 digits), by service.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, String>,
    /// The digest of what a rehearsal without Terraform of its own makes of the Compose file (64 digits), by service: its
    /// variables, command, port and replicas. Empty where no rehearsal can run them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub configuration: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvenTest {
    pub name: String,
    pub outcome: TestOutcome,
    /// `None` for a test that did not run, or did not report its duration.
    pub seconds: Option<f64>,
}

/// Why a file is not valid evidence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    #[error("its name does not end with the digest of its content, so it was changed or cut off")]
    Damaged,
    #[error("it is not a test result statement: {0}")]
    Unreadable(String),
    #[error("{0} does not exist")]
    Absent(String),
}

/// Why evidence does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Shortcoming {
    #[error("{} failed: {}", .0.len(), .0.join(", "))]
    Failed(Vec<String>),
    #[error("the run failed: {0}")]
    Red(String),
    #[error("the tests ran with arguments, or reported that they left some out")]
    Filtered,
    #[error("{} did not run: {}", .0.len(), .0.join(", "))]
    Skipped(Vec<String>),
    #[error("no test ran")]
    Empty,
    #[error("files differed from the commit {0}")]
    Dirty(String),
}

impl Evidence {
    /// Every reason why the run does not count, independent of the candidate.
    pub fn shortcomings(&self) -> Vec<Shortcoming> {
        let mut found = Vec::new();
        let failed = self.names(TestOutcome::Failed);
        if !failed.is_empty() {
            found.push(Shortcoming::Failed(failed));
        }
        found.extend(self.circumstances.failure.clone().map(Shortcoming::Red));
        if self.circumstances.filtered {
            found.push(Shortcoming::Filtered);
        }
        let skipped = self.names(TestOutcome::Ignored);
        if !skipped.is_empty() {
            found.push(Shortcoming::Skipped(skipped));
        }
        if self.names(TestOutcome::Passed).is_empty() {
            found.push(Shortcoming::Empty);
        }
        if self.circumstances.dirty {
            found.push(Shortcoming::Dirty(self.circumstances.commit.clone()));
        }
        found
    }

    /// Whether the run decides about its subjects. A green run of only some tests does not; a red one does. A run with files
    /// that differ from its commit has other subjects.
    pub(crate) fn decides(&self) -> bool {
        !self.circumstances.dirty && (self.is_red() || !self.circumstances.filtered)
    }

    /// The key by which two runs have the same subjects.
    fn about(&self) -> (&str, &str, &str, &BTreeMap<String, String>, &BTreeMap<String, String>) {
        let Circumstances { emulator, commit, configuration, .. } = &self.circumstances;
        (emulator, commit, &self.terraform, &self.images, configuration)
    }

    fn names(&self, outcome: TestOutcome) -> Vec<String> {
        self.tests.iter().filter(|test| test.outcome == outcome).map(|test| test.name.clone()).collect()
    }

    /// The file's content: one JSON object and a line feed.
    pub fn to_json(&self) -> String {
        let statement = Statement {
            kind: STATEMENT.to_owned(),
            subject: self.subjects(),
            predicate_type: TEST_RESULT.to_owned(),
            predicate: Predicate {
                result: if self.is_red() { Verdict::Failed } else { Verdict::Passed },
                configuration: vec![Configuration {
                    name: "devenv".to_owned(),
                    annotations: Annotations { run: self.circumstances.clone(), tests: self.tests.clone() },
                }],
                passed_tests: self.names(TestOutcome::Passed),
                failed_tests: self.names(TestOutcome::Failed),
            },
        };
        let mut text = serde_json::to_string_pretty(&statement).expect("a statement is plain data");
        text.push('\n');
        text
    }

    fn is_red(&self) -> bool {
        self.circumstances.failure.is_some() || self.tests.iter().any(|test| test.outcome == TestOutcome::Failed)
    }

    fn subjects(&self) -> Vec<Subject> {
        let images = self.images.iter().map(|(service, id)| (service.as_str(), id.trim_start_matches("sha256:")));
        let terraform = std::iter::once((TERRAFORM, self.terraform.as_str()));
        let subject = |(name, digest): (&str, &str)| Subject {
            name: name.to_owned(),
            digest: DigestSet { sha256: digest.to_owned() },
        };
        images.chain(terraform).map(subject).collect()
    }

    /// The file name that [`Evidence::read`] requires for the content: `prefix`, `-`, the content's digest, `.json`.
    pub fn file_name(prefix: &str, content: &str) -> String {
        format!("{prefix}{BEFORE_DIGEST}{}{EXTENSION}", sha256(content.as_bytes()))
    }

    /// Reads a file's content, which must match the digest in its name.
    pub fn read(file_name: &str, content: &[u8]) -> Result<Self, EvidenceError> {
        let named = file_name.strip_suffix(EXTENSION).and_then(|stem| stem.rsplit(BEFORE_DIGEST).next());
        if named != Some(sha256(content).as_str()) {
            return Err(EvidenceError::Damaged);
        }
        let unreadable = |why: String| EvidenceError::Unreadable(why);
        let statement: Statement = serde_json::from_slice(content).map_err(|error| unreadable(error.to_string()))?;
        if statement.kind != STATEMENT || statement.predicate_type != TEST_RESULT {
            return Err(unreadable(format!("its type is {}", statement.predicate_type)));
        }
        let Ok([configuration]) = <[Configuration; 1]>::try_from(statement.predicate.configuration) else {
            return Err(unreadable("it does not have exactly one configuration".to_owned()));
        };
        let mut images = BTreeMap::new();
        let mut terraform = None;
        for Subject { name, digest: DigestSet { sha256 } } in statement.subject {
            if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(unreadable(format!("the digest of {name} is not 64 hexadecimal digits")));
            }
            if name == TERRAFORM {
                terraform = Some(sha256);
            } else {
                images.insert(name, format!("sha256:{sha256}"));
            }
        }
        let terraform = terraform.ok_or_else(|| unreadable("it has no subject terraform".to_owned()))?;
        let Annotations { run, tests } = configuration.annotations;
        Ok(Self { images, terraform, circumstances: run, tests })
    }
}

/// The names of the files to remove. `files` are in the order in which they were written; the newest `kept` proofs and the
/// newest `kept` other files stay.
///
/// The two are counted apart, so that runs which prove nothing never displace a proof. A proof that a later run with the
/// same subjects invalidates is none: it goes before the run that invalidates it.
pub fn surplus(files: &[(String, Result<Evidence, EvidenceError>)], kept: usize) -> Vec<&str> {
    let (mut decided, mut proofs, mut others) = (BTreeSet::new(), Vec::new(), Vec::new());
    for (name, read) in files.iter().rev() {
        let decides = read.as_ref().ok().filter(|evidence| evidence.decides());
        match decides.filter(|evidence| decided.insert(evidence.about())) {
            Some(evidence) if evidence.shortcomings().is_empty() => proofs.push(name.as_str()),
            _ => others.push(name.as_str()),
        }
    }
    proofs.iter().skip(kept).chain(others.iter().skip(kept)).copied().collect()
}

/// The digest of files by path, mode and content: 64 digits, independent of the order of `files`.
pub fn tree_digest<'a>(files: impl IntoIterator<Item = (&'a str, u32, &'a [u8])>) -> String {
    let lines: BTreeMap<&str, String> = files
        .into_iter()
        .map(|(path, mode, content)| (path, format!("{mode:o} {} {path}\0", sha256(content))))
        .collect();
    sha256(lines.into_values().collect::<String>().as_bytes())
}

fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Serialize, Deserialize)]
struct Subject {
    name: String,
    digest: DigestSet,
}

#[derive(Serialize, Deserialize)]
struct DigestSet {
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Predicate {
    result: Verdict,
    configuration: Vec<Configuration>,
    passed_tests: Vec<String>,
    failed_tests: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Verdict {
    Passed,
    Failed,
}

/// A resource descriptor of in-toto; its annotations hold the facts that in-toto does not define.
#[derive(Serialize, Deserialize)]
struct Configuration {
    name: String,
    annotations: Annotations,
}

#[derive(Serialize, Deserialize)]
struct Annotations {
    run: Circumstances,
    tests: Vec<ProvenTest>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence() -> Evidence {
        let test = |name: &str, outcome, seconds| ProvenTest { name: name.to_owned(), outcome, seconds };
        Evidence {
            images: [("order-api", "1"), ("order-processor", "2")]
                .map(|(service, digit)| (service.to_owned(), format!("sha256:{}", digit.repeat(64))))
                .into(),
            terraform: "3".repeat(64),
            circumstances: Circumstances {
                project: "orders".to_owned(),
                commit: "4".repeat(40),
                dirty: false,
                emulator: "embedded".to_owned(),
                emulator_image: "devenv-emulator:local".to_owned(),
                filtered: false,
                began: "2026-11-21T10:00:00Z".to_owned(),
                seconds: 12.5,
                failure: None,
                results_from: Vec::new(),
                sources: BTreeMap::new(),
                configuration: BTreeMap::new(),
            },
            tests: vec![
                test("orders::are_taken", TestOutcome::Passed, Some(0.25)),
                test("orders::are_listed", TestOutcome::Passed, None),
            ],
        }
    }

    fn file(evidence: &Evidence) -> (String, String) {
        let content = evidence.to_json();
        (Evidence::file_name("20261121T100000Z-embedded", &content), content)
    }

    #[test]
    fn the_statement() {
        insta::assert_snapshot!(evidence().to_json());
    }

    #[test]
    fn what_is_written_is_read() {
        let (name, content) = file(&evidence());
        assert_eq!(Evidence::read(&name, content.as_bytes()), Ok(evidence()));
        assert_eq!(evidence().shortcomings(), []);
    }

    #[test]
    fn the_sources_of_an_image_are_kept_and_a_file_without_them_is_read() {
        let mut built = evidence();
        built.circumstances.sources.insert("order-api".to_owned(), "5".repeat(64));
        let (name, content) = file(&built);
        assert_eq!(Evidence::read(&name, content.as_bytes()), Ok(built));
        assert!(!file(&evidence()).1.contains("sources"));
    }

    #[test]
    fn a_configuration_is_kept_and_a_run_of_another_one_is_another_proof() {
        let mut configured = evidence();
        configured.circumstances.configuration.insert("order-api".to_owned(), "6".repeat(64));
        let (name, content) = file(&configured);
        assert_eq!(Evidence::read(&name, content.as_bytes()), Ok(configured.clone()));
        assert_eq!(file(&evidence()).1.matches("\"configuration\"").count(), 1, "that of the statement");
        configured.tests[0].outcome = TestOutcome::Failed;
        let files = [("00".to_owned(), Ok(evidence())), ("01".to_owned(), Ok(configured))];
        assert_eq!(surplus(&files, 0), ["00", "01"], "the green run is still a proof");
        assert_eq!(surplus(&files, 1), [""; 0]);
    }

    #[test]
    fn a_file_that_was_changed_or_cut_off_is_refused() {
        let (name, content) = file(&evidence());
        let whole = content.as_bytes();
        for end in [0, 1, whole.len() / 2, whole.len() - 1] {
            assert_eq!(Evidence::read(&name, &whole[..end]), Err(EvidenceError::Damaged), "{end} bytes");
        }
        for place in 0..whole.len() {
            let mut changed = whole.to_vec();
            changed[place] ^= 1;
            assert_eq!(Evidence::read(&name, &changed), Err(EvidenceError::Damaged), "byte {place}");
        }
        let other = name.replace("Z-", "Z-x").replace(".json", "0.json");
        assert_eq!(Evidence::read(&other, whole), Err(EvidenceError::Damaged));
        assert_eq!(Evidence::read("evidence.json", whole), Err(EvidenceError::Damaged));
    }

    #[test]
    fn what_is_no_statement_of_ours_is_refused() {
        let content = evidence().to_json();
        let of = |content: &str| Evidence::read(&Evidence::file_name("a", content), content.as_bytes());
        for (from, to) in [
            ("test-result/v0.1", "vuln-scan/v0.1"),
            ("\"name\": \"terraform\"", "\"name\": \"other\""),
            ("\"name\": \"devenv\"", "\"name\": 1"),
            (&"1".repeat(64), "11"),
            ("\"dirty\": false,", ""),
        ] {
            let changed = content.replacen(from, to, 1);
            assert_ne!(changed, content, "{from}");
            assert!(matches!(of(&changed), Err(EvidenceError::Unreadable(_))), "{from}");
        }
        assert!(matches!(of("{}"), Err(EvidenceError::Unreadable(_))));
    }

    #[test]
    fn what_keeps_it_from_counting_is_named() {
        let mut bad = evidence();
        bad.tests[0].outcome = TestOutcome::Failed;
        bad.tests[1].outcome = TestOutcome::Ignored;
        bad.circumstances.filtered = true;
        bad.circumstances.dirty = true;
        bad.circumstances.failure = Some("the test command ended with 3".to_owned());
        let said: Vec<String> = bad.shortcomings().iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(said.join("\n"));
    }

    /// Files in order, one per run: [`evidence`] with one change each.
    fn runs(changes: &[fn(&mut Evidence)]) -> Vec<(String, Result<Evidence, EvidenceError>)> {
        let run = |(index, change): (usize, &fn(&mut Evidence))| {
            let mut evidence = evidence();
            change(&mut evidence);
            (format!("{index:02}"), Ok(evidence))
        };
        changes.iter().enumerate().map(run).collect()
    }

    #[test]
    fn a_run_that_proves_nothing_never_costs_a_proof() {
        let green: fn(&mut Evidence) = |_| {};
        let focused: fn(&mut Evidence) = |evidence| evidence.circumstances.filtered = true;
        let elsewhere: fn(&mut Evidence) = |evidence| {
            evidence.circumstances.dirty = true;
            evidence.images.insert("order-api".to_owned(), "sha256:9".to_owned());
        };
        let dirty: fn(&mut Evidence) = |evidence| {
            evidence.circumstances.dirty = true;
            evidence.tests[0].outcome = TestOutcome::Failed;
        };
        let mut files = runs(&[[green].as_slice(), &[focused; 30], &[elsewhere; 30], &[dirty; 30]].concat());
        files.push(("99".to_owned(), Err(EvidenceError::Damaged)));
        let gone = surplus(&files, 30);
        assert_eq!(gone.len(), 61);
        assert!(!gone.contains(&"00"), "the one green run is still there: {gone:?}");
        assert!(!gone.contains(&"99"), "the newest of the others is still there: {gone:?}");
    }

    #[test]
    fn a_run_that_took_a_proof_back_stays_as_long_as_the_proof() {
        let green: fn(&mut Evidence) = |_| {};
        let red: fn(&mut Evidence) = |evidence| evidence.tests[0].outcome = TestOutcome::Failed;
        let focused: fn(&mut Evidence) = |evidence| evidence.circumstances.filtered = true;
        for count in 0..5 {
            let files = runs(&[[green, red].as_slice(), &vec![focused; count]].concat());
            let gone = surplus(&files, 2);
            assert!(gone.contains(&"00") || !gone.contains(&"01"), "{count}: {gone:?}");
        }
        assert_eq!(surplus(&runs(&[green, green, green, green]), 1), ["01", "00"], "one proof is enough");
    }

    #[test]
    fn a_tree_is_its_paths_modes_and_contents() {
        let digest = |files: &[(&'static str, u32, &'static str)]| {
            tree_digest(files.iter().map(|(path, mode, content)| (*path, *mode, content.as_bytes())))
        };
        let one = digest(&[("a", 0o644, "1"), ("b", 0o644, "2")]);
        assert_eq!(one, digest(&[("b", 0o644, "2"), ("a", 0o644, "1")]));
        for other in [
            digest(&[("a", 0o644, "1"), ("b", 0o755, "2")]),
            digest(&[("a", 0o644, "1"), ("b", 0o644, "3")]),
            digest(&[("a", 0o644, "1"), ("c", 0o644, "2")]),
            digest(&[("a", 0o644, "1")]),
        ] {
            assert_ne!(one, other);
        }
    }
}
