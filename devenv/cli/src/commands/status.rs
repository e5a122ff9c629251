use devenv_terminal::outcome::Outcome;
use devenv_terminal::render::environment_table;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;

use super::bare;

pub(super) async fn run(context: &Context) -> Result<Outcome, Failure> {
    let report = devenv_engine::status(&bare::current(context)?).await?;
    let data = match &report.data {
        Some(file) => format!("data: kept in {file}"),
        None if report.emulator == "none" => "data: none, because the project does not use AWS".to_owned(),
        None => "data: lost when the environment stops".to_owned(),
    };
    let table = environment_table(&report, context.style);
    let text =
        format!("{} (runtime {}, emulator {})\n{table}\n{data}", report.project, report.runtime, report.emulator);
    Ok(Outcome::done(text, &report))
}
