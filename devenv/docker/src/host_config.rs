//! The part of a container's specification that concerns the engine's machine.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{
    DeviceMapping, DeviceRequest, HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig, PortBinding,
    ResourcesUlimits, RestartPolicy as EngineRestartPolicy, RestartPolicyNameEnum,
};
use devenv_containers::container::PublishedPort;
use devenv_containers::engine::{JoinedNetwork, NewContainer};
use devenv_model::container::{Dns, Execution, Namespace, Resources, Security, VolumesFrom};
use devenv_model::intent::RestartPolicy;

use crate::mounts::{binds, memory, mounts};

/// Limits the container log that the engine keeps.
const LOG_FILES: [(&str, &str); 2] = [("max-size", "10m"), ("max-file", "3")];

pub(crate) fn host_config(new: &NewContainer) -> HostConfig {
    let settings = &new.spec.settings;
    let Dns { servers, options, search } = &settings.networking.dns;
    let with_network = HostConfig {
        network_mode: Some(match &new.network {
            JoinedNetwork::None => "none".to_owned(),
            JoinedNetwork::Own(endpoint) => endpoint.network.clone(),
            JoinedNetwork::Of(container) => format!("container:{container}"),
        }),
        port_bindings: Some(port_bindings(&new.spec.ports)),
        restart_policy: Some(restart_policy(new.spec.restart)),
        dns: list(servers),
        dns_options: list(options),
        dns_search: list(search),
        extra_hosts: list(&settings.networking.extra_hosts),
        binds: binds(&settings.mounts),
        mounts: mounts(&settings.mounts),
        tmpfs: memory(&settings.mounts),
        volumes_from: some(settings.volumes_from.iter().map(volumes_from)),
        ..HostConfig::default()
    };
    with_execution(
        &settings.execution,
        with_security(&settings.security, with_resources(&settings.resources, with_network)),
    )
}

fn list(values: &[String]) -> Option<Vec<String>> {
    (!values.is_empty()).then(|| values.to_owned())
}

fn map(values: &BTreeMap<String, String>) -> Option<HashMap<String, String>> {
    (!values.is_empty()).then(|| values.clone().into_iter().collect())
}

fn port_bindings(ports: &[PublishedPort]) -> HashMap<String, Option<Vec<PortBinding>>> {
    let mut bindings: HashMap<String, Option<Vec<PortBinding>>> = HashMap::new();
    for port in ports {
        let binding = PortBinding { host_ip: Some(port.host_ip.to_string()), host_port: Some(port.host.to_string()) };
        let key = format!("{}/{}", port.container, port.protocol.name());
        bindings.entry(key).or_default().get_or_insert_default().push(binding);
    }
    bindings
}

fn volumes_from(from: &VolumesFrom) -> String {
    format!("{}:{}", from.service, if from.read_only { "ro" } else { "rw" })
}

fn with_resources(resources: &Resources, config: HostConfig) -> HostConfig {
    let bytes = |bytes: Option<u64>| bytes.and_then(|bytes| i64::try_from(bytes).ok());
    let cpu = &resources.cpu;
    HostConfig {
        memory: bytes(resources.memory),
        memory_reservation: bytes(resources.memory_reservation),
        memory_swap: resources.memory_swap,
        memory_swappiness: resources.swappiness,
        oom_kill_disable: resources.out_of_memory.kill_disabled.then_some(true),
        oom_score_adj: resources.out_of_memory.score_adjustment,
        shm_size: bytes(resources.shared_memory),
        pids_limit: resources.pids,
        nano_cpus: cpu.nano,
        cpu_count: cpu.count,
        cpu_percent: cpu.percent,
        cpu_shares: cpu.shares,
        cpu_period: cpu.period,
        cpu_quota: cpu.quota,
        cpu_realtime_period: cpu.realtime_period,
        cpu_realtime_runtime: cpu.realtime_runtime,
        cpuset_cpus: cpu.set.clone(),
        ulimits: some(resources.ulimits.iter().map(|limit| ResourcesUlimits {
            name: Some(limit.name.clone()),
            soft: Some(limit.soft),
            hard: Some(limit.hard),
        })),
        devices: some(resources.devices.iter().map(|device| DeviceMapping {
            path_on_host: Some(device.source.clone()),
            path_in_container: Some(device.target.clone()),
            cgroup_permissions: Some(device.permissions.clone()),
        })),
        device_requests: some(resources.device_requests.iter().map(|request| DeviceRequest {
            driver: request.driver.clone(),
            count: request.count,
            device_ids: list(&request.ids),
            capabilities: Some(vec![request.capabilities.clone()]),
            options: map(&request.options),
        })),
        device_cgroup_rules: list(&resources.device_cgroup_rules),
        cgroup_parent: resources.cgroup_parent.clone(),
        storage_opt: map(&resources.storage),
        ..config
    }
}

fn some<T>(items: impl Iterator<Item = T>) -> Option<Vec<T>> {
    let items: Vec<T> = items.collect();
    (!items.is_empty()).then_some(items)
}

fn with_security(security: &Security, config: HostConfig) -> HostConfig {
    let name = |namespace: &Option<Namespace>| match namespace {
        Some(Namespace::Named(name)) => Some(name.clone()),
        Some(Namespace::Service(_)) | None => None,
    };
    let namespaces = &security.namespaces;
    HostConfig {
        readonly_rootfs: Some(security.read_only),
        privileged: security.privileged.then_some(true),
        cap_drop: list(&security.cap_drop),
        cap_add: list(&security.cap_add),
        security_opt: list(&security.security_opt),
        group_add: list(&security.groups),
        sysctls: map(&security.sysctls),
        ipc_mode: name(&namespaces.ipc),
        pid_mode: name(&namespaces.pid),
        uts_mode: name(&namespaces.uts),
        userns_mode: name(&namespaces.user),
        cgroupns_mode: match name(&namespaces.cgroup).as_deref() {
            Some("host") => Some(HostConfigCgroupnsModeEnum::HOST),
            Some("private") => Some(HostConfigCgroupnsModeEnum::PRIVATE),
            _ => None,
        },
        ..config
    }
}

fn with_execution(execution: &Execution, config: HostConfig) -> HostConfig {
    let logging = match &execution.logging {
        Some(logging) => (logging.driver.clone(), logging.options.clone().into_iter().collect()),
        None => {
            let options = LOG_FILES.map(|(name, value)| (name.to_owned(), value.to_owned()));
            ("json-file".to_owned(), options.into())
        }
    };
    HostConfig {
        init: execution.init.then_some(true),
        runtime: execution.runtime.clone(),
        annotations: map(&execution.annotations),
        log_config: Some(HostConfigLogConfig { typ: Some(logging.0), config: Some(logging.1) }),
        ..config
    }
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
