//! What the ledger of a worker holds.

use std::time::Duration;

use akkaflow_model::id::{AttemptKey, Epoch, Incarnation};
use akkaflow_model::outcome::Outcome;
use serde::{Deserialize, Serialize};

/// One durable fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// A master was met.
    Contact {
        /// The cluster.
        #[serde(with = "hex")]
        cluster: u128,
        /// The highest epoch seen.
        epoch: Epoch,
        /// How long attempts may go on without contact.
        stop_after_ms: u64,
    },
    /// The attempt may be executed from now on.
    Accepted {
        /// Which.
        key: AttemptKey,
        /// The epoch of the master that assigned it.
        epoch: Epoch,
        /// The start of the worker that accepted it.
        incarnation: Incarnation,
    },
    /// The attempt is over; its outcome is owed to the master.
    Finished {
        /// Which.
        key: AttemptKey,
        /// How.
        outcome: Outcome,
    },
    /// The attempt will never be started.
    Tombstone {
        /// Which.
        key: AttemptKey,
        /// The start of the worker that promised it.
        incarnation: Incarnation,
    },
    /// The outcome was acknowledged.
    Forgotten {
        /// Which.
        key: AttemptKey,
    },
}

impl Entry {
    /// Whether something waits for this entry to be durable. The others may be flushed together with later ones.
    pub fn is_urgent(&self) -> bool {
        match self {
            Self::Contact { .. } | Self::Accepted { .. } | Self::Tombstone { .. } => true,
            Self::Finished { .. } | Self::Forgotten { .. } => false,
        }
    }

    pub(super) fn contact(cluster: u128, epoch: Epoch, stop_after: Duration) -> Self {
        Self::Contact {
            cluster,
            epoch,
            stop_after_ms: u64::try_from(stop_after.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// JSON numbers end at 64 bits.
mod hex {
    use std::borrow::Cow;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(raw: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{raw:032x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<u128, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map_err(serde::de::Error::custom)
    }
}
