//! The critical path of an instance, and who is to blame.

use std::cmp::Reverse;
use std::time::Duration;

use akkaflow_model::landing::Blame;
use akkaflow_model::time::Timestamp;

use super::reckoning::Reckoning;
use crate::instances::Instance;

/// So many nodes a notice names: people read no more, and the row stays small.
const MOST_NAMED: usize = 50;

/// What decides when an instance ends.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) expected: Timestamp,
    pub(super) blame: Option<Blame>,
    pub(super) path: Vec<String>,
}

impl Instance {
    /// Where the longest way to the end stands at `now`, and what has delayed it.
    pub(super) fn critical_path(&self, now: Timestamp) -> Found {
        let Some(reckoning) = self.reckoning.as_deref() else {
            return self.known_by_rows(now);
        };
        let Some((expected, node)) = self.last_to_end(reckoning, now) else {
            return self.not_begun(reckoning, now);
        };
        let mut path = self.behind(node);
        path.reverse();
        path.push(node);
        let deadline = self.row.landing.as_ref().map(|landing| landing.deadline);
        let overrun = deadline.map_or(0, |deadline| ms(expected.since(deadline)));
        // What it is expected to drag on for is no delay yet.
        let drag = self
            .active(node, reckoning)
            .map_or(0, |it| ms(it.drag(now)));
        let delays = path
            .iter()
            .map(|&node| (self.delay(node, reckoning, now), node));
        let worst = delays.rev().max_by_key(|(delay, _)| *delay);
        let blame = worst.filter(|(delay, _)| *delay > 0 && *delay >= overrun.saturating_sub(drag));
        self.go_on(reckoning, node, &mut path);
        Found {
            expected,
            blame: blame.map(|(behind_ms, node)| Blame {
                node: self.graph.name(node).to_owned(),
                behind_ms: reckoning.is_known[node].then_some(behind_ms),
            }),
            path: self.named(&path),
        }
    }

    /// The node that keeps the instance open for longest, and when it will have ended.
    fn last_to_end(&self, reckoning: &Reckoning, now: Timestamp) -> Option<(Timestamp, usize)> {
        let active = (0..self.slots.len()).filter_map(|node| {
            let end = self.active(node, reckoning)?.end_at(now).as_millis();
            let end = end.saturating_add_unsigned(reckoning.after(node));
            Some((Timestamp::from_millis(end), Reverse(node)))
        });
        active.max().map(|(end, Reverse(node))| (end, node))
    }

    /// It waits in its queue: nothing of it has begun.
    fn not_begun(&self, reckoning: &Reckoning, now: Timestamp) -> Found {
        let mut path = Vec::new();
        let mut total = 0;
        if self.row.started_at.is_none() {
            total = reckoning.total;
            let way =
                |node: &&usize| reckoning.usual[**node].saturating_add(reckoning.after(**node));
            if let Some(&first) = self.graph.first().iter().rev().max_by_key(way) {
                path.push(first);
                self.go_on(reckoning, first, &mut path);
            }
        }
        Found {
            expected: Timestamp::from_millis(now.as_millis().saturating_add_unsigned(total)),
            blame: None,
            path: self.named(&path),
        }
    }

    /// Nobody knows how long anything takes: to blame is what has been open for longest, unless the deadline had passed before.
    fn known_by_rows(&self, now: Timestamp) -> Found {
        let open = (0..self.slots.len()).filter_map(|node| {
            let row = self.node(node).filter(|row| !row.state.is_terminal())?;
            Some((row.ready_at, node))
        });
        let oldest = open.min();
        let deadline = self.row.landing.as_ref().map(|landing| landing.deadline);
        let to_blame = oldest.filter(|(ready_at, _)| deadline.is_some_and(|it| *ready_at < it));
        let oldest = oldest.map(|(_, node)| node);
        Found {
            expected: now,
            blame: to_blame.map(|(_, node)| Blame {
                node: self.graph.name(node).to_owned(),
                behind_ms: None,
            }),
            path: oldest.map_or_else(Vec::new, |node| self.named(&[node])),
        }
    }

    /// The nodes of this run that the node had to wait for, each the last before the one it comes before.
    fn behind(&self, mut node: usize) -> Vec<usize> {
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); self.graph.len()];
        for from in 0..self.graph.len() {
            for way in &self.graph.vertex(from).outs {
                before[way.to].push(from);
            }
        }
        let mut path = Vec::new();
        let ended = |from: usize| {
            let row = self.node(from)?;
            row.ended_at.filter(|end| Some(*end) >= self.row.started_at)
        };
        while let Some((_, Reverse(from))) = (before[node].iter())
            .filter_map(|&from| Some((ended(from)?, Reverse(from))))
            .max()
        {
            path.push(from);
            node = from;
        }
        path
    }

    /// What usually follows it, and at last the clean-up, whose end may be that of the rest.
    fn go_on(&self, reckoning: &Reckoning, node: usize, path: &mut Vec<usize>) {
        let finally = self.graph.finally().map(|finally| finally.node);
        let mut ahead = finally.filter(|_| !reckoning.is_clean_up[node]);
        let mut at = node;
        while let Some(next) = reckoning.next(&self.graph, at).or_else(|| ahead.take()) {
            path.push(next);
            at = next;
        }
    }

    /// How much longer a node has taken than it usually does, from when it was reached.
    fn delay(&self, node: usize, reckoning: &Reckoning, now: Timestamp) -> u64 {
        let Some(row) = self.node(node) else {
            return 0;
        };
        let Some(active) = self.active(node, reckoning) else {
            let end = row.ended_at.unwrap_or(now);
            return ms(end.since(row.ready_at)).saturating_sub(reckoning.usual[node]);
        };
        let waited = if active.runs { active.from } else { now };
        let over = if active.runs {
            active.over(now)
        } else {
            Duration::ZERO
        };
        ms(waited.since(row.ready_at)).saturating_add(ms(over))
    }

    /// The actions among them.
    fn named(&self, path: &[usize]) -> Vec<String> {
        let actions = path
            .iter()
            .filter(|&&node| self.graph.action(node).is_some());
        actions
            .take(MOST_NAMED)
            .map(|&node| self.graph.name(node).to_owned())
            .collect()
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
