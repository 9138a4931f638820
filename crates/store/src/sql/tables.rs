//! The tables of the records.

mod backfill;
mod cluster;
mod definitions;
mod instances;
mod links;
mod mails;
mod nodes;
mod requests;
mod schedules;

pub(crate) use links::key_values as link_key_values;
pub(crate) use mails::{KEY as MAIL_KEY, key_values as mail_key_values, read_key as read_mail_key};
pub(crate) use requests::digest;
