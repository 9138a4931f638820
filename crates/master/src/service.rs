//! Starts and ends everything.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use akkaflow_actions::Registry;
use akkaflow_store::Store;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::grpc;
use crate::leadership::Leadership;
use crate::links::LinkBook;
use crate::options::Options;
use crate::shared::Shared;

/// How long open calls may take to end at a stop.
const LAST_CALLS: Duration = Duration::from_secs(3);

/// One master process: standby until it holds the lease, active while it does.
pub struct Service {
    options: Options,
    shared: Arc<Shared>,
    listener: TcpListener,
}

impl Service {
    /// Binds the gRPC address, so that a wrong one is known at once.
    ///
    /// # Errors
    /// [`Error::NotLoopback`], [`Error::Listen`].
    pub async fn bind(
        options: Options,
        store: Arc<dyn Store>,
        registry: Arc<Registry>,
    ) -> Result<Self, Error> {
        let wrong = |source| Error::Listen {
            address: options.listen.clone(),
            source,
        };
        let address: SocketAddr = options
            .listen
            .to_socket_addrs()
            .map_err(wrong)?
            .next()
            .ok_or_else(|| wrong(std::io::ErrorKind::AddrNotAvailable.into()))?;
        if !address.ip().is_loopback() {
            return Err(Error::NotLoopback(options.listen));
        }
        let listener = TcpListener::bind(address).await.map_err(wrong)?;
        let endpoint = listener.local_addr().map_err(wrong)?.to_string();
        let links = LinkBook::new(options.links.clone());
        links.announce();
        let shared = Arc::new(Shared::new(
            store,
            registry,
            links,
            endpoint,
            options.stop_after(),
        ));
        Ok(Self {
            options,
            shared,
            listener,
        })
    }

    /// Where workers and http-servers reach this master.
    pub fn endpoint(&self) -> &str {
        &self.shared.endpoint
    }

    /// Serves until `shutdown` fires, then ends in order: accepted work is committed, the lease is given back.
    ///
    /// # Errors
    /// What makes leading impossible for good: a disagreement about the time zone, an unusable workflow directory.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        let serving = CancellationToken::new();
        let server = tokio::spawn(grpc::serve(
            self.listener,
            Arc::clone(&self.shared),
            serving.clone(),
        ));
        let led = Leadership::new(self.options, Arc::clone(&self.shared))
            .run(shutdown)
            .await;
        self.shared.step_down();
        serving.cancel();
        match tokio::time::timeout(LAST_CALLS, server).await {
            Ok(Ok(served)) => led.and(served),
            Ok(Err(panicked)) => std::panic::resume_unwind(panicked.into_panic()),
            // A peer that does not let go is left to notice by itself.
            Err(_) => led,
        }
    }
}

#[cfg(test)]
mod tests {
    use akkaflow_store::{Candidate, MemoryStore};

    use super::*;

    /// Shorter than the time that a standby waits for a lease to run out.
    const AT_ONCE: Duration = Duration::from_secs(4);

    async fn master(directory: &std::path::Path, store: &Arc<dyn Store>) -> Service {
        let options = Options {
            listen: "127.0.0.1:0".to_owned(),
            workflows: directory.to_owned(),
            links: directory.join("db_links.xml"),
            zone: None,
            default_zone: chrono_tz::UTC,
            lost_after: Duration::from_secs(60),
            holder: "here:2".to_owned(),
        };
        let registry = Arc::new(Registry::builtin());
        Service::bind(options, Arc::clone(store), registry)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn a_master_that_was_killed_and_started_again_leads_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let service = master(directory.path(), &store).await;
        let killed = Candidate {
            holder: "here:1".to_owned(),
            incarnation: 1,
            endpoint: service.endpoint().to_owned(),
            seed: 1,
        };
        store.take_over(None, &killed).await.unwrap().unwrap();
        let stop = CancellationToken::new();
        let running = tokio::spawn(service.run(stop.clone()));
        let taken = tokio::time::timeout(AT_ONCE, async {
            while store.lease().await.unwrap().unwrap().epoch.0 < 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        taken.await.expect("it waits for the lease to run out");
        stop.cancel();
        running.await.unwrap().unwrap();
    }
}
