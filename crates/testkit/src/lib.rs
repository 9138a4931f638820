//! What tests lean on: the simulator, which runs whole clusters in one thread from one seed.

pub mod campaign;
pub mod report;
pub mod sim;
pub mod week;
