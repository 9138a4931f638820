//! Delivers the output of attempts to the master.
//!
//! Processes write into files, actions report lines into another one; both are read from there, so that nothing is held
//! in memory but what is on its way. Every piece is cut at a line break, carries its offset in its stream and is sent
//! again, cut in the same way, until the master has it durably: it passes over what it has already.

mod job;
mod lines;
mod sent;
mod ship;
mod tail;

pub(crate) use lines::LineWriter;
pub(crate) use ship::{Command, Shipper};

/// The stream numbers of the wire.
pub(crate) mod stream {
    /// Standard output.
    pub(crate) const OUT: u32 = 1;
    /// Standard error.
    pub(crate) const ERR: u32 = 2;
    /// Reported as planned.
    pub(crate) const INFO: u32 = 3;
    /// Reported as worth a look.
    pub(crate) const WARN: u32 = 4;
    /// Reported as gone wrong.
    pub(crate) const ERROR: u32 = 5;
}
