//! The durable store of a simulated cluster: lease, journal and rows, with the semantics of the store's trait.

use std::collections::BTreeMap;

use akkaflow_model::id::Epoch;
use akkaflow_protocol::leader::{LeaseView, TakenOver};
use akkaflow_protocol::pipeline::BatchOut;

use super::planted::Planted;
use super::tables::Tables;

/// Names the one cluster there is.
pub(crate) const CLUSTER: u128 = 0xc1;

/// One entry of the journal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) epoch: Epoch,
    pub(crate) id: u128,
}

/// Another master has appended at this position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fenced;

/// What is durable.
#[derive(Debug, Default)]
pub(crate) struct SimStore {
    pub(crate) lease: Option<LeaseView>,
    pub(crate) journal: BTreeMap<u64, Entry>,
    pub(crate) tables: Tables,
}

impl SimStore {
    pub(crate) fn renew(&mut self, epoch: Epoch, incarnation: u128) -> bool {
        match &mut self.lease {
            Some(lease)
                if lease.epoch == epoch
                    && lease.incarnation == incarnation
                    && !lease.holder.is_empty() =>
            {
                lease.renew_seq += 1;
                true
            }
            _ => false,
        }
    }

    pub(crate) fn release(&mut self, epoch: Epoch, incarnation: u128) {
        if let Some(lease) = &mut self.lease
            && lease.epoch == epoch
            && lease.incarnation == incarnation
        {
            lease.holder.clear();
            lease.renew_seq += 1;
        }
    }

    pub(crate) fn take_over(
        &mut self,
        seen: Option<&LeaseView>,
        holder: String,
        incarnation: u128,
        id: u128,
        planted: Option<Planted>,
    ) -> Option<TakenOver> {
        let epoch = match (&self.lease, seen) {
            (None, None) => Epoch(1),
            (Some(lease), Some(seen))
                if (lease.epoch, lease.renew_seq) == (seen.epoch, seen.renew_seq) =>
            {
                Epoch(lease.epoch.0 + 1)
            }
            _ => return None,
        };
        self.lease = Some(LeaseView {
            cluster: CLUSTER,
            epoch,
            incarnation,
            holder,
            renew_seq: 0,
        });
        let last = self.last_seq();
        if planted == Some(Planted::TakeOverWithoutEpochStart) {
            return Some(TakenOver { epoch, seq: last });
        }
        self.journal.insert(last + 1, Entry { epoch, id });
        Some(TakenOver {
            epoch,
            seq: last + 1,
        })
    }

    fn last_seq(&self) -> u64 {
        self.journal.keys().next_back().copied().unwrap_or(0)
    }

    /// Takes the position in the journal; the caller applies the rows when the answer is `Ok(true)`. `Ok(false)`: the
    /// very same batch stands there already.
    pub(crate) fn append(
        &mut self,
        batch: &BatchOut,
        planted: Option<Planted>,
    ) -> Result<bool, Fenced> {
        let mut seq = batch.seq;
        if let Some(entry) = self.journal.get(&seq) {
            if planted != Some(Planted::NoJournalFence) {
                return if entry.id == batch.id {
                    Ok(false)
                } else {
                    Err(Fenced)
                };
            }
            seq = self.last_seq() + 1;
        }
        let entry = Entry {
            epoch: batch.epoch,
            id: batch.id,
        };
        self.journal.insert(seq, entry);
        Ok(true)
    }
}
