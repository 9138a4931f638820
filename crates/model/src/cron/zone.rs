//! From local slots to moments, through gaps and overlaps.

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::{GapInfo, Tz};

use crate::cron::LocalSlots;
use crate::time::Timestamp;

/// 0001-01-03 and 9999-12-29: offsets cannot lead out of the years of four digits.
const FIRST_SECOND: i64 = -62_135_424_000;
const LAST_SECOND: i64 = 253_402_041_600;
/// No zone was ever further from UTC.
const WIDEST_OFFSET_SECONDS: i64 = 16 * 3_600;
/// Within so short a time no zone changes its clock twice: a test looks at all of them.
const WINDOW_SECONDS: i64 = 40 * 3_600;

/// When a slot fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    second: i64,
    /// The local time that was asked for.
    pub(crate) slot: NaiveDateTime,
    /// What the wall shows then.
    pub(crate) wall: Wall,
}

/// What the wall shows at the local time of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wall {
    /// The slot, once.
    Once,
    /// Never the slot: it fires at the end of the gap.
    Gap,
    /// The slot for the first of two times.
    First,
    /// The slot for the second time.
    Second,
}

impl Moment {
    /// When the wall of a zone first reaches or passes a local time; `None` outside the years of four digits.
    pub(crate) fn of(slot: NaiveDateTime, zone: Tz) -> Option<Self> {
        let second = slot.and_utc().timestamp();
        if !(FIRST_SECOND..LAST_SECOND).contains(&second) {
            return None;
        }
        first_moment(slot, zone)
    }

    /// As a moment.
    pub(crate) fn at(self) -> Timestamp {
        Timestamp::from_millis(self.second * 1_000)
    }
}

/// The first moment strictly after `after` at which one of `slots` fires.
pub(super) fn next_after(
    slots: &LocalSlots<'_>,
    follows_elapsed_time: bool,
    after: Timestamp,
    zone: Tz,
) -> Option<Moment> {
    // Slots are whole seconds, so what follows the second's begin follows every moment in it.
    let after = after.as_millis().div_euclid(1_000).max(FIRST_SECOND);
    if after >= LAST_SECOND {
        return None;
    }
    if follows_elapsed_time {
        next_elapsing(slots, after, zone)
    } else {
        next_fixed(slots, after, zone)
    }
}

/// Slots in their order on the wall; the moment of each never precedes that of the one before.
fn next_fixed(slots: &LocalSlots<'_>, after: i64, zone: Tz) -> Option<Moment> {
    let mut slot = local(after, zone)?;
    loop {
        slot = slots.next_local(slot)?;
        let moment = first_moment(slot, zone)?;
        if moment.second > after {
            return Some(moment);
        }
    }
}

/// Moments in their order whose local time is a slot.
fn next_elapsing(slots: &LocalSlots<'_>, after: i64, zone: Tz) -> Option<Moment> {
    let mut after = after;
    loop {
        // Before the first slot that any offset could show, there is nothing to look at.
        let ahead = naive(after - WIDEST_OFFSET_SECONDS)?;
        let slot = slots.next_local(ahead)?.and_utc().timestamp();
        after = after.max(slot - WIDEST_OFFSET_SECONDS - 1);
        let change = change_within(after, after + WINDOW_SECONDS, zone)?;
        let end = change.unwrap_or(after + WINDOW_SECONDS);
        let before_change = shown(slots, after, end, zone);
        if let Some(found) = before_change {
            return Some(found);
        }
        after = end - 1;
        if change.is_some()
            && let Some(found) = shown(slots, after, after + WINDOW_SECONDS, zone)
        {
            return Some(found);
        }
        if change.is_some() {
            after += WINDOW_SECONDS;
        }
    }
}

/// The first moment behind `after` and before `end` that shows a slot; the offset is the same from `after + 1` on.
fn shown(slots: &LocalSlots<'_>, after: i64, end: i64, zone: Tz) -> Option<Moment> {
    let offset = offset_seconds(after + 1, zone)?;
    let slot = slots.next_local(naive(after + offset)?)?;
    let second = slot.and_utc().timestamp() - offset;
    (second < end).then(|| Moment {
        second,
        slot,
        wall: match occurrences(slot, zone) {
            [Some(first), Some(_)] if first == second => Wall::First,
            [Some(_), Some(_)] => Wall::Second,
            _ => Wall::Once,
        },
    })
}

/// The first second behind `from` and up to `to` whose offset differs from that at `from`; `Some(None)` when there is
/// none.
#[expect(
    clippy::option_option,
    reason = "the outer one is the end of chrono's calendar"
)]
fn change_within(from: i64, to: i64, zone: Tz) -> Option<Option<i64>> {
    let offset = offset_seconds(from, zone)?;
    if offset_seconds(to, zone)? == offset {
        return Some(None);
    }
    let (mut same, mut other) = (from, to);
    while other - same > 1 {
        let middle = same + (other - same) / 2;
        if offset_seconds(middle, zone)? == offset {
            same = middle;
        } else {
            other = middle;
        }
    }
    Some(Some(other))
}

fn naive(second: i64) -> Option<NaiveDateTime> {
    Some(DateTime::from_timestamp(second, 0)?.naive_utc())
}

fn local(second: i64, zone: Tz) -> Option<NaiveDateTime> {
    let moment: DateTime<Utc> = DateTime::from_timestamp(second, 0)?;
    Some(moment.with_timezone(&zone).naive_local())
}

fn offset_seconds(second: i64, zone: Tz) -> Option<i64> {
    Some(local(second, zone)?.and_utc().timestamp() - second)
}

/// The moments at which the wall shows `slot`, in order.
fn occurrences(slot: NaiveDateTime, zone: Tz) -> [Option<i64>; 2] {
    match zone.from_local_datetime(&slot) {
        MappedLocalTime::Single(moment) => [Some(moment.timestamp()), None],
        MappedLocalTime::Ambiguous(one, other) => {
            let (one, other) = (one.timestamp(), other.timestamp());
            [Some(one.min(other)), Some(one.max(other))]
        }
        MappedLocalTime::None => [None, None],
    }
}

/// When the wall first reaches or passes `slot`.
fn first_moment(slot: NaiveDateTime, zone: Tz) -> Option<Moment> {
    let (second, wall) = match occurrences(slot, zone) {
        [Some(first), Some(_)] => (first, Wall::First),
        [Some(only), None] => (only, Wall::Once),
        _ => (end_of_gap(slot, zone)?, Wall::Gap),
    };
    Some(Moment { second, slot, wall })
}

/// The first moment whose local time is later than `slot`, which lies in a gap.
fn end_of_gap(slot: NaiveDateTime, zone: Tz) -> Option<i64> {
    let end = GapInfo::new(&slot, &zone)?.end?;
    Some(end.timestamp())
}

/// The moment that a local time means: its first occurrence, or the end of the gap that swallows it.
pub(crate) fn moment_of(time: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    // Far from the ends of chrono's range, so that looking around cannot leave it.
    let margin = TimeDelta::days(366);
    if time < NaiveDateTime::MIN + margin || time > NaiveDateTime::MAX - margin {
        return None;
    }
    let second = first_moment(time.with_nanosecond(0)?, zone)?.second;
    Some(Timestamp::from_millis(second * 1_000))
}
