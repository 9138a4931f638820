//! A link as the attributes that a file would give it: so it is edited, checked and shown.

use serde::{Deserialize, Serialize};

use super::masks::{MASK, masked_url, names_secret};
use super::missing::{CODES, missing};
use super::{Link, LinkKey, LinkKind};
use crate::db_links::{self, DbLink, Secret};
use crate::diagnostic::Diagnostics;
use crate::element::{Attribute, Child, Element, Span};
use crate::file_links::{self, FileLink};
use crate::text::Text;

/// What a link says of itself, in the words of the link files, but for its name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fields {
    /// Names and values of attributes. Each may hold a password: a URL does.
    pub values: Vec<(String, Secret)>,
    /// Further settings of a db-link.
    pub properties: Vec<(String, Secret)>,
}

/// What somebody wants of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkEdit {
    /// What it shall say.
    pub values: Vec<(String, Secret)>,
    /// Its further settings; `None` leaves them as they are.
    pub properties: Option<Vec<(String, Secret)>>,
    /// What becomes of what is there.
    pub write: Write,
}

/// What becomes of the link that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Write {
    /// There must be none.
    Create,
    /// There must be one; what is not said stays.
    Change,
    /// It is replaced as a whole.
    Put,
}

impl Write {
    /// The word of the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Change => "change",
            Self::Put => "put",
        }
    }

    /// Reads [`Write::as_str`].
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Create, Self::Change, Self::Put]
            .into_iter()
            .find(|write| write.as_str() == word)
    }
}

/// Where a link leads: whoever changes one of these says the password anew, so that nobody has it sent to a place of their own.
const PLACE: [&str; 4] = ["type", "jdbc-url", "host", "port"];

impl Fields {
    /// The value of an attribute.
    pub fn value(&self, name: &str) -> Option<&str> {
        let found = self.values.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.reveal())
    }

    /// What remains when `edit` is made. Stars in it stand for what they hide.
    ///
    /// # Errors
    /// Where the password would go to another place than it was given for, or stars hide nothing.
    pub fn edited(mut self, edit: LinkEdit) -> Result<Self, Text> {
        let edit = self.unmasked(edit)?;
        if edit.write != Write::Change {
            return Ok(Self {
                values: edit.values,
                properties: edit.properties.unwrap_or_default(),
            });
        }
        let says = |name: &str| edit.values.iter().any(|(said, _)| said == name);
        let is_moved = self.is_moved_by(&edit);
        let has_password = self.value("password").is_some_and(|it| !it.is_empty());
        if is_moved && has_password && !says("password") {
            return Err(Text::new(
                "修改type、jdbc-url、host或port时须重新给出密码",
                "whoever changes type, jdbc-url, host or port gives the password again",
            ));
        }
        self.values.retain(|(name, _)| !says(name));
        self.values.extend(edit.values);
        if let Some(properties) = edit.properties {
            self.properties = properties;
        }
        Ok(self)
    }

    /// Whether it leads elsewhere once `edit` is made.
    pub(super) fn is_moved_by(&self, edit: &LinkEdit) -> bool {
        PLACE.iter().any(|name| {
            let said = edit.values.iter().find(|(said, _)| said == name);
            match said {
                Some((_, value)) => self.value(name).unwrap_or_default() != value.reveal(),
                None => {
                    edit.write != Write::Change && self.value(name).is_some_and(|it| !it.is_empty())
                }
            }
        })
    }

    /// The same with stars for whatever is secret.
    #[must_use]
    pub fn masked(&self) -> Self {
        let mask = |(name, value): &(String, Secret)| {
            let value = value.reveal();
            let shown = match name.as_str() {
                "jdbc-url" => masked_url(value),
                name if names_secret(name) && !value.is_empty() => MASK.to_owned(),
                _ => value.to_owned(),
            };
            (name.clone(), Secret::new(shown))
        };
        Self {
            values: self.values.iter().map(mask).collect(),
            properties: self.properties.iter().map(mask).collect(),
        }
    }

    /// The element of a link file that says the same.
    fn element(&self, name: &str) -> Element {
        let mut link = Element::new("link");
        link.attributes.push(attribute("name", name));
        let values = self.values.iter();
        link.attributes
            .extend(values.map(|(name, value)| attribute(name, value.reveal())));
        if !self.properties.is_empty() {
            let mut properties = Element::new("properties");
            let list = self.properties.iter().map(|(name, value)| {
                let mut property = Element::new("property");
                property.attributes.push(attribute("name", name));
                property.children.push(Child::Text {
                    text: value.reveal().into(),
                    span: Span::default(),
                });
                Child::Element(property)
            });
            properties.children.extend(list);
            link.children.push(Child::Element(properties));
        }
        link
    }
}

fn attribute(name: &str, value: &str) -> Attribute {
    Attribute {
        name: name.into(),
        value: value.into(),
        name_span: Span::default(),
        value_span: Span::default(),
    }
}

impl Link {
    /// Checks what is said of a link exactly as the link files are.
    ///
    /// # Errors
    /// Everything that is wrong with it, warnings too: a misspelt word would be lost in silence.
    pub fn read(key: &LinkKey, fields: &Fields) -> Result<Self, Vec<Text>> {
        let element = fields.element(&key.name);
        let mut diagnostics = Diagnostics::new();
        let link = match key.kind {
            LinkKind::Db => db_links::read_one(&element, &mut diagnostics).map(Self::Db),
            LinkKind::File => file_links::read_one(&element, &mut diagnostics).map(Self::File),
        };
        let mut wrong = missing(key.kind, fields);
        let is_told = |code: &str| !wrong.is_empty() && CODES.contains(&code);
        let mut found = diagnostics.into_sorted();
        found.retain(|one| !is_told(one.code));
        wrong.extend(found.into_iter().map(|one| match one.help {
            Some(help) => Text::new(
                format!("{}，{}", one.message.zh, help.zh),
                format!("{}: {}", one.message.en, help.en),
            ),
            None => one.message,
        }));
        link.filter(|_| wrong.is_empty()).ok_or(wrong)
    }

    /// What it says of itself.
    pub fn fields(&self) -> Fields {
        match self {
            Self::Db(link) => db_fields(link),
            Self::File(link) => file_fields(link),
        }
    }
}

fn db_fields(link: &DbLink) -> Fields {
    let mut values = vec![
        ("type".to_owned(), Secret::new(link.kind.as_str())),
        ("jdbc-url".to_owned(), Secret::new(&link.jdbc_url)),
        ("username".to_owned(), Secret::new(&link.username)),
        ("password".to_owned(), link.password.clone()),
    ];
    let desc = link.desc.iter();
    values.extend(desc.map(|desc| ("desc".to_owned(), Secret::new(desc))));
    let properties = link.properties.iter();
    let properties = properties.map(|(name, value)| (name.clone(), Secret::new(value)));
    Fields {
        values,
        properties: properties.collect(),
    }
}

fn file_fields(link: &FileLink) -> Fields {
    let mut values = vec![
        ("type".to_owned(), Secret::new(link.kind.as_str())),
        ("host".to_owned(), Secret::new(&link.host)),
        ("username".to_owned(), Secret::new(&link.username)),
        ("password".to_owned(), link.password.clone()),
    ];
    let port = link.port.map(|port| ("port", port.to_string()));
    let key_file = link.key_file.clone().map(|file| ("key-file", file));
    let desc = link.desc.clone().map(|desc| ("desc", desc));
    let optional = [port, key_file, desc].into_iter().flatten();
    values.extend(optional.map(|(name, value)| (name.to_owned(), Secret::new(value))));
    Fields {
        values,
        properties: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
