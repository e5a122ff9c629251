//! A rehearsal: an emulated AWS in a container, published on loopback, with an account that has what a release stands on.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use devenv_model::container::{BindMount, ContainerSpec, PublishedPort, RestartPolicy};
use devenv_model::manifest::{Limits, PromotePlace, PromoteTarget};
use devenv_model::unit::Probe;
use serde_json::{Value, json};

use super::Error;
use super::cloud::{AccountNeeds, CloudAddress, EmulatedLogin, ServiceNeeds};
use super::site::Site;
use crate::containers::{ContainerEngine, EngineErrorKind, LogQuery, NewContainer, Scope, remove_state};
use crate::desired::{DUMMY, aws_environment};
use crate::dynamo::{Endpoint, Store};
use crate::probe::Prober;
use crate::{Cancel, Emitter, Project, ProjectOptions};

/// The name of the container on its network, where the tasks reach it.
const HOST: &str = "emulated-aws";
const PORT: u16 = 4566;
/// Where the engine's socket is seen in the container, and on machines whose engine is in a virtual one.
const SOCKET: &str = "/var/run/docker.sock";
/// On the containers of tasks: whose they are.
const INSTANCE: &str = "ministack.instance";
const READY_WITHIN: Duration = Duration::from_mins(1);
const LOG_TAIL: usize = 20;
/// Another program may take a port between its choice and its use.
const TRIES: usize = 3;

/// Where the emulated AWS of this folder answers; it is started unless it runs.
pub(super) async fn ensure(
    project: &Project,
    target: &PromoteTarget,
    image: &str,
    emitter: &Emitter,
) -> Result<Endpoint, crate::Error> {
    let engine = project.engines.connect().await?;
    let scope = Scope::of_part(project, &project.state.promotion(&target.name), &target.name);
    let name = scope.container("aws");
    for container in engine.containers().await? {
        if scope.is_ours(&container.labels) && container.name == name {
            match container.ports.get(&PORT) {
                Some(port) if container.runs => return endpoint(*port),
                // What it held went with its process.
                _ => remove(engine.as_ref(), &scope).await?,
            }
        }
    }
    emitter.notice("starting an emulated AWS, whose account is empty; devenv down removes it");
    if engine.image(image).await?.is_none() {
        let progress = |line| emitter.emit(devenv_model::event::Event::StageProgress { line, detail: true });
        let pulled = engine.pull(image, &progress).await;
        pulled.map_err(|error| crate::Error::ImageAbsent { image: image.to_owned(), cause: error.cause })?;
    }
    let network = engine.ensure_network(scope.network(), &scope.labels()).await?;
    for attempt in 1.. {
        let port = free_port()?;
        let new = NewContainer {
            name: name.clone(),
            spec: spec(engine.about().address.as_str(), image, &name, port),
            labels: scope.labels(),
            network: network.clone(),
            volume_labels: BTreeMap::new(),
        };
        engine.create(&new).await?;
        match engine.start(&name).await {
            Ok(()) => {
                let endpoint = endpoint(port)?;
                await_ready(&engine, &name, &endpoint).await?;
                return Ok(endpoint);
            }
            Err(error) if error.kind == EngineErrorKind::PortTaken && attempt < TRIES => engine.remove(&name).await?,
            Err(error) => return Err(error.into()),
        }
    }
    unreachable!("the last attempt returns")
}

/// Where the emulated AWS of a rehearsal answers, if it runs.
pub(super) async fn running(project: &Project, target: &PromoteTarget) -> Result<Option<CloudAddress>, crate::Error> {
    let engine = project.engines.connect().await?;
    let name = Scope::of_part(project, &project.state.promotion(&target.name), &target.name).container("aws");
    let containers = engine.containers().await?;
    let port = containers.iter().find(|container| container.name == name && container.runs);
    let port = port.and_then(|container| container.ports.get(&PORT));
    port.map(|port| endpoint(*port).map(address)).transpose()
}

/// With the login that everything of a rehearsal has.
pub(super) fn address(endpoint: Endpoint) -> CloudAddress {
    let login = EmulatedLogin { access_key: DUMMY.to_owned(), secret_key: DUMMY.to_owned() };
    CloudAddress::Emulated { endpoint, region: REGION.to_owned(), login }
}

