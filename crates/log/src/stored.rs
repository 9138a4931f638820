//! What a log is told from, as it lies in the store.

use akkaflow_model::definition::Workflow;
use akkaflow_model::id::InstanceId;
use akkaflow_model::record::{AttemptRow, InstanceRow, NodeRow};
use akkaflow_store::{Error, Store};
use chrono_tz::Tz;

use crate::events::Rows;

/// The rows of an instance.
#[derive(Debug)]
pub struct Stored {
    /// The instance.
    pub instance: InstanceRow,
    nodes: Vec<NodeRow>,
    attempts: Vec<AttemptRow>,
}

impl Stored {
    /// Reads them in the order that [`Rows`] asks for; `None` when there is no such instance.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn read(store: &dyn Store, id: InstanceId) -> Result<Option<Self>, Error> {
        let attempts = store.attempts(id).await?;
        let nodes = store.nodes(id).await?;
        let instance = store.instance(id).await?;
        Ok(instance.map(|instance| Self {
            instance,
            nodes,
            attempts,
        }))
    }

    /// With the definition that the instance is pinned to, if it can be read, and the zone of the reader.
    pub fn rows<'a>(&'a self, definition: Option<&'a Workflow>, zone: Tz) -> Rows<'a> {
        Rows {
            instance: &self.instance,
            nodes: &self.nodes,
            attempts: &self.attempts,
            definition,
            zone,
        }
    }
}
