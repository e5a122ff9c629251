//! The Compose service that the emulator replaces.

use devenv_compose::load::Project;
use devenv_document::closest::closest;
use devenv_document::problem::Problem;
use devenv_document::tree::Node;
use devenv_model::manifest::{Port, Replaced};
use devenv_model::transport::Protocol;

use crate::compose_reader::Reader;
use crate::compose_values::ports;
use crate::settings::Settings;

/// Returns the service that `[emulator] replaces` names, with its first port. Other keys of it have no effect. `None` without
/// the key, and for a service that no enabled profile has.
pub(crate) fn replaced(settings: &Settings, project: &Project, problems: &mut Vec<Problem>) -> Option<Replaced> {
    let named = settings.emulator().replaces.as_ref()?;
    let name = named.get_ref();
    let services = project.model.get("services").and_then(Node::entries).unwrap_or_default();
    let Some(entry) = services.iter().find(|entry| entry.key == *name) else {
        if !project.disabled.contains_key(name) {
            let names = services.iter().map(|entry| entry.key.as_str());
            let help = closest(name, names.clone()).map_or_else(
                || format!("its services are {}", names.collect::<Vec<_>>().join(", ")),
                |meant| format!("did you mean {meant}?"),
            );
            let message = format!("the Compose file has no service {name}");
            problems.push(settings.problem("manifest.unknown_service", named.span(), message).help(help));
        }
        return None;
    };
    if let Some(section) = settings.content.services.keys().find(|section| section.get_ref() == name) {
        let message = format!("{name} is replaced by the emulator, so its settings have no effect");
        problems.push(settings.problem("manifest.replaced", section.span(), message).help("remove this section"));
    }
    // Its mistakes do not matter: it is not started.
    let published = Reader::default().ports(entry.value.get("ports")).into_iter().next().map(|(port, _)| port);
    Some(Replaced { service: name.clone(), port: published.or_else(|| exposed(&entry.value)) })
}

/// The first port of `expose`, reachable by other services only.
fn exposed(service: &Node) -> Option<Port> {
    let first = service.get("expose")?.items()?.first()?;
    let (range, _) = first.text()?.split_once('/').unwrap_or((first.text()?, "tcp"));
    let (container, _) = ports(range).ok()?;
    let host_ip = std::net::Ipv4Addr::LOCALHOST.into();
    Some(Port { container, protocol: Protocol::Tcp, published: None, published_to: None, host_ip })
}
