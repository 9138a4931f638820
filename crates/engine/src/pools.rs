//! Pools: how much there is of something scarce, and which live attempts hold how much of it.
//!
//! What is held follows from the attempts alone, after a load too: there is no counter that could leak.

use std::collections::BTreeMap;

use akkaflow_model::id::InstanceId;
use akkaflow_model::record::PoolRow;

use crate::queue::Need;

/// A node that holds a share.
pub(crate) type Holder = (InstanceId, usize);

/// All pools that are defined or held.
#[derive(Debug, Default)]
pub(crate) struct Pools {
    rows: BTreeMap<String, PoolRow>,
    held: BTreeMap<String, Held>,
}

/// What is held of one pool.
#[derive(Debug, Default, PartialEq, Eq)]
struct Held {
    by: BTreeMap<Holder, u32>,
    sum: u64,
}

/// Why a pool has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// Nobody has defined it.
    Unknown,
    /// It is smaller than what is asked for.
    TooSmall { size: u32 },
    /// Others hold too much of it.
    Taken { size: u32, held: u64 },
}

impl Pools {
    pub(crate) fn load(rows: Vec<PoolRow>) -> Self {
        let mut pools = Self::default();
        for row in rows {
            pools.put(row);
        }
        pools
    }

    /// Defines a pool anew, or removes it.
    pub(crate) fn put(&mut self, row: PoolRow) {
        if row.slots.is_some() {
            self.rows.insert(row.name.clone(), row);
        } else {
            self.rows.remove(&row.name);
        }
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &PoolRow> {
        self.rows.values()
    }

    /// All that are defined or held, repeats allowed.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().chain(self.held.keys()).map(String::as_str)
    }

    pub(crate) fn row(&self, pool: &str) -> Option<&PoolRow> {
        self.rows.get(pool)
    }

    pub(crate) fn size(&self, pool: &str) -> Option<u32> {
        self.rows.get(pool)?.slots
    }

    pub(crate) fn held(&self, pool: &str) -> u64 {
        self.held.get(pool).map_or(0, |held| held.sum)
    }

    /// Who holds how much of it.
    pub(crate) fn holders(&self, pool: &str) -> impl Iterator<Item = (Holder, u32)> {
        self.held
            .get(pool)
            .into_iter()
            .flat_map(|held| &held.by)
            .map(|(holder, slots)| (*holder, *slots))
    }

    /// Why there is no room for `need`; `None` when there is.
    pub(crate) fn no_room(&self, need: &Need) -> Option<NoRoom> {
        let Some(size) = self.size(&need.pool) else {
            return Some(NoRoom::Unknown);
        };
        let held = self.held(&need.pool);
        if need.slots > size {
            Some(NoRoom::TooSmall { size })
        } else if held + u64::from(need.slots) > u64::from(size) {
            Some(NoRoom::Taken { size, held })
        } else {
            None
        }
    }

    /// An attempt of the node begins.
    pub(crate) fn take(&mut self, need: &Need, holder: Holder) {
        if !self.held.contains_key(&need.pool) {
            self.held.insert(need.pool.clone(), Held::default());
        }
        if let Some(held) = self.held.get_mut(&need.pool) {
            let before = held.by.insert(holder, need.slots).unwrap_or(0);
            held.sum = held.sum + u64::from(need.slots) - u64::from(before);
        }
    }

    /// Its attempt is over.
    pub(crate) fn give_back(&mut self, need: &Need, holder: Holder) {
        let Some(held) = self.held.get_mut(&need.pool) else {
            return;
        };
        held.sum -= u64::from(held.by.remove(&holder).unwrap_or(0));
        if held.by.is_empty() {
            self.held.remove(&need.pool);
        }
    }

    /// Compares what is kept with what live attempts hold.
    pub(crate) fn check(&self, live: impl Iterator<Item = (Need, Holder)>) -> Result<(), String> {
        let mut again = Self::default();
        for (need, holder) in live {
            again.take(&need, holder);
        }
        if again.held != self.held {
            return Err(format!(
                "attempts hold {:?} of pools, kept as {:?}",
                again.held, self.held
            ));
        }
        Ok(())
    }
}
