//! Every key of the Compose Specification, with the kind of its value.

use crate::shape::{Keys, Missing, Shape};
use Shape::{
    Any, Boolean, Choice, Command, Context, Contexts, Count, Dependencies, DeviceMappings, Devices, Duration, EnvFiles,
    External, Gpus, HealthTest, Hosts, Integer, List, Logging, Mode, Mounts, Named, NamesOrNamed, Number, Object,
    Pairs, Path, Paths, Ports, Shorthand, Size, Switch, Text, TextOrTexts, Texts, Ulimit, Volumes,
};

/// A Compose file.
pub(crate) const FILE: Shape = Object(&[
    ("version", Text),
    ("name", Text),
    ("include", List(&Shorthand("path", INCLUDE))),
    ("services", Named(&SERVICE)),
    ("networks", Named(&NETWORK)),
    ("volumes", Named(&VOLUME)),
    ("secrets", Named(&SECRET)),
    ("configs", Named(&CONFIG)),
    ("models", Named(&Object(MODEL))),
]);

const MODEL: Keys = &[("context_size", Integer), ("model", Text), ("name", Text), ("runtime_flags", List(&Text))];

/// The sections whose entries other files and services refer to by name.
pub(crate) const SECTIONS: [&str; 5] = ["services", "networks", "volumes", "secrets", "configs"];

const INCLUDE: Keys = &[("path", Paths), ("env_file", Paths), ("project_directory", Path)];

pub(crate) const SERVICE: Shape = Object(SERVICE_KEYS);

pub(crate) const SERVICE_KEYS: Keys = &[
    ("annotations", LABELS),
    ("attach", Switch),
    ("blkio_config", Object(BLKIO)),
    ("build", Shorthand("context", BUILD)),
    ("cap_add", Texts),
    ("cap_drop", Texts),
    ("cgroup", Choice(&["host", "private"])),
    ("cgroup_parent", Text),
    ("command", Command),
    ("configs", Mounts(None)),
    ("container_name", Text),
    ("cpu_count", Integer),
    ("cpu_percent", Number),
    ("cpu_period", Integer),
    ("cpu_quota", Integer),
    ("cpu_rt_period", Integer),
    ("cpu_rt_runtime", Integer),
    ("cpu_shares", Integer),
    ("cpus", Number),
    ("cpuset", Text),
    ("credential_spec", Object(&[("config", Text), ("file", Text), ("registry", Text)])),
    ("depends_on", Dependencies(DEPENDENCY)),
    ("deploy", Object(DEPLOY)),
    ("develop", Object(&[("watch", List(&Object(WATCH)))])),
    ("device_cgroup_rules", Texts),
    ("devices", DeviceMappings),
    ("dns", TextOrTexts),
    ("dns_opt", Texts),
    ("dns_search", TextOrTexts),
    ("domainname", Text),
    ("entrypoint", Command),
    ("env_file", EnvFiles),
    ("environment", Pairs(Missing::Inherited)),
    ("expose", Texts),
    ("extends", Shorthand("service", &[("service", Text), ("file", Path)])),
    ("external_links", Texts),
    ("extra_hosts", Hosts),
    ("gpus", Gpus),
    ("group_add", List(&Text)),
    ("healthcheck", Object(HEALTHCHECK)),
    ("hostname", Text),
    ("image", Text),
    ("init", Switch),
    ("ipc", Text),
    ("isolation", Text),
    ("label_file", Paths),
    ("labels", LABELS),
    ("links", Texts),
    ("logging", Logging(&[("driver", Text), ("options", LABELS)])),
    ("mac_address", Text),
    ("mem_limit", Size),
    ("mem_reservation", Size),
    ("mem_swappiness", Size),
    ("memswap_limit", Size),
    ("models", NamesOrNamed(&Object(&[("endpoint_var", Text), ("model_var", Text)]))),
    ("network_mode", Text),
    ("networks", NamesOrNamed(&Object(SERVICE_NETWORK))),
    ("oom_kill_disable", Boolean),
    ("oom_score_adj", Integer),
    ("pid", Text),
    ("pids_limit", Integer),
    ("platform", Text),
    ("ports", Ports),
    ("post_start", List(&Object(HOOK))),
    ("pre_stop", List(&Object(HOOK))),
    ("privileged", Boolean),
    ("profiles", Texts),
    ("provider", Object(&[("options", Any), ("type", Text)])),
    ("pull_policy", Choice(&["always", "never", "if_not_present", "build", "missing", "refresh", "daily", "weekly"])),
    ("read_only", Boolean),
    ("restart", Text),
    ("runtime", Text),
    ("scale", Count),
    ("secrets", Mounts(Some("/run/secrets"))),
    ("security_opt", Texts),
    ("shm_size", Size),
    ("stdin_open", Boolean),
    ("stop_grace_period", Duration),
    ("stop_signal", Text),
    ("storage_opt", LABELS),
    ("sysctls", LABELS),
    ("tmpfs", TextOrTexts),
    ("tty", Boolean),
    ("ulimits", Named(&Ulimit)),
    ("use_api_socket", Boolean),
    ("user", Text),
    ("userns_mode", Text),
    ("uts", Text),
    ("volumes", Volumes),
    ("volumes_from", Texts),
    ("working_dir", Text),
];

