use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Instant,
};

use order_api::discovery::{Discovery, DiscoveryError, Resolve, Resolved, Target};
use order_testing::{Emulator, IN_STOCK};
use reqwest::StatusCode;

use crate::{System, order, processor};

/// A name that stands for whatever the test says, without any time to live.
#[derive(Clone, Default)]
struct Name(Arc<Mutex<Vec<SocketAddr>>>);

impl Name {
    fn stand_for(&self, addresses: &[SocketAddr]) {
        *self.0.lock().expect("no panic while held") = addresses.to_vec();
    }
}

impl Resolve for Name {
    fn resolve<'name>(
        &'name self,
        _: &'name str,
    ) -> Pin<Box<dyn Future<Output = Result<Resolved, DiscoveryError>> + Send + 'name>> {
        let addresses = self.0.lock().expect("no panic while held").clone();
        let targets = addresses.into_iter().map(|address| Target { priority: 0, weight: 0, address }).collect();
        Box::pin(async move { Ok(Resolved { targets, valid_until: Instant::now() }) })
    }
}

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().expect("an address")
}

fn dead() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound")
}

#[tokio::test]
async fn a_dead_target_costs_no_order_and_a_new_one_is_found() {
    let emulator = Emulator::start().await;
    let (first, second) = (processor(&emulator).await, processor(&emulator).await);
    let name = Name::default();
    name.stand_for(&[dead(), address(&first.url)]);
    let system = System::found_by(emulator, Discovery::named("order-processor.test".into(), name.clone()), None).await;
    for _ in 0..10 {
        assert_eq!(system.post(&order(IN_STOCK, 1)).await.status(), StatusCode::CREATED);
    }
    name.stand_for(&[address(&second.url)]);
    drop(first);
    order_testing::eventually("the new target", std::time::Duration::from_secs(5), async || {
        (system.post(&order(IN_STOCK, 1)).await.status() == StatusCode::CREATED).then_some(())
    })
    .await;
}
