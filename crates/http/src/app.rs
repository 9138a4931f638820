//! What all handlers share.

use std::sync::Arc;
use std::time::SystemTime;

use akkaflow_model::time::Timestamp;
use akkaflow_store::{InstanceQuery, Store};
use chrono_tz::Tz;
use tokio::sync::{OnceCell, Semaphore};

use crate::definitions::Definitions;
use crate::failure::Failure;
use crate::master::MasterClient;
use crate::options::Options;

/// What all handlers share.
pub(crate) struct App {
    pub(crate) options: Options,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) master: MasterClient,
    pub(crate) definitions: Definitions,
    /// Held by whoever makes a forecast: each takes a core for seconds, and memory for all workflows.
    pub(crate) forecasting: Semaphore,
    zone: OnceCell<Tz>,
}

/// What a handler gets.
pub(crate) type Shared = axum::extract::State<Arc<App>>;

impl App {
    pub(crate) fn new(options: Options, store: Arc<dyn Store>, definitions: Definitions) -> Self {
        let master = MasterClient::new(
            Arc::clone(&store),
            options.masters.clone(),
            options.command_timeout,
            options.master_patience,
        );
        Self {
            options,
            store,
            master,
            definitions,
            forecasting: Semaphore::new(1),
            zone: OnceCell::new(),
        }
    }

    /// Now.
    pub(crate) fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::default().plus(since)
    }

    /// The cluster's time zone; UTC before the first master has led.
    pub(crate) async fn zone(&self) -> Result<Tz, Failure> {
        Ok(self.known_zone().await?.unwrap_or(Tz::UTC))
    }

    /// The cluster's time zone, also while no master leads; `None` before the first one has.
    pub(crate) async fn known_zone(&self) -> Result<Option<Tz>, Failure> {
        if let Some(zone) = self.zone.get() {
            return Ok(Some(*zone));
        }
        let Some(name) = self.zone_name().await? else {
            return Ok(None);
        };
        let zone = name.parse().unwrap_or(Tz::UTC);
        Ok(Some(*self.zone.get_or_init(async || zone).await))
    }

    async fn zone_name(&self) -> Result<Option<String>, Failure> {
        let lease = self.store.lease().await?;
        if lease.is_some_and(|lease| !lease.endpoint.is_empty())
            && let Some(name) = self.master.zone().await
        {
            return Ok(Some(name));
        }
        // The setting is written by the first question, which only a master may ask. Where there is an instance one has asked.
        let query = InstanceQuery {
            limit: 1,
            ..InstanceQuery::default()
        };
        if self.store.instances(&query).await?.is_empty() {
            return Ok(None);
        }
        let name = self.store.setting("time-zone", Tz::UTC.name()).await?;
        Ok(Some(name))
    }
}