const LABELS: Shape = Pairs(Missing::Empty);

const BUILD: Keys = &[
    ("additional_contexts", Contexts),
    ("args", Pairs(Missing::Inherited)),
    ("cache_from", List(&Text)),
    ("cache_to", List(&Text)),
    ("context", Context),
    ("dockerfile", Text),
    ("dockerfile_inline", Text),
    ("entitlements", Texts),
    ("extra_hosts", Hosts),
    ("isolation", Text),
    ("labels", LABELS),
    ("network", Text),
    ("no_cache", Boolean),
    ("platforms", Texts),
    ("privileged", Boolean),
    ("provenance", Text),
    ("pull", Boolean),
    ("sbom", Text),
    ("secrets", Mounts(None)),
    ("shm_size", Size),
    ("ssh", Texts),
    ("tags", Texts),
    ("target", Text),
    ("ulimits", Named(&Ulimit)),
];

const BLKIO: Keys = &[
    ("device_read_bps", List(&BLKIO_RATE)),
    ("device_read_iops", List(&BLKIO_RATE)),
    ("device_write_bps", List(&BLKIO_RATE)),
    ("device_write_iops", List(&BLKIO_RATE)),
    ("weight", Integer),
    ("weight_device", List(&Object(&[("path", Text), ("weight", Integer)]))),
];
const BLKIO_RATE: Shape = Object(&[("path", Text), ("rate", Size)]);

const DEPENDENCY: Keys = &[
    ("condition", Choice(&["service_started", "service_healthy", "service_completed_successfully"])),
    ("required", Switch),
    ("restart", Boolean),
];

pub(crate) const DEPLOY: Keys = &[
    ("endpoint_mode", Text),
    ("labels", LABELS),
    ("mode", Text),
    (
        "placement",
        Object(&[
            ("constraints", List(&Text)),
            ("max_replicas_per_node", Integer),
            ("preferences", List(&Object(&[("spread", Text)]))),
        ]),
    ),
    ("replicas", Count),
    ("resources", Object(&[("limits", Object(LIMITS)), ("reservations", Object(RESERVATIONS))])),
    (
        "restart_policy",
        Object(&[("condition", Text), ("delay", Duration), ("max_attempts", Count), ("window", Duration)]),
    ),
    ("rollback_config", Object(UPDATE)),
    ("update_config", Object(UPDATE)),
];
const LIMITS: Keys = &[("cpus", Number), ("memory", Size), ("pids", Integer)];
const RESERVATIONS: Keys = &[
    ("cpus", Number),
    ("devices", List(&Object(DEVICE_REQUEST))),
    ("generic_resources", List(&Object(&[("discrete_resource_spec", Object(&[("kind", Text), ("value", Integer)]))]))),
    ("memory", Size),
];
const UPDATE: Keys = &[
    ("delay", Duration),
    ("failure_action", Text),
    ("max_failure_ratio", Number),
    ("monitor", Duration),
    ("order", Choice(&["start-first", "stop-first"])),
    ("parallelism", Count),
];
pub(crate) const DEVICE_REQUEST: Keys =
    &[("capabilities", Texts), ("count", Devices), ("device_ids", Texts), ("driver", Text), ("options", LABELS)];

