//! The host as a whole: its functions, their addresses, and the mappings.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use devenv_http_server::callers::Reach;
use devenv_http_server::process;
use devenv_model::functions::function_arn;
use devenv_resources::function_host::settings::{HOST_FORMAT, HostSettings, HostedFunction, UnitRunner};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::api::invoke::InvokeApi;
use crate::api::runtime::RuntimeApi;
use crate::error::Error;
use crate::events::Events;
use crate::function::{Function, FunctionSettings};
use crate::http::serve;
use crate::leftovers;
use crate::mapping::work::Work;
use crate::seat::Seat;
use crate::units::{Contained, Supervised, Units, Unsupervised};

/// The limit for batches under way at shutdown. Their messages come again.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// Serves until `shutdown` resolves and the batches under way have ended. Calls `listening` with the Invoke API's address once every
/// address answers.
pub async fn run(
    settings: &HostSettings,
    listening: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    if settings.format != HOST_FORMAT {
        return Err(Error::Format { found: settings.format });
    }
    let (reach, seats) = contained(settings);
    let units: Arc<dyn Units> = match &settings.runner {
        UnitRunner::Nobody => Arc::new(Unsupervised),
        UnitRunner::Supervisor(state) => Arc::new(Supervised::at(state)),
        UnitRunner::Containers => Arc::new(Contained { seats: seats.clone() }),
    };
    let listen = async |address: SocketAddr| listen(address, reach).await;
    let unwritable = |source| Error::Data { path: settings.data.clone(), source };
    let events = Arc::new(Events::within(&settings.data).map_err(unwritable)?);
    let mut functions = BTreeMap::new();
    let mut serving = JoinSet::new();
    for hosted in &settings.functions {
        let function = Arc::new(function(hosted, &settings.region, &units));
        for (unit, one) in hosted.units.iter().enumerate() {
            let seat = seats.get(&one.name).cloned();
            let api = RuntimeApi { function: Arc::clone(&function), unit, reach, seat };
            serving.spawn(serve(listen(one.runtime).await?, Arc::new(api)));
        }
        functions.insert(hosted.name.clone(), function);
    }
    // Another host of this data would hold the addresses.
    leftovers::remove(&settings.data);
    let (stop, stopping) = watch::channel(false);
    let mut working = JoinSet::new();
    let mut mappings = Vec::new();
    for hosted in &settings.mappings {
        let failed = |cause: String| Error::Mapping { mapping: hosted.name.clone(), cause };
        let work = Arc::new(Work::of(settings, hosted, &functions).map_err(failed)?);
        mappings.push(Arc::clone(&work.state));
        for _ in 0..work.workers() {
            let (work, stopping) = (Arc::clone(&work), stopping.clone());
            working.spawn(async move { work.run(stopping).await });
        }
    }
    let listener = listen(settings.invoke).await?;
    let address = listener.local_addr().map_err(|source| Error::Listen { address: settings.invoke, source })?;
    events.resume(&functions).map_err(unwritable)?;
    serving.spawn(serve(listener, Arc::new(InvokeApi { functions, events, mappings, reach })));
    listening(address);
    shutdown.await;
    stop.send_replace(true);
    let drained = async { while working.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(DRAIN_LIMIT, drained).await;
    Ok(())
}

/// From where the host may be reached, and the place of each unit in a container.
fn contained(settings: &HostSettings) -> (Reach, BTreeMap<String, Arc<Seat>>) {
    if settings.runner != UnitRunner::Containers {
        return (Reach::ThisMachine, BTreeMap::new());
    }
    let units = settings.functions.iter().flat_map(|function| &function.units);
    (Reach::Network, units.map(|unit| (unit.name.clone(), Arc::default())).collect())
}

/// A container has a loopback that no other one reaches.
async fn listen(address: SocketAddr, reach: Reach) -> Result<TcpListener, Error> {
    if !address.ip().is_loopback() && reach == Reach::ThisMachine {
        return Err(Error::NotLoopback { address });
    }
    TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })
}

fn function(hosted: &HostedFunction, region: &str, units: &Arc<dyn Units>) -> Function {
    let settings = FunctionSettings {
        name: hosted.name.clone(),
        arn: function_arn(region, &hosted.name),
        timeout: Duration::from_secs(hosted.timeout_seconds.into()),
        memory_megabytes: hosted.memory_megabytes,
        units: hosted.units.iter().map(|unit| unit.name.clone()).collect(),
    };
    Function::new(settings, Arc::clone(units))
}

/// Runs a host's process: SIGTERM and SIGINT drain it, a second signal ends it at once.
pub fn run_until_signalled(settings: &HostSettings) -> Result<(), Error> {
    let told = |address| crate::say(&format!("listening on http://{address}"));
    process::run(|shutdown| run(settings, told, shutdown)).map_err(Error::Runtime)?.unwrap_or(Ok(()))
}
