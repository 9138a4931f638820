//! Simulated histories, many of them.

mod simulation;
mod week;