const WATCH: Keys = &[
    ("action", Choice(&["rebuild", "sync", "restart", "sync+restart", "sync+exec"])),
    ("exec", Object(HOOK)),
    ("ignore", List(&Text)),
    ("path", Path),
    ("target", Text),
];

const HOOK: Keys = &[
    ("command", Command),
    ("environment", Pairs(Missing::Inherited)),
    ("privileged", Boolean),
    ("user", Text),
    ("working_dir", Text),
];

const HEALTHCHECK: Keys = &[
    ("disable", Boolean),
    ("interval", Duration),
    ("retries", Integer),
    ("start_interval", Duration),
    ("start_period", Duration),
    ("test", HealthTest),
    ("timeout", Duration),
];

pub(crate) const SERVICE_NETWORK: Keys = &[
    ("aliases", Texts),
    ("driver_opts", LABELS),
    ("gw_priority", Integer),
    ("interface_name", Text),
    ("ipv4_address", Text),
    ("ipv6_address", Text),
    ("link_local_ips", Texts),
    ("mac_address", Text),
    ("priority", Integer),
];

pub(crate) const NETWORK: Shape = Object(&[
    ("attachable", Boolean),
    ("driver", Text),
    ("driver_opts", LABELS),
    ("enable_ipv4", Switch),
    ("enable_ipv6", Switch),
    ("external", External),
    ("internal", Boolean),
    ("ipam", Object(&[("config", List(&Object(SUBNET))), ("driver", Text), ("options", LABELS)])),
    ("labels", LABELS),
    ("name", Text),
]);
const SUBNET: Keys = &[("aux_addresses", LABELS), ("gateway", Text), ("ip_range", Text), ("subnet", Text)];

pub(crate) const VOLUME: Shape =
    Object(&[("driver", Text), ("driver_opts", LABELS), ("external", External), ("labels", LABELS), ("name", Text)]);

pub(crate) const SECRET: Shape = Object(&[
    ("driver", Text),
    ("driver_opts", LABELS),
    ("environment", Text),
    ("external", External),
    ("file", Path),
    ("labels", LABELS),
    ("name", Text),
    ("template_driver", Text),
]);

pub(crate) const CONFIG: Shape = Object(&[
    ("content", Text),
    ("environment", Text),
    ("external", External),
    ("file", Path),
    ("labels", LABELS),
    ("name", Text),
    ("template_driver", Text),
]);

/// One of a service's ports, in its long form.
pub(crate) const PORT: Keys = &[
    ("app_protocol", Text),
    ("host_ip", Text),
    ("mode", Text),
    ("name", Text),
    ("protocol", Text),
    ("published", Text),
    ("target", Integer),
];

/// One of a service's volumes, in its long form.
pub(crate) const MOUNT: Keys = &[
    ("bind", Object(&[("create_host_path", Boolean), ("propagation", Text), ("recursive", Text), ("selinux", Text)])),
    ("consistency", Text),
    ("read_only", Boolean),
    ("source", Text),
    ("target", Text),
    ("tmpfs", Object(&[("mode", Mode), ("size", Size)])),
    ("type", Text),
    ("volume", Object(&[("nocopy", Boolean), ("subpath", Text)])),
];

/// One of a service's secrets or configs, in its long form.
pub(crate) const FILE_MOUNT: Keys = &[("gid", Text), ("mode", Mode), ("source", Text), ("target", Text), ("uid", Text)];

/// One of a service's devices, in its long form.
pub(crate) const DEVICE: Keys = &[("permissions", Text), ("source", Text), ("target", Text)];

/// One of a service's files of variables, in its long form.
pub(crate) const ENV_FILE: Keys = &[("format", Text), ("path", Path), ("required", Switch)];

/// Returns the kind of the value under `key`.
pub(crate) fn shape_of(keys: Keys, key: &str) -> Option<&'static Shape> {
    match keys.iter().find(|(known, _)| *known == key) {
        Some((_, shape)) => Some(shape),
        None => key.starts_with("x-").then_some(&Any),
    }
}
