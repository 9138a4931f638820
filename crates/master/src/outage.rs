//! Says once that the metadata database fails, however often it is asked meanwhile, and once that it is back.

use std::sync::Mutex;

/// What the log has said of the metadata database.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    /// The failure that was told last; `None` while it answers.
    told: Mutex<Option<String>>,
}

impl Outage {
    /// A call failed.
    pub(crate) fn on_failure(&self, error: &akkaflow_store::Error) {
        // The cause may change from call to call (refused, timed out): that is no news.
        if self.is_news(error.to_string(), true) {
            let text = error.text();
            tracing::error!("{}; trying on / {}；将继续重试", text.en, text.zh);
        }
    }

    /// A call was not answered in time; the store says more when its own patience ends.
    pub(crate) fn on_silence(&self) {
        if self.is_news(String::new(), false) {
            tracing::warn!(
                "the metadata database is slow to answer; trying on / 元数据库响应缓慢，将继续重试"
            );
        }
    }

    /// A call succeeded.
    pub(crate) fn on_answer(&self) {
        if self.told().take().is_some() {
            tracing::info!("the metadata database answers again / 元数据库已恢复");
        }
    }

    /// Whether nothing, or something else, was said since the last answer. What says less is no news while anything is.
    fn is_news(&self, failure: String, says_more: bool) -> bool {
        let mut told = self.told();
        let is_news = match &*told {
            None => true,
            Some(before) => says_more && *before != failure,
        };
        if is_news {
            *told = Some(failure);
        }
        is_news
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.told.lock().expect("no panic while held")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_said_once_until_the_database_answers() {
        let outage = Outage::default();
        assert!(outage.is_news(String::new(), false));
        assert!(outage.is_news("away".to_owned(), true));
        assert!(!outage.is_news("away".to_owned(), true));
        assert!(!outage.is_news(String::new(), false));
        assert!(outage.is_news("read-only".to_owned(), true));
        outage.on_answer();
        assert!(outage.is_news("away".to_owned(), true));
    }
}