async fn await_ready(engine: &Arc<dyn ContainerEngine>, name: &str, endpoint: &Endpoint) -> Result<(), crate::Error> {
    let probe = Probe::Http { url: format!("{endpoint}/_localstack/health") };
    let prober = Prober::new();
    let ended = async {
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            match engine.inspect(name).await {
                Ok(Some(state)) if state.pid != 0 => {}
                _ => return,
            }
        }
    };
    let cause = tokio::select! {
        () = prober.until_passes(&probe) => return Ok(()),
        () = ended => "it ended".to_owned(),
        () = tokio::time::sleep(READY_WITHIN) => format!("not ready within {READY_WITHIN:?}"),
    };
    let query = LogQuery { tail: Some(LOG_TAIL), ..LogQuery::default() };
    let lines = futures_util::StreamExt::collect::<Vec<_>>(engine.log(name, &query)).await;
    let log = lines.into_iter().filter_map(|line| Some(line.ok()?.text)).collect();
    let _ = engine.remove(name).await;
    Err(Error::Rehearsal { cause, log }.into())
}

fn endpoint(port: u16) -> Result<Endpoint, crate::Error> {
    Ok(Endpoint::parse(&format!("http://127.0.0.1:{port}"))?)
}

fn free_port() -> Result<u16, crate::Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|_| crate::Error::NoFreePort { near: PORT })
}

/// It starts containers beside itself, and so is given the engine's socket, as the one container of ours that has it.
fn spec(address: &str, image: &str, name: &str, port: u16) -> ContainerSpec {
    let socket = address.strip_prefix("unix://").filter(|path| Utf8Path::new(path).exists()).unwrap_or(SOCKET);
    let environment = [
        ("MINISTACK_REGION", REGION),
        ("MINISTACK_HOSTNAME", name),
        ("DOCKER_HOST", "unix:///var/run/docker.sock"),
        ("LOG_LEVEL", "WARNING"),
        // Whom it takes for the account's owner, where it asks.
        ("AWS_ACCESS_KEY_ID", DUMMY),
        ("AWS_SECRET_ACCESS_KEY", DUMMY),
    ];
    ContainerSpec {
        name: HOST.to_owned(),
        image: image.to_owned(),
        entrypoint: None,
        command: None,
        environment: environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ports: vec![PublishedPort { container: PORT, host: port, host_ip: IpAddr::V4(Ipv4Addr::LOCALHOST) }],
        probe: Probe::Started,
        stop_grace_period: Duration::ZERO,
        // The socket's owner.
        user: Some("0:0".to_owned()),
        limits: Limits {
            cap_drop: vec!["ALL".to_owned()],
            security_opt: vec!["no-new-privileges:true".to_owned()],
            ..Limits::default()
        },
        healthcheck: None,
        volume: None,
        binds: vec![BindMount { source: socket.to_owned(), target: SOCKET.to_owned() }],
        labels: BTreeMap::new(),
        restart: RestartPolicy::No,
    }
}

/// The emulator's own region; tasks and Terraform are told the same.
const REGION: &str = "eu-west-1";

/// Whatever the caller's environment says of AWS is forgotten, so that nothing of a rehearsal can reach it.
pub(super) fn lead_away_from_aws(variables: &mut BTreeMap<OsString, OsString>, endpoint: &Endpoint, region: &str) {
    variables.retain(|name, _| !name.to_string_lossy().starts_with("AWS_"));
    let told = aws_environment(&endpoint.to_string(), region);
    variables.extend(told.into_iter().map(|(name, value)| (OsString::from(name), OsString::from(value))));
}

