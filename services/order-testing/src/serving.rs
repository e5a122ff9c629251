use axum::Router;
use order_service::{
    Identity, Service,
    config::{Common, Environment},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// A router on its own port, until dropped.
pub struct Serving {
    pub url: String,
    task: JoinHandle<()>,
}

/// Serves `router` on a free loopback port.
pub async fn serve(router: Router) -> Serving {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let task = tokio::spawn(async move {
        // Serving ends with the task; an error before that shows as a refused request in the test.
        let _ = axum::serve(listener, router).await;
    });
    Serving { url, task }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Returns a service with only the required variables set.
pub fn service(identity: Identity) -> Service {
    let environment = Environment::of_pairs(&[("AWS_REGION", "eu-west-1")]);
    Service { identity, common: Common::read(&environment).expect("a complete environment") }
}
