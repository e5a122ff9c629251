use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::EXPECT;
use hyper::{Request, Response, Version};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One caller's connection to the tables' address, made with the caller's first request for them.
pub(crate) struct Upstream {
    /// `HOST:PORT`.
    address: String,
    connection: Option<SendRequest<Incoming>>,
}

impl Upstream {
    pub(crate) fn new(address: String) -> Self {
        Self { address, connection: None }
    }

    /// Forwards a request and returns the response, whose body may still be under way.
    pub(crate) async fn send(&mut self, mut request: Request<Incoming>) -> Result<Response<Incoming>, Failure> {
        *request.version_mut() = Version::HTTP_11;
        // The front asks the caller for the body itself.
        request.headers_mut().remove(EXPECT);
        if let Some(connection) = &mut self.connection
            && connection.ready().await.is_ok()
        {
            return Ok(connection.send_request(request).await?);
        }
        let mut connection = connect(&self.address).await?;
        connection.ready().await?;
        let response = connection.send_request(request).await;
        self.connection = Some(connection);
        Ok(response?)
    }
}

async fn connect(address: &str) -> Result<SendRequest<Incoming>, Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        // Its end shows in the next request.
        let _ = connection.await;
    });
    Ok(sender)
}
