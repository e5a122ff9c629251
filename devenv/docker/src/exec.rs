//! Commands in running containers.

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, ResizeExecOptions, StartExecOptions, StartExecResults};
use devenv_containers::engine::{ExecOutput, ExecSession, ExecState, HostError, HostErrorKind, TerminalSize};
use devenv_model::exec::ExecOrder;
use futures_util::{StreamExt, TryStreamExt};

use crate::error::failed;

pub(crate) async fn start(client: &Docker, container: &str, order: &ExecOrder) -> Result<ExecSession, HostError> {
    let action = format!("run a command in the container {container}");
    let environment = order.environment.iter().map(|(name, value)| format!("{name}={value}"));
    let options = CreateExecOptions {
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        tty: Some(order.tty),
        env: Some(environment.collect()),
        cmd: Some(order.command.clone()),
        user: order.user.clone(),
        working_dir: order.directory.clone(),
        ..CreateExecOptions::default()
    };
    let id = client.create_exec(container, options).await.map_err(failed(action.clone()))?.id;
    let options = StartExecOptions { detach: false, tty: order.tty, output_capacity: None };
    let started = client.start_exec(&id, Some(options)).await.map_err(failed(action.clone()))?;
    let StartExecResults::Attached { output, input } = started else {
        let cause = "the engine did not attach to it".to_owned();
        return Err(HostError { action, cause, kind: HostErrorKind::Other });
    };
    let output = output.map_ok(of_engine).map_err(move |error| failed(action.clone())(error)).boxed();
    Ok(ExecSession { id, output, input })
}

fn of_engine(output: LogOutput) -> ExecOutput {
    match output {
        LogOutput::StdErr { message } => ExecOutput::Err(message.into()),
        LogOutput::StdOut { message } | LogOutput::StdIn { message } | LogOutput::Console { message } => {
            ExecOutput::Out(message.into())
        }
    }
}

pub(crate) async fn resize(client: &Docker, id: &str, size: TerminalSize) -> Result<(), HostError> {
    let options = ResizeExecOptions { height: size.rows, width: size.columns };
    client.resize_exec(id, options).await.map_err(failed("resize the terminal of a command"))
}

pub(crate) async fn inspect(client: &Docker, id: &str) -> Result<ExecState, HostError> {
    let inspected = client.inspect_exec(id).await.map_err(failed("inspect a command in a container"))?;
    let runs = inspected.running == Some(true);
    let pid = inspected.pid.filter(|_| runs).and_then(|pid| u32::try_from(pid).ok()).unwrap_or_default();
    Ok(ExecState { exit_code: inspected.exit_code.filter(|_| !runs), pid })
}
