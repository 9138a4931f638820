//! The thin mains of all roles: configuration, logging, wiring, shutdown.

pub mod config;
pub mod roles;
mod shutdown;
mod start;
mod time_zone;

pub use start::main_of;
