//! What devenv does with each key of a Compose file. `docs/compose.md` has the same table; a test compares them.

use Use::{InContainers, Noted, Refused, Run};

/// What devenv does with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Run,
    /// Run in a container. A process goes without it, and a notice reports that.
    InContainers,
    /// Without effect, for this reason; a notice reports it.
    Noted(&'static str),
    /// A mistake; the text says what to do instead.
    Refused(&'static str),
}

pub(crate) type Uses = &'static [(&'static str, Use)];

pub(crate) const FILE: Uses = &[
    ("configs", Run),
    ("include", Run),
    ("models", Refused("run the model beside devenv and give its address under `environment`")),
    ("name", Run),
    ("networks", Run),
    ("secrets", Run),
    ("services", Run),
    ("version", Run),
    ("volumes", Run),
];

pub(crate) const SERVICE: Uses = &[
    ("annotations", InContainers),
    ("attach", Noted("devenv follows the logs of all services; name those of interest: devenv logs -f SERVICE")),
    ("blkio_config", Refused("remove it: devenv does not limit disks")),
    ("build", Run),
    ("cap_add", Run),
    ("cap_drop", Run),
    ("cgroup", InContainers),
    ("cgroup_parent", InContainers),
    ("command", Run),
    ("configs", InContainers),
    ("container_name", Run),
    ("cpu_count", InContainers),
    ("cpu_percent", InContainers),
    ("cpu_period", InContainers),
    ("cpu_quota", InContainers),
    ("cpu_rt_period", InContainers),
    ("cpu_rt_runtime", InContainers),
    ("cpu_shares", InContainers),
    ("cpus", InContainers),
    ("cpuset", InContainers),
    ("credential_spec", Refused("remove it: it applies to Windows only")),
    ("depends_on", Run),
    ("deploy", Run),
    ("develop", Noted("devenv does not watch files yet; devenv up applies changes")),
    ("device_cgroup_rules", InContainers),
    ("devices", InContainers),
    ("dns", InContainers),
    ("dns_opt", InContainers),
    ("dns_search", InContainers),
    ("domainname", InContainers),
    ("entrypoint", Run),
    ("env_file", Run),
    ("environment", Run),
    ("expose", Run),
    ("extends", Run),
    ("external_links", Refused("put both containers on an external network, under `networks`")),
    ("extra_hosts", InContainers),
    ("gpus", InContainers),
    ("group_add", InContainers),
    ("healthcheck", Run),
    ("hostname", InContainers),
    ("image", Run),
    ("init", Run),
    ("ipc", InContainers),
    ("isolation", Refused("remove it: it applies to Windows only")),
    ("label_file", Run),
    ("labels", Run),
    ("links", InContainers),
    ("logging", InContainers),
    ("mac_address", InContainers),
    ("mem_limit", Run),
    ("mem_reservation", InContainers),
    ("mem_swappiness", InContainers),
    ("memswap_limit", InContainers),
    ("models", Refused("run the model beside devenv and give its address under `environment`")),
    ("network_mode", InContainers),
    ("networks", InContainers),
    ("oom_kill_disable", InContainers),
    ("oom_score_adj", InContainers),
    ("pid", InContainers),
    ("pids_limit", Run),
    ("platform", InContainers),
    ("ports", Run),
    ("post_start", Refused("run the command at the end of `entrypoint`, or by hand once devenv up is done")),
    ("pre_stop", Refused("let the program do it when it gets `stop_signal`")),
    ("privileged", InContainers),
    ("profiles", Run),
    ("provider", Refused("start it beside devenv and give its address under `environment`")),
    ("pull_policy", InContainers),
    ("read_only", Run),
    ("restart", Run),
    ("runtime", InContainers),
    ("scale", Run),
    ("secrets", InContainers),
    ("security_opt", Run),
    ("shm_size", InContainers),
    ("stdin_open", InContainers),
    ("stop_grace_period", Run),
    ("stop_signal", Run),
    ("storage_opt", InContainers),
    ("sysctls", InContainers),
    ("tmpfs", Run),
    ("tty", InContainers),
    ("ulimits", InContainers),
    ("use_api_socket", Refused("mount the socket under `volumes`, if the service may control the engine")),
    ("user", Run),
    ("userns_mode", InContainers),
    ("uts", InContainers),
    ("volumes", InContainers),
    ("volumes_from", InContainers),
    ("working_dir", Run),
];

pub(crate) const DEPLOY: Uses = &[
    ("endpoint_mode", Noted(SWARM)),
    ("labels", Noted(SWARM)),
    ("mode", Noted(SWARM)),
    ("placement", Noted(SWARM)),
    ("replicas", Run),
    ("resources", Run),
    ("restart_policy", Noted("devenv follows `restart` of the service")),
    ("rollback_config", Noted(SWARM)),
    ("update_config", Noted(SWARM)),
];

