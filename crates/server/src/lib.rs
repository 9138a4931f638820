//! The thin mains of all roles: configuration, logging, wiring, shutdown.

pub mod config;
pub mod roles;
mod shutdown;
mod start;
mod time_zone;

pub use start::main_of;

/// Reading definitions is a matter of small allocations on many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
