//! The real programs on loopback: what a user does, and must see.

mod bad_input;
mod cluster;
mod harness;
mod restart;
mod standalone;
