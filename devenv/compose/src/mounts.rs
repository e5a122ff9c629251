//! Ports, volumes, devices, secrets and configs of a service: their short forms as long ones.

use devenv_document::tree::Node;

use crate::canonical::Canonical;
use crate::keys::{DEVICE, FILE_MOUNT, MOUNT, PORT};
use crate::node::{Unique, list, mapping, set, set_default, text, word};
use crate::paths::{clean, resolve};

impl Canonical<'_> {
    pub(crate) fn ports(&mut self, node: &Node) -> Option<Node> {
        let mut unique = Unique::new();
        for item in self.items(node)? {
            let ports = if item.entries().is_some() { self.long_port(item) } else { self.short_ports(item) };
            for port in ports {
                unique.put(port_key(&port), port);
            }
        }
        Some(list(node, unique.into_values()))
    }

    fn long_port(&mut self, node: &Node) -> Vec<Node> {
        let Some(mut port) = self.object(node, PORT) else {
            return Vec::new();
        };
        if port.get("target").is_none() {
            self.report(node, "the port has no `target`");
            return Vec::new();
        }
        set_default(&mut port, "mode", |place| text(place, "ingress"));
        set_default(&mut port, "protocol", |place| text(place, "tcp"));
        vec![port]
    }

    fn short_ports(&mut self, node: &Node) -> Vec<Node> {
        let Some(written) = self.text(node) else {
            return Vec::new();
        };
        let short = match ShortPort::parse(&written) {
            Ok(short) => short,
            Err(why) => {
                self.report(node, format!("{written} is not a port: {why}"));
                return Vec::new();
            }
        };
        let (first, last) = short.target;
        let targets = usize::from(last - first) + 1;
        if !self.count_ports(node, targets) {
            return Vec::new();
        }
        let ports = (first..=last).map(|target| {
            let mut port = vec![("mode", text(node, "ingress"))];
            port.extend(short.host_ip.map(|host_ip| ("host_ip", text(node, host_ip))));
            port.push(("target", word(node, target.to_string())));
            port.extend(short.published(target).map(|published| ("published", text(node, published))));
            port.push(("protocol", text(node, short.protocol)));
            mapping(node, port)
        });
        ports.collect()
    }

    pub(crate) fn volumes(&mut self, node: &Node) -> Option<Node> {
        let mut unique = Unique::new();
        for item in self.items(node)? {
            let volume = if item.entries().is_some() { self.long_volume(item) } else { self.short_volume(item) };
            if let Some(volume) = volume {
                unique.put(target_of(&volume), volume);
            }
        }
        Some(list(node, unique.into_values()))
    }

    fn long_volume(&mut self, node: &Node) -> Option<Node> {
        let mut volume = self.object(node, MOUNT)?;
        let kind = volume.get("type").and_then(Node::text).map(str::to_owned);
        if kind.is_none() || volume.get("target").is_none() {
            self.report(node, "the volume has no `type` or no `target`");
            return None;
        }
        if let Some(target) = volume.get("target").cloned() {
            let path = clean(target.text().unwrap_or_default().into()).into_string();
            set(&mut volume, "target", text(&target, path));
        }
        if kind.as_deref() == Some("bind")
            && let Some(source) = volume.get("source").cloned()
        {
            let path = resolve(self.base, self.home, source.text().unwrap_or_default());
            set(&mut volume, "source", text(&source, path));
        }
        Some(volume)
    }

    /// Reads `TARGET` or `SOURCE:TARGET[:OPTION,...]`.
    fn short_volume(&mut self, node: &Node) -> Option<Node> {
        let written = self.text(node)?;
        let parts: Vec<&str> = written.split(':').collect();
        let (source, target, options) = match parts[..] {
            [target] => (None, target, ""),
            [source, target] => (Some(source), target, ""),
            [source, target, options] => (Some(source), target, options),
            _ => {
                self.report(node, format!("{written} is not a volume: it has more than two colons"));
                return None;
            }
        };
        if target.is_empty() || source == Some("") {
            self.report(node, format!("{written} is not a volume: a part is empty"));
            return None;
        }
        let is_path = source.is_some_and(|source| source.starts_with(['.', '/', '~']));
        let kind = if is_path { "bind" } else { "volume" };
        let mut volume = mapping(node, [("type", text(node, kind))]);
        if let Some(source) = source {
            let source = if is_path { resolve(self.base, self.home, source) } else { source.to_owned() };
            set(&mut volume, "source", text(node, source));
        }
        set(&mut volume, "target", text(node, clean(target.into()).into_string()));
        let mut special = mapping(node, Vec::<(&str, Node)>::new());
        // The plugin puts it here for every kind of volume.
        let mut bind = mapping(node, Vec::<(&str, Node)>::new());
        if is_path {
            set(&mut special, "create_host_path", word(node, "true"));
        }
        for option in options.split(',').filter(|option| !option.is_empty()) {
            match option {
                "ro" => set(&mut volume, "read_only", word(node, "true")),
                // The default, and the hints of other systems.
                "rw" | "cached" | "delegated" | "consistent" => {}
                "nocopy" => set(&mut special, "nocopy", word(node, "true")),
                "z" | "Z" => set(if is_path { &mut special } else { &mut bind }, "selinux", text(node, option)),
                "private" | "rprivate" | "shared" | "rshared" | "slave" | "rslave" => {
                    set(&mut special, "propagation", text(node, option));
                }
                _ => self.report(node, format!("{written} is not a volume: unknown option {option}")),
            }
        }
        set(&mut volume, kind, special);
        if bind.entries().is_some_and(|entries| !entries.is_empty()) {
            set(&mut volume, "bind", bind);
        }
        Some(volume)
    }

    pub(crate) fn devices(&mut self, node: &Node) -> Option<Node> {
        let mut unique = Unique::new();
        for item in self.items(node)? {
            let mut device = if item.entries().is_some() {
                let Some(device) = self.object(item, DEVICE) else { continue };
                device
            } else {
                let Some(written) = self.text(item) else { continue };
                let parts: Vec<&str> = written.split(':').collect();
                let keys = ["source", "target", "permissions"];
                mapping(item, keys.into_iter().zip(parts).map(|(key, part)| (key, text(item, part))))
            };
            let Some(source) = device.get("source").cloned() else {
                self.report(item, "the device has no `source`");
                continue;
            };
            set_default(&mut device, "target", |_| source);
            set_default(&mut device, "permissions", |place| text(place, "rwm"));
            unique.put(target_of(&device), device);
        }
        Some(list(node, unique.into_values()))
    }

    /// Reads secrets or configs of a service; without a `target` they are found in `folder` under their names.
    pub(crate) fn mounts(&mut self, node: &Node, folder: Option<&str>) -> Option<Node> {
        let mut unique = Unique::new();
        for item in self.items(node)? {
            let mount = if item.entries().is_some() {
                self.object(item, FILE_MOUNT)
            } else {
                self.text(item).map(|source| mapping(item, [("source", text(item, source))]))
            };
            let Some(mut mount) = mount else { continue };
            let Some(source) = mount.get("source").and_then(Node::text).map(str::to_owned) else {
                self.report(item, "there is no `source`");
                continue;
            };
            if let Some(folder) = folder {
                set_default(&mut mount, "target", |place| text(place, format!("{folder}/{source}")));
            }
            unique.put(target_of(&mount), mount);
        }
        Some(list(node, unique.into_values()))
    }
}

