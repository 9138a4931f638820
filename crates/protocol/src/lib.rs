//! The protocols between master, store and worker as sans-I/O state machines: `master` and `worker` execute what these
//! decide, and the simulator drives these very types.
//!
//! **Invariant:** pure like the engine. No clock, no I/O, no async, no randomness, no hash order.

pub mod agent;
