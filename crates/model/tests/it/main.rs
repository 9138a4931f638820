//! Whole files through the public face of the crate.

mod catalog;
mod golden;
mod hostile;
mod reading;
