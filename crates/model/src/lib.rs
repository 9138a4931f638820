//! The words that every part of akkaflow shares: ids, states, definitions and how they are read and checked,
//! parameters, time, cron, and the rows and commands that travel between the engine, the store and the wire.
//!
//! **Invariant:** this crate is pure. It reads no clock, no file and no environment; whoever needs "now" passes it in.
//!
//! | module | holds |
//! |---|---|
//! | [`id`], [`time`], [`state`] | names and numbers of things |
//! | [`definition`], [`element`] | a workflow as its file says it |
//! | [`sub_workflow`], [`wait`] | actions that the engine does itself |
//! | [`outcome`] | how an attempt ended |
//! | [`xml`], [`shape`] | from bytes to a tree with places, and what may stand in it |
//! | [`read`] | from a file to a checked workflow |
//! | [`edit`], [`indent`] | the text changed by program, piece by piece; its lines put straight |
//! | [`check`] | whole sets of files: what does not fit between them |
//! | [`render`] | findings as people read them, and as programs do |
//! | [`xsd`], [`reference`] | the same for editors and for readers |
//! | [`db_links`], [`file_links`] | the named databases of `db_links.xml`, the file systems of `file_links.xml` |
//! | [`links`] | links of either kind, as people edit them and as the store keeps them |
//! | [`diagnostic`], [`code`] | what is wrong with a file, where, and what to do |
//! | [`condition`] | what an edge or an answer is held against |
//! | [`cron`], [`schedule`], [`param`] | when things start, and the dates and values that they start with |
//! | [`record`], [`shared`] | the rows that must be durable, and who holds them |
//! | [`mail`] | mails that are owed |
//! | [`backfill`] | ranges of business dates that are run again |
//! | [`command`] | what people ask of the master, and its answers |
//! | [`text`], [`message`] | what people read, in Chinese and English |

pub mod backfill;
pub mod check;
pub mod code;
pub mod command;
pub mod condition;
pub mod cron;
pub mod db_links;
pub mod definition;
pub mod diagnostic;
pub mod edit;
pub mod element;
mod encoding;
mod entity;
pub mod error;
pub mod file_links;
pub mod id;
pub mod indent;
pub mod landing;
pub mod links;
mod lint;
pub mod mail;
pub mod message;
pub mod outcome;
pub mod param;
mod quote;
pub mod read;
pub mod record;
pub mod reference;
pub mod render;
pub mod schedule;
pub mod shape;
pub mod shared;
pub mod state;
pub mod sub_workflow;
pub mod suggest;
pub mod text;
pub mod time;
pub mod wait;
pub mod xml;
pub mod xsd;
pub mod zone_names;
