//! The tables of the records.

mod backfill;
mod cluster;
mod definitions;
mod instances;
mod nodes;
mod requests;
mod schedules;

pub(crate) use requests::digest;
