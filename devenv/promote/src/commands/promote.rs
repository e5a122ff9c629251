use std::io::{BufRead, IsTerminal};
use std::sync::Arc;

use devenv_promotion::{
    self as promotion, Decider, EmulatedLogin, Error, PromoteOptions, Promoted, PromotionOptions, PromotionTools,
    RehearsedService, RollbackOptions,
};
use devenv_terminal::outcome::Outcome;
use devenv_terminal::run::Context;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// This machine's tools, and AWS over the network.
pub(super) fn options(context: &Context) -> PromotionOptions {
    PromotionOptions {
        project: context.options.clone(),
        tools: PromotionTools::installed(
            Arc::new(devenv_docker::Docker::default()),
            Arc::new(devenv_aws::Aws),
            Arc::new(devenv_aws::HttpProbe),
        ),
    }
}

pub(super) async fn promote(context: &Context, environment: String, plan: bool, yes: bool) -> Result<Outcome, Error> {
    let order = PromoteOptions { environment, only_plan: plan };
    let answers = Answers { yes };
    let promoted = promotion::promote(&options(context), &order, &answers, &context.emitter, &context.cancel).await?;
    let text = if plan { planned(&promoted) } else { live(&promoted) };
    Ok(Outcome::done(text, &promoted))
}

pub(super) async fn roll_back(
    context: &Context,
    environment: String,
    to: Option<String>,
    yes: bool,
) -> Result<Outcome, Error> {
    let order = RollbackOptions { environment, to };
    let answers = Answers { yes };
    let promoted = promotion::roll_back(&options(context), &order, &answers, &context.emitter, &context.cancel).await?;
    Ok(Outcome::done(live(&promoted), &promoted))
}

pub(super) async fn rehearse_service(context: &Context) -> Result<Outcome, Error> {
    let text = |name: &str| std::env::var(name).unwrap_or_default();
    let service = RehearsedService {
        order: text("DEVENV_SERVICE"),
        endpoint: text("AWS_ENDPOINT_URL"),
        login: EmulatedLogin { access_key: text("AWS_ACCESS_KEY_ID"), secret_key: text("AWS_SECRET_ACCESS_KEY") },
    };
    promotion::rehearse_service(&options(context).tools, service).await?;
    Ok(Outcome::done("", &serde_json::json!({})))
}

fn planned(promoted: &Promoted) -> String {
    let environment = &promoted.environment;
    format!("nothing changed\nnext: devenv promote {environment} (-v shows the whole plan)")
}

fn live(promoted: &Promoted) -> String {
    let Promoted { environment, release, url, .. } = promoted;
    let commit = release.commit.get(..12).unwrap_or(&release.commit);
    format!(
        "live in {environment}: release {} (commit {commit}) at {url}\nnext: devenv history {environment}, devenv rollback {environment}",
        release.id
    )
}

/// Answers from a terminal, if stdin is one.
struct Answers {
    yes: bool,
}

impl Decider for Answers {
    fn asks(&self) -> bool {
        !self.yes && std::io::stdin().is_terminal()
    }

    fn approve(&self) -> BoxFuture<'_, Option<bool>> {
        async move {
            if self.yes {
                return Some(true);
            }
            Some(ask().await?.starts_with(['y', 'Y']))
        }
        .boxed()
    }

    fn undo(&self) -> BoxFuture<'_, bool> {
        async move { ask().await.is_none_or(|answer| !answer.starts_with(['n', 'N'])) }.boxed()
    }
}

/// Reads a line from the terminal, on a thread of its own: the lock needs renewals meanwhile.
async fn ask() -> Option<String> {
    let read = || {
        let stdin = std::io::stdin();
        let mut line = String::new();
        (stdin.is_terminal() && stdin.lock().read_line(&mut line).is_ok()).then_some(line)
    };
    tokio::task::spawn_blocking(read).await.ok().flatten().map(|line| line.trim().to_owned())
}
