//! akkaflow's cron dialect.
//!
//! Placeholder of the contract: fields are private to the module that implements it.

use chrono_tz::Tz;

use crate::time::Timestamp;

/// A schedule: which minutes of which days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
}

impl Cron {
    /// The text as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first slot strictly after `after` in `zone`; `None` when there is none within 400 years... never a panic.
    pub fn next_after(&self, after: Timestamp, zone: Tz) -> Option<Timestamp> {
        let _ = (after, zone);
        None
    }
}
