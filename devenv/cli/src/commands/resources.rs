use std::fmt::Write;

use camino::Utf8Path;
use comfy_table::{Table, presets};
use devenv_engine::Error;
use devenv_model::database::DatabaseState;
use devenv_model::manifest::Manifest;
use devenv_model::observed::ObservedResource;
use devenv_model::resource::{ResourceId, ResourceKind};
use devenv_resources::function_host::client::HostedState;
use devenv_resources::listed::Listed;
use devenv_resources::messaging::depth::Depth;
use devenv_runtime::Project;
use devenv_terminal::arguments::{ListFormat, ResourceList, ResourcesAction};
use devenv_terminal::exit::Exit;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::report::Failure;
use devenv_terminal::run::Context;
use serde_json::{Value, json};

use super::ask::{Reply, ask};
use super::{functions, import};

pub(super) async fn run(
    context: &Context,
    action: Option<ResourcesAction>,
    options: ResourceList,
) -> Result<Outcome, Failure> {
    match action {
        None => list(context, options.format).await,
        Some(ResourcesAction::List(options)) => list(context, options.format).await,
        Some(ResourcesAction::Redrive { queue }) => redrive(context, &queue).await,
        Some(ResourcesAction::Purge { queue, yes }) => purge(context, &queue, yes).await,
        Some(ResourcesAction::Import(arguments)) => import::run(context, arguments).await,
    }
}

async fn list(context: &Context, format: ListFormat) -> Result<Outcome, Failure> {
    let project = Project::current(&context.options)?;
    let listed = devenv_engine::resources(&project).await?.list().await.map_err(Error::from)?;
    let hosted = functions::list(&project).await?;
    let file = |listed: &Listed| project.manifest.file_of(&listed.resource);
    let databases = devenv_engine::databases(&project).await?;
    let of_database = |(resource, state): &(ResourceId, DatabaseState)| {
        let (word, cause) = word_of(state);
        let (kind, name, file) = (resource.kind.name(), &resource.name, project.manifest.file_of(resource));
        json!({ "kind": kind, "name": name, "state": word, "differences": [], "file": file, "messages": null, "cause": cause })
    };
    let of_function = |hosted: &HostedState| functions::fields(hosted, project.manifest.file_of(&hosted.resource));
    let stream = |listed: &Listed| stream(&project.manifest, &listed.resource);
    let of_emulator = listed.iter().map(|listed| fields(listed, file(listed), stream(listed)));
    let others = databases.iter().map(of_database).chain(hosted.iter().map(of_function));
    let fields: Vec<Value> = of_emulator.chain(others).collect();
    let fields = json!({ "resources": fields });
    let text = match format {
        ListFormat::Json => serde_json::to_string_pretty(&fields["resources"]).expect("plain data"),
        ListFormat::Table if fields["resources"].as_array().is_none_or(Vec::is_empty) => {
            "the project has no resources".to_owned()
        }
        ListFormat::Table => table(&listed, &databases, &hosted, stream),
    };
    Ok(Outcome::done(text, &fields))
}

/// The view type of a table's stream.
fn stream<'a>(manifest: &'a Manifest, resource: &ResourceId) -> Option<&'a str> {
    let is_it = |table: &&devenv_model::manifest::Table| *resource == ResourceId::table(&table.name);
    manifest.tables.iter().find(is_it)?.stream()
}

/// The state's word, and the differences from the file.
fn state(listed: &Listed) -> (&'static str, &[String]) {
    match &listed.state {
        None => ("absent", &[]),
        Some(ObservedResource::Matching { .. }) => ("present", &[]),
        Some(ObservedResource::Changeable { differences, .. } | ObservedResource::Different { differences }) => {
            ("differs", differences)
        }
    }
}

/// The word for a database's state, and why it is unreachable.
fn word_of(state: &DatabaseState) -> (&'static str, Option<&str>) {
    match state {
        DatabaseState::Present => ("present", None),
        DatabaseState::Absent => ("absent", None),
        DatabaseState::Unreachable(cause) => ("unreachable", Some(cause)),
    }
}

