//! The parts of a service that Compose allows in several forms.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use devenv_model::manifest::{Condition, Dependency, HealthTest, Healthcheck, Port};
use devenv_model::transport::Protocol;

use crate::compose::Place;
use crate::compose_keys::PORT;
use crate::compose_reader::Reader;
use crate::compose_values::{duration, ports};
use crate::endpoint::turns_local_off;
use devenv_document::closest::closest;
use devenv_document::problem::Problem;
use devenv_document::tree::{Entry, Node};

/// More do not fit on one machine.
const REPLICA_LIMIT: u32 = 100;
/// Compose's defaults.
const HEALTH_INTERVAL: Duration = Duration::from_secs(30);
const HEALTH_RETRIES: u32 = 3;
const START_INTERVAL: Duration = Duration::from_secs(5);
/// As a process, a service has a port of this machine for each.
const EXPOSED_LIMIT: u16 = 100;
const RESTARTS: [&str; 4] = ["no", "always", "on-failure", "unless-stopped"];

impl Reader {
    pub(crate) fn command(&mut self, node: &Node) -> Option<Vec<String>> {
        node.items().map(|_| self.texts(Some(node)))
    }

    /// Reads names with values. With `variables`, none may lead to AWS.
    pub(crate) fn pairs(&mut self, node: Option<&Node>, variables: bool) -> BTreeMap<String, String> {
        let mut pairs = BTreeMap::new();
        let Some(node) = node else {
            return pairs;
        };
        let mut insert = |reader: &mut Self, node: &Node, name: String, value: Option<String>| {
            if name.is_empty() || name.contains(['=', '\0']) || value.as_ref().is_some_and(|value| value.contains('\0'))
            {
                reader.report(
                    "compose.value",
                    node,
                    "invalid name or value: a name is not empty and has no `=`; neither contains a zero byte",
                );
            } else if variables && value.as_ref().is_some_and(|value| turns_local_off(&name, value)) {
                let message = format!("{name} could lead to real AWS, which no local command may reach");
                let problem = Problem::at("compose.endpoint", node, message);
                reader.problems.push(problem.help("remove it"));
            } else {
                pairs.extend(value.map(|value| (name, value)));
            }
        };
        for entry in node.entries().unwrap_or_default() {
            // A variable that the caller does not have is left out.
            let value = entry.value.text().filter(|_| !entry.value.is_null()).map(str::to_owned);
            insert(self, &entry.value, entry.key.clone(), value);
        }
        pairs
    }

    pub(crate) fn ports(&mut self, node: Option<&Node>) -> Vec<(Port, Place)> {
        let items = node.map(|node| self.list(node)).unwrap_or_default();
        items.iter().filter_map(|item| Some((self.port(item)?, Place::of(item)))).collect()
    }

