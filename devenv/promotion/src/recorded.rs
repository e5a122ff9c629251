//! Evidence in an environment's bucket, below a prefix that only the build server's role may write.

use devenv_artifacts::repository;
use devenv_ledger::{Ledger, retry};
use devenv_model::evidence::Evidence;
use devenv_runtime::{Cancel, Emitter, Project};
use devenv_testing::evidence;
use serde::Serialize;

use crate::account::target;
use crate::cloud::Condition;
use crate::context::PromotionContext;
use crate::error::Error;
use crate::rehearsal;
use crate::terraform_folder::TerraformFolder;
use crate::tools::PromotionOptions;

/// The evidence that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordedEvidence {
    pub environment: String,
    pub commit: String,
    /// The files' names, including those recorded earlier.
    pub files: Vec<String>,
}

/// The prefix of a commit's evidence.
fn prefix(ledger: &Ledger, commit: &str) -> String {
    format!("{}/evidence/{commit}/", ledger.environment)
}

pub(crate) fn key(ledger: &Ledger, commit: &str, file: &str) -> String {
    format!("{}{file}", prefix(ledger, commit))
}

/// The recorded evidence of a commit, oldest first.
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

/// Records every test run of the checked-out commit that could count, green or red. A file's name ends with the digest of its
/// content, so an existing object of that name is the same file.
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
        return Err(Error::NoRepository);
    };
    // This creates the bucket of a rehearsal.
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
