//! The addresses where an engine may listen, in order of preference.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use devenv_model::names::hexadecimal;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// An address, and the setting it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The engine's URL, such as `unix:///var/run/docker.sock`.
    pub(crate) address: String,
    pub(crate) chosen_by: String,
}

impl Place {
    fn new(address: impl Into<String>, chosen_by: impl Into<String>) -> Self {
        Self { address: address.into(), chosen_by: chosen_by.into() }
    }
}

/// The environment variables and folders that decide the places.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surroundings {
    pub(crate) docker_host: Option<String>,
    pub(crate) docker_context: Option<String>,
    /// The folder from `DOCKER_CONFIG`, else `~/.docker`.
    pub(crate) docker_config: PathBuf,
    pub(crate) home: PathBuf,
    /// The folder from `XDG_RUNTIME_DIR`.
    pub(crate) runtime_dir: Option<PathBuf>,
}

impl Surroundings {
    pub(crate) fn read() -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let home = PathBuf::from(set("HOME").unwrap_or_default());
        Self {
            docker_host: set("DOCKER_HOST"),
            docker_context: set("DOCKER_CONTEXT"),
            docker_config: set("DOCKER_CONFIG").map_or_else(|| home.join(".docker"), PathBuf::from),
            runtime_dir: set("XDG_RUNTIME_DIR").map(PathBuf::from),
            home,
        }
    }
}

/// Returns the places to try. A place that the user chose excludes all others: another engine lacks the user's images.
pub(crate) fn places(surroundings: &Surroundings) -> Vec<Place> {
    if let Some(host) = &surroundings.docker_host {
        return vec![Place::new(host, "DOCKER_HOST")];
    }
    if let Some(name) = current_context(surroundings) {
        return match context_address(&surroundings.docker_config, &name) {
            Some(address) => vec![Place::new(address, format!("the context {name}"))],
            None => vec![Place::new(format!("context {name}"), format!("the context {name}"))],
        };
    }
    usual(surroundings)
}

#[derive(Default, Deserialize)]
struct Config {
    #[serde(rename = "currentContext")]
    current_context: Option<String>,
}

/// Returns the current context; `None` for the default context, which means the usual sockets.
fn current_context(surroundings: &Surroundings) -> Option<String> {
    let configured = || {
        let text = std::fs::read_to_string(surroundings.docker_config.join("config.json")).ok()?;
        serde_json::from_str::<Config>(&text).ok()?.current_context
    };
    surroundings.docker_context.clone().or_else(configured).filter(|name| !name.is_empty() && name != "default")
}

#[derive(Deserialize)]
struct Context {
    #[serde(rename = "Endpoints")]
    endpoints: BTreeMap<String, Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(rename = "Host")]
    host: String,
}

/// Returns a context's address. The context's folder is named after the digest of its name.
fn context_address(config: &Path, name: &str) -> Option<String> {
    let digest = hexadecimal(&Sha256::digest(name));
    let text = std::fs::read_to_string(config.join("contexts/meta").join(digest).join("meta.json")).ok()?;
    let context: Context = serde_json::from_str(&text).ok()?;
    Some(context.endpoints.get("docker")?.host.clone())
}

/// Returns the existing sockets among the engines' default paths.
fn usual(surroundings: &Surroundings) -> Vec<Place> {
    let home = &surroundings.home;
    let mut sockets = vec![
        (PathBuf::from("/var/run/docker.sock"), "Docker"),
        (home.join(".docker/run/docker.sock"), "Docker Desktop"),
        (home.join(".docker/desktop/docker.sock"), "Docker Desktop"),
        (home.join(".orbstack/run/docker.sock"), "OrbStack"),
        (home.join(".colima/default/docker.sock"), "Colima"),
        (home.join(".config/colima/default/docker.sock"), "Colima"),
        (home.join(".rd/docker.sock"), "Rancher Desktop"),
    ];
    if let Some(runtime) = &surroundings.runtime_dir {
        sockets.push((runtime.join("docker.sock"), "rootless Docker"));
        sockets.push((runtime.join("podman/podman.sock"), "rootless Podman"));
    }
    sockets.push((home.join(".local/share/containers/podman/machine/podman.sock"), "Podman machine"));
    sockets.push((PathBuf::from("/run/podman/podman.sock"), "Podman"));
    let there = sockets.into_iter().filter(|(path, _)| path.exists());
    there
        .map(|(path, maker)| Place::new(format!("unix://{}", path.display()), format!("the socket of {maker}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings(home: &Path) -> Surroundings {
        Surroundings {
            docker_config: home.join(".docker"),
            home: home.to_owned(),
            runtime_dir: Some(home.join("run")),
            ..Surroundings::default()
        }
    }

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().expect("not the root")).expect("writable");
        std::fs::write(path, text).expect("writable");
    }

    fn context(home: &Path, name: &str, host: &str) {
        let digest = hexadecimal(&Sha256::digest(name));
        let text = format!(r#"{{"Name":"{name}","Endpoints":{{"docker":{{"Host":"{host}"}}}}}}"#);
        write(&home.join(".docker/contexts/meta").join(digest).join("meta.json"), &text);
    }

    #[test]
    fn docker_host_is_the_only_place_when_it_is_set() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mut surroundings = surroundings(folder.path());
        surroundings.docker_host = Some("unix:///elsewhere.sock".to_owned());
        surroundings.docker_context = Some("colima".to_owned());
        assert_eq!(places(&surroundings), [Place::new("unix:///elsewhere.sock", "DOCKER_HOST")]);
    }

    #[test]
    fn the_current_context_is_read_from_where_it_is_kept() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let home = folder.path();
        context(home, "colima", "unix:///colima.sock");
        context(home, "other", "unix:///other.sock");
        write(&home.join(".docker/config.json"), r#"{"auths":{},"currentContext":"colima"}"#);
        let mut surroundings = surroundings(home);
        assert_eq!(places(&surroundings), [Place::new("unix:///colima.sock", "the context colima")]);
        surroundings.docker_context = Some("other".to_owned());
        assert_eq!(places(&surroundings)[0].address, "unix:///other.sock");
        surroundings.docker_context = Some("gone".to_owned());
        assert_eq!(places(&surroundings)[0].address, "context gone");
    }

    #[test]
    fn the_default_context_means_the_usual_sockets_that_are_there() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let home = folder.path();
        write(&home.join(".docker/config.json"), r#"{"currentContext":"default"}"#);
        write(&home.join(".colima/default/docker.sock"), "");
        write(&home.join("run/podman/podman.sock"), "");
        let found = places(&surroundings(home));
        let ours: Vec<&str> =
            found.iter().map(|place| place.chosen_by.as_str()).filter(|by| !by.ends_with(" Docker")).collect();
        assert!(ours.starts_with(&["the socket of Colima", "the socket of rootless Podman"]), "{found:?}");
    }
}
