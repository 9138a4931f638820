//! A week of a busy cluster in virtual time: every fire happens once, and whoever waits is told why.
//!
//! A seed gives the workflows (crons that meet at midnight, dependencies by business date, fan-ins of 50, pools, labels, limits), how
//! long each attempt takes, which fail, which worker dies when. The engine under test decides, the store twin of the simulator keeps its
//! rows. Once a day a worker dies with all that it runs, once a day another master goes on from the rows, once a day people run
//! again what failed of the daily workflows.
//!
//! **Invariants:** the same options give the same report. What must happen is reckoned in `oracle` from the plan's own figures and from
//! which instances succeeded, without the engine's crons, dates and tokens.
//!
//! | module | holds |
//! |---|---|
//! | `plan`, `graph` | the workflows of the cluster |
//! | `cluster`, `machines` | time, the engine, its rows, workers that pretend |
//! | `deeds` | what processes really did, and how their instances must end |
//! | `oracle` | which fires are expected, and what became of each |
//! | `waits` | who waits for how long, and what `explain` says of it |
//! | `report` | the figures |

mod cluster;
mod deeds;
mod graph;
mod machines;
mod oracle;
mod plan;
mod report;
mod waits;

pub use report::Report;

use cluster::Cluster;
use plan::Plan;

/// What a week is made from.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The source of all chance.
    pub seed: u64,
    /// How many workflows there are.
    pub workflows: usize,
    /// How many days, from a Monday on.
    pub days: u32,
}

/// Lives through it; `tell` hears of each day that is over.
pub fn live(options: Options, tell: &mut dyn FnMut(&str)) -> Report {
    let plan = Plan::draw(options);
    Cluster::new(&plan, options).live(tell)
}
