//! Mails that are owed, and how their sending goes.

use akkaflow_model::mail::{DeliveryState, MailKind};
use serde::{Deserialize, Serialize};

use crate::time::Time;

/// Mails, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mails {
    /// The mail server, `host:port`; `null` when none is named in the configuration (mails are kept) or no master answers.
    pub mail_server: Option<String>,
    /// Whether a master leads: without one nothing is sent, and nobody says whether a mail server is named.
    #[serde(default = "said_nothing_of")]
    pub has_master: bool,
    /// At most 500.
    pub mails: Vec<MailSummary>,
}

/// What a server of an earlier version meant.
fn said_nothing_of() -> bool {
    true
}

/// A mail, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailSummary {
    /// Names it: `<instance>.<run>.ended`, `<instance>.<run>.<kind>.<attempt>.<node>`.
    pub id: String,
    /// Why it is owed.
    pub kind: MailKind,
    /// Its subject.
    pub subject: String,
    /// The workflow.
    pub workflow: String,
    /// The instance.
    pub instance: String,
    /// The node; `null` where it is about the instance.
    pub node: Option<String>,
    /// When its cause happened.
    pub born_at: Time,
    /// Who is told.
    pub receivers: Vec<String>,
    /// How far its sending is.
    pub state: DeliveryState,
    /// How often it was tried since it was born, or since somebody asked for it to be sent again.
    pub tries: u32,
    /// When it was tried last.
    pub tried_at: Option<Time>,
    /// When it is tried next; `null` unless it waits.
    pub next_at: Option<Time>,
    /// Receivers for whom the mail server has taken it.
    pub accepted: Vec<String>,
    /// Receivers whom it has refused.
    pub refused: Vec<MailRefusal>,
    /// What went wrong besides.
    pub error: Option<String>,
}

/// What a mail server said of one receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailRefusal {
    /// The address.
    pub receiver: String,
    /// The server's words.
    pub answer: String,
}

/// A mail with its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailDetail {
    /// The mail.
    #[serde(flatten)]
    pub summary: MailSummary,
    /// What it says, for those who read no HTML.
    pub text: String,
    /// The same as a page.
    pub html: String,
}

/// A request to send a mail again: to all when all have it, otherwise to those who have not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendMail {
    /// Who asks.
    #[serde(default)]
    pub user: String,
}
