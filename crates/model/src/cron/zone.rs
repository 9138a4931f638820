//! From local slots to moments, through gaps and overlaps.

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

use crate::cron::Cron;
use crate::time::Timestamp;

/// Further ahead nothing is looked for: a fifth Monday of February may take 40 years.
const HORIZON_SECONDS: i64 = 41 * 366 * 86_400;
/// The `cron` crate knows the years 1970 to 2100.
const FIRST_SECOND: i64 = -2 * 86_400;
const LAST_SECOND: i64 = 4_133_980_800;
/// Longer than any zone ever jumped, and than the sum of two offsets.
const WINDOW_SECONDS: i64 = 30 * 3_600;

pub(super) fn next_after(cron: &Cron, after: Timestamp, zone: Tz) -> Option<Timestamp> {
    // Slots are whole seconds, so what follows the second's begin follows every moment in it.
    let after = after.as_millis().div_euclid(1_000).max(FIRST_SECOND);
    if after >= LAST_SECOND {
        return None;
    }
    let found = if cron.follows_elapsed_time {
        next_elapsing(cron, after, zone)
    } else {
        next_fixed(cron, after, zone)
    }?;
    (found - after <= HORIZON_SECONDS).then(|| Timestamp::from_millis(found * 1_000))
}

/// Slots in their order on the wall; the moment of each never precedes that of the one before.
fn next_fixed(cron: &Cron, after: i64, zone: Tz) -> Option<i64> {
    let mut slot = local(after, zone)?;
    loop {
        slot = cron.next_local(slot)?;
        let moment = first_occurrence(slot, zone).or_else(|| end_of_gap(slot, zone))?;
        if moment > after {
            return Some(moment);
        }
    }
}

/// Moments in their order whose local time is a slot.
fn next_elapsing(cron: &Cron, after: i64, zone: Tz) -> Option<i64> {
    let mut after = after;
    // While the clock is about to jump, local order misleads: look at every minute.
    while offset_seconds(after, zone)? != offset_seconds(after + WINDOW_SECONDS, zone)? {
        let found = scan_minutes(cron, after, zone);
        if found.is_some() {
            return found;
        }
        after += WINDOW_SECONDS;
    }
    let mut slot = local(after, zone)?;
    loop {
        slot = cron.next_local(slot)?;
        // Right behind an overlap the second occurrences are still to come.
        let found = occurrences(slot, zone)
            .into_iter()
            .flatten()
            .find(|moment| *moment > after);
        if found.is_some() {
            return found;
        }
    }
}

fn scan_minutes(cron: &Cron, after: i64, zone: Tz) -> Option<i64> {
    let mut moment = after;
    while moment < after + WINDOW_SECONDS {
        // To the next full minute on the wall: historic offsets have seconds.
        moment += 60 - i64::from(local(moment, zone)?.second());
        if cron.includes_local(local(moment, zone)?) {
            return Some(moment);
        }
    }
    None
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

fn first_occurrence(slot: NaiveDateTime, zone: Tz) -> Option<i64> {
    occurrences(slot, zone)[0]
}

/// The first moment whose local time is later than `slot`, which lies in a gap.
fn end_of_gap(slot: NaiveDateTime, zone: Tz) -> Option<i64> {
    let around = slot.and_utc().timestamp();
    let (mut before, mut behind) = (around - WINDOW_SECONDS, around + WINDOW_SECONDS);
    while behind - before > 1 {
        let middle = before + (behind - before) / 2;
        if local(middle, zone)? > slot {
            behind = middle;
        } else {
            before = middle;
        }
    }
    Some(behind)
}

/// The moment that a local time means: its first occurrence, or the end of the gap that swallows it.
pub(crate) fn moment_of(time: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    // Far from the ends of chrono's range, so that looking around cannot leave it.
    let margin = TimeDelta::days(366);
    if time < NaiveDateTime::MIN + margin || time > NaiveDateTime::MAX - margin {
        return None;
    }
    let second = first_occurrence(time, zone).or_else(|| end_of_gap(time, zone))?;
    Some(Timestamp::from_millis(second * 1_000))
}
