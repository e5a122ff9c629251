//! Translates devenv's container specification into the engine's.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{ContainerCreateBody, HealthConfig, NetworkingConfig};
use devenv_containers::engine::{JoinedNetwork, NewContainer};
use devenv_model::manifest::{HealthTest, Healthcheck};

use crate::host_config::host_config;
use crate::network::endpoint;

pub(crate) fn body(new: &NewContainer) -> ContainerCreateBody {
    let spec = &new.spec;
    let (identity, execution) = (&spec.settings.identity, &spec.settings.execution);
    let mut labels: HashMap<String, String> = spec.labels.clone().into_iter().collect();
    labels.extend(new.labels.clone());
    let joined = match &new.network {
        JoinedNetwork::Own(joined) => Some([(joined.network.clone(), endpoint(joined))].into()),
        JoinedNetwork::Of(_) | JoinedNetwork::None => None,
    };
    let exposed = spec.ports.iter().map(|port| format!("{}/{}", port.container, port.protocol.name()));
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        entrypoint: spec.entrypoint.clone(),
        cmd: spec.command.clone(),
        user: spec.user.clone(),
        hostname: identity.hostname.clone(),
        domainname: identity.domainname.clone(),
        working_dir: execution.working_dir.clone(),
        tty: execution.tty.then_some(true),
        open_stdin: execution.stdin_open.then_some(true),
        stop_signal: execution.stop_signal.clone(),
        env: Some(spec.environment.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        exposed_ports: Some(exposed.collect()),
        healthcheck: spec.healthcheck.as_ref().map(health),
        labels: Some(labels),
        stop_timeout: Some(seconds(spec.stop_grace_period)),
        host_config: Some(host_config(new)),
        networking_config: joined.map(|joined| NetworkingConfig { endpoints_config: Some(joined) }),
        ..ContainerCreateBody::default()
    }
}

fn health(check: &Healthcheck) -> HealthConfig {
    let test = match &check.test {
        HealthTest::Command(command) => [vec!["CMD".to_owned()], command.clone()].concat(),
        HealthTest::Shell(line) => vec!["CMD-SHELL".to_owned(), line.clone()],
        HealthTest::Disabled => vec!["NONE".to_owned()],
    };
    HealthConfig {
        test: Some(test),
        interval: Some(nanoseconds(check.interval)),
        timeout: Some(nanoseconds(check.timeout)),
        retries: Some(i64::from(check.retries)),
        start_period: Some(nanoseconds(check.start_period)),
        // An engine before API 1.44 ignores it.
        start_interval: Some(nanoseconds(check.start_interval)),
    }
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// Rounds up to the engine's whole seconds: a grace period is never shortened.
fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis().div_ceil(1000)).unwrap_or(i64::MAX)
}
