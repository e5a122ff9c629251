use devenv_model::promotion::changes::Action;
use devenv_model::promotion::proposal::Proposal;

/// Commits to show; the rest is counted.
const COMMITS: usize = 10;

/// The changes of a promotion, in a few lines.
pub(super) fn proposal_lines(proposal: &Proposal) -> Vec<String> {
    let mut lines = Vec::new();
    for image in &proposal.images {
        let to = short(&image.to);
        lines.push(match image.from.as_deref() {
            None => format!("  {}: {to} (new)", image.service),
            Some(from) if from == image.to => format!("  {}: {to} (unchanged)", image.service),
            Some(from) => format!("  {}: {} -> {to}", image.service, short(from)),
        });
    }
    if let Some(commits) = &proposal.commits {
        lines.push(format!("  commits between: {}", commits.len()));
        lines.extend(commits.iter().take(COMMITS).map(|commit| format!("    {commit}")));
        if commits.len() > COMMITS {
            lines.push(format!("    and {} more", commits.len() - COMMITS));
        }
    }
    let count = |action| proposal.changes.count(action);
    if proposal.changes.is_empty() {
        lines.push("  Terraform has nothing to change".to_owned());
    } else {
        lines.push(format!(
            "  Terraform will add {}, change {}, replace {}, destroy {}:",
            count(Action::Create),
            count(Action::Update),
            count(Action::Replace),
            count(Action::Destroy)
        ));
        lines.extend(proposal.changes.to_string().lines().map(|line| format!("    {line}")));
    }
    lines
}

fn short(digest: &str) -> &str {
    let digits = digest.strip_prefix("sha256:").unwrap_or(digest);
    digits.get(..12).unwrap_or(digits)
}
