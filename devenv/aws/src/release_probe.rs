use std::time::Duration;

use bytes::Bytes;
use devenv_promotion::ReleaseProbe;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::http::{Http, Request};

const WITHIN: Duration = Duration::from_secs(10);

/// Asks over HTTP, as the release's clients do.
#[derive(Debug, Clone, Copy)]
pub struct HttpProbe;

impl ReleaseProbe for HttpProbe {
    fn image<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<String, String>> {
        async move {
            let url = format!("{url}/version");
            // A connection of its own for each question: a balancer may lead each to another task.
            let http = Http::to(&url, WITHIN);
            let request = Request { method: "GET", url: &url, headers: Vec::new(), body: Bytes::new() };
            let answer = http.send(request).await.map_err(|error| error.cause)?;
            let version: Value = serde_json::from_slice(&answer.body)
                .map_err(|error| format!("the answer ({}) cannot be read: {error}", answer.status))?;
            let image = &version["image"];
            Ok(image.as_str().map_or_else(|| image.to_string(), str::to_owned))
        }
        .boxed()
    }
}
