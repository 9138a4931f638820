//! What all handlers share.

use std::sync::Arc;
use std::time::SystemTime;

use akkaflow_model::time::Timestamp;
use akkaflow_store::Store;
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
        if let Some(zone) = self.zone.get() {
            return Ok(*zone);
        }
        // The setting is written by the first question: only a master may ask first.
        if self
            .store
            .lease()
            .await?
            .is_none_or(|lease| lease.endpoint.is_empty())
        {
            return Ok(Tz::UTC);
        }
        let Some(name) = self.master.zone().await else {
            return Ok(Tz::UTC);
        };
        let zone = name.parse().unwrap_or(Tz::UTC);
        Ok(*self.zone.get_or_init(async || zone).await)
    }
}
