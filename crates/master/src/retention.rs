//! Removes what was kept for long enough, in small parts beside the core loop, so slowly that nobody notices.
//!
//! Instances and fires go through the core: it alone knows what is open, and their removal is fenced as every change. What
//! no decision rests on (old entries of the journal, keys of old requests, output of removed instances) the store
//! removes by itself. A crash in between leaves a part for the next round.

use std::sync::Arc;
use std::time::{Duration, Instant};

use akkaflow_model::definition::Keep;
use akkaflow_model::time::Timestamp;
use akkaflow_store::{Trim, Trimmed};
use tokio_util::sync::CancellationToken;

use crate::core::{CoreHandle, Gone, StoredOrder};
use crate::outage::Call;
use crate::shared::Shared;

/// Between two looks for old instances: they get a day older once a day.
const EVERY: Duration = Duration::from_secs(3 * 3600);
/// Between two looks for what the store removes by itself: people who delete an instance want its space.
const TRIM_EVERY: Duration = Duration::from_secs(60);
/// Rest after each part, as a multiple of the time that the part took: 2% of the database at most.
const REST: u32 = 50;
/// Rows in one part: some milliseconds in either database.
pub(crate) const PART: u32 = 100;
/// Keys of repeatable requests are good for seven days; one more for clocks that differ.
const REQUESTS_KEPT_DAYS: u32 = 8;

/// How long things are kept where a definition does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Days after its end at which an instance may be removed; 0 keeps all for ever.
    pub keep_days: u32,
    /// So many of the newest instances of a workflow are kept whatever their age; at least 1.
    pub keep_instances: u32,
    /// Days for which the journal can be replayed; 0 keeps it for ever.
    pub keep_journal_days: u32,
}

/// What a round has removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Removed {
    instances: usize,
    /// Parts in which old fires went.
    fires: usize,
    trimmed: Trimmed,
}

/// Keeps house for one term of leadership.
pub(crate) struct Housekeeper {
    pub(crate) retention: Retention,
    pub(crate) shared: Arc<Shared>,
    pub(crate) core: CoreHandle,
}

/// Why a round ended early; the next one goes on.
enum Stopped {
    TermOver,
    Database(akkaflow_store::Error),
}

impl From<Gone> for Stopped {
    fn from(_: Gone) -> Self {
        Self::TermOver
    }
}

impl From<akkaflow_store::Error> for Stopped {
    fn from(error: akkaflow_store::Error) -> Self {
        Self::Database(error)
    }
}

impl Housekeeper {
    /// Works until the term is over.
    pub(crate) async fn run(self, over: CancellationToken) {
        let work = async {
            let mut next_round = Instant::now();
            loop {
                let mut removed = Removed::default();
                let is_due = next_round <= Instant::now();
                if is_due {
                    next_round = Instant::now() + EVERY;
                }
                let outcome = self.round(is_due, &mut removed).await;
                tell(removed);
                match outcome {
                    Ok(()) => {}
                    Err(Stopped::TermOver) => return,
                    Err(Stopped::Database(error)) => {
                        self.shared.outage.on_failure(Call::Read, &error);
                        next_round = Instant::now();
                    }
                }
                tokio::time::sleep(TRIM_EVERY).await;
            }
        };
        tokio::select! {
            () = over.cancelled() => {}
            () = work => {}
        }
    }

    async fn round(&self, with_instances: bool, removed: &mut Removed) -> Result<(), Stopped> {
        if with_instances {
            let mut name = String::new();
            while let Some(next) = self.shared.store.workflow_with_instances(&name).await? {
                self.expire(&next, removed).await?;
                name = next;
            }
        }
        loop {
            let began = Instant::now();
            let trimmed = self.shared.store.trim(self.trim()).await?;
            rest(began).await;
            if trimmed.is_nothing() {
                return Ok(());
            }
            removed.trimmed += trimmed;
        }
    }

    fn trim(&self) -> Trim {
        let journal_days = self.retention.keep_journal_days;
        Trim {
            journal_before: if journal_days == 0 {
                Timestamp::default()
            } else {
                self.days_ago(journal_days)
            },
            requests_before: self.days_ago(REQUESTS_KEPT_DAYS),
            mails_before: match self.retention.keep_days {
                0 => Timestamp::default(),
                days => self.days_ago(days),
            },
            limit: PART,
        }
    }

    fn days_ago(&self, days: u32) -> Timestamp {
        const DAY_MILLIS: i64 = 24 * 3600 * 1000;
        Timestamp::from_millis(self.shared.clock.now().as_millis() - i64::from(days) * DAY_MILLIS)
    }

    /// Removes what is too old of one workflow, one part after the other.
    async fn expire(&self, name: &str, removed: &mut Removed) -> Result<(), Stopped> {
        let workflow = name.to_owned();
        let said = self.core.look(move |engine| {
            let definition = engine.definition(&workflow);
            definition.map_or_else(Keep::default, |definition| definition.keep)
        });
        let said = said.await?;
        let days = said.days.unwrap_or(self.retention.keep_days);
        let keep = said
            .instances
            .unwrap_or(self.retention.keep_instances)
            .max(1);
        if days == 0 {
            return Ok(());
        }
        let before = self.days_ago(days);
        loop {
            let began = Instant::now();
            let store = &self.shared.store;
            let instances = store.expired(name, before, keep, PART).await?;
            let fires_before = store.forgettable_fires(name, before, PART).await?;
            if instances.is_empty() && fires_before.is_none() {
                rest(began).await;
                return Ok(());
            }
            let order = StoredOrder::Expire {
                workflow: name.to_owned(),
                before,
                keep,
                fires_before,
            };
            if let Err(rejection) = self.core.stored_order(order).await? {
                // The store did not answer the core; the next round tries again.
                tracing::debug!(
                    workflow.name = name,
                    reason = rejection.text.en,
                    "nothing was removed"
                );
                return Ok(());
            }
            removed.instances += instances.len();
            removed.fires += usize::from(fires_before.is_some());
            rest(began).await;
        }
    }
}

async fn rest(began: Instant) {
    tokio::time::sleep(began.elapsed() * REST).await;
}

fn tell(removed: Removed) {
    if removed != Removed::default() {
        tracing::info!(
            instances = removed.instances,
            parts_of_fires = removed.fires,
            journal_entries = removed.trimmed.journal,
            request_keys = removed.trimmed.requests,
            mails = removed.trimmed.mails,
            output_chunks = removed.trimmed.output,
            "old records were removed as keep-days and keep-instances say / 已按keep-days和keep-instances清理旧记录"
        );
    }
}
