//! Mails: what they say, and how they reach a mail server.
//!
//! **Invariants:** everything that is put into a mail is escaped; an address or a subject cannot add a header or a command; a
//! mail keeps its Message-ID however often it is sent; no try takes longer than its time limit.
//!
//! | module | does |
//! |---|---|
//! | [`letter`] | what a mail says, from the facts that its row holds |
//! | `sheet` | headings, facts, tables: as HTML and as plain text |
//! | [`smtp`] | hands letters to a mail server, receiver by receiver |
//! | [`judge`] | what a try means for the sending of a mail |

pub mod judge;
pub mod letter;
mod sheet;
pub mod smtp;
