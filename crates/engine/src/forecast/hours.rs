//! Load by the hour.

use akkaflow_model::time::Timestamp;

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;

/// The load of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hour {
    /// When it begins.
    pub at: Timestamp,
    /// Instances that leave their queue in it.
    pub started: u64,
    /// Most attempts at once.
    pub busy: u64,
}

/// From the hour in which a forecast begins.
#[derive(Debug)]
pub(super) struct Hours {
    hours: Vec<Hour>,
    /// Attempts just now.
    busy: u64,
}

impl Hours {
    pub(super) fn new(from: Timestamp) -> Self {
        let begin = from.as_millis() - from.as_millis().rem_euclid(HOUR);
        Self {
            hours: vec![Hour {
                at: Timestamp::from_millis(begin),
                started: 0,
                busy: 0,
            }],
            busy: 0,
        }
    }

    /// The clock moves.
    pub(super) fn move_to(&mut self, now: Timestamp) {
        let mut last = self.last().at;
        while now.as_millis() - last.as_millis() >= HOUR {
            last = Timestamp::from_millis(last.as_millis() + HOUR);
            self.hours.push(Hour {
                at: last,
                started: 0,
                busy: self.busy,
            });
        }
    }

    pub(super) fn note_start(&mut self) {
        self.last().started += 1;
    }

    pub(super) fn note_begin(&mut self) {
        self.busy += 1;
        let busy = self.busy;
        let hour = self.last();
        hour.busy = hour.busy.max(busy);
    }

    pub(super) fn note_end(&mut self) {
        self.busy -= 1;
    }

    fn last(&mut self) -> &mut Hour {
        self.hours.last_mut().expect("there is a first one")
    }

    pub(super) fn into_hours(self) -> Vec<Hour> {
        self.hours
    }
}
