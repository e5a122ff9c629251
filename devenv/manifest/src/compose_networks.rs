//! The networks of a service.

use std::collections::{BTreeMap, BTreeSet};

use devenv_document::problem::Problem;
use devenv_document::tree::{Entry, Node};
use devenv_model::container::{AddressPool, Attachment, Dns, Network, NetworkMode, Networking, Subnet};
use devenv_model::manifest::{Concerns, Service};

use crate::compose_context::Context;
use crate::compose_keys::{NETWORK, SERVICE_NETWORK};
use crate::compose_reader::Reader;

/// The keys that a container with another one's network cannot have.
const OWN_NETWORK: [&str; 9] =
    ["ports", "hostname", "domainname", "dns", "dns_opt", "dns_search", "extra_hosts", "links", "mac_address"];

impl Reader {
    pub(crate) fn networking(&mut self, service: &Node, context: Context) -> Networking {
        let mode = match service.get("network_mode") {
            Some(mode) => self.network_mode(mode, service),
            None => NetworkMode::Joined(self.attachments(service, context)),
        };
        self.notice_internal(service, &mode, context);
        let list = |reader: &mut Self, key: &str| reader.texts_or_one(service.get(key));
        let dns = Dns { servers: list(self, "dns"), options: list(self, "dns_opt"), search: list(self, "dns_search") };
        // The model has `HOST=ADDRESS`.
        let hosts = list(self, "extra_hosts").into_iter().map(|host| host.replacen('=', ":", 1)).collect();
        Networking { mode, dns, extra_hosts: hosts }
    }

    fn network_mode(&mut self, node: &Node, service: &Node) -> NetworkMode {
        let written = self.text(node).unwrap_or_default();
        let (mode, owner) = match written.split_once(':') {
            Some(("service", other)) => (NetworkMode::Service(other.to_owned()), other),
            _ if written == "none" => (NetworkMode::None, "no network"),
            _ => {
                let (why, help) = refusal(&written);
                self.problems.push(Problem::at("compose.unsupported_value", node, why).help(help));
                return NetworkMode::None;
            }
        };
        let own = service.entries().unwrap_or_default().iter().find(|entry| is_own(entry, &mode));
        if let Some(own) = own {
            let message = format!("a service with `network_mode: {written}` has no `{}` of its own", own.key);
            let help = match &mode {
                NetworkMode::Service(_) => format!("move it to {owner}"),
                _ => "remove it, or remove `network_mode`".to_owned(),
            };
            let problem = Problem::new("compose.unsupported_value", &own.key_file, own.key_span.clone(), message);
            self.problems.push(problem.help(help));
        }
        mode
    }

    fn attachments(&mut self, service: &Node, context: Context) -> Vec<Attachment> {
        let entries = service.get("networks").and_then(Node::entries).unwrap_or_default();
        let mut read: Vec<(i64, Attachment)> = Vec::new();
        for entry in entries {
            let priority = entry.value.get("priority").and_then(|node| self.number(node)).unwrap_or(0);
            read.push((priority, self.attachment(entry, context)));
        }
        if let Some(address) = service.get("mac_address").and_then(|node| self.text(node))
            && let Some((_, first)) = read.first_mut()
        {
            first.mac_address.get_or_insert(address);
        }
        // As Compose has it: the greatest priority first, then by name.
        read.sort_by(|one, other| (other.0, &one.1.network.key).cmp(&(one.0, &other.1.network.key)));
        if read.is_empty() { vec![Attachment::default()] } else { read.into_iter().map(|(_, read)| read).collect() }
    }

    fn attachment(&mut self, entry: &Entry, context: Context) -> Attachment {
        let node = &entry.value;
        self.use_keys(node.entries().unwrap_or_default(), SERVICE_NETWORK);
        let mut text = |key: &str| node.get(key).and_then(|node| self.text(node));
        let (ipv4_address, ipv6_address, mac_address) =
            (text("ipv4_address"), text("ipv6_address"), text("mac_address"));
        Attachment {
            network: self.network(&entry.key, context),
            aliases: self.texts(node.get("aliases")),
            ipv4_address,
            ipv6_address,
            link_local_addresses: self.texts(node.get("link_local_ips")),
            mac_address,
            driver_options: self.pairs(node.get("driver_opts"), false),
            gateway_priority: node.get("gw_priority").and_then(|node| self.number(node)),
        }
    }

