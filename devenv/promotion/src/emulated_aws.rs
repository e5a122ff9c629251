//! An emulated AWS in a container. Only its guard is published, on loopback.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use devenv_containers::container::ContainerSpec;
use devenv_containers::engine::{
    ContainerEngine, ContainerEngines, ContainerSummary, HostErrorKind, JoinedNetwork, LogQuery, NewContainer,
};
use devenv_containers::rehearsal::{REGISTRY, mark, remove};
use devenv_containers::scope::Scope;
use devenv_engine::any_free_port;
use devenv_model::addresses::Addresses;
use devenv_model::container::{ContainerSettings, Security};
use devenv_model::intent::binding_of;
use devenv_model::manifest::PromoteTarget;
use devenv_model::unit::Probe;
use devenv_rehearsal::account::{HOST, PORT, REGION};
use devenv_resources::endpoint::Endpoint;
use devenv_resources::variables::aws_environment;
use devenv_runtime::settle::{Making, settle};
use devenv_runtime::{Emitter, Project};
use devenv_supervisor::probe::Prober;

use crate::cloud::EmulatedLogin;
use crate::emulated_endpoint::EmulatedAws;
use crate::error::Error;
use crate::guard::{self, GuardImage};
use crate::login::{kept_login, new_login};
use crate::pull::pull_if_absent;

const READY_WITHIN: Duration = Duration::from_mins(1);
const LOG_TAIL: usize = 20;
/// Attempts to publish a port: another program may take it between choice and use.
const TRIES: usize = 3;

/// The emulated AWS of this folder; starts it unless it runs.
pub(crate) async fn ensure(
    project: &Project,
    engines: &dyn ContainerEngines,
    target: &PromoteTarget,
    image: &str,
    emitter: &Emitter,
) -> Result<EmulatedAws, Error> {
    let engine = engines.connect().await?;
    let folder = project.state.promotion(&target.name);
    let scope = Scope::of_part(project, &folder, &target.name);
    settle(&mark(&folder), emitter).await;
    let containers = engine.containers().await?;
    if let Some(runs) = found(&containers, &scope, &folder)? {
        return Ok(runs);
    }
    if containers.iter().any(|container| scope.is_ours(&container.labels)) {
        // Its data ended with its process.
        remove(engine.as_ref(), &scope).await?;
    }
    emitter.notice("starting an emulated AWS with an empty account; devenv down removes it");
    pull_if_absent(engine.as_ref(), image, emitter).await?;
    let guard_image = guard::image(project, &engine, emitter).await?;
    let _making = Making::begin(mark(&folder))?;
    let login = new_login(&folder)?;
    let port = start_guard(engine.as_ref(), &scope, &folder, &guard_image, &login).await?;
    let name = scope.container("aws");
    let new = NewContainer {
        spec: spec(image, &name, &scope.container("guard"), &login),
        labels: scope.labels(),
        network: JoinedNetwork::Of(scope.container("guard")),
        name: name.clone(),
    };
    engine.create(&new).await?;
    engine.start(&name).await?;
    let started = EmulatedAws { endpoint: endpoint(port)?, login };
    match await_ready(&engine, &scope, &started.endpoint).await {
        Ok(()) => Ok(started),
        Err(error) => {
            let _ = remove(engine.as_ref(), &scope).await;
            Err(error)
        }
    }
}

/// The emulated AWS, if it and its guard run and its login can be read.
fn found(containers: &[ContainerSummary], scope: &Scope, folder: &Utf8Path) -> Result<Option<EmulatedAws>, Error> {
    let running = |part: &str| {
        let name = scope.container(part);
        containers.iter().find(|found| found.name == name && found.runs && scope.is_ours(&found.labels))
    };
    let port = running("guard").and_then(|guard| binding_of(&guard.bindings, guard::OUTSIDE));
    let (Some(port), Some(_), Some(login)) = (port, running("aws"), kept_login(folder)) else {
        return Ok(None);
    };
    Ok(Some(EmulatedAws { endpoint: endpoint(port.host.port())?, login }))
}

/// Returns the guard's published port on this machine.
async fn start_guard(
    engine: &dyn ContainerEngine,
    scope: &Scope,
    folder: &Utf8Path,
    image: &GuardImage,
    login: &EmulatedLogin,
) -> Result<u16, Error> {
    let network = engine.ensure_network(scope.network(), &scope.labels()).await?;
    let name = scope.container("guard");
    for attempt in 1.. {
        // A connection of another program takes none of these ports meanwhile, as it would one that the kernel chose.
        let port = any_free_port(&format!("{folder} {attempt}"))?;
        let mut labels = scope.labels();
        labels.insert(REGISTRY.to_owned(), guard::registry(port));
        let new = NewContainer {
            name: name.clone(),
            spec: guard::spec(scope, engine.about().host.address.as_str(), image, port, login),
            labels,
            network: JoinedNetwork::own(&network, HOST),
        };
        engine.create(&new).await?;
        match engine.start(&name).await {
            Ok(()) => return Ok(port),
            Err(error) if error.kind == HostErrorKind::PortTaken && attempt < TRIES => engine.remove(&name).await?,
            Err(error) => return Err(error.into()),
        }
    }
    unreachable!("the last attempt returns")
}