fn fields(listed: &Listed, file: Option<&Utf8Path>, stream: Option<&str>) -> Value {
    let (state, differences) = state(listed);
    let depth = listed.depth.map(|Depth { visible, in_flight, delayed }| {
        json!({ "visible": visible, "in_flight": in_flight, "delayed": delayed })
    });
    let resource = &listed.resource;
    json!({
        "kind": resource.kind.name(), "name": resource.name, "state": state, "differences": differences, "file": file,
        "messages": depth, "stream": stream,
    })
}

fn table<'a>(
    listed: &[Listed],
    databases: &[(ResourceId, DatabaseState)],
    hosted: &[HostedState],
    stream: impl Fn(&Listed) -> Option<&'a str>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let has_streams = listed.iter().any(|one| stream(one).is_some());
    let header = ["KIND", "NAME", "STATE", "VISIBLE", "IN FLIGHT", "DELAYED"];
    table.set_header(header.into_iter().chain(has_streams.then_some("STREAM")));
    for one in listed {
        let number = |of: fn(&Depth) -> u64| one.depth.as_ref().map_or("-".to_owned(), |depth| of(depth).to_string());
        let (kind, name) = (one.resource.kind.name().to_owned(), one.resource.name.clone());
        let [visible, in_flight, delayed] =
            [number(|depth| depth.visible), number(|depth| depth.in_flight), number(|depth| depth.delayed)];
        let stream = has_streams.then(|| stream(one).unwrap_or("-").to_owned());
        table.add_row([kind, name, state(one).0.to_owned(), visible, in_flight, delayed].into_iter().chain(stream));
    }
    for (resource, state) in databases {
        let row = [resource.kind.name(), &resource.name, word_of(state).0, "-", "-", "-"];
        table.add_row(row.into_iter().chain(has_streams.then_some("-")));
    }
    for one in hosted {
        let none = || "-".to_owned();
        let (kind, name) = (one.resource.kind.name().to_owned(), one.resource.name.clone());
        let row = [kind, name, functions::state(one).to_owned(), none(), none(), none()];
        table.add_row(row.into_iter().chain(has_streams.then(none)));
    }
    let mut text: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    for one in listed {
        let remedy = match &one.state {
            None => "devenv up -d makes it",
            Some(ObservedResource::Changeable { .. }) if one.resource.kind == ResourceKind::Table => {
                "devenv up -d changes it, and no item is lost"
            }
            Some(ObservedResource::Changeable { .. }) => "devenv up -d changes it, and no message is lost",
            Some(ObservedResource::Different { .. }) => "devenv reset rebuilds it, and its content is lost",
            Some(ObservedResource::Matching { .. }) => continue,
        };
        let (state, differences) = state(one);
        let mut line = format!("\n{} {}", one.resource, if state == "absent" { "is absent" } else { "differs" });
        if !differences.is_empty() {
            let _ = write!(line, ": {}", differences.join("; "));
        }
        text.push(format!("{line}\n  {remedy}"));
    }
    text.extend(databases.iter().filter_map(|(resource, state)| match state {
        DatabaseState::Present => None,
        DatabaseState::Absent => Some(format!("\n{resource} is absent\n  devenv reset makes it")),
        DatabaseState::Unreachable(cause) => Some(format!("\n{resource} is unreachable: {cause}\n  devenv up -d")),
    }));
    text.extend(hosted.iter().filter_map(functions::detail));
    text.join("\n")
}

async fn redrive(context: &Context, queue: &str) -> Result<Outcome, Failure> {
    let queues = devenv_engine::queues(&Project::current(&context.options)?).await?;
    let progress = |moved| context.emitter.notice(format!("{moved} messages moved"));
    let done = queues.redrive(queue, progress).await.map_err(Error::from)?;
    let text = match done.moved {
        0 => format!("{} holds no message to move", done.dead_letter),
        1 => format!("moved 1 message out of {}", done.dead_letter),
        count => format!("moved {count} messages out of {}", done.dead_letter),
    };
    Ok(Outcome::done(text, &json!({ "dead_letter_queue": done.dead_letter, "moved": done.moved })))
}

