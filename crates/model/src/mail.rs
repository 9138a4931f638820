//! Mails that are owed: what happened, who is told, and how far the telling has come.
//!
//! A mail's row is written once, in the transaction of its cause, and holds facts: its text is made when it is sent or
//! shown. How its sending goes stands in a row of its own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::element::Element;
use crate::id::{AttemptKey, InstanceId, InvalidId, Name};
use crate::message::Message;
use crate::record::TriggerKind;
use crate::state::{InstanceState, NodeState};
use crate::text::Text;
use crate::time::Timestamp;

/// The label of the body of a node that sends a mail. The engine does it itself: the mail is owed from then on.
pub const EMAIL_TAG: &str = "email";

/// So many nodes a mail about the end of an instance lists: nobody reads more.
pub const MOST_NODES: usize = 500;

/// So many workflows downstream it lists.
pub const MOST_AFFECTED: usize = 500;

/// Why a mail is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    /// An instance has ended in a state that its workflow names in `mail-level`.
    Ended,
    /// A node has failed as often as the cluster's settings allow before somebody is told.
    Failing,
    /// A node has succeeded after such failures.
    Recovered,
    /// An `<email>` node.
    Notice,
}

impl MailKind {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Ended, Self::Failing, Self::Recovered, Self::Notice];

    /// Its name, as keys hold it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Failing => "failing",
            Self::Recovered => "recovered",
            Self::Notice => "notice",
        }
    }
}

/// What a mail is about: there is one for each such cause, ever.
///
/// Its text is `<instance>.<run>.<kind>` for the end of an instance, `<instance>.<run>.<kind>.<attempt>.<node>` for a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailKey {
    /// The instance.
    pub instance: InstanceId,
    /// Which run of it.
    pub run: u32,
    /// Why.
    pub kind: MailKind,
    /// The node; empty where the mail is about the instance.
    pub node: Name,
    /// The node's attempt; 0 where there is none.
    pub attempt: u32,
}

impl MailKey {
    /// The end of a run.
    pub fn ended(instance: InstanceId, run: u32) -> Self {
        Self {
            instance,
            run,
            kind: MailKind::Ended,
            node: Name::default(),
            attempt: 0,
        }
    }

    /// Names the mail for all mail programs and for ever, without the angle brackets: one that comes twice is known as one.
    pub fn message_id(&self) -> String {
        let key = AttemptKey {
            instance: self.instance,
            node: self.node.clone(),
            run: self.run,
            attempt: self.attempt,
        };
        format!(
            "{}.{}.{}.{}.{:016x}@akkaflow",
            self.instance,
            self.run,
            self.kind.as_str(),
            self.attempt,
            key.scatter()
        )
    }
}

impl fmt::Display for MailKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            instance,
            run,
            kind,
            node,
            attempt,
        } = self;
        write!(f, "{instance}.{run}.{}", kind.as_str())?;
        if *kind == MailKind::Ended {
            return Ok(());
        }
        write!(f, ".{attempt}.{node}")
    }
}

impl FromStr for MailKey {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let read = || {
            let mut parts = text.splitn(5, '.');
            let instance = parts.next()?.parse().ok()?;
            let run = parts.next()?.parse().ok()?;
            let word = parts.next()?;
            let kind = *MailKind::ALL.iter().find(|kind| kind.as_str() == word)?;
            let (attempt, node) = match (parts.next(), parts.next()) {
                (None, _) if kind == MailKind::Ended => (0, ""),
                (Some(attempt), Some(node)) if kind != MailKind::Ended => {
                    (attempt.parse().ok()?, node)
                }
                _ => return None,
            };
            Some(Self {
                instance,
                run,
                kind,
                node: node.into(),
                attempt,
            })
        };
        read().ok_or_else(|| InvalidId(text.to_owned()))
    }
}

