//! The conformance suite, once for each store.

use std::sync::Arc;

use akkaflow_store::{MemoryStore, SqliteStore, Store, conformance};

macro_rules! suite {
    ($($check:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $check() {
                super::conformance::$check(super::memory()).await;
            })*
        }

        mod sqlite {
            $(#[tokio::test]
            async fn $check() {
                let directory = tempfile::tempdir().unwrap();
                super::conformance::$check(super::sqlite(directory.path()).await).await;
            })*
        }

        mod mysql {
            $(#[tokio::test]
            async fn $check() {
                let Some(database) = crate::server::Database::create().await else {
                    return;
                };
                super::conformance::$check(database.store().await).await;
                database.remove().await;
            })*
        }
    };
}

suite!(
    a_batch_is_all_or_nothing,
    a_batch_of_5000_records_is_written,
    a_lease_is_founded_renewed_and_given_back,
    a_setting_is_written_once,
    a_snapshot_holds_what_is_open,
    a_take_over_needs_the_lease_as_it_was_seen,
    attempts_and_nodes_come_in_order,
    backfills_and_what_they_ask_of_the_past,
    daily_counts_follow_the_offset,
    deletions_leave_nothing_but_fires_and_tokens,
    expired_instances_leave_nothing_but_waiting_tokens,
    single_attempts_are_dropped,
    fires_come_newest_first,
    ids_are_found_by_any_part,
    links_round_trip_and_the_last_change_of_one_holds,
    listings_obey_all_filters,
    old_entries_go_but_the_fence_holds,
    old_fires_go_but_waiting_ones_and_those_of_instances,
    mails_go_with_their_age_only,
    mails_round_trip_and_are_found,
    only_one_of_many_candidates_wins,
    output_is_appended_once_and_read_in_order,
    output_of_any_bytes_round_trips,
    random_batches_give_the_snapshots_of_the_twin,
    readers_see_whole_batches,
    records_of_every_kind_round_trip,
    measurements_are_of_one_workflow_newest_first,
    successes_are_of_the_newest_ended_instances,
    the_fence_holds,
    the_journal_is_read_back,
    the_newest_instances_and_open_ones_do_not_expire,
    the_last_row_of_a_key_wins,
);

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

async fn sqlite(directory: &std::path::Path) -> Arc<dyn Store> {
    let store = SqliteStore::open(&directory.join("akkaflow.db")).await;
    Arc::new(store.unwrap())
}
