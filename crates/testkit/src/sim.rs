//! Whole clusters in one thread, from one seed.
//!
//! Two masters run the real leader, pipeline and engine, the workers the real agent. Everything else is simulated: the
//! clock, the network, the store, processes, people and what goes wrong. The same seed gives the same history.
//!
//! `AKKAFLOW_SIM_SEEDS=1000000 cargo test -p akkaflow-testkit` lives a million histories. One that fails is cut down and
//! printed with the command that lives it again: `AKKAFLOW_SEED`, with `AKKAFLOW_KEEP` what is kept of it, with
//! `AKKAFLOW_PLANTED=NoTombstone` under a planted fault, with `AKKAFLOW_TELL=1` its whole trace.
//! `cargo xtask prove --minutes 60` goes on where it stopped and adds to `docs/proof.md`.
//!
//! **Invariants:** no thread, no clock, no randomness but the seed's. What must hold is written down in `oracle`, `graph`
//! and `checks`, apart from the types that they judge and without using them.
//!
//! The lease's times are longer than the product's (4 s, 12 s, fence 9 s), so that an hour needs fewer events; nothing
//! rests on the figures but their order. A worker notices a broken connection within 10 s, a process dies within 5 s, and
//! while an agent is down the supervisor ends its attempts after `stop_after`: the lost-worker rule needs all three.
//!
//! | module | holds |
//! |---|---|
//! | `world`, `plan`, `rng` | the queue of events, what a history is like, chance |
//! | `master`, `effects`, `store`, `tables` | a master around the real types, what it shows, what is durable |
//! | `worker`, `processes`, `network` | a worker around the real agent, what really runs, connections |
//! | `people`, `backfills`, `faults`, `workload` | what people do, what goes wrong, random workflows |
//! | `oracle`, `graph`, `checks`, `explained` | what must hold of the rows, of the graph, of the whole, of what is said of it |
//! | `planted` | faults on purpose, to prove that the above bites |
//! | `alone` | each instance replayed alone from the journal, in some histories |
//! | `kept`, `shrink` | what of a history is kept, and how a failing one is cut down |

mod alone;
mod backfills;
mod checks;
mod effects;
pub(crate) mod explained;
mod faults;
mod graph;
mod kept;
mod master;
mod nesting;
mod network;
mod oracle;
mod people;
mod plan;
mod planted;
mod processes;
pub(crate) mod rng;
mod shrink;
mod store;
pub(crate) mod tables;
mod worker;
mod workload;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use kept::{Habit, Kept};
pub use planted::Planted;
pub use shrink::shrink;
pub use world::Stats;

use world::World;

/// What a history is made from: the same recipe gives the same history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipe {
    /// The source of all chance.
    pub seed: u64,
    /// A fault in the product's surroundings.
    pub planted: Option<Planted>,
    /// What is kept of it.
    pub kept: Kept,
}

impl Recipe {
    /// The whole history of a seed.
    pub fn of(seed: u64, planted: Option<Planted>) -> Self {
        Self {
            seed,
            planted,
            kept: Kept::default(),
        }
    }

    /// The command that lives this history again and tells it.
    pub fn command(&self) -> String {
        let mut text = format!("AKKAFLOW_SEED={}", self.seed);
        if let Some(planted) = self.planted {
            text.push_str(&format!(" AKKAFLOW_PLANTED={planted:?}"));
        }
        if self.kept != Kept::default() {
            text.push_str(&format!(" AKKAFLOW_KEEP='{}'", self.kept));
        }
        text + " cargo test -p akkaflow-testkit --test it simulation::no_history_breaks_the_contract -- --nocapture"
    }
}

/// How a history went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// What it was made from.
    pub recipe: Recipe,
    /// Equal for equal recipes.
    pub hash: u64,
    /// What it was like.
    pub stats: Stats,
    /// Steps that were numbered, kept or not.
    pub steps: u32,
    /// Milliseconds until everything got quiet.
    pub busy: u64,
    /// The first broken rule, in words.
    pub violation: Option<String>,
    /// The last things that happened, when it was told.
    pub trace: Vec<String>,
}

impl History {
    /// The broken rule's name, as `I4`; `state` when the engine or an agent finds its own state broken.
    pub fn rule(&self) -> Option<&str> {
        let rule = self.violation.as_deref()?.split(':').next()?;
        Some(if rule.contains(' ') { "state" } else { rule })
    }
}

/// Lives one history.
pub fn run(recipe: &Recipe) -> History {
    live(recipe, false)
}

/// Lives one history and keeps the last lines of its trace.
pub fn tell(recipe: &Recipe) -> History {
    live(recipe, true)
}

fn live(recipe: &Recipe, is_told: bool) -> History {
    let mut world = World::new(recipe, is_told);
    // What panics breaks the contract too: with its seed it can be told and cut down like everything else.
    let ended = catch_unwind(AssertUnwindSafe(|| world.live()));
    if let Err(panic) = ended {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        world.fail(format!("panic: {}", text.unwrap_or("without words")));
    }
    History {
        recipe: recipe.clone(),
        hash: world.hash(),
        stats: world.stats,
        steps: world.steps(),
        busy: world.plan.busy,
        violation: world.violation.clone(),
        trace: world.take_trace(),
    }
}