    fn network(&mut self, key: &str, context: Context) -> Network {
        let Some(node) = context.described("networks", key) else {
            return Network { key: key.to_owned(), ..Network::default() };
        };
        self.use_keys(node.entries().unwrap_or_default(), NETWORK);
        if let Some(driver) = node.get("driver")
            && !matches!(driver.text(), Some("" | "bridge" | "default"))
        {
            let message = format!("devenv does not support the network driver {}", driver.text().unwrap_or_default());
            let problem = Problem::at("compose.unsupported_value", driver, message);
            self.problems.push(problem.help("use bridge, or make the network yourself and mark it `external: true`"));
        }
        let mut flag = |key: &str| node.get(key).map(|node| self.boolean(node));
        let (external, internal, attachable) = (flag("external"), flag("internal"), flag("attachable"));
        let (ipv4, ipv6) = (flag("enable_ipv4"), flag("enable_ipv6"));
        let network = Network {
            key: key.to_owned(),
            name: context.chosen_name(key, node),
            external: external.unwrap_or_default(),
            internal: internal.unwrap_or_default(),
            attachable: attachable.unwrap_or_default(),
            ipv4,
            ipv6,
            driver_options: self.pairs(node.get("driver_opts"), false),
            addresses: node.get("ipam").map(|node| self.addresses(node)).unwrap_or_default(),
            labels: self.pairs(node.get("labels"), false),
        };
        // The default network, unless the file describes it, is the environment's own.
        let is_own = key == "default" && network.name.is_none() && network.is_plain();
        if is_own { Network::default() } else { network }
    }

    fn addresses(&mut self, node: &Node) -> AddressPool {
        if let Some(driver) = node.get("driver")
            && driver.text() != Some("default")
        {
            let problem = Problem::at("compose.unsupported_value", driver, "devenv supports the default driver only");
            self.problems.push(problem.help("remove it"));
        }
        let mut subnets = Vec::new();
        for subnet in node.get("config").and_then(Node::items).unwrap_or_default() {
            let mut text = |key: &str| subnet.get(key).and_then(|node| self.text(node));
            let (range, gateway) = (text("ip_range"), text("gateway"));
            let network = text("subnet");
            let auxiliary_addresses = self.pairs(subnet.get("aux_addresses"), false);
            subnets.push(Subnet { subnet: network, ip_range: range, gateway, auxiliary_addresses });
        }
        AddressPool { subnets, options: self.pairs(node.get("options"), false) }
    }

    /// An engine publishes no port of a container that is on internal networks only.
    fn notice_internal(&mut self, service: &Node, mode: &NetworkMode, context: Context) {
        if let Some(ports) = service.get("ports")
            && let NetworkMode::Joined(attachments) = mode
            && !attachments.is_empty()
            && attachments.iter().all(|attachment| attachment.network.internal)
        {
            let text = format!("the networks of {} are internal, so the engine publishes no port", context.service);
            self.notice(ports, Concerns::Containers, &text);
        }
    }
}

fn is_own(entry: &Entry, mode: &NetworkMode) -> bool {
    match mode {
        NetworkMode::Service(_) => OWN_NETWORK.contains(&entry.key.as_str()),
        _ => matches!(entry.key.as_str(), "ports" | "links" | "mac_address"),
    }
}

fn refusal(mode: &str) -> (String, &'static str) {
    match mode {
        "host" => (
            "a container with this machine's network could listen beyond loopback, and reaches no service by its name"
                .to_owned(),
            "publish its ports under `ports`; reach this machine as host.docker.internal with \
             `extra_hosts: [\"host.docker.internal:host-gateway\"]`",
        ),
        "bridge" => (
            "on the engine's default network a service reaches no other by its name".to_owned(),
            "remove it: the project has a network of its own",
        ),
        other if other.starts_with("container:") => (
            "devenv does not share the network of another project's container".to_owned(),
            "put both containers on an external network, under `networks`",
        ),
        other => {
            (format!("{other} is not a network mode"), "use none or service:NAME, or name networks under `networks`")
        }
    }
}

/// Gives each service the names by which others link to it, and drops what a service without a network of its own cannot have.
pub(crate) fn finish_networks<'a>(entries: &[&Entry], services: impl Iterator<Item = &'a mut Service>) {
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in entries {
        for link in entry.value.get("links").and_then(Node::items).unwrap_or_default() {
            let written = link.text().unwrap_or_default();
            let (service, alias) = written.split_once(':').unwrap_or((written, written));
            if alias != service {
                names.entry(service.to_owned()).or_default().insert(alias.to_owned());
            }
        }
    }
    for service in services {
        match &mut service.container.networking.mode {
            NetworkMode::Joined(attachments) => {
                let names = names.get(&service.name).into_iter().flatten();
                for name in names {
                    for attachment in attachments.iter_mut() {
                        attachment.aliases.push(name.clone());
                    }
                }
            }
            NetworkMode::None | NetworkMode::Service(_) => service.expose.clear(),
        }
    }
}
