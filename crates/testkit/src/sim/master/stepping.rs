//! The engine of a leading master: its inputs, its ticks, and what must hold after each.

use akkaflow_engine::{Effect, Engine, Input, JournalEntry};
use akkaflow_model::id::{Epoch, InstanceId};
use akkaflow_model::record::{CleanUp, Record};
use akkaflow_model::state::InstanceState;
use akkaflow_protocol::leader::LeaderInput;

use super::committing::is_early;
use super::telling::{format_input, format_records};
use crate::sim::plan::SECOND;
use crate::sim::planted::Planted;
use crate::sim::world::{Event, World};

/// Nothing reads the journal's bodies here: one in so many inputs is spelt out, which costs more than its step.
const JOURNALED: u64 = 16;

impl World {
    pub(crate) fn on_engine_tick(&mut self, index: usize, epoch: Epoch) {
        let now = self.now;
        if let Some(delay) = self.pause_left(index) {
            self.at(
                delay,
                Event::EngineTick {
                    master: index,
                    epoch,
                },
            );
            return;
        }
        let Some(reign) = self.masters[index]
            .reign
            .as_mut()
            .filter(|reign| reign.epoch == epoch && reign.tick_at.is_some_and(|at| at <= now))
        else {
            return;
        };
        reign.tick_at = None;
        let did_something = self.feed(index, Input::Tick);
        if !did_something
            && let Some(reign) = &self.masters[index].reign
            && let Some(deadline) = reign.engine.next_deadline()
            && deadline <= reign.time(now)
        {
            self.fail(format!(
                "L2: a tick does nothing and leaves something due: {deadline:?}, {:?}",
                reign.time(now)
            ));
        }
    }

    pub(super) fn pause_left(&self, index: usize) -> Option<u64> {
        let until = self.masters[index].paused_until;
        (until > self.now).then(|| until - self.now)
    }

    pub(crate) fn on_feed(&mut self, index: usize, epoch: Epoch, input: Input) {
        let leads = self.masters[index]
            .reign
            .as_ref()
            .is_some_and(|reign| reign.epoch == epoch);
        if leads {
            self.feed(index, input);
        }
    }

    /// One input for the engine of a leading master. Says whether anything came of it.
    pub(crate) fn feed(&mut self, index: usize, input: Input) -> bool {
        let (now, boot_time) = (self.now, self.boot_time());
        let master = &mut self.masters[index];
        if master.leader.may_act(boot_time).is_none() {
            self.lead(index, LeaderInput::Tick);
            return false;
        }
        let Some(reign) = master.reign.as_mut() else {
            return false;
        };
        let time = reign.time(now);
        let told = format_input(self.is_told, &input);
        reign.inputs.push((time, input.clone()));
        let mut step = reign.engine.step(time, input);
        let input = reign.inputs.last().map(|(_, input)| input);
        let journal = match input {
            Some(input) if self.alone.is_some() => {
                JournalEntry::new(time, input, &mut step).to_json()
            }
            Some(input) if self.stats.inputs.is_multiple_of(JOURNALED) => {
                serde_json::to_vec(input).expect("inputs are plain data")
            }
            _ => Vec::new(),
        };
        self.stats.inputs += 1;
        let verdict = check_touched(&reign.engine, &step.records);
        let early: Vec<Effect> = step
            .effects
            .iter()
            .filter(|effect| is_early(self.planted, effect))
            .cloned()
            .collect();
        let killed_again = (self.planted == Some(Planted::KillSentTwice))
            .then(|| killed_in_clean_up(&step.records))
            .flatten();
        let (records, effects) = (step.records.len(), step.effects.len());
        let rows = format_records(self.is_told, &step.records);
        if records + effects > 0 {
            reign.pipeline.push(journal, step.records, step.effects);
        }
        self.note((records << 16 | effects) as u64);
        self.tell(|| format!("m{index} steps {told}: {effects} effects, {records} records {rows}"));
        self.judge(verdict);
        self.check_one_leader(index);
        for effect in early {
            self.release(index, effect);
        }
        self.pump(index);
        self.arm_engine(index);
        if self.stats.inputs.is_multiple_of(64) {
            self.check_fully(index);
        }
        if let Some(id) = killed_again {
            let input = self.kill_again(id);
            self.feed(index, input);
        }
        records + effects > 0
    }

    pub(super) fn arm_engine(&mut self, index: usize) {
        let (now, planted) = (self.now, self.planted);
        let Some(reign) = self.masters[index].reign.as_mut() else {
            return;
        };
        let Some(deadline) = reign.engine.next_deadline() else {
            return;
        };
        let mut at = reign.moment(deadline).max(now);
        if planted == Some(Planted::TicksLate) {
            at += 600 * SECOND;
        }
        if reign.tick_at.is_some_and(|tick| tick <= at) {
            return;
        }
        reign.tick_at = Some(at);
        let epoch = reign.epoch;
        self.at(
            at - now,
            Event::EngineTick {
                master: index,
                epoch,
            },
        );
    }
}

/// An instance that was killed and whose clean-up has just begun.
fn killed_in_clean_up(records: &[Record]) -> Option<InstanceId> {
    records.iter().find_map(|record| match record {
        Record::Instance(row) => (row.clean_up == CleanUp::Begun
            && row.ending == Some(InstanceState::Killed))
        .then_some(row.id),
        _ => None,
    })
}

/// Checks the instances that a step has touched.
fn check_touched(engine: &Engine, records: &[Record]) -> Result<(), String> {
    let mut last = None;
    for record in records {
        let id = match record {
            Record::Instance(row) => row.id,
            Record::Node(row) => row.instance,
            Record::Attempt(row) => row.key.instance,
            _ => continue,
        };
        if last.replace(id) != Some(id) {
            engine.check_instance(id)?;
        }
    }
    Ok(())
}
