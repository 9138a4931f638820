//! The words that every part of akkaflow shares: ids, states, definitions and how they are read and checked,
//! parameters, time, cron, and the rows and commands that travel between the engine, the store and the wire.
//!
//! **Invariant:** this crate is pure. It reads no clock, no file and no environment; whoever needs "now" passes it in.
//!
//! | module | holds |
//! |---|---|
//! | [`id`], [`time`], [`state`] | names and numbers of things |
//! | [`definition`], [`element`] | a workflow as its file says it |
//! | [`diagnostic`] | what is wrong with a file, where, and what to do |
//! | [`outcome`] | how an attempt ended |
//! | [`record`] | the rows that must be durable |
//! | [`command`] | what people ask of the master, and its answers |
//! | [`text`], [`message`] | what people read, in Chinese and English |

pub mod command;
pub mod cron;
pub mod definition;
pub mod diagnostic;
pub mod element;
pub mod error;
pub mod id;
pub mod message;
pub mod outcome;
pub mod record;
pub mod state;
pub mod text;
pub mod time;
