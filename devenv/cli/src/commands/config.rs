use devenv_compose::print;
use devenv_engine::Error;
use devenv_manifest::compose_model::{ComposeOptions, compose_model};
use devenv_manifest::load::variables;
use devenv_terminal::arguments::{Config, ConfigFormat};
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::json;

pub(super) fn run(context: &Context, arguments: Config) -> Result<Outcome, Failure> {
    let format = arguments.format;
    let options =
        ComposeOptions { files: arguments.files, profiles: arguments.profiles, env_files: arguments.env_files };
    let project = compose_model(&context.options.directory, &options, &variables()).map_err(Error::from)?;
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
