//! Tells once why an instance that somebody watches does not go on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use akkaflow_api::Reason;

use crate::client::encode;
use crate::context::Context;

/// Between two questions.
const INTERVAL: Duration = Duration::from_secs(1);
/// What holds it up no longer than this between two questions is no news.
const PERSISTENCE: Duration = Duration::from_millis(900);

/// What was seen to hold an instance up.
pub(super) struct Reasons {
    path: String,
    asked: Instant,
    /// By code and object: since when, and whether it was told.
    seen: BTreeMap<(String, String), (Instant, bool)>,
}

impl Reasons {
    pub(super) fn new(id: &str) -> Self {
        Self {
            path: format!("/api/v1/instances/{}/explain", encode(id)),
            asked: Instant::now(),
            seen: BTreeMap::new(),
        }
    }

    /// Asks now and then, and tells each reason that stays, once.
    pub(super) fn tell(&mut self, context: &Context) {
        if self.asked.elapsed() < INTERVAL {
            return;
        }
        // No answer is no reason to stop watching.
        let reasons: Vec<Reason> = context.client.get(&self.path).unwrap_or_default();
        self.asked = Instant::now();
        for reason in self.news(reasons, self.asked) {
            let head = context.say("等待：", "waiting: ");
            eprintln!("{head}{}", reason.text);
        }
    }

    fn news(&mut self, reasons: Vec<Reason>, now: Instant) -> Vec<Reason> {
        let key = |reason: &Reason| (reason.code.clone(), reason.object.clone());
        self.seen.retain(|known, (_, was_told)| {
            *was_told || reasons.iter().any(|reason| key(reason) == *known)
        });
        reasons
            .into_iter()
            .filter(|reason| {
                let (since, was_told) = self.seen.entry(key(reason)).or_insert((now, false));
                let is_news = !*was_told && now.duration_since(*since) >= PERSISTENCE;
                *was_told |= is_news;
                is_news
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(object: &str) -> Reason {
        Reason {
            code: "no_worker".to_owned(),
            object: object.to_owned(),
            since: None,
            text: "no worker is attached".to_owned(),
        }
    }

    #[test]
    fn a_reason_is_told_once_and_only_when_it_stays() {
        let start = Instant::now();
        let second = |seconds| start + Duration::from_secs(seconds);
        let mut reasons = Reasons::new("1");
        assert!(reasons.news(vec![reason("a")], second(0)).is_empty());
        assert_eq!(reasons.news(vec![reason("a")], second(1)).len(), 1);
        assert!(reasons.news(vec![reason("a")], second(2)).is_empty());
        assert!(reasons.news(vec![reason("b")], second(3)).is_empty());
        assert!(reasons.news(vec![], second(4)).is_empty());
        assert!(reasons.news(vec![reason("b")], second(5)).is_empty());
    }
}
