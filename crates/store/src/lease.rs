//! Who leads, who wants to, and what a take-over gives.

use akkaflow_model::id::Epoch;

/// The lease row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Names the cluster; drawn when the store was first used.
    pub cluster: u128,
    /// How many masters have led.
    pub epoch: Epoch,
    /// Name of the leading process; empty when it has given the lease back.
    pub holder: String,
    /// One start of that process.
    pub incarnation: u128,
    /// Where it serves gRPC: `127.0.0.1:2751`.
    pub endpoint: String,
    /// Grows with each renewal.
    pub renew_seq: u64,
    /// Database connections of the holder that a successor cuts before it takes over; empty for SQLite.
    pub connections: String,
}

/// Who wants to lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Name of the process.
    pub holder: String,
    /// One start of it.
    pub incarnation: u128,
    /// Where it will serve gRPC.
    pub endpoint: String,
    /// Journaled with the epoch: seed of the engine's ids.
    pub seed: u64,
}

/// A take-over that succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenOver {
    /// The new epoch.
    pub epoch: Epoch,
    /// The journal position of its EPOCH_START; the first batch is the one after.
    pub seq: u64,
}
