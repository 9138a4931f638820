//! Whole clusters in one thread, from one seed.
//!
//! Two masters run the real leader, pipeline and engine, the workers the real agent. Everything else is simulated: the
//! clock, the network, the store, processes, people and what goes wrong. The same seed gives the same history.
//!
//! `AKKAFLOW_SIM_SEEDS=1000000 cargo test -p akkaflow-testkit` lives a million histories; a seed that fails is printed with
//! the command that lives it again (`AKKAFLOW_SEED`, with `AKKAFLOW_TELL=1` its whole trace, with
//! `AKKAFLOW_PLANTED=NoTombstone` under a planted fault).
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
//! | `people`, `faults`, `workload` | what people do, what goes wrong, random workflows |
//! | `oracle`, `graph`, `checks` | what must hold of the rows, of the graph, of the whole |
//! | `planted` | faults on purpose, to prove that the above bites |

mod checks;
mod effects;
mod faults;
mod graph;
mod master;
mod network;
mod oracle;
mod people;
mod plan;
mod planted;
mod processes;
mod rng;
mod store;
mod tables;
mod worker;
mod workload;
mod world;

pub use planted::Planted;
pub use world::Stats;

use world::World;

/// How a history went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// What it was made from.
    pub seed: u64,
    /// Equal for equal seeds.
    pub hash: u64,
    /// What it was like.
    pub stats: Stats,
    /// The first broken rule, in words.
    pub violation: Option<String>,
    /// The last things that happened, when it was told.
    pub trace: Vec<String>,
}

/// Lives one history.
pub fn run(seed: u64, planted: Option<Planted>) -> History {
    live(seed, planted, false)
}

/// Lives one history and keeps the last lines of its trace.
pub fn tell(seed: u64, planted: Option<Planted>) -> History {
    live(seed, planted, true)
}

fn live(seed: u64, planted: Option<Planted>, is_told: bool) -> History {
    let mut world = World::new(seed, planted, is_told);
    world.live();
    History {
        seed,
        hash: world.hash(),
        stats: world.stats,
        violation: world.violation.clone(),
        trace: world.take_trace(),
    }
}
