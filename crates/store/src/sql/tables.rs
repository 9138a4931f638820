//! The tables of the records.

mod cluster;
mod definitions;
mod instances;
mod nodes;
mod requests;
mod schedules;

pub(crate) use requests::digest;
