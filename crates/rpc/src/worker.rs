//! Conversions of what workers and masters tell each other. To the wire they cannot fail; from the wire each says what
//! was wrong.

use akkaflow_model::db_links::{DbKind, DbLink, Secret};
use akkaflow_model::element::{Attribute, Child, Element, Span};
use akkaflow_model::file_links::{FileAccess, FileKind, FileLink};
use akkaflow_model::id::{AttemptKey, InstanceId};
use akkaflow_model::outcome::{Figures, Measured, Outcome, OutcomeKind};
use akkaflow_model::record::CancelReason;

use crate::Malformed;
use crate::wire;

/// Elements nested deeper than any definition may be are refused.
const MAX_DEPTH: usize = 128;

/// The 16 bytes of an instance or cluster id.
///
/// # Errors
/// [`Malformed::Invalid`] naming `field` when there are not exactly 16.
pub fn u128_from_wire(bytes: &[u8], field: &'static str) -> Result<u128, Malformed> {
    bytes
        .try_into()
        .map(u128::from_be_bytes)
        .map_err(|_| Malformed::Invalid(field))
}

/// The 16 bytes of an instance or cluster id.
pub fn u128_to_wire(raw: u128) -> Vec<u8> {
    raw.to_be_bytes().to_vec()
}

impl From<&AttemptKey> for wire::AttemptKey {
    fn from(key: &AttemptKey) -> Self {
        Self {
            instance: u128_to_wire(key.instance.as_u128()),
            node: key.node.to_string(),
            run: key.run,
            attempt: key.attempt,
        }
    }
}

impl TryFrom<wire::AttemptKey> for AttemptKey {
    type Error = Malformed;

    fn try_from(key: wire::AttemptKey) -> Result<Self, Malformed> {
        Ok(Self {
            instance: InstanceId::from_u128(u128_from_wire(&key.instance, "key.instance")?),
            node: key.node.into(),
            run: key.run,
            attempt: key.attempt,
        })
    }
}

/// The key inside another message, where the wire cannot say that it is required.
///
/// # Errors
/// [`Malformed`] when it is absent or invalid.
pub fn key_from_wire(key: Option<wire::AttemptKey>) -> Result<AttemptKey, Malformed> {
    key.ok_or(Malformed::Missing("key"))?.try_into()
}

/// Names and values, in order.
fn pairs_to_wire(pairs: &[(String, String)]) -> Vec<wire::Pair> {
    pairs.iter().cloned().map(Into::into).collect()
}

/// Names and values, in order.
pub fn pairs_from_wire(pairs: Vec<wire::Pair>) -> Vec<(String, String)> {
    pairs.into_iter().map(Into::into).collect()
}

impl From<OutcomeKind> for wire::OutcomeKind {
    fn from(kind: OutcomeKind) -> Self {
        match kind {
            OutcomeKind::Succeeded => Self::Succeeded,
            OutcomeKind::Failed => Self::Failed,
            OutcomeKind::FailedForGood => Self::FailedForGood,
            OutcomeKind::Cancelled => Self::Cancelled,
            OutcomeKind::Lost => Self::Lost,
            OutcomeKind::NotYet => Self::NotYet,
        }
    }
}

/// An outcome with its attempt.
pub fn finished_to_wire(key: &AttemptKey, outcome: &Outcome) -> wire::Finished {
    wire::Finished {
        key: Some(key.into()),
        kind: wire::OutcomeKind::from(outcome.kind).into(),
        text: outcome.text.clone().map(Into::into),
        exit_code: outcome.exit_code,
        log_length: outcome.log_length,
        outputs: pairs_to_wire(&outcome.outputs),
        figures: outcome.figures.as_deref().cloned().map(Into::into),
    }
}

impl From<Figures> for wire::Figures {
    fn from(figures: Figures) -> Self {
        Self {
            cpu_millis: figures.cpu_millis,
            peak_memory: figures.peak_memory,
            bytes: figures.bytes,
            measured: figures.measured.map(|measured| wire::Measured {
                value: measured.value,
                min: measured.min,
                max: measured.max,
            }),
        }
    }
}

impl From<wire::Figures> for Figures {
    fn from(figures: wire::Figures) -> Self {
        Self {
            cpu_millis: figures.cpu_millis,
            peak_memory: figures.peak_memory,
            bytes: figures.bytes,
            measured: figures.measured.map(|measured| Measured {
                value: measured.value,
                min: measured.min,
                max: measured.max,
            }),
        }
    }
}

