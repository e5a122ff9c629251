//! The rights of a service.

use devenv_document::problem::Problem;
use devenv_document::tree::Node;
use devenv_model::container::{Namespace, Namespaces, Security};
use devenv_model::manifest::Concerns;

use crate::compose_context::Context;
use crate::compose_reader::Reader;

impl Reader {
    pub(crate) fn security(&mut self, service: &Node, context: Context) -> Security {
        let own = |key: &str| service.get(key);
        let privileged = own("privileged").filter(|node| node.boolean() == Some(true));
        if let Some(node) = privileged {
            let text = format!("{} is privileged: its container has every right on this machine", context.service);
            self.notice(node, Concerns::Containers, &text);
        }
        Security {
            read_only: own("read_only").is_some_and(|node| self.boolean(node)),
            privileged: privileged.is_some(),
            cap_drop: self.texts(own("cap_drop")),
            cap_add: self.texts(own("cap_add")),
            security_opt: self.texts(own("security_opt")),
            groups: self.texts(own("group_add")),
            sysctls: self.pairs(own("sysctls"), false),
            namespaces: Namespaces {
                ipc: self.namespace(own("ipc"), "shared memory", &["none", "private", "shareable", "host"], context),
                pid: self.namespace(own("pid"), "processes", &["host"], context),
                uts: self.namespace(own("uts"), "host name", &["host"], context),
                cgroup: self.namespace(own("cgroup"), "control groups", &["private", "host"], context),
                user: self.namespace(own("userns_mode"), "users", &["host"], context),
            },
        }
    }

    fn namespace(&mut self, node: Option<&Node>, what: &str, known: &[&str], context: Context) -> Option<Namespace> {
        let node = node?;
        let written = self.text(node).filter(|written| !written.is_empty())?;
        if let Some(service) = written.strip_prefix("service:") {
            return Some(Namespace::Service(service.to_owned()));
        }
        if written.starts_with("container:") {
            let message = "devenv does not share a namespace of another project's container";
            let problem = Problem::at("compose.unsupported_value", node, message);
            self.problems.push(problem.help("name a service of this project: service:NAME"));
            return None;
        }
        if !known.contains(&written.as_str()) {
            self.choose(node, known, "a namespace here");
            return None;
        }
        if written == "host" {
            let text = format!("{} shares the {what} of this machine", context.service);
            self.notice(node, Concerns::Containers, &text);
        }
        Some(Namespace::Named(written))
    }
}
