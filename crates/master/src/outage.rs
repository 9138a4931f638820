//! Says once that the metadata database fails, however often it is asked meanwhile, and once that it is back.

use std::sync::Mutex;

/// What a call asks of the database. One on a full disk still answers reads: only a write proves that it works again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    /// It looks something up.
    Read,
    /// It changes something.
    Write,
}

/// What the log has said of the metadata database.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    /// The most demanding call that failed, and the failure that was told last; `None` while it works.
    told: Mutex<Option<(Call, String)>>,
}

impl Outage {
    /// A call failed.
    pub(crate) fn on_failure(&self, call: Call, error: &akkaflow_store::Error) {
        // The cause may change from call to call (refused, timed out): that is no news.
        if self.is_news(call, error.to_string()) {
            let text = error.text();
            tracing::error!("{}; trying on / {}；将继续重试", text.en, text.zh);
        }
    }

    /// A call was not answered in time; the store says more when its own patience ends.
    pub(crate) fn on_silence(&self, call: Call) {
        if self.is_news(call, String::new()) {
            tracing::warn!(
                "the metadata database is slow to answer; trying on / 元数据库响应缓慢，将继续重试"
            );
        }
    }

    /// A call succeeded.
    pub(crate) fn on_answer(&self, call: Call) {
        if self.is_over(call) {
            tracing::info!("the metadata database works again / 元数据库已恢复");
        }
    }

    /// Whether nothing, or something else, was said since it last worked. Silence is no news after anything.
    fn is_news(&self, call: Call, failure: String) -> bool {
        let mut told = self.told();
        let Some((demand, before)) = &mut *told else {
            *told = Some((call, failure));
            return true;
        };
        *demand = call.max(*demand);
        let is_news = !failure.is_empty() && *before != failure;
        if is_news {
            *before = failure;
        }
        is_news
    }

    /// Whether the success of `call` ends a failure that was told.
    fn is_over(&self, call: Call) -> bool {
        let mut told = self.told();
        let is_over = told.as_ref().is_some_and(|(demand, _)| call >= *demand);
        if is_over {
            *told = None;
        }
        is_over
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Option<(Call, String)>> {
        self.told.lock().expect("no panic while held")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_said_once_until_the_database_works() {
        let outage = Outage::default();
        let away = || "away".to_owned();
        assert!(outage.is_news(Call::Read, String::new()));
        assert!(outage.is_news(Call::Read, away()));
        assert!(!outage.is_news(Call::Read, away()));
        assert!(!outage.is_news(Call::Read, String::new()));
        assert!(outage.is_news(Call::Read, "refused".to_owned()));
        assert!(outage.is_over(Call::Read));
        assert!(!outage.is_over(Call::Read));
        assert!(outage.is_news(Call::Read, away()));
    }

    #[test]
    fn on_a_full_disk_the_reads_that_succeed_end_nothing() {
        let outage = Outage::default();
        let full = || "full".to_owned();
        assert!(outage.is_news(Call::Write, full()));
        for _ in 0..3 {
            assert!(!outage.is_over(Call::Read));
            assert!(!outage.is_news(Call::Write, full()));
        }
        assert!(outage.is_over(Call::Write));
    }
}
