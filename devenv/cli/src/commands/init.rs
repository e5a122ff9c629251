use std::io::{BufRead, IsTerminal};

use devenv_engine::Error as EngineError;
use devenv_init::error::Error;
use devenv_init::found::{Found, TestCommand};
use devenv_init::look::look;
use devenv_init::proposal::{Answers, Proposal, propose, valid_name};
use devenv_init::write::write;
use devenv_manifest::load::variables;
use devenv_model::event::Event;
use devenv_runtime::Error as RuntimeError;
use devenv_terminal::arguments::Init;
use devenv_terminal::exit::Exit;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::{Failure, Told};
use devenv_terminal::run::Context;
use serde_json::json;

pub(super) async fn run(context: &Context, arguments: Init) -> Result<Outcome, Failure> {
    let Init { yes, dry_run } = arguments;
    let asks = !yes && !dry_run;
    let options = &context.options;
    let variables = variables();
    let (found, project) = look(&options.directory, &options.compose, &variables).map_err(failure)?;
    if asks && !std::io::stdin().is_terminal() {
        let told = ("confirmation_required", Exit::Usage, Some("devenv init --yes takes what it finds".to_owned()));
        return Err(Failure::new("devenv init asks, but stdin is not a terminal".to_owned(), &[], told));
    }
    for line in found.lines() {
        context.emitter.notice(format!("found {line}"));
    }
    let suggested = Answers::suggested(&found);
    let answers = if asks { ask_all(context, &found, suggested).await? } else { suggested };
    let proposal = propose(&found, &project, &answers, &variables).map_err(|mistakes| failure(mistakes.into()))?;
    for problem in &proposal.left_out {
        let help = problem.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        context.emitter.notice(format!("devenv up refuses {problem}{help}"));
    }
    let written = if dry_run { Vec::new() } else { write(&proposal).map_err(failure)? };
    let fields = json!({
        "root": proposal.root,
        "written": written,
        "files": proposal.files.iter().map(|(path, text)| json!({ "path": path, "text": text })).collect::<Vec<_>>(),
        "found": { "emulators": found.compose.emulators, "callers": found.compose.callers, "tests": found.tests },
        "left_out": proposal.left_out.iter().map(devenv_document::problem::Problem::report).collect::<Vec<_>>(),
    });
    let text = if dry_run { shown(&proposal) } else { told(&found, &proposal) };
    Ok(Outcome::done(text, &fields))
}

/// The files as they would be written.
fn shown(proposal: &Proposal) -> String {
    let one = |(path, text): &(camino::Utf8PathBuf, String)| {
        if proposal.files.len() == 1 { text.clone() } else { format!("# {path}\n{text}") }
    };
    proposal.files.iter().map(one).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

fn told(found: &Found, proposal: &Proposal) -> String {
    let paths: Vec<String> = proposal.files.iter().map(|(path, _)| proposal.root.join(path).to_string()).collect();
    let mut lines = vec![format!("wrote {}", paths.join(", "))];
    if !found.is_ignored {
        lines.push("add this line to .gitignore: .devenv/".to_owned());
    }
    lines.push(if proposal.left_out.is_empty() {
        "next: devenv up".to_owned()
    } else {
        "next: change what devenv up refuses, then: devenv up".to_owned()
    });
    lines.join("\n")
}

/// Asks at most three questions, each with the suggested answer.
async fn ask_all(context: &Context, found: &Found, suggested: Answers) -> Result<Answers, Failure> {
    let mut answers = suggested;
    let name = ask(context, format!("Name of the project [{}]:", answers.name)).await?;
    if !name.is_empty() {
        answers.name = valid_name(&name);
    }
    let command = answers.test.as_ref().map_or("none".to_owned(), |test| test.command.join(" "));
    let test = ask(context, format!("Command that tests it, or none [{command}]:")).await?;
    if test == "none" {
        answers.test = None;
    } else if !test.is_empty() {
        let command = test.split_whitespace().map(str::to_owned).collect();
        answers.test = Some(TestCommand { command, because: "the answer".to_owned() });
    }
    if let Some(emulator) = found.replaceable() {
        let question = format!("Start devenv's own emulator in place of {}? [Y/n]", emulator.service);
        if ask(context, question).await?.starts_with(['n', 'N']) {
            answers.replaces = None;
        }
    }
    Ok(answers)
}

async fn ask(context: &Context, text: String) -> Result<String, Failure> {
    context.emitter.emit(Event::Question { text });
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|length| (length > 0).then_some(line))
    });
    let answer = tokio::select! {
        answer = read => answer.ok().and_then(Result::ok).flatten(),
        () = context.cancel.cancelled() => None,
    };
    // The end of the input is no answer.
    answer.map(|line| line.trim().to_owned()).ok_or_else(|| EngineError::Cancelled.into())
}

fn failure(error: Error) -> Failure {
    let hint = |text: &str| Some(text.to_owned());
    let told: Told = match &error {
        Error::Exists { .. } => {
            ("exists", Exit::ConfigurationInvalid, hint("edit it, or remove it: devenv init writes a new one"))
        }
        Error::NothingToStart { .. } => (
            "no_compose_file",
            Exit::ConfigurationInvalid,
            hint(
                "write a compose.yaml with the services to start, such as: services: { web: { image: \"nginx:1.29\", ports: [\"8080:80\"] } }",
            ),
        ),
        Error::SeveralFiles { .. } => {
            ("several_files", Exit::Usage, hint("write COMPOSE_FILE=a.yaml:b.yaml into .env, then: devenv init"))
        }
        Error::Read { .. } => {
            ("read_file", Exit::ConfigurationInvalid, hint("check the file's name and its permissions"))
        }
        Error::Write { .. } => ("write_file", Exit::Failed, hint("check the folder's permissions, then: devenv init")),
        Error::Mistakes(_) => ("manifest", Exit::ConfigurationInvalid, hint("fix the file, then: devenv init")),
    };
    match error {
        Error::Mistakes(mistakes) => {
            let mut failure = Failure::from(RuntimeError::Manifest(mistakes));
            failure.report.hint = told.2;
            failure
        }
        error => Failure::new(error.to_string(), &[], told),
    }
}
