//! The two clocks of a master: wall time for what people see, and a monotonic one for leases.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use akkaflow_model::time::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// Wall time that never goes back within one process: a stepped clock stands still until it has caught up.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    latest: AtomicI64,
}

impl Clock {
    /// The moment.
    pub(crate) fn now(&self) -> Timestamp {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis();
        let wall = i64::try_from(wall).unwrap_or(i64::MAX);
        let latest = self.latest.fetch_max(wall, Ordering::Relaxed);
        Timestamp::from_millis(wall.max(latest))
    }
}

/// Time since the machine was started, suspended time included.
pub(crate) fn since_boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}
