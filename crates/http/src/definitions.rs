//! Definitions by their content. A content never changes, so what was read once is kept.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use akkaflow_model::definition::{Version, Workflow};
use akkaflow_model::read::{ActionCatalog, Reading, read_workflow};
use akkaflow_store::Store;

use crate::failure::Failure;

/// Whole definitions kept in memory: what people look at just now.
const KEPT: usize = 256;
/// Lists of upstreams kept: all workflows of a large cluster.
const KEPT_UPSTREAMS: usize = 200_000;

/// The action types that definitions may use.
pub type Actions = Arc<dyn ActionCatalog + Send + Sync>;

/// Definitions by their content.
pub(crate) struct Definitions {
    actions: Actions,
    kept: Mutex<HashMap<Version, Option<Arc<Workflow>>>>,
    upstreams: Mutex<HashMap<Version, Arc<[String]>>>,
}

impl Definitions {
    pub(crate) fn new(actions: Actions) -> Self {
        Self {
            actions,
            kept: Mutex::default(),
            upstreams: Mutex::default(),
        }
    }

    /// The action types that definitions may use.
    pub(crate) fn actions(&self) -> Actions {
        Arc::clone(&self.actions)
    }

    /// Reads what a caller sent.
    pub(crate) fn read(&self, xml: &[u8]) -> Reading {
        read_workflow(xml, &*self.actions)
    }

    /// The definition with this content; `None` when it is gone or can no longer be read.
    pub(crate) async fn get(
        &self,
        store: &dyn Store,
        version: &Version,
    ) -> Result<Option<Arc<Workflow>>, Failure> {
        if let Some(kept) = lock(&self.kept).get(version) {
            return Ok(kept.clone());
        }
        let Some(row) = store.version(&version.0).await? else {
            return Ok(None);
        };
        let workflow = self.read(row.xml.as_bytes()).workflow.map(Arc::new);
        let mut kept = lock(&self.kept);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(version.clone(), workflow.clone());
        Ok(workflow)
    }

    /// The workflows that each live workflow waits for.
    pub(crate) async fn all_upstreams(
        &self,
        store: &dyn Store,
    ) -> Result<BTreeMap<String, Arc<[String]>>, Failure> {
        let mut all = BTreeMap::new();
        for row in store.workflows().await? {
            let known = lock(&self.upstreams).get(&row.version).cloned();
            let upstreams = match known {
                Some(upstreams) => upstreams,
                None => self.read_upstreams(store, &row.version).await?,
            };
            all.insert(row.name, upstreams);
        }
        Ok(all)
    }

    async fn read_upstreams(
        &self,
        store: &dyn Store,
        version: &Version,
    ) -> Result<Arc<[String]>, Failure> {
        let row = store.version(&version.0).await?;
        let upstreams: Arc<[String]> = row
            .and_then(|row| self.read(row.xml.as_bytes()).workflow)
            .and_then(|workflow| workflow.coordinator)
            .map(|coordinator| coordinator.depends.into())
            .unwrap_or_default();
        let mut kept = lock(&self.upstreams);
        if kept.len() >= KEPT_UPSTREAMS {
            kept.clear();
        }
        kept.insert(version.clone(), Arc::clone(&upstreams));
        Ok(upstreams)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
