//! The requests of the init in a unit's container, at the unit's Runtime API: `GET INSTANCE` waits for an order, and
//! `POST INSTANCE/output` brings what the program has written.

use devenv_http_server::body;
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};

use crate::http::{self, Answer, bytes, empty};
use crate::seat::{OUTPUT_LIMIT, Seat};

/// The instance of the program follows: an id of its own for each start.
pub(crate) const INIT_PATH: &str = "/devenv/init/";
/// The header with the bytes of memory of the program's processes.
pub(crate) const MEMORY: &str = "devenv-memory";

/// Answers 200 if the instance must end, 204 to ask again.
pub(super) async fn answer(seat: &Seat, path: &str, request: Request<Incoming>) -> Answer {
    match (request.method(), path.split_once('/')) {
        (&Method::GET, None) => {
            let memory = http::header(&request, MEMORY).and_then(|bytes| bytes.parse().ok());
            let ends = seat.await_order(path, memory).await;
            empty(if ends { StatusCode::OK } else { StatusCode::NO_CONTENT })
        }
        (&Method::POST, Some((_, "output"))) => match body::read(request.into_body(), OUTPUT_LIMIT).await {
            Ok(output) => {
                seat.append(&output);
                empty(StatusCode::NO_CONTENT)
            }
            Err(_) => empty(StatusCode::PAYLOAD_TOO_LARGE),
        },
        _ => bytes(StatusCode::NOT_FOUND, "{}".into()),
    }
}
