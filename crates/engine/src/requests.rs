//! Requests that may be repeated, and what they made.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use akkaflow_model::record::RequestRow;
use akkaflow_model::time::Timestamp;

/// How long a repeated request gets the same answer: `reliability.md` I9.
const MEMORY: Duration = Duration::from_secs(7 * 24 * 3600);
/// At most so many are remembered; the oldest go first. About 60 MiB.
const MAX_REQUESTS: usize = 200_000;

/// The remembered requests.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    by_key: BTreeMap<String, RequestRow>,
    by_age: VecDeque<(Timestamp, String)>,
}

impl Requests {
    pub(crate) fn find(&self, key: &str, now: Timestamp) -> Option<&RequestRow> {
        self.by_key
            .get(key)
            .filter(|row| now.since(row.at) <= MEMORY)
    }

    pub(crate) fn remember(&mut self, row: RequestRow) {
        let now = row.at;
        self.by_age.push_back((row.at, row.key.clone()));
        self.by_key.insert(row.key.clone(), row);
        while let Some((at, key)) = self.by_age.front()
            && (self.by_age.len() > MAX_REQUESTS || now.since(*at) > MEMORY)
        {
            if self.by_key.get(key).is_some_and(|row| row.at == *at) {
                self.by_key.remove(key);
            }
            self.by_age.pop_front();
        }
    }

    pub(crate) fn load(rows: Vec<RequestRow>) -> Self {
        let mut rows = rows;
        rows.sort_by(|a, b| (a.at, &a.key).cmp(&(b.at, &b.key)));
        let mut requests = Self::default();
        for row in rows {
            requests.remember(row);
        }
        requests
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &RequestRow> {
        self.by_key.values()
    }
}
