//! Runs attempts.

mod clock;
mod frame;
pub mod supervisor;