async fn purge(context: &Context, queue: &str, yes: bool) -> Result<Outcome, Failure> {
    let queues = devenv_engine::queues(&Project::current(&context.options)?).await?;
    let depth = queues.depth(queue).await.map_err(Error::from)?;
    if !yes {
        match ask(format!("delete {} of {queue}?", words(depth))).await {
            Reply::Yes => {}
            Reply::No => return Err(refused("declined", Exit::Failed, "declined; nothing is deleted", None)),
            Reply::Nobody => {
                let message =
                    format!("confirmation to delete {} of {queue} required, but stdin is not a terminal", words(depth));
                let hint = format!("devenv resources purge {queue} --yes");
                return Err(refused("nobody_to_ask", Exit::Usage, &message, Some(hint)));
            }
        }
    }
    queues.purge(queue).await.map_err(Error::from)?;
    let text = format!("deleted {} of {queue}", words(depth));
    Ok(Outcome::done(text, &json!({ "queue": queue, "deleted": depth.total() })))
}

fn refused(code: &'static str, exit: Exit, message: &str, hint: Option<String>) -> Failure {
    Failure::new(message.to_owned(), &[], (code, exit, hint))
}

fn words(depth: Depth) -> String {
    let total = depth.total();
    let messages = if total == 1 { "1 message".to_owned() } else { format!("{total} messages") };
    let parts = [(depth.in_flight, "in flight"), (depth.delayed, "delayed")];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    if parts.is_empty() { messages } else { format!("{messages} ({})", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_the_state_and_the_messages() {
        let depth = Depth { visible: 12, in_flight: 1, delayed: 0 };
        let listed = |kind, name: &str, state, depth| Listed { resource: ResourceId::new(kind, name), state, depth };
        let differences = vec!["VisibilityTimeout is 60 in the file, 30 in the queue".to_owned()];
        let matching = || Some(ObservedResource::Matching { absent_seeds: 0 });
        let all = [
            listed(ResourceKind::Table, "items", matching(), None),
            listed(
                ResourceKind::Queue,
                "work",
                Some(ObservedResource::Changeable { differences, absent_seeds: 0 }),
                Some(depth),
            ),
            listed(ResourceKind::Topic, "events", None, None),
        ];
        let database = |name: &str, state| (ResourceId::new(ResourceKind::Database, name), state);
        let cause = "archive has no port on this machine".to_owned();
        let databases =
            [database("reports", DatabaseState::Present), database("archive", DatabaseState::Unreachable(cause))];
        insta::assert_snapshot!(table(&all, &databases, &[], |_| None), @"
         KIND      NAME     STATE        VISIBLE  IN FLIGHT  DELAYED
         table     items    present      -        -          -
         queue     work     differs      12       1          0
         topic     events   absent       -        -          -
         database  reports  present      -        -          -
         database  archive  unreachable  -        -          -

        queue work differs: VisibilityTimeout is 60 in the file, 30 in the queue
          devenv up -d changes it, and no message is lost

        topic events is absent
          devenv up -d makes it

        database archive is unreachable: archive has no port on this machine
          devenv up -d
        ");
        let stream = |one: &Listed| (one.resource.kind == ResourceKind::Table).then_some("NEW_IMAGE");
        let differences = vec!["stream is NEW_IMAGE in the file, off in the table".to_owned()];
        let items = listed(
            ResourceKind::Table,
            "items",
            Some(ObservedResource::Changeable { differences, absent_seeds: 0 }),
            None,
        );
        let all = [items, listed(ResourceKind::Topic, "events", matching(), None)];
        insta::assert_snapshot!(table(&all, &[], &[], stream), @"
         KIND   NAME    STATE    VISIBLE  IN FLIGHT  DELAYED  STREAM
         table  items   differs  -        -          -        NEW_IMAGE
         topic  events  present  -        -          -        -

        table items differs: stream is NEW_IMAGE in the file, off in the table
          devenv up -d changes it, and no item is lost
        ");
        assert_eq!(words(depth), "13 messages (1 in flight)");
        assert_eq!(words(Depth { visible: 1, ..Depth::default() }), "1 message");
    }
}
