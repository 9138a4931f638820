//! Tells once why an instance that somebody watches does not go on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use akkaflow_api::Reason;
use akkaflow_model::text::Lang;

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
    /// By what would be told: since when it stands, and whether it was told.
    seen: BTreeMap<String, (Instant, bool)>,
}

/// What several reasons have in common, told as one.
struct News {
    /// What makes it the same as before.
    key: String,
    line: String,
    /// Nodes that wait for the same; 0 where they are of no interest.
    nodes: usize,
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
        for news in self.news(reasons, self.asked) {
            let head = context.say("等待：", "waiting: ");
            let nodes = match news.nodes {
                0 => String::new(),
                1 => context.say("（1个节点）", " (1 node)").to_owned(),
                count => match context.screen.lang {
                    Lang::Zh => format!("（{count}个节点）"),
                    Lang::En => format!(" ({count} nodes)"),
                },
            };
            eprintln!("{head}{}{nodes}", news.line);
        }
    }

    fn news(&mut self, reasons: Vec<Reason>, now: Instant) -> Vec<News> {
        let gathered = gather(reasons);
        self.seen.retain(|known, (_, was_told)| {
            *was_told || gathered.iter().any(|news| news.key == *known)
        });
        gathered
            .into_iter()
            .filter(|news| {
                let known = self.seen.entry(news.key.clone());
                let (since, was_told) = known.or_insert((now, false));
                let is_news = !*was_told && now.duration_since(*since) >= PERSISTENCE;
                *was_told |= is_news;
                is_news
            })
            .collect()
    }
}

/// One for all reasons that read alike: a thousand nodes may wait for the same.
fn gather(reasons: Vec<Reason>) -> Vec<News> {
    let mut gathered: Vec<News> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for reason in reasons {
        let line = match reason.code.as_str() {
            // It does not say which node it is about; the others say what is missing, whoever waits for it.
            "retry_interval" | "cannot_begin" => format!("{}: {}", reason.object, reason.text),
            _ => reason.text,
        };
        let key = match reason.code.as_str() {
            // The place in the queue changes all the time.
            "queued" => reason.code.clone(),
            _ => line.clone(),
        };
        let place = *places.entry(key.clone()).or_insert(gathered.len());
        if place == gathered.len() {
            let nodes = 0;
            gathered.push(News { key, line, nodes });
        }
        gathered[place].nodes += usize::from(reason.code == "no_free_slot");
    }
    gathered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(code: &str, object: &str, text: &str) -> Reason {
        Reason {
            code: code.to_owned(),
            object: object.to_owned(),
            since: None,
            text: text.to_owned(),
        }
    }

    fn lines(news: Vec<News>) -> Vec<String> {
        news.into_iter().map(|news| news.line).collect()
    }

    #[test]
    fn a_reason_is_told_once_and_only_when_it_stays() {
        let retried = |node| reason("retry_interval", node, "waits until 12:00");
        let start = Instant::now();
        let second = |seconds| start + Duration::from_secs(seconds);
        let mut reasons = Reasons::new("1");
        let mut told = |given, seconds| lines(reasons.news(given, second(seconds)));
        assert!(told(vec![retried("a")], 0).is_empty());
        assert_eq!(told(vec![retried("a")], 1), ["a: waits until 12:00"]);
        assert!(told(vec![retried("a")], 2).is_empty());
        assert!(told(vec![retried("b")], 3).is_empty());
        assert!(told(vec![], 4).is_empty());
        assert!(told(vec![retried("b")], 5).is_empty());
    }

    #[test]
    fn a_thousand_nodes_that_wait_for_a_slot_are_one_line_in_a_whole_run() {
        let busy = |from: usize| {
            let nodes = from..from + 500;
            let of = |node| reason("no_free_slot", &format!("n{node}"), "every worker is busy");
            nodes.map(of).collect::<Vec<_>>()
        };
        let start = Instant::now();
        let mut reasons = Reasons::new("1");
        let mut told = Vec::new();
        for seconds in 0..10 {
            let now = start + Duration::from_secs(seconds);
            // Other nodes each time: the ones before got their slots.
            told.extend(reasons.news(busy(seconds as usize * 500), now));
        }
        let told: Vec<_> = told.iter().map(|news| (&*news.line, news.nodes)).collect();
        assert_eq!(told, [("every worker is busy", 500)]);
    }

    #[test]
    fn a_place_in_the_queue_is_told_once() {
        let start = Instant::now();
        let mut reasons = Reasons::new("1");
        let mut told = 0;
        for seconds in 0..5 {
            let queued = reason("queued", &seconds.to_string(), &format!("{seconds} ahead"));
            let now = start + Duration::from_secs(seconds);
            told += reasons.news(vec![queued], now).len();
        }
        assert_eq!(told, 1);
    }
}
