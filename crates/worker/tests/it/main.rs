//! The real worker with a real supervisor, driven by a master that the tests play.

mod actions;
mod fake_master;
mod life;
mod output;
mod stopping;
mod worker;
