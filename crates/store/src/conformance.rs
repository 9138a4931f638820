//! One suite that every store passes: memory, SQLite, MySQL. Each check wants an empty store.
//!
//! ```ignore
//! conformance::fence(Arc::new(MemoryStore::new())).await;
//! ```
#![expect(clippy::unwrap_used, reason = "a suite of tests")]

mod backfills;
mod fencing;
mod leadership;
mod links;
mod listing;
mod load;
mod mails;
mod output;
mod random;
mod records;
mod retention;
mod samples;
mod snapshots;

pub use backfills::backfills_and_what_they_ask_of_the_past;
pub use fencing::{a_batch_is_all_or_nothing, the_fence_holds};
pub use leadership::{
    a_lease_is_founded_renewed_and_given_back, a_take_over_needs_the_lease_as_it_was_seen,
    only_one_of_many_candidates_wins,
};
pub use links::links_round_trip_and_the_last_change_of_one_holds;
pub use listing::{
    attempts_and_nodes_come_in_order, daily_counts_follow_the_offset, fires_come_newest_first,
    ids_are_found_by_any_part, listings_obey_all_filters,
    measurements_are_of_one_workflow_newest_first, successes_are_of_the_newest_ended_instances,
};
pub use load::{a_batch_of_5000_records_is_written, readers_see_whole_batches};
pub use mails::{mails_go_with_their_age_only, mails_round_trip_and_are_found};
pub use output::{output_is_appended_once_and_read_in_order, output_of_any_bytes_round_trips};
pub use random::random_batches_give_the_snapshots_of_the_twin;
pub use records::{
    a_setting_is_written_once, deletions_leave_nothing_but_fires_and_tokens,
    records_of_every_kind_round_trip, single_attempts_are_dropped, the_last_row_of_a_key_wins,
};
pub use retention::{
    expired_instances_leave_nothing_but_waiting_tokens, old_entries_go_but_the_fence_holds,
    old_fires_go_but_waiting_ones_and_those_of_instances, the_journal_is_read_back,
    the_newest_instances_and_open_ones_do_not_expire,
};
pub use snapshots::a_snapshot_holds_what_is_open;

use std::sync::Arc;

use akkaflow_model::id::Epoch;
use akkaflow_model::record::Record;

use crate::batch::{Batch, BatchId};
use crate::contract::Store;
use crate::lease::Candidate;

/// A leader that commits one batch after the other.
struct Leader {
    store: Arc<dyn Store>,
    epoch: Epoch,
    seq: u64,
}

impl Leader {
    /// Takes the lease as it is.
    async fn new(store: &Arc<dyn Store>) -> Self {
        let seen = store.lease().await.unwrap();
        let taken = store
            .take_over(seen.as_ref(), &candidate(1))
            .await
            .unwrap()
            .unwrap();
        Self {
            store: Arc::clone(store),
            epoch: taken.epoch,
            seq: taken.seq,
        }
    }

    /// The next batch; [`Leader::commit`] commits one.
    fn batch(&mut self, records: Vec<Record>) -> Batch {
        self.seq += 1;
        batch(self.seq, self.epoch, records)
    }

    /// Commits the next batch.
    async fn commit(&mut self, records: Vec<Record>) {
        let batch = self.batch(records);
        self.store.commit(&batch).await.unwrap();
    }
}

fn batch(seq: u64, epoch: Epoch, records: Vec<Record>) -> Batch {
    Batch {
        seq,
        epoch,
        id: BatchId(uuid::Uuid::new_v4().as_u128()),
        journal: b"[{\"input\":\"tick\"}]".to_vec(),
        records,
    }
}

fn candidate(number: u128) -> Candidate {
    Candidate {
        holder: format!("master-{number}"),
        incarnation: number,
        endpoint: format!("127.0.0.1:{}", 2751 + number),
        seed: u64::MAX - 1,
    }
}