/// The emulated AWS of a rehearsal, if it runs.
pub(crate) async fn running(
    project: &Project,
    engines: &dyn ContainerEngines,
    target: &PromoteTarget,
) -> Result<Option<EmulatedAws>, Error> {
    let engine = engines.connect().await?;
    let folder = project.state.promotion(&target.name);
    found(&engine.containers().await?, &Scope::of_part(project, &folder, &target.name), &folder)
}

async fn await_ready(engine: &Arc<dyn ContainerEngine>, scope: &Scope, endpoint: &Endpoint) -> Result<(), Error> {
    let probe = Probe::Http { url: format!("{endpoint}/_localstack/health") };
    let prober = Prober::default();
    let ended = async {
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            for (part, what) in [("guard", "its guard"), ("aws", "the emulator")] {
                match engine.inspect(&scope.container(part)).await {
                    Ok(Some(state)) if state.pid == 0 => return (part, what),
                    Ok(None) => return (part, what),
                    // A single failed look proves nothing, and the deadline limits the wait.
                    Ok(Some(_)) | Err(_) => {}
                }
            }
        }
    };
    let (part, cause) = tokio::select! {
        () = prober.until_passes(&probe) => return Ok(()),
        (part, what) = ended => (part, format!("{what} ended")),
        () = tokio::time::sleep(READY_WITHIN) => ("aws", format!("not ready within {READY_WITHIN:?}")),
    };
    let query = LogQuery { tail: Some(LOG_TAIL), ..LogQuery::default() };
    let lines = futures_util::StreamExt::collect::<Vec<_>>(engine.log(&scope.container(part), &query)).await;
    let log = lines.into_iter().filter_map(|line| Some(line.ok()?.text)).collect();
    Err(Error::Rehearsal { cause, log })
}

fn endpoint(port: u16) -> Result<Endpoint, Error> {
    Ok(Endpoint::parse(&format!("http://127.0.0.1:{port}"))?)
}

/// The container of the emulator, which starts other containers through its guard.
fn spec(image: &str, name: &str, guard: &str, login: &EmulatedLogin) -> ContainerSpec {
    let port = PORT.to_string();
    let environment = [
        ("MINISTACK_REGION", REGION),
        ("MINISTACK_HOSTNAME", name),
        ("DOCKER_HOST", guard::ENGINE_ADDRESS),
        // The emulator looks up its own network by this name.
        ("HOSTNAME", guard),
        // Only the loopback that it shares with its guard, so that every request passes the guard.
        ("BIND_HOST", "127.0.0.1"),
        ("GATEWAY_PORT", &port),
        ("LOG_LEVEL", "WARNING"),
        // The emulator treats this login as the account's owner.
        ("AWS_ACCESS_KEY_ID", &login.access_key),
        ("AWS_SECRET_ACCESS_KEY", &login.secret_key),
    ];
    ContainerSpec {
        environment: environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        settings: ContainerSettings {
            security: Security {
                cap_drop: vec!["ALL".to_owned()],
                security_opt: vec!["no-new-privileges:true".to_owned()],
                ..Security::default()
            },
            ..ContainerSettings::default()
        },
        ..ContainerSpec::new(name, image)
    }
}

/// Replaces the caller's AWS variables, so that no part of a rehearsal can reach AWS.
pub(crate) fn lead_away_from_aws(variables: &mut BTreeMap<OsString, OsString>, aws: &EmulatedAws, region: &str) {
    variables.retain(|name, _| !name.to_string_lossy().starts_with("AWS_"));
    let mut replaced = aws_environment(&Addresses::single(aws.endpoint.to_string()), region, &[]);
    replaced.insert("AWS_ACCESS_KEY_ID".to_owned(), aws.login.access_key.clone());
    replaced.insert("AWS_SECRET_ACCESS_KEY".to_owned(), aws.login.secret_key.clone());
    variables.extend(replaced.into_iter().map(|(name, value)| (OsString::from(name), OsString::from(value))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_variable_of_the_caller_leads_a_rehearsal_to_aws() {
        let own =
            ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_REGION", "PATH"];
        let mut variables: BTreeMap<_, _> = own.map(|name| (OsString::from(name), OsString::from("theirs"))).into();
        let login = EmulatedLogin { access_key: "devenv1".to_owned(), secret_key: "secret".to_owned() };
        let aws = EmulatedAws { endpoint: endpoint(4565).expect("of this machine"), login };
        lead_away_from_aws(&mut variables, &aws, "eu-west-1");
        let left = |name: &str| variables.get(OsString::from(name).as_os_str()).and_then(|value| value.to_str());
        let theirs = variables.iter().filter(|(_, value)| *value == "theirs").map(|(name, _)| name.to_str());
        assert_eq!(theirs.collect::<Vec<_>>(), [Some("PATH")]);
        assert_eq!((left("AWS_ACCESS_KEY_ID"), left("AWS_SECRET_ACCESS_KEY")), (Some("devenv1"), Some("secret")));
        assert_eq!((left("AWS_REGION"), left("AWS_ENDPOINT_URL")), (Some("eu-west-1"), Some("http://127.0.0.1:4565")));
    }
}
