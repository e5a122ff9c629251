use std::time::Duration;

use bytes::Bytes;
use devenv_promotion::ReleaseProbe;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::http::{Answer, Http, Request};

const WITHIN: Duration = Duration::from_secs(10);

/// Asks over HTTP, as the release's clients do.
#[derive(Debug, Clone, Copy)]
pub struct HttpProbe;

impl ReleaseProbe for HttpProbe {
    fn image<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<String, String>> {
        async move {
            let answer = get(&format!("{url}/version")).await?;
            let version: Value = serde_json::from_slice(&answer.body)
                .map_err(|error| format!("the answer ({}) cannot be read: {error}", answer.status))?;
            let image = &version["image"];
            Ok(image.as_str().map_or_else(|| image.to_string(), str::to_owned))
        }
        .boxed()
    }

    fn answers<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), String>> {
        async move {
            match get(url).await?.status {
                200..300 => Ok(()),
                status => Err(format!("it answered {status}")),
            }
        }
        .boxed()
    }
}

/// On a connection of its own for each question: a balancer may lead each to another task.
async fn get(url: &str) -> Result<Answer, String> {
    let http = Http::to(url, WITHIN);
    let request = Request { method: "GET", url, headers: Vec::new(), body: Bytes::new() };
    http.send(request).await.map_err(|error| error.cause)
}
