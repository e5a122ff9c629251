use std::net::SocketAddr;

use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::EXPECT;
use hyper::{Request, Response, Version};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One caller's connection to the database, made with the caller's first request for it. The database serves a listener of its
/// own and nothing else, so its requests take this way through the loopback.
pub(crate) struct Upstream {
    address: SocketAddr,
    connection: Option<SendRequest<Incoming>>,
}

impl Upstream {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, connection: None }
    }

    /// Forwards a request and returns the database's response, whose body may still be under way.
    pub(crate) async fn send(&mut self, mut request: Request<Incoming>) -> Result<Response<Incoming>, Failure> {
        *request.version_mut() = Version::HTTP_11;
        // The front asks the caller for the body itself.
        request.headers_mut().remove(EXPECT);
        if let Some(connection) = &mut self.connection
            && connection.ready().await.is_ok()
        {
            return Ok(connection.send_request(request).await?);
        }
        let mut connection = connect(self.address).await?;
        connection.ready().await?;
        let response = connection.send_request(request).await;
        self.connection = Some(connection);
        Ok(response?)
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Incoming>, Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        // Its end shows in the next request.
        let _ = connection.await;
    });
    Ok(sender)
}
