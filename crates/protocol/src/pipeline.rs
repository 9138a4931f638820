//! Group commit: many inputs, one transaction, and nothing seen of it before it is durable.
//!
//! The writer steps the engine and [`Pipeline::push`]es what came out. Whenever no commit is under way it takes one
//! batch, commits it, and releases the effects that [`Pipeline::on_committed`] hands back. State never rolls back: a
//! batch whose commit is in doubt is looked up and committed again under the same position and name, or the reign ends.
//!
//! ```
//! use akkaflow_model::id::Epoch;
//! use akkaflow_protocol::pipeline::{Pipeline, Verdict};
//!
//! let mut pipeline: Pipeline<&str> = Pipeline::new(Epoch(3), 41, 7);
//! pipeline.push(b"{}".to_vec(), Vec::new(), vec!["dispatch a"]);
//! let batch = pipeline.take_batch().expect("one input waits");
//! assert_eq!(batch.seq, 42);
//! pipeline.push(b"{}".to_vec(), Vec::new(), vec!["dispatch b"]);
//! assert!(pipeline.take_batch().is_none(), "one commit at a time");
//!
//! // The connection broke during COMMIT: what stands at that position of the journal?
//! assert_eq!(pipeline.on_unknown(), Some(42));
//! assert_eq!(pipeline.on_looked_up(None), Verdict::CommitAgain);
//! // The caller commits the batch that it still has, and this time the answer comes.
//! assert_eq!(pipeline.on_committed(42), vec!["dispatch a"]);
//! assert_eq!(pipeline.take_batch().map(|next| next.seq), Some(43));
//! ```

use std::collections::VecDeque;

use akkaflow_model::id::{Epoch, mix};
use akkaflow_model::record::Record;

/// Inputs in one batch: beyond a thousand a larger transaction gains little and keeps the first input waiting.
pub const MAX_BATCH: usize = 1_000;

/// Inputs that may wait for the commit under way: two batches, so that the next one is always full under load.
pub const MAX_WAITING: usize = 2 * MAX_BATCH;

/// One transaction to be.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchOut {
    /// Position in the journal: one more than the last.
    pub seq: u64,
    /// The epoch under which it was decided.
    pub epoch: Epoch,
    /// Its name: the same for every try of the same batch, and for no other.
    pub id: u128,
    /// What was pushed as journal entries, in order.
    pub entries: Vec<Vec<u8>>,
    /// The rows to replace, in order.
    pub records: Vec<Record>,
}

impl BatchOut {
    /// The journal's body: the entries, which are JSON values, as one JSON array.
    pub fn journal(&self) -> Vec<u8> {
        let length: usize = self.entries.iter().map(|entry| entry.len() + 1).sum();
        let mut body = Vec::with_capacity(length + 2);
        body.push(b'[');
        for (index, entry) in self.entries.iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            body.extend_from_slice(entry);
        }
        body.push(b']');
        body
    }
}

/// What to do about a commit whose answer was not plain success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<E> {
    /// Ask the store which batch stands at this position, then call [`Pipeline::on_looked_up`].
    LookUp(u64),
    /// Commit the very same batch again.
    CommitAgain,
    /// It is durable after all: release these.
    Committed(Vec<E>),
    /// Another master leads: tell the leader, drop the engine and this pipeline.
    Fenced,
}

#[derive(Debug)]
struct Entry<E> {
    journal: Vec<u8>,
    records: Vec<Record>,
    effects: Vec<E>,
}

#[derive(Debug)]
struct Flight<E> {
    seq: u64,
    id: u128,
    effects: Vec<E>,
    /// Whether an earlier try of this batch may have been, or may yet be, committed.
    is_doubtful: bool,
}

/// The commit pipeline of one reign.
#[derive(Debug)]
pub struct Pipeline<E> {
    epoch: Epoch,
    seed: u64,
    last_seq: u64,
    waiting: VecDeque<Entry<E>>,
    flight: Option<Flight<E>>,
    is_over: bool,
}

impl<E> Pipeline<E> {
    /// A pipeline whose first batch stands at `seq + 1`; `seq` is the position of the reign's EPOCH_START.
    ///
    /// `seed` must be drawn anew for each reign: batches are named after it.
    pub fn new(epoch: Epoch, seq: u64, seed: u64) -> Self {
        Self {
            epoch,
            seed,
            last_seq: seq,
            waiting: VecDeque::new(),
            flight: None,
            is_over: false,
        }
    }

