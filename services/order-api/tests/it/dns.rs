use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_server::{
    Server,
    proto::rr::{
        LowerName, Name, RData, Record, RecordType, RrKey,
        rdata::{A, SOA, SRV},
    },
    store::in_memory::InMemoryZoneHandler,
    zone_handler::{AxfrPolicy, Catalog, ZoneType},
};
use tokio::net::UdpSocket;

const ZONE: &str = "orders.test.";
/// The tests' DNS name for order-processor.
pub(crate) const SERVICE: &str = "_http._tcp.order-processor.orders.test.";
const HOST: &str = "host.orders.test.";

/// A DNS server on loopback, with the test's SRV records.
pub(crate) struct Dns {
    zone: Arc<InMemoryZoneHandler>,
    pub(crate) address: SocketAddr,
    _server: Server<Catalog>,
}

impl Dns {
    pub(crate) async fn start() -> Self {
        let zone = InMemoryZoneHandler::empty(name(ZONE), ZoneType::Primary, AxfrPolicy::Deny);
        let authority = SOA::new(name(ZONE), name(ZONE), 1, 60, 60, 60, 0);
        zone.upsert(Record::from_rdata(name(ZONE), 0, RData::SOA(authority)), 0).await;
        // Longer than any test, so that only the SRV records' TTL decides the next lookup.
        zone.upsert(Record::from_rdata(name(HOST), 3600, RData::A(A(Ipv4Addr::LOCALHOST))), 0).await;
        let zone = Arc::new(zone);
        let mut catalog = Catalog::new();
        catalog.upsert(LowerName::new(&name(ZONE)), vec![zone.clone()]);
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("bound");
        let mut server = Server::new(catalog);
        server.register_socket(socket);
        Self { zone, address, _server: server }
    }

    /// Replaces the addresses of the service's name. The first address has the highest priority.
    pub(crate) async fn stand_for(&self, addresses: &[SocketAddr], time_to_live: u32) {
        let key = RrKey::new(LowerName::new(&name(SERVICE)), RecordType::SRV);
        self.zone.records_mut().await.remove(&key);
        for (priority, address) in (0..).zip(addresses) {
            let target = SRV::new(priority, 0, address.port(), name(HOST));
            self.zone.upsert(Record::from_rdata(name(SERVICE), time_to_live, RData::SRV(target)), 0).await;
        }
    }

    /// Returns a resolver configuration with this server only.
    pub(crate) fn configuration(&self) -> ResolverConfig {
        let mut connection = ConnectionConfig::udp();
        connection.port = self.address.port();
        let server = NameServerConfig::new(self.address.ip(), true, vec![connection]);
        ResolverConfig::from_parts(None, Vec::new(), vec![server])
    }
}

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}
