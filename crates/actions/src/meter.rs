//! What an attempt used and measured.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use akkaflow_connectors::processor_time::ProcessorTime;
use akkaflow_model::outcome::{Figures, Measured};

/// Takes what an attempt used and measured; clones take it together.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    figures: Arc<Mutex<Figures>>,
    /// Of its task, and of what that spawns.
    pub time: ProcessorTime,
}

impl Meter {
    fn change(&self, change: impl FnOnce(&mut Figures)) {
        let mut figures = (self.figures.lock()).unwrap_or_else(PoisonError::into_inner);
        change(&mut figures);
    }

    /// So many bytes more were moved.
    pub(crate) fn moved(&self, bytes: u64) {
        self.change(|figures| *figures.bytes.get_or_insert(0) += bytes);
    }

    /// This is what was seen last.
    pub(crate) fn measured(&self, measured: Measured) {
        self.change(|figures| figures.measured = Some(measured));
    }

    /// What was taken; `None` where nothing was. Work that has not ended yet is not in it.
    pub fn figures(&self) -> Option<Box<Figures>> {
        let mut figures = Figures::default();
        self.change(|known| figures = known.clone());
        let used = self.time.used();
        figures.cpu_millis = (!used.is_zero()).then(|| millis(used));
        (figures != Figures::default()).then(|| Box::new(figures))
    }
}

/// To the nearest millisecond: each attempt by itself is short, and many of them must not add up to nothing.
fn millis(time: Duration) -> u64 {
    u64::try_from((time + Duration::from_micros(500)).as_millis()).unwrap_or(u64::MAX)
}