    /// Whether another input may be stepped. When not, leave inputs in their queue until a commit has come back.
    pub fn has_room(&self) -> bool {
        self.waiting.len() < MAX_WAITING
    }

    /// Whether everything that was pushed is durable.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.flight.is_none()
    }

    /// Position of the batch under way.
    pub fn in_flight(&self) -> Option<u64> {
        self.flight.as_ref().map(|flight| flight.seq)
    }

    /// Adds what one step of the engine gave. An input without records is pushed too when it has effects: what they
    /// say may rest on an earlier input that is not durable yet.
    pub fn push(&mut self, journal: Vec<u8>, records: Vec<Record>, effects: Vec<E>) {
        if !self.is_over {
            self.waiting.push_back(Entry {
                journal,
                records,
                effects,
            });
        }
    }

    /// The next batch, unless one is under way or nothing waits. Keep it until its effects are out: it may have to be
    /// committed again.
    pub fn take_batch(&mut self) -> Option<BatchOut> {
        if self.flight.is_some() || self.waiting.is_empty() || self.is_over {
            return None;
        }
        self.last_seq += 1;
        let mut batch = BatchOut {
            seq: self.last_seq,
            epoch: self.epoch,
            id: batch_id(self.seed, self.epoch, self.last_seq),
            entries: Vec::new(),
            records: Vec::new(),
        };
        let mut effects = Vec::new();
        let count = self.waiting.len().min(MAX_BATCH);
        for entry in self.waiting.drain(..count) {
            batch.entries.push(entry.journal);
            batch.records.extend(entry.records);
            effects.extend(entry.effects);
        }
        self.flight = Some(Flight {
            seq: batch.seq,
            id: batch.id,
            effects,
            is_doubtful: false,
        });
        Some(batch)
    }

    /// The batch at `seq` is durable: its effects, to be released now, in order. Empty when it is not the one under way.
    pub fn on_committed(&mut self, seq: u64) -> Vec<E> {
        match self.flight.take() {
            Some(flight) if flight.seq == seq => flight.effects,
            other => {
                self.flight = other;
                Vec::new()
            }
        }
    }

    /// The commit's answer was lost. The position to look up before anything else; `None` when nothing is under way.
    pub fn on_unknown(&mut self) -> Option<u64> {
        let flight = self.flight.as_mut()?;
        flight.is_doubtful = true;
        Some(flight.seq)
    }

    /// The journal says which batch stands at the position of the one in doubt.
    pub fn on_looked_up(&mut self, found: Option<u128>) -> Verdict<E> {
        let Some(flight) = self.flight.as_ref() else {
            return Verdict::Fenced;
        };
        match found {
            None => Verdict::CommitAgain,
            Some(id) if id == flight.id => {
                let seq = flight.seq;
                Verdict::Committed(self.on_committed(seq))
            }
            Some(_) => self.end(),
        }
    }

    /// The position was taken. By ourselves, if an earlier try of the batch was in doubt: look it up. Else the reign is
    /// over.
    pub fn on_fenced(&mut self) -> Verdict<E> {
        match &self.flight {
            Some(flight) if flight.is_doubtful => Verdict::LookUp(flight.seq),
            _ => self.end(),
        }
    }

    fn end(&mut self) -> Verdict<E> {
        self.is_over = true;
        self.flight = None;
        self.waiting.clear();
        Verdict::Fenced
    }
}

