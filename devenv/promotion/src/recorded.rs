//! Evidence in an environment's bucket, below a prefix where only the build server's role may write.

use devenv_engine::{Cancel, Emitter, Project, repository};
use devenv_model::evidence::Evidence;
use devenv_testing::evidence::{self, TERRAFORM};
use serde::Serialize;

use crate::account::target;
use crate::cloud::Condition;
use crate::context::PromotionContext;
use crate::error::Error;
use crate::ledger::Ledger;
use crate::rehearsal;
use crate::retry::retry;
use crate::terraform_folder::TerraformFolder;
use crate::tools::PromotionOptions;

/// What was written into an environment's bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordedEvidence {
    pub environment: String,
    pub commit: String,
    /// Their names, those that were there already among them.
    pub files: Vec<String>,
}

/// Where the evidence of a commit is recorded.
fn prefix(ledger: &Ledger, commit: &str) -> String {
    format!("{}/evidence/{commit}/", ledger.environment)
}

pub(crate) fn key(ledger: &Ledger, commit: &str, file: &str) -> String {
    format!("{}{file}", prefix(ledger, commit))
}

/// What was recorded of a commit, in the order in which it was written.
pub(crate) async fn files(ledger: &Ledger, commit: &str) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let mut files = Vec::new();
    let prefix = prefix(ledger, commit);
    for name in retry(|| ledger.objects.files(&ledger.bucket, &prefix)).await? {
        if let Some(object) = ledger.get(&key(ledger, commit, &name)).await? {
            files.push((name, object.content));
        }
    }
    Ok(files)
}

/// Writes every run of the commit that is checked out which could count, green or red, into the environment's bucket. A
/// file's name ends with the digest of its content, so what is there already is the same.
pub async fn record_evidence(
    options: &PromotionOptions,
    environment: &str,
    emitter: &Emitter,
    cancel: &Cancel,
) -> Result<RecordedEvidence, Error> {
    let project = Project::load(&options.project)?;
    let context = PromotionContext::open(&project, &options.tools, target(&project, environment)?, emitter).await?;
    context.stage("account", context.caller()).await?;
    let Some(commit) = repository::head(&project.instance.root).await else {
        return Err(Error::NoRepository { folder: TERRAFORM.to_owned() });
    };
    // The bucket of a rehearsal is there only after that.
    rehearsal::lay_foundation(&context, &TerraformFolder::open(&context)?, cancel).await?;
    let files = of_commit(evidence::files(&project.state.evidence())?, &commit);
    if files.is_empty() {
        return Err(Error::NothingToRecord { commit });
    }
    context.stage("record", write(&context.ledger, &commit, &files)).await?;
    let files = files.into_iter().map(|(name, _)| name).collect();
    Ok(RecordedEvidence { environment: environment.to_owned(), commit, files })
}

fn of_commit(files: Vec<(String, Vec<u8>)>, commit: &str) -> Vec<(String, Vec<u8>)> {
    let could_count = |evidence: Evidence| {
        let run = evidence.circumstances;
        run.commit == commit && !run.filtered && !run.dirty
    };
    files.into_iter().filter(|(name, content)| Evidence::read(name, content).is_ok_and(could_count)).collect()
}

async fn write(ledger: &Ledger, commit: &str, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
    for (name, content) in files {
        let key = key(ledger, commit, name);
        ledger.put(&key, content.clone(), Condition::Absent).await?;
    }
    Ok(())
}