/// An outcome with its attempt.
///
/// # Errors
/// [`Malformed`] when the key is absent or the kind unknown.
pub fn finished_from_wire(finished: wire::Finished) -> Result<(AttemptKey, Outcome), Malformed> {
    let kind = match finished.kind() {
        wire::OutcomeKind::Unspecified => return Err(Malformed::Invalid("finished.kind")),
        wire::OutcomeKind::Succeeded => OutcomeKind::Succeeded,
        wire::OutcomeKind::Failed => OutcomeKind::Failed,
        wire::OutcomeKind::FailedForGood => OutcomeKind::FailedForGood,
        wire::OutcomeKind::Cancelled => OutcomeKind::Cancelled,
        wire::OutcomeKind::Lost => OutcomeKind::Lost,
        wire::OutcomeKind::NotYet => OutcomeKind::NotYet,
    };
    let key = key_from_wire(finished.key)?;
    let outcome = Outcome {
        kind,
        text: finished.text.map(Into::into),
        exit_code: finished.exit_code,
        log_length: finished.log_length,
        outputs: pairs_from_wire(finished.outputs),
        figures: finished.figures.map(|figures| Box::new(figures.into())),
    };
    Ok((key, outcome))
}

impl From<CancelReason> for wire::CancelReason {
    fn from(reason: CancelReason) -> Self {
        match reason {
            CancelReason::InstanceEnding => Self::InstanceEnding,
            CancelReason::TimedOut => Self::TimedOut,
            CancelReason::Orphan => Self::Orphan,
            CancelReason::Marked => Self::Marked,
        }
    }
}

impl From<&Element> for wire::Element {
    fn from(element: &Element) -> Self {
        Self {
            name: element.name.to_string(),
            attributes: element
                .attributes
                .iter()
                .map(|attribute| (attribute.name.to_string(), attribute.value.to_string()).into())
                .collect(),
            children: element.children.iter().map(child_to_wire).collect(),
        }
    }
}

fn child_to_wire(child: &Child) -> wire::Child {
    let child = match child {
        Child::Element(element) => wire::child::Child::Element(element.into()),
        Child::Text { text, .. } => wire::child::Child::Text(text.to_string()),
    };
    wire::Child { child: Some(child) }
}

impl TryFrom<wire::Element> for Element {
    type Error = Malformed;

    fn try_from(element: wire::Element) -> Result<Self, Malformed> {
        element_from_wire(element, MAX_DEPTH)
    }
}

fn element_from_wire(element: wire::Element, depth: usize) -> Result<Element, Malformed> {
    let depth = depth
        .checked_sub(1)
        .ok_or(Malformed::Invalid("element: nested too deep"))?;
    let mut read = Element::new(element.name);
    read.attributes = element
        .attributes
        .into_iter()
        .map(|pair| Attribute {
            name: pair.name.into(),
            value: pair.value.into(),
            name_span: Span::default(),
            value_span: Span::default(),
        })
        .collect();
    for child in element.children {
        read.children
            .push(match child.child.ok_or(Malformed::Missing("child"))? {
                wire::child::Child::Element(element) => {
                    Child::Element(element_from_wire(element, depth)?)
                }
                wire::child::Child::Text(text) => Child::Text {
                    text: text.into(),
                    span: Span::default(),
                },
            });
    }
    Ok(read)
}

impl From<&DbLink> for wire::DbLink {
    fn from(link: &DbLink) -> Self {
        Self {
            name: link.name.clone(),
            kind: link.kind.as_str().to_owned(),
            jdbc_url: link.jdbc_url.clone(),
            username: link.username.clone(),
            password: link.password.reveal().to_owned(),
            properties: pairs_to_wire(&link.properties),
        }
    }
}

impl TryFrom<wire::DbLink> for DbLink {
    type Error = Malformed;

    fn try_from(link: wire::DbLink) -> Result<Self, Malformed> {
        Ok(Self {
            name: link.name,
            kind: DbKind::from_word(&link.kind).ok_or(Malformed::Invalid("link.kind"))?,
            jdbc_url: link.jdbc_url,
            username: link.username,
            password: Secret::new(link.password),
            desc: None,
            properties: pairs_from_wire(link.properties),
        })
    }
}

impl From<&FileAccess> for wire::FileLink {
    fn from(access: &FileAccess) -> Self {
        let link = &access.link;
        Self {
            name: link.name.clone(),
            kind: link.kind.as_str().to_owned(),
            host: link.host.clone(),
            port: link.port.unwrap_or_default().into(),
            username: link.username.clone(),
            password: link.password.reveal().to_owned(),
            private_key: access.private_key.reveal().to_owned(),
            known_hosts: access.known_hosts.clone(),
            problem: access.problem.clone(),
        }
    }
}

impl TryFrom<wire::FileLink> for FileAccess {
    type Error = Malformed;

