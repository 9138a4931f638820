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
        let links = LinkBook::new(
            options.links.clone(),
            options.key_file.clone(),
            options.makes_key,
        );
        links.announce();
        let shared = Arc::new(Shared::new(
            store,
            registry,
            links,
            options.config_file.clone(),
            endpoint,
            options
                .mails
                .as_ref()
                .map(|it| it.smtp.server())
                .unwrap_or_default(),
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
    use akkaflow_model::definition::Version;
    use akkaflow_model::id::InstanceId;
    use akkaflow_model::record::{CleanUp, InstanceRow, Record, TriggerKind};
    use akkaflow_model::state::InstanceState;
    use akkaflow_model::time::Timestamp;
    use akkaflow_store::{Batch, BatchId, Candidate, MemoryStore};

    use super::*;
    use crate::retention::Retention;

    /// Shorter than the time that a standby waits for a lease to run out.
    const AT_ONCE: Duration = Duration::from_secs(4);

    async fn master(directory: &std::path::Path, store: &Arc<dyn Store>) -> Service {
        let options = Options {
            listen: "127.0.0.1:0".to_owned(),
            workflows: directory.to_owned(),
            links: directory.join("db_links.xml"),
            key_file: directory.join("links.key"),
            config_file: std::path::PathBuf::new(),
            makes_key: false,
            zone: None,
            default_zone: chrono_tz::UTC,
            lost_after: Duration::from_secs(60),
            retry_fail_times: 0,
            mails: None,
            retention: Retention {
                keep_days: 180,
                keep_instances: 2,
                keep_journal_days: 30,
            },
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

    fn ended(number: u128, at: i64, state: InstanceState) -> InstanceRow {
        let at = Timestamp::from_millis(at);
        InstanceRow {
            id: InstanceId::from_parts(at, number),
            workflow: "daily".to_owned(),
            version: Version("v".to_owned()),
            run: 1,
            state,
            trigger: TriggerKind::Run,
            fire_time: at,
            created_at: at,
            started_at: Some(at),
            ended_at: state.is_terminal().then_some(at),
            params: Vec::new(),
            message: None,
            handled_errors: false,
            ignore_nodes: Vec::new(),
            ending: None,
            chain: None,
            dir: "/".to_owned(),
            creator: String::new(),
            gave_tokens: false,
            earlier: Vec::new(),
            clean_up: CleanUp::Ahead,
            hold: None,
            marks: Vec::new(),
            asked_by: None,
            pinned: None,
            parent: None,
            landing: None,
            interventions: Vec::new(),
        }
    }

    #[tokio::test]
    async fn old_instances_go_by_themselves_but_open_ones_and_the_newest() {
        let directory = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let before = Candidate {
            holder: String::new(),
            incarnation: 1,
            endpoint: String::new(),
            seed: 1,
        };
        let taken = store.take_over(None, &before).await.unwrap().unwrap();
        let rows = [
            ended(1, 1, InstanceState::Suspended),
            ended(2, 2, InstanceState::Succeeded),
            ended(3, 3, InstanceState::Failed),
            ended(4, 4, InstanceState::Killed),
            ended(5, 5, InstanceState::Succeeded),
        ];
        let batch = Batch {
            seq: taken.seq + 1,
            epoch: taken.epoch,
            id: BatchId(1),
            journal: b"[]".to_vec(),
            records: rows.iter().cloned().map(Record::instance).collect(),
        };
        store.commit(&batch).await.unwrap();
        store.release(taken.epoch, 1).await.unwrap();
        let service = master(directory.path(), &store).await;
        let stop = CancellationToken::new();
        let running = tokio::spawn(service.run(stop.clone()));
        let gone = tokio::time::timeout(AT_ONCE, async {
            while store.instance(rows[2].id).await.unwrap().is_some() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        gone.await.expect("nobody keeps house");
        stop.cancel();
        running.await.unwrap().unwrap();
        let mut left = Vec::new();
        for row in &rows {
            left.push(store.instance(row.id).await.unwrap().is_some());
        }
        assert_eq!(left, [true, false, false, true, true]);
    }
}
