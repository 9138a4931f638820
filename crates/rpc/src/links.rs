//! Links on the wire, as people edit them.

use akkaflow_model::command::Command;
use akkaflow_model::db_links::Secret;
use akkaflow_model::links::{LinkEdit, LinkKey, LinkKind, Write};

use crate::Malformed;
use crate::wire;

/// Attributes or properties, as they are.
pub fn pairs_to_wire(pairs: Vec<(String, Secret)>) -> Vec<wire::Pair> {
    let pairs = pairs.into_iter();
    pairs
        .map(|(name, value)| wire::Pair {
            name,
            value: value.reveal().to_owned(),
        })
        .collect()
}

fn pairs_from_wire(pairs: Vec<wire::Pair>) -> Vec<(String, Secret)> {
    let pairs = pairs.into_iter();
    pairs
        .map(|pair| (pair.name, Secret::new(pair.value)))
        .collect()
}

/// The key of a link.
///
/// # Errors
/// [`Malformed::Invalid`] for a kind that is none.
pub fn key_from_wire(kind: &str, name: String) -> Result<LinkKey, Malformed> {
    let kind = LinkKind::from_word(kind).ok_or(Malformed::Invalid("link.kind"))?;
    Ok(LinkKey { kind, name })
}

pub(crate) fn put_to_wire(key: LinkKey, edit: LinkEdit, user: String) -> wire::PutLink {
    wire::PutLink {
        kind: key.kind.as_str().to_owned(),
        name: key.name,
        values: pairs_to_wire(edit.values),
        has_properties: edit.properties.is_some(),
        properties: pairs_to_wire(edit.properties.unwrap_or_default()),
        write: edit.write.as_str().to_owned(),
        user,
    }
}

pub(crate) fn put_from_wire(put: wire::PutLink) -> Result<Command, Malformed> {
    let properties = pairs_from_wire(put.properties);
    Ok(Command::PutLink {
        key: key_from_wire(&put.kind, put.name)?,
        edit: LinkEdit {
            values: pairs_from_wire(put.values),
            properties: put.has_properties.then_some(properties),
            write: Write::from_word(&put.write).ok_or(Malformed::Invalid("link.write"))?,
        },
        user: put.user,
    })
}

pub(crate) fn delete_to_wire(key: LinkKey, user: String) -> wire::DeleteLink {
    wire::DeleteLink {
        kind: key.kind.as_str().to_owned(),
        name: key.name,
        user,
    }
}

pub(crate) fn delete_from_wire(delete: wire::DeleteLink) -> Result<Command, Malformed> {
    Ok(Command::DeleteLink {
        key: key_from_wire(&delete.kind, delete.name)?,
        user: delete.user,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_travels_whole_and_its_password_is_never_printed() {
        let key = LinkKey {
            kind: LinkKind::File,
            name: "a".to_owned(),
        };
        let password = ("password".to_owned(), Secret::new("hunter2"));
        for (properties, write) in [
            (None, Write::Change),
            (Some(Vec::new()), Write::Create),
            (Some(vec![password.clone()]), Write::Put),
        ] {
            let put = Command::PutLink {
                key: key.clone(),
                edit: LinkEdit {
                    values: vec![password.clone()],
                    properties,
                    write,
                },
                user: "u".to_owned(),
            };
            assert!(!format!("{put:?}").contains("hunter2"));
            let wire = wire::ExecuteRequest::from(put.clone());
            assert_eq!(Command::try_from(wire), Ok(put));
        }
        let delete = Command::DeleteLink {
            key,
            user: "u".to_owned(),
        };
        let wire = wire::ExecuteRequest::from(delete.clone());
        assert_eq!(Command::try_from(wire), Ok(delete));
        assert!(key_from_wire("dir", String::new()).is_err());
    }
}
