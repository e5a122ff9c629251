use devenv_compose::print;
use devenv_manifest::compose_model::compose_model;
use devenv_manifest::load::{Error as LoadError, variables};
use devenv_runtime::Error;
use devenv_terminal::arguments::ConfigFormat;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::json;

pub(super) fn run(context: &Context, format: ConfigFormat) -> Result<Outcome, Failure> {
    let options = &context.options;
    let project = compose_model(&options.directory, &options.compose, &variables()).map_err(failure)?;
    if let Some(version) = &project.version {
        let (line, _) = version.file.position(version.span.start);
        context.emitter.notice(format!("{}:{line}: `version` is obsolete and has no effect", version.file.path));
    }
    for name in &project.unset {
        context.emitter.notice(format!("the variable {name} is not set; an empty value takes its place"));
    }
    let model = print::json(&project);
    let text = match format {
        ConfigFormat::Yaml => print::yaml(&project),
        ConfigFormat::Json => format!("{model:#}"),
    };
    Ok(Outcome::done(text.trim_end(), &json!({ "model": model })))
}

/// The failure with the hint for this command: it needs no more than the Compose files.
fn failure(error: LoadError) -> Failure {
    let hint = match &error {
        LoadError::Mistakes(_) | LoadError::Named { .. } => Some("fix the file, then: devenv config"),
        LoadError::NoComposeFile { .. } => Some("go to a project's folder, or name the file: devenv config -f FILE"),
        LoadError::Unread { .. } => None,
    };
    let mut failure = Failure::from(Error::from(error));
    if let Some(hint) = hint {
        failure.report.hint = Some(hint.to_owned());
    }
    failure
}
