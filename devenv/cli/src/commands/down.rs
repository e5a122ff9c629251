use devenv_engine::DownOptions;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::json;

use super::bare;

pub(super) async fn run(context: &Context, volumes: bool) -> Result<Outcome, Failure> {
    let project = bare::current(context)?;
    let down = devenv_engine::down(&project, &DownOptions { volumes }, &context.emitter).await?;
    let mut text = if down.was_running {
        format!("stopped {}", down.stopped.join(", "))
    } else if down.leftovers.is_empty() {
        "nothing was running".to_owned()
    } else {
        format!("ended {} processes that a killed run had left", down.leftovers.len())
    };
    text.push_str(match (volumes, down.data_removed) {
        (true, true) => "; removed the data",
        (true, false) => "; there was no data",
        (false, _) => "; the data stays (devenv down --volumes removes it)",
    });
    if down.rehearsal_removed {
        text.push_str("; removed the rehearsal's emulated AWS");
    }
    let fields = json!({
        "rehearsal_removed": down.rehearsal_removed,
        "stopped": down.stopped, "leftovers": down.leftovers, "data_removed": down.data_removed,
        "was_running": down.was_running,
    });
    Ok(Outcome::done(text, &fields))
}