impl Serialize for MailKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MailKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A mail that is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailRow {
    /// Its identity.
    pub key: MailKey,
    /// The workflow.
    pub workflow: String,
    /// When its cause happened.
    pub born_at: Timestamp,
    /// Who is told, each once: the workflow's own receivers first.
    pub receivers: Vec<String>,
    /// What they are told.
    pub facts: MailFacts,
}

/// What a mail tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum MailFacts {
    /// The end of an instance.
    Ended(Box<EndFacts>),
    /// A node that fails, or that has recovered.
    Retry(Box<RetryFacts>),
    /// What an `<email>` node says: the elements in it, with all values put in.
    Notice {
        /// In order.
        content: Vec<Element>,
    },
}

/// An instance as it was when it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndFacts {
    /// How it ended.
    pub state: InstanceState,
    /// Why.
    pub message: Option<Message>,
    /// Why it was started.
    pub trigger: TriggerKind,
    /// The moment from which its dates are computed.
    pub fire_time: Timestamp,
    /// When it left the queue; `None` when it never did.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Timestamp,
    /// The folder of its workflow.
    pub dir: String,
    /// Name and value, in order.
    pub params: Vec<(String, String)>,
    /// The ends that its workflow tells of.
    pub levels: Vec<InstanceState>,
    /// What its workflow is for.
    pub desc: Option<String>,
    /// Its nodes, in the order in which they were reached.
    pub nodes: Vec<NodeFacts>,
    /// How many nodes that went well are left out, see [`MOST_NODES`].
    pub more_nodes: usize,
    /// The enabled workflows that come after it, directly or not.
    pub affected: Vec<AffectedWorkflow>,
    /// How many more there are, see [`MOST_AFFECTED`].
    pub more_affected: usize,
}

/// A node as it was when its instance ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFacts {
    /// Its name.
    pub name: Name,
    /// `start`, `script`, ...
    pub type_name: Name,
    /// Its state.
    pub state: NodeState,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it is in its state.
    pub message: Option<Message>,
    /// What it is for.
    pub desc: Option<String>,
}

/// A workflow that waits for the one whose instance ended, or for another that does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AffectedWorkflow {
    /// Its name.
    pub name: String,
    /// Who wrote it.
    pub creator: String,
    /// Whom its mails go to.
    pub receivers: Vec<String>,
    /// Its folder.
    pub dir: String,
    /// What it is for.
    pub desc: Option<String>,
}

/// A node that fails again and again, or has stopped failing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryFacts {
    /// What its workflow is for.
    pub desc: Option<String>,
    /// Its type.
    pub type_name: Name,
    /// What its latest attempt says.
    pub message: Message,
    /// How often it may be tried again.
    pub retry_times: u32,
    /// How often it has failed so far.
    pub failures: u32,
    /// From its latest failure to the next try; `None` when there is none.
    pub pause_ms: Option<u64>,
}

/// How the sending of a mail goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRow {
    /// The mail.
    pub key: MailKey,
    /// How far it is.
    pub state: DeliveryState,
    /// Since when it is to be sent: its birth, or when somebody last asked for it to be sent again.
    pub since: Timestamp,
    /// Not before this moment it is tried next.
    pub next_at: Timestamp,
    /// How often it was tried since then.
    pub tries: u32,
    /// When it was tried last.
    pub tried_at: Option<Timestamp>,
    /// Receivers for whom the mail server has taken it.
    pub accepted: Vec<String>,
    /// Receivers whom it has refused, by the latest try of each.
    pub refused: Vec<Refusal>,
    /// What went wrong besides.
    pub error: Option<Text>,
    /// Who asked for it to be sent again; empty when nobody did, or gave no name.
    pub user: String,
}

impl DeliveryRow {
    /// Of a mail that was just born.
    pub fn new(key: MailKey, born_at: Timestamp) -> Self {
        Self {
            key,
            state: DeliveryState::Waiting,
            since: born_at,
            next_at: born_at,
            tries: 0,
            tried_at: None,
            accepted: Vec::new(),
            refused: Vec::new(),
            error: None,
            user: String::new(),
        }
    }

