//! How masters take turns and how a worker keeps its promises: state machines without I/O, beside the engine.
//!
//! **Invariants:** no clock, no I/O, no async, no randomness of its own. Master and worker merely execute what these
//! decide, and the simulator drives these very types.
//!
//! | module | decides |
//! |---|---|
//! | [`leader`] | who leads, and for how long its word counts |
//! | [`pipeline`] | what is committed together, and when its effects may be seen |
//! | [`agent`] | what a worker accepts, promises and still owes |

pub mod agent;
pub mod leader;
pub mod pipeline;