    fn try_from(link: wire::FileLink) -> Result<Self, Malformed> {
        let kind = FileKind::from_word(&link.kind).ok_or(Malformed::Invalid("file_link.kind"))?;
        let port = u16::try_from(link.port).map_err(|_| Malformed::Invalid("file_link.port"))?;
        Ok(Self {
            link: FileLink {
                name: link.name,
                kind,
                host: link.host,
                port: Some(port).filter(|port| *port > 0),
                username: link.username,
                password: Secret::new(link.password),
                key_file: None,
                desc: None,
            },
            private_key: Secret::new(link.private_key),
            known_hosts: link.known_hosts,
            problem: link.problem,
        })
    }
}

#[cfg(test)]
mod tests {
    use akkaflow_model::text::Text;

    use super::*;

    fn key() -> AttemptKey {
        AttemptKey {
            instance: InstanceId::from_u128(0x0102_0304),
            node: "抽取".into(),
            run: 2,
            attempt: 3,
        }
    }

    #[test]
    fn a_key_travels_unchanged() {
        assert_eq!(
            AttemptKey::try_from(wire::AttemptKey::from(&key())),
            Ok(key())
        );
    }

    #[test]
    fn a_key_with_a_short_instance_id_is_refused() {
        let mut short = wire::AttemptKey::from(&key());
        short.instance.pop();
        assert_eq!(
            AttemptKey::try_from(short),
            Err(Malformed::Invalid("key.instance"))
        );
    }

    #[test]
    fn an_outcome_travels_unchanged() {
        let outcome = Outcome {
            kind: OutcomeKind::FailedForGood,
            text: Some(Text::new("坏", "bad")),
            exit_code: Some(-1),
            log_length: u64::MAX,
            outputs: vec![("rows".to_owned(), "42".to_owned())],
            figures: Some(Box::new(Figures {
                cpu_millis: Some(u64::MAX),
                peak_memory: Some(0),
                bytes: None,
                measured: Some(Measured {
                    value: "12.5".to_owned(),
                    min: Some("-1".to_owned()),
                    max: None,
                }),
            })),
        };
        let wire = finished_to_wire(&key(), &outcome);
        assert_eq!(finished_from_wire(wire), Ok((key(), outcome)));
    }

    #[test]
    fn an_outcome_of_an_unknown_kind_is_refused() {
        let finished = wire::Finished {
            key: Some((&key()).into()),
            kind: 77,
            ..Default::default()
        };
        assert_eq!(
            finished_from_wire(finished),
            Err(Malformed::Invalid("finished.kind"))
        );
    }

    #[test]
    fn an_element_travels_with_everything_inside() {
        let mut body = Element::new("script");
        body.attributes.push(Attribute {
            name: "a".into(),
            value: "<1>".into(),
            name_span: Span::default(),
            value_span: Span::default(),
        });
        body.children.push(Child::Text {
            text: "\n 行".into(),
            span: Span::default(),
        });
        body.children.push(Child::Element(Element::new("code")));
        assert_eq!(Element::try_from(wire::Element::from(&body)), Ok(body));
    }

    #[test]
    fn an_element_nested_without_end_is_refused() {
        let mut element = wire::Element::default();
        for _ in 0..MAX_DEPTH {
            element = wire::Element {
                children: vec![wire::Child {
                    child: Some(wire::child::Child::Element(element)),
                }],
                ..Default::default()
            };
        }
        assert!(Element::try_from(element).is_err());
    }

    #[test]
    fn a_link_travels_with_its_password_but_never_prints_it() {
        let link = DbLink {
            name: "local".to_owned(),
            kind: DbKind::Postgres,
            jdbc_url: "jdbc:postgresql://h/d".to_owned(),
            username: "u".to_owned(),
            password: Secret::new("hunter2"),
            desc: None,
            properties: vec![("a".to_owned(), "b".to_owned())],
        };
        let read = DbLink::try_from(wire::DbLink::from(&link)).unwrap();
        assert_eq!(read, link);
        assert!(!format!("{read:?}").contains("hunter2"));
    }

    #[test]
    fn a_file_link_travels_with_its_secrets_but_never_prints_them() {
        let access = FileAccess {
            link: FileLink {
                name: "etl".to_owned(),
                kind: FileKind::Sftp,
                host: "h".to_owned(),
                port: Some(22),
                username: "u".to_owned(),
                password: Secret::new("hunter2"),
                ..FileLink::local()
            },
            private_key: Secret::new("hunter3"),
            known_hosts: "h ssh-ed25519 AAAA".to_owned(),
            problem: "p".to_owned(),
        };
        let wire = wire::FileLink::from(&access);
        assert_eq!(FileAccess::try_from(wire.clone()).unwrap(), access);
        assert!(!format!("{access:?}").contains("hunter"));
        let wrong = wire::FileLink {
            port: 70_000,
            ..wire
        };
        assert!(FileAccess::try_from(wrong).is_err());
    }
}