const SWARM: &str = "it applies to swarms only";

pub(crate) const PORT: Uses = &[
    ("app_protocol", Run),
    ("host_ip", Run),
    ("mode", Refused("remove it: it applies to swarms only")),
    ("name", Run),
    ("protocol", Run),
    ("published", Run),
    ("target", Run),
];

pub(crate) const SERVICE_VOLUME: Uses = &[
    ("bind", Run),
    ("consistency", Run),
    ("read_only", Run),
    ("source", Run),
    ("target", Run),
    ("tmpfs", Run),
    ("type", Run),
    ("volume", Run),
];

pub(crate) const SERVICE_NETWORK: Uses = &[
    ("aliases", Run),
    ("driver_opts", Run),
    ("gw_priority", Run),
    ("interface_name", Refused("remove it: the engine names the interfaces")),
    ("ipv4_address", Run),
    ("ipv6_address", Run),
    ("link_local_ips", Run),
    ("mac_address", Run),
    ("priority", Run),
];

pub(crate) const SERVICE_FILE: Uses = &[("gid", Run), ("mode", Run), ("source", Run), ("target", Run), ("uid", Run)];

pub(crate) const NETWORK: Uses = &[
    ("attachable", Run),
    ("driver", Run),
    ("driver_opts", Run),
    ("enable_ipv4", Run),
    ("enable_ipv6", Run),
    ("external", Run),
    ("internal", Run),
    ("ipam", Run),
    ("labels", Run),
    ("name", Run),
];

pub(crate) const VOLUME: Uses =
    &[("driver", Run), ("driver_opts", Run), ("external", Run), ("labels", Run), ("name", Run)];

const STORE: &str =
    "give the content here: `file`, `environment` or (of a config) `content`; there is no store of a swarm";

pub(crate) const SECRET: Uses = &[
    ("driver", Refused(STORE)),
    ("driver_opts", Refused(STORE)),
    ("environment", Run),
    ("external", Refused(STORE)),
    ("file", Run),
    ("labels", Run),
    ("name", Run),
    ("template_driver", Refused(STORE)),
];

pub(crate) const CONFIG: Uses = &[
    ("content", Run),
    ("environment", Run),
    ("external", Refused(STORE)),
    ("file", Run),
    ("labels", Run),
    ("name", Run),
    ("template_driver", Refused(STORE)),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use devenv_compose::known_keys::{Section, known_keys};

    use super::*;

    const DOCUMENT: &str = include_str!("../../../docs/compose.md");

    /// Each section with its heading in the document.
    const SECTIONS: [(&str, Section, Uses); 11] = [
        ("A file", Section::File, FILE),
        ("A service", Section::Service, SERVICE),
        ("`deploy` of a service", Section::Deploy, DEPLOY),
        ("A port of a service", Section::Port, PORT),
        ("A volume of a service", Section::ServiceVolume, SERVICE_VOLUME),
        ("A network of a service", Section::ServiceNetwork, SERVICE_NETWORK),
        ("A secret or config of a service", Section::ServiceFile, SERVICE_FILE),
        ("A network", Section::Network, NETWORK),
        ("A volume", Section::Volume, VOLUME),
        ("A secret", Section::Secret, SECRET),
        ("A config", Section::Config, CONFIG),
    ];

    #[test]
    fn every_key_of_compose_is_decided() {
        for (_, section, uses) in SECTIONS {
            let decided: Vec<&str> = uses.iter().map(|(key, _)| *key).collect();
            let mut known = known_keys(section);
            known.sort_unstable();
            assert_eq!(decided, known, "{section:?}");
        }
    }

    /// The rows of a section of the document: each key with its word.
    fn documented(heading: &str) -> BTreeMap<String, String> {
        let begin = format!("\n### {heading}\n");
        let (_, after) = DOCUMENT.split_once(&begin).unwrap_or_else(|| panic!("docs/compose.md has no {begin}"));
        let section = after.split("\n#").next().unwrap_or_default();
        let mut rows = BTreeMap::new();
        for line in section.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            for key in cells[1].split(',') {
                let old = rows.insert(key.trim().trim_matches('`').to_owned(), cells[2].to_owned());
                assert_eq!(old, None, "{heading}: {key} stands twice");
            }
        }
        rows
    }

    #[test]
    fn the_document_has_the_same_table() {
        for (heading, _, uses) in SECTIONS {
            let word = |used: &Use| match used {
                Run => "run",
                InContainers => "in containers",
                Noted(_) => "noted",
                Refused(_) => "refused",
            };
            let expected = uses.iter().map(|(key, used)| ((*key).to_owned(), word(used).to_owned())).collect();
            assert_eq!(documented(heading), expected, "{heading}");
        }
    }
}
