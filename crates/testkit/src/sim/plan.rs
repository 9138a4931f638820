//! What one history is like: drawn once from its seed.

use std::time::Duration;

use akkaflow_model::time::Timestamp;
use akkaflow_protocol::leader::LeaderOptions;
use chrono_tz::Tz;

use super::kept::Kept;
use super::rng::Rng;

/// Zones with and without clock changes.
const ZONES: &[Tz] = &[
    Tz::UTC,
    Tz::Asia__Shanghai,
    Tz::Europe__Berlin,
    Tz::America__New_York,
    Tz::Australia__Lord_Howe,
];

/// Moments about which a history may begin: an ordinary one, and shortly before clock changes.
const BEGINNINGS: &[i64] = &[
    1_790_000_000_000,
    1_774_744_800_000, // 2026-03-29 00:40 UTC: Berlin changes at 01:00
    1_792_887_600_000, // 2026-10-25 00:20 UTC: Berlin changes back at 01:00
    1_772_952_600_000, // 2026-03-08 06:50 UTC: New York changes at 07:00
];

/// Seconds in milliseconds.
pub(crate) const SECOND: u64 = 1_000;

/// The fixed facts of one history.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) zone: Tz,
    /// The cluster's time when the history begins.
    pub(crate) beginning: Timestamp,
    pub(crate) leader: LeaderOptions,
    pub(crate) stop_after: Duration,
    pub(crate) lost_after: Duration,
    /// After so many failed retries people are told of a node.
    pub(crate) retry_fail_times: u32,
    pub(crate) workers: usize,
    /// Milliseconds during which faults and people are at work.
    pub(crate) busy: u64,
    /// Milliseconds of quiet after that.
    pub(crate) quiet: u64,
    /// Milliseconds between two acts of people, on average.
    pub(crate) act_every: u64,
    /// Milliseconds between two faults, on average.
    pub(crate) fault_every: u64,
    /// Per mille of store calls that go wrong somehow.
    pub(crate) store_trouble: u64,
    /// Whether messages of a broken connection may still arrive at the master.
    pub(crate) has_late_messages: bool,
    /// Longest run of a process, in milliseconds.
    pub(crate) longest_run: u64,
}

impl Plan {
    pub(crate) fn draw(rng: &mut Rng, kept: &Kept) -> Self {
        // A worker notices a broken connection within 10 s and a process dies within 5 s; the fence takes 9 s.
        let stop_after = Duration::from_secs(rng.between(30, 240));
        let lost_after = stop_after.mul_f64(1.01) + Duration::from_secs(30);
        Self {
            zone: *rng.pick(ZONES),
            beginning: Timestamp::from_millis(rng.pick(BEGINNINGS) + rng.below(60_000) as i64),
            leader: LeaderOptions {
                renew_every: Duration::from_secs(4),
                retry_after: Duration::from_secs(1),
                ttl: Duration::from_secs(12),
                self_fence: Duration::from_secs(9),
            },
            stop_after,
            lost_after,
            retry_fail_times: (stop_after.as_secs() % 2) as u32,
            workers: rng.between(1, 4) as usize,
            busy: kept.busy(draw_busy(rng) * SECOND),
            quiet: lost_after.as_millis() as u64 + 240 * SECOND,
            act_every: rng.between(2, 8) * SECOND,
            fault_every: rng.between(40, 150) * SECOND,
            store_trouble: *rng.pick(&[0, 5, 30]),
            has_late_messages: rng.chance(50),
            longest_run: rng.between(2, 40) * SECOND,
        }
    }
}

/// Seconds: many short histories find more than few long ones, and some things take long.
fn draw_busy(rng: &mut Rng) -> u64 {
    if rng.chance(12) {
        rng.between(650, 1_200)
    } else {
        rng.between(200, 650)
    }
}
