//! The limits of a service, and the devices it may use.

use devenv_document::tree::Node;
use devenv_model::container::{Cpu, Device, DeviceRequest, OutOfMemory, Resources, Ulimit};
use devenv_model::manifest::Concerns;

use crate::compose_keys::DEPLOY;
use crate::compose_reader::Reader;
use crate::compose_values::{bytes, processors};

impl Reader {
    pub(crate) fn resources(&mut self, service: &Node) -> Resources {
        let deploy = service.get("deploy");
        if let Some(entries) = deploy.and_then(Node::entries) {
            self.use_keys(entries, DEPLOY);
        }
        let deployed = deploy.and_then(|node| node.get("resources"));
        let limit = |key: &str| deployed.and_then(|node| node.get("limits")?.get(key));
        let reserved = |key: &str| deployed.and_then(|node| node.get("reservations")?.get(key));
        let reservations = deployed.and_then(|node| node.get("reservations")?.entries());
        for entry in reservations.unwrap_or_default() {
            if matches!(entry.key.as_str(), "cpus" | "generic_resources") {
                let text = format!("`reservations.{}` has no effect: it applies to swarms only", entry.key);
                self.notice_at(&entry.key_file, entry.key_span.start, Concerns::All, &text);
            }
        }
        let own = |key: &str| service.get(key);
        let mut size = |node: Option<&Node>| node.and_then(|node| self.parsed(node, bytes));
        let memory = size(own("mem_limit").or(limit("memory")));
        let memory_reservation = size(own("mem_reservation").or(reserved("memory")));
        let shared_memory = size(own("shm_size"));
        Resources {
            memory,
            memory_reservation,
            memory_swap: self.maybe_number(own("memswap_limit")),
            swappiness: self.maybe_number(own("mem_swappiness")),
            out_of_memory: OutOfMemory {
                kill_disabled: own("oom_kill_disable").is_some_and(|node| self.boolean(node)),
                score_adjustment: self.maybe_number(own("oom_score_adj")),
            },
            shared_memory,
            pids: self.maybe_number(own("pids_limit").or(limit("pids"))),
            cpu: self.cpu(service, limit("cpus")),
            ulimits: self.ulimits(own("ulimits")),
            devices: self.devices(own("devices")),
            device_requests: self.device_requests(own("gpus").or(reserved("devices")), own("gpus").is_some()),
            device_cgroup_rules: self.texts(own("device_cgroup_rules")),
            cgroup_parent: own("cgroup_parent").and_then(|node| self.text(node)),
            storage: self.pairs(own("storage_opt"), false),
        }
    }

    pub(crate) fn maybe_number(&mut self, node: Option<&Node>) -> Option<i64> {
        node.and_then(|node| self.number(node))
    }

    fn cpu(&mut self, service: &Node, deployed: Option<&Node>) -> Cpu {
        let own = |key: &str| service.get(key);
        Cpu {
            nano: own("cpus").or(deployed).and_then(|node| self.parsed(node, processors)),
            count: self.maybe_number(own("cpu_count")),
            percent: self.maybe_number(own("cpu_percent")),
            shares: self.maybe_number(own("cpu_shares")),
            period: self.maybe_number(own("cpu_period")),
            quota: self.maybe_number(own("cpu_quota")),
            realtime_period: self.maybe_number(own("cpu_rt_period")),
            realtime_runtime: self.maybe_number(own("cpu_rt_runtime")),
            set: own("cpuset").and_then(|node| self.text(node)),
        }
    }

    fn ulimits(&mut self, node: Option<&Node>) -> Vec<Ulimit> {
        let mut read = Vec::new();
        for entry in node.and_then(Node::entries).unwrap_or_default() {
            let one = Some(&entry.value);
            let is_pair = entry.value.entries().is_some();
            let (soft, hard) = if is_pair { (entry.value.get("soft"), entry.value.get("hard")) } else { (one, one) };
            if let (Some(soft), Some(hard)) = (self.maybe_number(soft), self.maybe_number(hard)) {
                read.push(Ulimit { name: entry.key.clone(), soft, hard });
            } else if is_pair {
                self.report("compose.value", &entry.value, "a limit has `soft` and `hard`");
            }
        }
        read
    }

    fn devices(&mut self, node: Option<&Node>) -> Vec<Device> {
        let items = node.map(|node| self.list(node)).unwrap_or_default();
        let mut read = Vec::new();
        for item in items {
            let mut part = |key: &str| item.get(key).and_then(|node| self.text(node));
            if let (Some(source), Some(target), Some(permissions)) =
                (part("source"), part("target"), part("permissions"))
            {
                read.push(Device { source, target, permissions });
            }
        }
        read
    }

    /// Reads `gpus`, whose devices are all GPUs, or the reserved devices of `deploy`.
    fn device_requests(&mut self, node: Option<&Node>, are_gpus: bool) -> Vec<DeviceRequest> {
        let items = node.map(|node| self.list(node)).unwrap_or_default();
        let mut read = Vec::new();
        for item in items {
            let mut capabilities = self.texts(item.get("capabilities"));
            if are_gpus && !capabilities.iter().any(|capability| capability == "gpu") {
                capabilities.push("gpu".to_owned());
            }
            let ids = self.texts(item.get("device_ids"));
            let count = self.maybe_number(item.get("count"));
            read.push(DeviceRequest {
                driver: item.get("driver").and_then(|node| self.text(node)),
                // As Compose has it: without a choice, all of them.
                count: count.or(ids.is_empty().then_some(-1)),
                ids,
                capabilities,
                options: self.pairs(item.get("options"), false),
            });
        }
        read
    }
}