fn batch_id(seed: u64, epoch: Epoch, seq: u64) -> u128 {
    let high = mix(seed ^ mix(epoch.0));
    let low = mix(high ^ mix(seq));
    (u128::from(high) << 64) | u128::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipeline() -> Pipeline<u32> {
        Pipeline::new(Epoch(2), 10, 99)
    }

    fn with_one_in_flight() -> (Pipeline<u32>, BatchOut) {
        let mut pipeline = pipeline();
        pipeline.push(b"1".to_vec(), Vec::new(), vec![1, 2]);
        let batch = pipeline.take_batch().unwrap();
        (pipeline, batch)
    }

    #[test]
    fn effects_come_out_at_the_commit_in_the_order_of_their_inputs() {
        let mut pipeline = pipeline();
        pipeline.push(b"1".to_vec(), Vec::new(), vec![1, 2]);
        pipeline.push(b"2".to_vec(), Vec::new(), vec![3]);
        let batch = pipeline.take_batch().unwrap();
        assert_eq!(batch.seq, 11);
        assert_eq!(batch.journal(), b"[1,2]");
        assert_eq!(pipeline.on_committed(11), vec![1, 2, 3]);
        assert!(pipeline.is_idle());
    }

    #[test]
    fn nothing_that_waits_is_no_batch() {
        assert_eq!(pipeline().take_batch(), None);
    }

    #[test]
    fn one_batch_is_under_way_at_a_time_and_positions_are_contiguous() {
        let (mut pipeline, first) = with_one_in_flight();
        pipeline.push(b"2".to_vec(), Vec::new(), vec![3]);
        assert!(pipeline.take_batch().is_none());
        pipeline.on_committed(first.seq);
        let second = pipeline.take_batch().unwrap();
        assert_eq!(second.seq, first.seq + 1);
        assert_ne!(second.id, first.id);
    }

    #[test]
    fn a_commit_of_another_position_releases_nothing() {
        let (mut pipeline, batch) = with_one_in_flight();
        assert!(pipeline.on_committed(batch.seq + 1).is_empty());
        assert_eq!(pipeline.on_committed(batch.seq), vec![1, 2]);
        assert!(pipeline.on_committed(batch.seq).is_empty());
    }

    #[test]
    fn a_batch_in_doubt_that_is_found_was_committed() {
        let (mut pipeline, batch) = with_one_in_flight();
        assert_eq!(pipeline.on_unknown(), Some(batch.seq));
        assert_eq!(
            pipeline.on_looked_up(Some(batch.id)),
            Verdict::Committed(vec![1, 2])
        );
    }

    #[test]
    fn a_batch_in_doubt_that_is_not_found_is_committed_again() {
        let (mut pipeline, batch) = with_one_in_flight();
        pipeline.on_unknown();
        assert_eq!(pipeline.on_looked_up(None), Verdict::CommitAgain);
        assert!(
            pipeline.take_batch().is_none(),
            "the same batch is still under way"
        );
        assert_eq!(pipeline.on_committed(batch.seq), vec![1, 2]);
    }

    #[test]
    fn the_second_try_that_meets_the_first_one_in_the_journal_was_committed() {
        let (mut pipeline, batch) = with_one_in_flight();
        pipeline.on_unknown();
        pipeline.on_looked_up(None);
        assert_eq!(pipeline.on_fenced(), Verdict::LookUp(batch.seq));
        assert_eq!(
            pipeline.on_looked_up(Some(batch.id)),
            Verdict::Committed(vec![1, 2])
        );
    }

    #[test]
    fn a_fenced_pipeline_commits_and_releases_nothing_more() {
        let (mut pipeline, batch) = with_one_in_flight();
        pipeline.push(b"2".to_vec(), Vec::new(), vec![3]);
        assert_eq!(pipeline.on_fenced(), Verdict::Fenced);
        assert!(pipeline.on_committed(batch.seq).is_empty());
        pipeline.push(b"3".to_vec(), Vec::new(), vec![4]);
        assert!(pipeline.take_batch().is_none());
    }

    #[test]
    fn another_masters_entry_at_the_position_in_doubt_ends_the_reign() {
        let (mut pipeline, batch) = with_one_in_flight();
        pipeline.on_unknown();
        assert_eq!(pipeline.on_looked_up(Some(batch.id ^ 1)), Verdict::Fenced);
        assert!(pipeline.take_batch().is_none());
    }

    #[test]
    fn batches_and_the_queue_are_bounded() {
        let mut pipeline = pipeline();
        for _ in 0..MAX_WAITING {
            assert!(pipeline.has_room());
            pipeline.push(b"0".to_vec(), Vec::new(), vec![0]);
        }
        assert!(!pipeline.has_room());
        let batch = pipeline.take_batch().unwrap();
        assert_eq!(batch.entries.len(), MAX_BATCH);
        assert!(pipeline.has_room());
    }

    #[test]
    fn two_reigns_name_their_batches_differently() {
        assert_ne!(batch_id(1, Epoch(1), 5), batch_id(1, Epoch(2), 5));
        assert_ne!(batch_id(1, Epoch(1), 5), batch_id(2, Epoch(1), 5));
    }
}