    /// The same, to be sent at once: to all when all have it, otherwise to those who have not.
    #[must_use]
    pub fn again(mut self, now: Timestamp, user: String) -> Self {
        if self.state == DeliveryState::Sent {
            self.accepted.clear();
        }
        Self {
            accepted: self.accepted,
            user,
            ..Self::new(self.key, now)
        }
    }
}

/// How far the sending of a mail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It will be tried, or tried again.
    Waiting,
    /// The mail server has taken it for all receivers.
    Sent,
    /// Given up: at least one receiver has not got it.
    Dead,
}

impl DeliveryState {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Waiting, Self::Sent, Self::Dead];
}

/// What a mail server said of one receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The address.
    pub receiver: String,
    /// The server's words.
    pub answer: String,
    /// Whether it is no use to try again.
    pub is_final: bool,
}

/// A mail with how its sending goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMail {
    /// The mail.
    pub mail: MailRow,
    /// Its sending.
    pub delivery: DeliveryRow,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: MailKind, node: &str, attempt: u32) -> MailKey {
        MailKey {
            instance: InstanceId::from_parts(Timestamp::from_millis(1_790_000_000_000), 7),
            run: 2,
            kind,
            node: node.into(),
            attempt,
        }
    }

    #[test]
    fn keys_read_back_whatever_a_node_is_called() {
        let keys = [
            key(MailKind::Ended, "", 0),
            key(MailKind::Failing, "a.b.1", 3),
            key(MailKind::Recovered, "节点 @<>\r\n", u32::MAX),
            key(MailKind::Notice, "", 0),
        ];
        for key in keys {
            assert_eq!(key.to_string().parse(), Ok(key.clone()));
            let json = serde_json::to_string(&key).unwrap();
            assert_eq!(serde_json::from_str::<MailKey>(&json).unwrap(), key);
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let id = key(MailKind::Ended, "", 0).instance;
        let wrong = [
            String::new(),
            format!("{id}"),
            format!("{id}.1"),
            format!("{id}.1.over"),
            format!("{id}.x.ended"),
            format!("{id}.1.ended.1.n"),
            format!("{id}.1.failing"),
            format!("{id}.1.failing.1"),
            format!("{id}.1.failing.-1.n"),
        ];
        for text in wrong {
            assert!(text.parse::<MailKey>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_message_id_is_one_word_of_ascii_and_differs_with_each_part_of_the_key() {
        let keys = [
            key(MailKind::Ended, "", 0),
            key(MailKind::Failing, "节点 @<>\r\n", 1),
            key(MailKind::Recovered, "节点 @<>\r\n", 1),
            key(MailKind::Failing, "节点 @<>\r\n", 2),
            key(MailKind::Failing, "b", 1),
        ];
        let ids: std::collections::BTreeSet<String> =
            keys.iter().map(MailKey::message_id).collect();
        assert_eq!(ids.len(), keys.len());
        for id in ids {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.@".contains(c);
            assert!(id.chars().all(is_plain), "{id}");
        }
    }

    #[test]
    fn sending_again_reaches_all_or_those_who_were_missed() {
        let born = Timestamp::from_millis(1);
        let row = |state| DeliveryRow {
            state,
            accepted: vec!["a@x".to_owned()],
            tries: 9,
            ..DeliveryRow::new(key(MailKind::Ended, "", 0), born)
        };
        let now = Timestamp::from_millis(5);
        let again = |state| row(state).again(now, "u".to_owned());
        assert_eq!(again(DeliveryState::Sent).accepted, [""; 0]);
        let dead = again(DeliveryState::Dead);
        assert_eq!(dead.accepted, ["a@x"]);
        assert_eq!(
            (dead.state, dead.since, dead.next_at, dead.tries),
            (DeliveryState::Waiting, now, now, 0)
        );
    }
}