    fn port(&mut self, node: &Node) -> Option<Port> {
        let entries = self.mapping(node)?;
        // The model writes a default mode.
        let entries: Vec<Entry> = entries.iter().filter(|entry| !is_default_mode(entry)).cloned().collect();
        self.use_keys(&entries, PORT);
        let Some(target) = node.get("target") else {
            self.report("compose.value", node, "the port has no `target`");
            return None;
        };
        let (container, _) = self.parsed(target, ports)?;
        let protocol = match node.get("protocol") {
            Some(protocol) => self.parsed(protocol, crate::compose_values::protocol)?,
            None => Protocol::Tcp,
        };
        let published = match node.get("published") {
            Some(published) if published.text() != Some("") => Some(self.parsed(published, ports)?),
            _ => None,
        };
        let (published, published_to) = published.unzip();
        let host_ip = match node.get("host_ip") {
            Some(host) => self.parsed(host, |text| {
                let address = text.trim_matches(['[', ']']).parse();
                address.map_err(|_| format!("{text} is not a port: its host is not an IP address"))
            })?,
            None => IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        Some(Port { container, protocol, published, published_to, host_ip })
    }

    /// Reads the number of units: `scale` or `deploy.replicas`, which are equal where both are given.
    pub(crate) fn replicas(&mut self, scale: Option<&Node>, deploy: Option<&Node>) -> u32 {
        let Some(node) = scale.or_else(|| deploy?.get("replicas")) else { return 1 };
        let replicas = self.number(node).unwrap_or(1);
        if replicas > REPLICA_LIMIT {
            self.report("compose.value", node, format!("devenv runs at most {REPLICA_LIMIT} replicas of a service"));
        }
        replicas.min(REPLICA_LIMIT)
    }

    /// Reads the ports that only other services reach. Those of UDP need nothing.
    pub(crate) fn expose(&mut self, node: Option<&Node>) -> Vec<u16> {
        let items = node.map(|node| self.list(node)).unwrap_or_default();
        let mut exposed = Vec::new();
        for item in items {
            let range = self.parsed(item, |text| {
                let (range, name) = text.split_once('/').unwrap_or((text, "tcp"));
                Ok((ports(range)?, crate::compose_values::protocol(name)?))
            });
            let Some(((first, last), protocol)) = range else { continue };
            if last - first >= EXPOSED_LIMIT {
                self.report("compose.value", item, format!("a range has at most {EXPOSED_LIMIT} ports"));
            } else if protocol == Protocol::Tcp {
                exposed.extend(first..=last);
            }
        }
        exposed
    }

    pub(crate) fn depends_on(&mut self, node: Option<&Node>) -> BTreeMap<String, (Dependency, Place)> {
        let mut dependencies = BTreeMap::new();
        for entry in node.and_then(Node::entries).unwrap_or_default() {
            let restart = entry.value.get("restart").is_some_and(|node| self.boolean(node));
            let dependency = Dependency { condition: self.condition(&entry.value), restart };
            dependencies.insert(entry.key.clone(), (dependency, Place::of_key(entry)));
        }
        dependencies
    }

    fn condition(&mut self, node: &Node) -> Condition {
        const CONDITIONS: [(&str, Condition); 3] = [
            ("service_started", Condition::ServiceStarted),
            ("service_healthy", Condition::ServiceHealthy),
            ("service_completed_successfully", Condition::ServiceCompletedSuccessfully),
        ];
        if let Some(entries) = self.mapping(node) {
            self.known_keys(entries, &["condition", "required", "restart"]);
        }
        let Some(condition) = node.get("condition") else {
            return Condition::ServiceStarted;
        };
        let text = condition.text().unwrap_or_default();
        if let Some((_, known)) = CONDITIONS.iter().find(|(name, _)| *name == text) {
            return *known;
        }
        self.choose(condition, &CONDITIONS.map(|(name, _)| name), "a condition");
        Condition::ServiceStarted
    }

    /// Reads `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:TIMES`.
    pub(crate) fn restart(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node)?;
        let policy = match text.split_once(':') {
            Some((policy @ "on-failure", times)) if times.parse::<u32>().is_ok() => policy,
            _ => text.as_str(),
        };
        if RESTARTS.contains(&policy) {
            return Some(text);
        }
        self.choose(node, &RESTARTS, "a restart policy");
        None
    }

    /// Reports a value that is not in `known`.
    pub(crate) fn choose(&mut self, node: &Node, known: &[&str], what: &str) {
        let text = node.text().unwrap_or_default();
        let help = closest(text, known.iter().copied())
            .map_or_else(|| format!("use one of {}", known.join(", ")), |name| format!("did you mean {name}?"));
        let message = format!("{text} is not {what}");
        self.problems.push(Problem::at("compose.value", node, message).help(help));
    }

    pub(crate) fn healthcheck(&mut self, node: &Node) -> Option<Healthcheck> {
        let entries = self.mapping(node)?;
        let known = ["test", "interval", "timeout", "retries", "start_period", "start_interval", "disable"];
        self.known_keys(entries, &known);
        // Zero is the default, as container engines have it.
        let mut time = |key: &str, default| {
            let given = node.get(key).and_then(|node| self.parsed(node, duration));
            given.filter(|time| !time.is_zero()).unwrap_or(default)
        };
        let (interval, timeout) = (time("interval", HEALTH_INTERVAL), time("timeout", HEALTH_INTERVAL));
        let (start_period, start_interval) =
            (time("start_period", Duration::ZERO), time("start_interval", START_INTERVAL));
        let disabled = node.get("disable").is_some_and(|node| self.boolean(node));
        let test = if disabled { HealthTest::Disabled } else { self.health_test(node)? };
        let retries = node.get("retries").and_then(|node| self.number(node));
        let retries = retries.filter(|times| *times > 0).unwrap_or(HEALTH_RETRIES);
        Some(Healthcheck { test, interval, timeout, retries, start_period, start_interval })
    }

    fn health_test(&mut self, node: &Node) -> Option<HealthTest> {
        let Some(test) = node.get("test") else {
            self.report("compose.value", node, "the healthcheck has no `test`");
            return None;
        };
        if test.items().is_none() {
            return self.text(test).map(HealthTest::Shell);
        }
        let words = self.texts(Some(test));
        match words.split_first().map(|(first, rest)| (first.as_str(), rest)) {
            Some(("NONE", [])) => Some(HealthTest::Disabled),
            Some(("CMD", command)) if !command.is_empty() => Some(HealthTest::Command(command.to_vec())),
            Some(("CMD-SHELL", [line])) => Some(HealthTest::Shell(line.clone())),
            _ => {
                self.report("compose.value", test, "a test list begins with CMD, CMD-SHELL or NONE");
                None
            }
        }
    }
}
/// The mode of a port that Compose writes where nobody chose one.
fn is_default_mode(entry: &Entry) -> bool {
    entry.key == "mode" && entry.value.text() == Some("ingress")
}
