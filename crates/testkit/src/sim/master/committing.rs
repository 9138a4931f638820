//! The commits of a leading master: one batch after the other, and what is released after each.

use std::sync::Arc;

use akkaflow_engine::Effect;
use akkaflow_model::id::Epoch;
use akkaflow_protocol::leader::LeaderInput;
use akkaflow_protocol::pipeline::Verdict;

use super::{Call, Reign};
use crate::sim::planted::Planted;
use crate::sim::world::World;

impl World {
    pub(super) fn pump(&mut self, index: usize) {
        let Some(reign) = self.masters[index].reign.as_mut() else {
            return;
        };
        let Some(mut batch) = reign.pipeline.take_batch() else {
            return;
        };
        if let Some(planted) = self.planted {
            planted.spoil(&mut batch.records);
        }
        let batch = Arc::new(batch);
        reign.batch = Some(batch.clone());
        self.call(index, Call::Commit { batch });
    }

    pub(super) fn reign_of(&mut self, index: usize, epoch: Epoch) -> Option<&mut Reign> {
        self.masters[index]
            .reign
            .as_mut()
            .filter(|reign| reign.epoch == epoch)
    }

    pub(super) fn on_commit_reply(
        &mut self,
        index: usize,
        epoch: Epoch,
        seq: u64,
        is_committed: Option<bool>,
    ) {
        let planted = self.planted;
        let Some(reign) = self
            .reign_of(index, epoch)
            .filter(|reign| reign.pipeline.in_flight() == Some(seq))
        else {
            return;
        };
        match is_committed {
            Some(true) => {
                let effects = reign.pipeline.on_committed(seq);
                self.on_committed(index, effects);
            }
            None if planted == Some(Planted::UnknownCommitCountsAsDone) => {
                let effects = reign.pipeline.on_committed(seq);
                self.on_committed(index, effects);
            }
            None if planted == Some(Planted::UnknownCommitDropped) => {
                reign.pipeline.on_committed(seq);
                self.pump(index);
            }
            None => {
                if let Some(seq) = reign.pipeline.on_unknown() {
                    self.call(index, Call::LookUp { epoch, seq });
                }
            }
            Some(false) => {
                let verdict = reign.pipeline.on_fenced();
                self.on_verdict(index, epoch, verdict);
            }
        }
    }

    pub(super) fn on_looked_up(&mut self, index: usize, epoch: Epoch, found: Option<Option<u128>>) {
        let Some(reign) = self.reign_of(index, epoch) else {
            return;
        };
        let Some(seq) = reign.pipeline.in_flight() else {
            return;
        };
        match found {
            Some(found) => {
                let verdict = reign.pipeline.on_looked_up(found);
                self.on_verdict(index, epoch, verdict);
            }
            None => self.call(index, Call::LookUp { epoch, seq }),
        }
    }

    pub(super) fn on_verdict(&mut self, index: usize, epoch: Epoch, verdict: Verdict<Effect>) {
        match verdict {
            Verdict::LookUp(seq) => self.call(index, Call::LookUp { epoch, seq }),
            Verdict::CommitAgain => {
                let batch = self.masters[index]
                    .reign
                    .as_ref()
                    .and_then(|reign| reign.batch.clone());
                if let Some(batch) = batch {
                    self.call(index, Call::Commit { batch });
                }
            }
            Verdict::Committed(effects) => self.on_committed(index, effects),
            Verdict::Fenced => self.lead(index, LeaderInput::Fenced),
        }
    }

    pub(super) fn on_committed(&mut self, index: usize, effects: Vec<Effect>) {
        let now = self.boot_time();
        if self.masters[index].leader.may_act(now).is_none() {
            self.lead(index, LeaderInput::Tick);
            return;
        }
        for effect in effects {
            if !is_early(self.planted, &effect) {
                self.release(index, effect);
            }
        }
        self.pump(index);
    }
}

/// Whether a planted fault releases the effect before its records are durable.
pub(super) fn is_early(planted: Option<Planted>, effect: &Effect) -> bool {
    match planted {
        Some(Planted::EffectsBeforeCommit) => true,
        Some(Planted::AcknowledgeBeforeCommit) => matches!(effect, Effect::Acknowledge { .. }),
        Some(Planted::ReplyBeforeCommit) => matches!(effect, Effect::Reply { .. }),
        _ => false,
    }
}
