use devenv_runtime::Project;
use devenv_terminal::arguments::Test;
use devenv_terminal::choices::TestEmulator;
use devenv_terminal::exit::Exit;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use devenv_testing::test::{TestOptions, test};
use devenv_testing::test_every::test_every;

use super::test_report::{fields, text};
use super::{functions, parity};

pub(super) async fn run(context: &Context, arguments: Test) -> Result<Outcome, Failure> {
    let options = TestOptions {
        request: arguments.request(),
        keep: arguments.keep,
        junit: arguments.junit,
        arguments: arguments.arguments,
        timeout: arguments.timeout,
    };
    let project = Project::current(&context.options)?;
    functions::prepare(context, &project)?;
    if arguments.emulator == Some(TestEmulator::All) {
        let trials = test_every(&project, &options, &context.emitter, &context.cancel).await?;
        return Ok(parity::outcome(context, &trials, arguments.require_all));
    }
    let report = test(&project, &options, &context.emitter, &context.cancel).await?;
    let mut outcome = Outcome::done(text(context, &report), &fields(&report));
    if !report.run.is_green() {
        outcome.exit = Exit::Failed;
    }
    Ok(outcome)
}
