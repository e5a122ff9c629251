//! Translates devenv's container specification into the engine's.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, EndpointSettings, HealthConfig, HostConfig, HostConfigLogConfig, Mount, MountTypeEnum,
    MountVolumeOptions, NetworkingConfig, PortBinding, RestartPolicy as EngineRestartPolicy, RestartPolicyNameEnum,
};
use devenv_containers::container::ContainerSpec;
use devenv_containers::engine::{JoinedNetwork, NewContainer};
use devenv_model::intent::RestartPolicy;
use devenv_model::manifest::{HealthTest, Healthcheck};

/// Limits the container log that the engine keeps.
const LOG_FILES: [(&str, &str); 2] = [("max-size", "10m"), ("max-file", "3")];

pub(crate) fn body(new: &NewContainer) -> ContainerCreateBody {
    let spec = &new.spec;
    let mut labels: HashMap<String, String> = spec.labels.clone().into_iter().collect();
    labels.extend(new.labels.clone());
    let names = std::iter::once(&spec.name).chain(&spec.aliases).cloned().collect();
    let endpoint = EndpointSettings { aliases: Some(names), ..EndpointSettings::default() };
    let joined = match &new.network {
        JoinedNetwork::Own(id) => Some([(id.clone(), endpoint)].into()),
        JoinedNetwork::Of(_) => None,
    };
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        entrypoint: spec.entrypoint.clone(),
        cmd: spec.command.clone(),
        user: spec.user.clone(),
        env: Some(spec.environment.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        exposed_ports: Some(spec.ports.iter().map(|port| format!("{}/tcp", port.container)).collect()),
        healthcheck: spec.healthcheck.as_ref().map(health),
        labels: Some(labels),
        stop_timeout: Some(seconds(spec.stop_grace_period)),
        host_config: Some(host(new)),
        networking_config: joined.map(|joined| NetworkingConfig { endpoints_config: Some(joined) }),
        ..ContainerCreateBody::default()
    }
}

fn host(new: &NewContainer) -> HostConfig {
    let ContainerSpec { limits, ports, volume, binds, restart, .. } = &new.spec;
    let list = |values: &Vec<String>| (!values.is_empty()).then(|| values.clone());
    let mut bindings: HashMap<String, Option<Vec<PortBinding>>> = HashMap::new();
    for port in ports {
        let binding = PortBinding { host_ip: Some(port.host_ip.to_string()), host_port: Some(port.host.to_string()) };
        bindings.entry(format!("{}/tcp", port.container)).or_default().get_or_insert_default().push(binding);
    }
    HostConfig {
        network_mode: Some(match &new.network {
            JoinedNetwork::Own(id) => id.clone(),
            JoinedNetwork::Of(container) => format!("container:{container}"),
        }),
        port_bindings: Some(bindings),
        restart_policy: Some(restart_policy(*restart)),
        readonly_rootfs: Some(limits.read_only),
        cap_drop: list(&limits.cap_drop),
        cap_add: list(&limits.cap_add),
        security_opt: list(&limits.security_opt),
        memory: limits.memory.and_then(|bytes| i64::try_from(bytes).ok()),
        pids_limit: limits.pids,
        init: limits.init.then_some(true),
        tmpfs: (!limits.tmpfs.is_empty()).then(|| limits.tmpfs.iter().map(|entry| tmpfs(entry)).collect()),
        binds: (!binds.is_empty())
            .then(|| binds.iter().map(|bind| format!("{}:{}", bind.source, bind.target)).collect()),
        mounts: volume.as_ref().map(|volume| {
            vec![Mount {
                typ: Some(MountTypeEnum::VOLUME),
                source: Some(volume.volume.clone()),
                target: Some(volume.target.clone()),
                volume_options: Some(MountVolumeOptions {
                    labels: Some(new.volume_labels.clone().into_iter().collect()),
                    ..MountVolumeOptions::default()
                }),
                ..Mount::default()
            }]
        }),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(LOG_FILES.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
        }),
        ..HostConfig::default()
    }
}

/// Splits `/path` or `/path:options`, as in a Compose file.
fn tmpfs(entry: &str) -> (String, String) {
    let (path, options) = entry.split_once(':').unwrap_or((entry, ""));
    (path.to_owned(), options.to_owned())
}

fn restart_policy(policy: RestartPolicy) -> EngineRestartPolicy {
    let (name, times) = match policy {
        RestartPolicy::No => (RestartPolicyNameEnum::NO, None),
        RestartPolicy::OnFailure { times } => (RestartPolicyNameEnum::ON_FAILURE, Some(i64::from(times))),
        RestartPolicy::UnlessStopped => (RestartPolicyNameEnum::UNLESS_STOPPED, None),
        RestartPolicy::Always => (RestartPolicyNameEnum::ALWAYS, None),
    };
    EngineRestartPolicy { name: Some(name), maximum_retry_count: times }
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
