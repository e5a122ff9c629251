use comfy_table::{Table, presets};
use devenv_engine::RunningUnit;
use devenv_model::intent::Binding;
use devenv_model::observed::UnitState;
use devenv_model::transport::Protocol;
use devenv_supervisor::clock;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::{Value, json};

use super::bare;

const MEBIBYTE: u64 = 1024 * 1024;

pub(super) async fn run(context: &Context) -> Result<Outcome, Failure> {
    let units = devenv_engine::ps(&bare::current(context)?).await?;
    let now = clock::now();
    let rows: Vec<Row> = units.into_iter().map(|unit| Row::of(unit, now)).collect();
    let fields = json!({ "units": rows.iter().map(Row::fields).collect::<Vec<_>>() });
    let text = if rows.is_empty() { "nothing runs".to_owned() } else { table(&rows) };
    Ok(Outcome::done(text, &fields))
}

struct Row {
    unit: RunningUnit,
    /// In seconds.
    age: Option<u64>,
}

impl Row {
    fn of(unit: RunningUnit, now: u64) -> Self {
        let age = match unit.unit.state {
            UnitState::Starting { since, .. } | UnitState::Ready { since, .. } => {
                Some(now.saturating_sub(since) / 1000)
            }
            UnitState::Backoff { .. } | UnitState::Stopped { .. } | UnitState::Completed | UnitState::Failed { .. } => {
                None
            }
        };
        Self { unit, age }
    }

    /// Whether it runs, and whether it is usable; `None` if it does not run.
    fn state(&self) -> (&'static str, Option<bool>) {
        match &self.unit.unit.state {
            UnitState::Starting { .. } => ("running", Some(false)),
            UnitState::Ready { .. } => ("running", Some(true)),
            UnitState::Backoff { .. } => ("restarting", None),
            UnitState::Stopped { .. } => ("stopped", None),
            UnitState::Completed => ("completed", None),
            UnitState::Failed { .. } => ("failed", None),
        }
    }

    fn fields(&self) -> Value {
        let RunningUnit { unit, container, memory } = &self.unit;
        let (state, ready) = self.state();
        json!({
            "name": unit.name, "state": state, "ready": ready, "age_seconds": self.age, "bindings": unit.bindings,
            "pid": unit.state.pid(), "container": container, "restarts": unit.restarts, "memory_bytes": memory,
        })
    }

    fn cells(&self) -> [String; 8] {
        let RunningUnit { unit, container, memory } = &self.unit;
        let (state, ready) = self.state();
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let ports: Vec<String> = unit.bindings.iter().map(port).collect();
        [
            unit.name.clone(),
            state.to_owned(),
            or_none(self.age.map(age)),
            or_none(ready.map(|ready| if ready { "ready" } else { "starting" }.to_owned())),
            or_none(memory.map(|bytes| format!("{} MiB", bytes.div_ceil(MEBIBYTE)))),
            unit.restarts.to_string(),
            or_none(container.clone().or_else(|| unit.state.pid().map(|pid| pid.to_string()))),
            or_none((!ports.is_empty()).then(|| ports.join(", "))),
        ]
    }
}

fn table(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let is_container = rows.iter().any(|row| row.unit.container.is_some());
    let place = if is_container { "CONTAINER" } else { "PID" };
    table.set_header(["NAME", "STATE", "AGE", "HEALTH", "MEMORY", "RESTARTS", place, "PORTS"]);
    for row in rows {
        table.add_row(row.cells());
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// As `docker compose ps` writes a port.
fn port(binding: &Binding) -> String {
    let protocol = match binding.protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    };
    format!("{}->{}/{protocol}", binding.host, binding.container)
}

pub(super) fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use devenv_model::observed::ObservedUnit;

    use super::*;

    fn row(state: UnitState, container: Option<&str>) -> Row {
        let bindings = vec![Binding::on_loopback(80, 20180)];
        let unit = ObservedUnit { name: "api".to_owned(), config_hash: String::new(), state, bindings, restarts: 2 };
        let memory = Some(5 * MEBIBYTE + 1);
        Row::of(RunningUnit { unit, container: container.map(str::to_owned), memory }, 7_200_000)
    }

    #[test]
    fn a_row_shows_what_runs() {
        let rows = [
            row(UnitState::Ready { pid: 7, since: 0 }, Some("shop-api")),
            row(UnitState::Stopped { exit: None }, None),
        ];
        insta::assert_snapshot!(table(&rows), @"
        NAME  STATE    AGE  HEALTH  MEMORY  RESTARTS  CONTAINER  PORTS
        api   running  2h   ready   6 MiB   2         shop-api   127.0.0.1:20180->80/tcp
        api   stopped  -    -       6 MiB   2         -          127.0.0.1:20180->80/tcp
        ");
        let fields = rows[0].fields();
        assert_eq!((&fields["age_seconds"], &fields["ready"]), (&7200.into(), &true.into()));
    }

    #[test]
    fn an_age_has_the_largest_unit_that_fits() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (7200, "2h"), (200_000, "2d")] {
            assert_eq!(age(seconds), text);
        }
    }
}