/// Makes what a release stands on, with the same Terraform state and outputs as in AWS.
pub(super) async fn lay_foundation(site: &Site<'_>, cancel: &Cancel) -> Result<(), crate::Error> {
    let Some(account) = &site.cloud.emulated else {
        return Ok(());
    };
    let project = site.project;
    let system = &project.manifest.name;
    let needs = AccountNeeds {
        bucket: site.ledger.bucket.clone(),
        cluster: format!("{system}-rehearsal"),
        services: project
            .manifest
            .services
            .values()
            .map(|service| {
                let name = &service.name;
                let needs = ServiceNeeds {
                    repository: format!("{system}/{name}"),
                    log_group: format!("/{system}/{name}"),
                    load_balancer: format!("{system}-{name}"),
                    port: service.ports.first().map_or(80, |port| port.container),
                };
                (name.clone(), needs)
            })
            .collect(),
    };
    let made = account.prepare(&needs).await.map_err(Error::from)?;
    let store = Store::new(site.endpoint()?.clone(), REGION);
    for table in &project.manifest.tables {
        store.ensure_table(table).await?;
    }
    for seed in &project.manifest.seeds {
        if let Some(table) = project.manifest.tables.iter().find(|table| table.name == seed.table) {
            store.apply_seed(table, seed).await?;
        }
    }
    let outside = site.endpoint()?.to_string();
    let host = outside.trim_start_matches("http://");
    let services: serde_json::Map<String, Value> = needs
        .services
        .iter()
        .map(|(name, service)| {
            let balanced = format!("_alb/{}", service.load_balancer);
            let value = json!({
                "repository": format!("{host}/{}", service.repository),
                "log_group": service.log_group,
                "target_group": made.target_groups.get(name),
                "url": format!("http://{HOST}:{PORT}/{balanced}/"),
                "outside_url": format!("{outside}/{balanced}"),
            });
            (name.clone(), value)
        })
        .collect();
    let inputs = json!({
        "name": needs.cluster, "region": REGION, "endpoint": format!("http://{HOST}:{PORT}"),
        "cluster": { "name": needs.cluster, "arn": made.cluster_arn }, "services": services,
    });
    // Another table file is another foundation, though Terraform reads the file itself.
    let tables: Vec<&Value> = project.manifest.tables.iter().map(|table| &table.definition).collect();
    let made_from = json!([inputs, tables]).to_string();
    site.apply_foundation(&json!({ "made": inputs }).to_string(), &made_from, cancel).await
}

/// Carries out the order in `DEVENV_SERVICE`, for the Terraform of a rehearsal, in the account that it is led to.
pub async fn rehearse_service(options: &ProjectOptions) -> Result<(), crate::Error> {
    let text = |name: &str| std::env::var(name).unwrap_or_default();
    let wrong = |cause: String| Error::Rehearsal { cause, log: Vec::new() };
    let order =
        serde_json::from_str(&text("DEVENV_SERVICE")).map_err(|error| wrong(format!("DEVENV_SERVICE: {error}")))?;
    let endpoint = Endpoint::parse(&text("AWS_ENDPOINT_URL"))?;
    // As whoever runs that Terraform: its rights are what is tried where the emulator enforces them.
    let login = EmulatedLogin { access_key: text("AWS_ACCESS_KEY_ID"), secret_key: text("AWS_SECRET_ACCESS_KEY") };
    let address = CloudAddress::Emulated { endpoint, region: REGION.to_owned(), login };
    let cloud = options.clouds.connect(&address).await;
    if let Some(account) = cloud.emulated {
        account.release(&order).await.map_err(Error::from)?;
    }
    Ok(())
}

/// Removes the emulated AWS of every rehearsal of this project, and everything that it started. Whether there was one.
pub(crate) async fn remove_all(project: &Project) -> Result<bool, crate::Error> {
    let mut removed = false;
    for target in project.manifest.promote.values() {
        let folder = project.state.promotion(&target.name);
        if matches!(target.place, PromotePlace::Rehearsal { .. }) && folder.exists() {
            let engine = project.engines.connect().await?;
            let scope = Scope::of_part(project, &folder, &target.name);
            removed |= engine.containers().await?.iter().any(|container| scope.is_ours(&container.labels));
            remove(engine.as_ref(), &scope).await?;
        }
    }
    Ok(removed)
}

async fn remove(engine: &dyn ContainerEngine, scope: &Scope) -> Result<(), crate::Error> {
    let instance = format!("{}:{PORT}", scope.container("aws"));
    // First what would start tasks anew, then the tasks.
    engine.remove(&scope.container("aws")).await?;
    for container in engine.containers().await? {
        if container.labels.get(INSTANCE) == Some(&instance) {
            engine.remove(&container.name).await?;
        }
    }
    Ok(remove_state(engine, Utf8Path::new(scope.state())).await?)
}
