//! Whole clusters in one thread, from one seed.
//!
//! Two masters run the real leader, pipeline and engine, the workers the real agent. Everything else is simulated: the
//! clock, the network, the store, processes, people and what goes wrong. The same seed gives the same history.
//!
//! **Invariants:** no thread, no clock, no randomness but the seed's. The rules that are checked are those of the contract
//! and are written down in [`oracle`](self), apart from the types that they judge.
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