/// The key under which a later port replaces an earlier one.
pub(crate) fn port_key(port: &Node) -> String {
    let part = |key: &str, default| port.get(key).and_then(Node::text).unwrap_or(default).to_owned();
    let (host, published) = (part("host_ip", "0.0.0.0"), part("published", ""));
    format!("{host}:{published}:{}/{}", part("target", ""), part("protocol", "tcp"))
}

/// The key under which a later volume, device, secret or config replaces an earlier one.
pub(crate) fn target_of(mount: &Node) -> String {
    let part = |key: &str| mount.get(key).and_then(Node::text);
    part("target").map_or_else(|| format!("/{}", part("source").unwrap_or_default()), str::to_owned)
}

struct ShortPort<'a> {
    host_ip: Option<&'a str>,
    published: Option<(u16, u16)>,
    target: (u16, u16),
    protocol: &'a str,
}

impl<'a> ShortPort<'a> {
    /// Parses `[[HOST_IP:][PUBLISHED]:]TARGET[/PROTOCOL]`; ports may be ranges.
    fn parse(written: &'a str) -> Result<Self, &'static str> {
        let (address, protocol) = written.split_once('/').unwrap_or((written, "tcp"));
        if !matches!(protocol, "tcp" | "udp" | "sctp") {
            return Err("its protocol is not tcp, udp or sctp");
        }
        let (rest, target) = match address.rsplit_once(':') {
            Some((rest, target)) => (Some(rest), range(target)?),
            None => (None, range(address)?),
        };
        let (host, published) = match rest.map(|rest| rest.rsplit_once(':').map_or(("", rest), |pair| pair)) {
            None => ("", None),
            Some((host, "")) => (host, None),
            Some((host, published)) => (host, Some(range(published)?)),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if !host.is_empty() && host.parse::<std::net::IpAddr>().is_err() {
            return Err("its host is not an IP address");
        }
        let length = |(first, last): (u16, u16)| last - first;
        if published.is_some_and(|published| length(published) != length(target) && length(target) > 0) {
            return Err("its ranges have different lengths");
        }
        let host_ip = Some(host).filter(|host| !host.is_empty());
        Ok(Self { host_ip, published, target, protocol })
    }

    /// The port or ports of the host for one port of the container.
    fn published(&self, target: u16) -> Option<String> {
        let (first, last) = self.published?;
        Some(match (first == last, self.target.0 == self.target.1) {
            (false, true) => format!("{first}-{last}"),
            _ => (first + (target - self.target.0)).to_string(),
        })
    }
}

fn range(text: &str) -> Result<(u16, u16), &'static str> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let number =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u16>().ok()).flatten();
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first > 0 && first <= last => Ok((first, last)),
        (Some(_), Some(_)) => Err("a range begins with its smaller port, and no port is 0"),
        _ => Err("a port is a number from 1 to 65535"),
    }
}
