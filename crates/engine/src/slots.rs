//! Looks along the slots of a schedule without visiting each: a year of missed minutes costs nothing.

use akkaflow_model::time::Timestamp;
use chrono_tz::Tz;

use crate::plan::Plan;
use crate::schedule::before;

/// The slots of a plan up to a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slots<'a> {
    plan: &'a Plan,
    zone: Tz,
    until: Timestamp,
}

impl<'a> Slots<'a> {
    pub(crate) fn new(plan: &'a Plan, zone: Tz, until: Timestamp) -> Self {
        Self { plan, zone, until }
    }

    /// The first one strictly after a moment.
    pub(crate) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.plan
            .next_after(after, self.zone)
            .filter(|slot| *slot <= self.until)
    }

    /// The last one, given that `slot` is one.
    pub(crate) fn last(&self, slot: Timestamp) -> Timestamp {
        self.last_until(slot, self.until)
    }

    /// The last one at or before `until`, given that `slot` is one. Takes a number of looks that grows with the logarithm
    /// of the time between.
    pub(crate) fn last_until(&self, mut slot: Timestamp, until: Timestamp) -> Timestamp {
        let next = |after| self.next(after).filter(|slot| *slot <= until);
        let mut high = until;
        while let Some(following) = next(slot) {
            let middle = halfway(slot, high);
            match next(middle) {
                Some(later) => slot = later,
                None => {
                    high = middle;
                    slot = following;
                }
            }
        }
        slot
    }

    /// The last `count` up to `through`, which is one, in order; fewer when there are fewer from `first` on.
    pub(crate) fn newest(
        &self,
        first: Timestamp,
        through: Timestamp,
        count: usize,
    ) -> Vec<Timestamp> {
        let has_enough = |after| self.after(after, through).take(count).count() == count;
        let mut low = before(first);
        if self.after(low, through).take(count + 1).count() > count {
            // Enough follow `low`, too few follow `high`: where they meet, just so many follow.
            let mut high = through;
            while high.as_millis() - low.as_millis() > 1 {
                let middle = halfway(low, high);
                if has_enough(middle) {
                    low = middle;
                } else {
                    high = middle;
                }
            }
        }
        self.after(low, through).take(count).collect()
    }

    fn after(&self, after: Timestamp, through: Timestamp) -> impl Iterator<Item = Timestamp> {
        let next = move |after| self.next(after).filter(|slot| *slot <= through);
        std::iter::successors(next(after), move |slot| next(*slot))
    }
}

fn halfway(low: Timestamp, high: Timestamp) -> Timestamp {
    let half = (high.as_millis() - low.as_millis()).max(0) / 2;
    Timestamp::from_millis(low.as_millis() + half)
}
