use std::{net::SocketAddr, pin::Pin, time::Instant};

use hickory_resolver::{
    Resolver, TokioResolver,
    config::ResolverConfig,
    net::runtime::TokioRuntimeProvider,
    proto::rr::{RData, RecordType},
};

use super::resolve::{DiscoveryError, Resolve, Resolved, Target};

/// Looks up names in DNS without a cache: the caller keeps the answers for their TTL.
pub struct DnsResolver {
    resolver: TokioResolver,
}

impl DnsResolver {
    /// Uses this machine's servers (`/etc/resolv.conf`). Errors mention `name`.
    pub(crate) fn of_system(name: &str) -> Result<Self, DiscoveryError> {
        let failure = |reason: String| DiscoveryError { name: name.to_owned(), reason };
        let mut builder = TokioResolver::builder_tokio().map_err(|error| failure(error.to_string()))?;
        builder.options_mut().cache_size = 0;
        let resolver = builder.build().map_err(|error| failure(error.to_string()))?;
        Ok(Self { resolver })
    }

    /// Uses the servers in `config`. Errors mention `name`.
    pub fn with(config: ResolverConfig, name: &str) -> Result<Self, DiscoveryError> {
        let mut builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
        builder.options_mut().cache_size = 0;
        let resolver =
            builder.build().map_err(|error| DiscoveryError { name: name.to_owned(), reason: error.to_string() })?;
        Ok(Self { resolver })
    }

    async fn look_up(&self, name: &str) -> Result<Resolved, DiscoveryError> {
        let failure = |reason: String| DiscoveryError { name: name.to_owned(), reason };
        let records = self.resolver.lookup(name, RecordType::SRV).await.map_err(|error| failure(error.to_string()))?;
        let mut valid_until = records.valid_until();
        let mut targets = Vec::new();
        let mut unresolved = None;
        for record in records.answers() {
            let RData::SRV(service) = &record.data else { continue };
            match self.resolver.lookup_ip(service.target.clone()).await {
                Ok(addresses) => {
                    valid_until = valid_until.min(addresses.valid_until());
                    targets.extend(addresses.iter().map(|ip| Target {
                        priority: service.priority,
                        weight: service.weight,
                        address: SocketAddr::new(ip, service.port),
                    }));
                }
                // The other targets may suffice; the expired time makes the next lookup retry soon.
                Err(error) => {
                    valid_until = Instant::now();
                    unresolved = Some(format!("{}: {error}", service.target));
                }
            }
        }
        if targets.is_empty() {
            return Err(failure(unresolved.unwrap_or_else(|| "it has no SRV records".to_owned())));
        }
        Ok(Resolved { targets, valid_until })
    }
}

impl Resolve for DnsResolver {
    fn resolve<'name>(
        &'name self,
        name: &'name str,
    ) -> Pin<Box<dyn Future<Output = Result<Resolved, DiscoveryError>> + Send + 'name>> {
        Box::pin(self.look_up(name))
    }
}
