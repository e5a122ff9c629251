use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, Docker as Client};
use devenv_containers::engine::{About, ContainerEngine, ContainerEngines, EngineAbout, NoHost};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use tokio::sync::OnceCell;

use crate::engine::Engine;
use crate::place::{Place, Surroundings, places};
use crate::remedy::remedy;

/// A healthy engine answers within a millisecond; a hanging one must not block a command.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// The limit for every later request, in seconds; a stop may last a container's whole grace period.
const REQUEST_LIMIT: u64 = 300;
/// The API version of Docker Engine 20.10.
const OLDEST_API: (u32, u32) = (1, 41);

/// Finds this machine's engine once, and keeps it.
#[derive(Debug, Default)]
pub struct Docker {
    found: OnceCell<Arc<dyn ContainerEngine>>,
}

impl ContainerEngines for Docker {
    fn connect(&self) -> BoxFuture<'_, Result<Arc<dyn ContainerEngine>, NoHost>> {
        async { Ok(self.found.get_or_try_init(discover).await?.clone()) }.boxed()
    }
}

async fn discover() -> Result<Arc<dyn ContainerEngine>, NoHost> {
    let places = places(&Surroundings::read());
    let answers = join_all(places.iter().map(ask)).await;
    let mut tried = Vec::new();
    let mut refused = false;
    for (place, answer) in places.into_iter().zip(answers) {
        match answer {
            Ok(engine) => return Ok(Arc::new(engine)),
            Err(why) => {
                refused |= why.contains("Permission denied");
                tried.push((place.address, why));
            }
        }
    }
    Err(NoHost { tried, remedy: remedy(refused) })
}

async fn ask(place: &Place) -> Result<Engine, String> {
    let client = connect(&place.address)?;
    let asking = async {
        let client = client.negotiate_version().await?;
        let version = client.version().await?;
        Ok::<_, bollard::errors::Error>((client, version))
    };
    let (client, version) = match tokio::time::timeout(ANSWER_LIMIT, asking).await {
        Ok(answer) => answer.map_err(|error| reason(&error))?,
        Err(_) => return Err(format!("no answer within {} s", ANSWER_LIMIT.as_secs())),
    };
    let api = version.api_version.unwrap_or_default();
    if !is_recent(&api) {
        return Err(format!("it speaks API {api}; devenv needs {}.{} or later", OLDEST_API.0, OLDEST_API.1));
    }
    let components = version.components.unwrap_or_default();
    let podman = components.iter().any(|component| component.name.contains("Podman"));
    let host = About {
        name: format!("{} {}", if podman { "Podman" } else { "Docker Engine" }, version.version.unwrap_or_default()),
        address: place.address.clone(),
        chosen_by: place.chosen_by.clone(),
    };
    let about = EngineAbout {
        host,
        platform: format!("{}/{}", version.os.unwrap_or_default(), version.arch.unwrap_or_default()),
    };
    Ok(Engine::new(client, about))
}

fn connect(address: &str) -> Result<Client, String> {
    if address.starts_with("unix://") {
        return Client::connect_with_unix(address, REQUEST_LIMIT, API_DEFAULT_VERSION).map_err(|error| reason(&error));
    }
    if let Some(host) = address.strip_prefix("tcp://").or_else(|| address.strip_prefix("http://")) {
        // The engine publishes ports on its own loopback.
        if !is_loopback(host) {
            return Err("it is on another machine, where it would publish the ports".to_owned());
        }
        return Client::connect_with_http(address, REQUEST_LIMIT, API_DEFAULT_VERSION).map_err(|error| reason(&error));
    }
    if address.starts_with("context ") {
        return Err("this context does not exist or has no address".to_owned());
    }
    Err("devenv supports only unix://, and tcp:// on this machine".to_owned())
}

fn is_loopback(host: &str) -> bool {
    let url = url::Url::parse(&format!("http://{host}"));
    match url.ok().and_then(|url| url.host_str().map(str::to_owned)) {
        Some(name) if name == "localhost" => true,
        Some(name) => name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

fn is_recent(api: &str) -> bool {
    let (major, minor) = api.split_once('.').unwrap_or((api, "0"));
    match (major.parse::<u32>(), minor.parse::<u32>()) {
        (Ok(major), Ok(minor)) => (major, minor) >= OLDEST_API,
        _ => false,
    }
}

/// Returns the innermost cause; the outer errors report only a failed request.
fn reason(error: &bollard::errors::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_engine_and_one_elsewhere_are_not_taken() {
        assert!(is_recent("1.41") && is_recent("1.52") && is_recent("2.0"));
        assert!(!is_recent("1.40") && !is_recent("") && !is_recent("new"));
        assert!(is_loopback("127.0.0.1:2375") && is_loopback("localhost:2375") && is_loopback("[::1]:2375"));
        assert!(!is_loopback("10.0.0.1:2375") && !is_loopback("docker.example.com") && !is_loopback(""));
    }

    #[tokio::test]
    async fn a_place_where_nothing_answers_says_why() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let socket = folder.path().join("docker.sock");
        let place = |address: String| Place { address, chosen_by: "a test".to_owned() };
        let absent = ask(&place(format!("unix://{}", socket.display()))).await.expect_err("nothing is there");
        assert!(absent.contains("docker.sock"), "{absent}");
        drop(std::os::unix::net::UnixListener::bind(&socket).expect("free"));
        let dead = ask(&place(format!("unix://{}", socket.display()))).await.expect_err("nobody listens");
        assert!(dead.contains("refused"), "{dead}");
        let ssh = ask(&place("ssh://me@build".to_owned())).await.expect_err("not supported");
        assert!(ssh.contains("unix://"), "{ssh}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_engine_that_hangs_is_given_up() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let socket = folder.path().join("docker.sock");
        let _hangs = std::os::unix::net::UnixListener::bind(&socket).expect("free");
        let place = Place { address: format!("unix://{}", socket.display()), chosen_by: "a test".to_owned() };
        assert!(ask(&place).await.expect_err("it says nothing").contains("no answer"));
    }
}
