//! What an element may hold, declared once: the checker, the XSD, the reference page and the editor's form read it.
//!
//! ```
//! use akkaflow_model::shape::{AttributeKind, AttributeShape, Shape, TextRule};
//! use akkaflow_model::text::Text;
//!
//! let file = Shape::new("file", Text::new("附件路径", "path of an attachment")).text(TextRule::Required);
//! let list = Shape::new("attach-list", Text::new("附件", "attachments")).child(file, 1, None);
//! let script = Shape::new("script", Text::new("脚本", "a script"))
//!     .attribute(AttributeShape::new("shell", AttributeKind::Text, Text::new("解释器", "interpreter")).default("bash"))
//!     .child(list, 0, Some(1));
//! assert_eq!(script.tag, "script");
//! ```

mod check;
mod kind;
mod references;
mod value;
mod wide;

use crate::text::Text;

pub use check::planned_body;
pub(crate) use check::unknown_element;
pub(crate) use kind::parse_duration;
pub use kind::parse_size;
pub(crate) use kind::{is_identifier, words};
pub(crate) use references::References;
pub use value::DATE_TIME_FORMAT;
pub(crate) use value::value_place;
pub(crate) use wide::half_width;

/// What one element may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Its label.
    pub tag: &'static str,
    /// Its attributes.
    pub attributes: Vec<AttributeShape>,
    /// The elements that may stand in it, in any order.
    pub children: Vec<ChildShape>,
    /// Whether any other element may stand in it too, unchecked.
    pub is_open: bool,
    /// What text may stand in it.
    pub text: TextRule,
    /// What it is for.
    pub doc: Text,
    /// The element as people write it, for the reference page.
    pub example: Option<&'static str>,
    /// Whether this version checks and keeps it, but cannot run a workflow that holds it.
    pub is_planned: bool,
}

/// One attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeShape {
    /// Its name.
    pub name: &'static str,
    /// Which values are right.
    pub kind: AttributeKind,
    /// Whether it must be there.
    pub is_required: bool,
    /// When it must be there though [`AttributeShape::is_required`] does not say so: other attributes decide it.
    pub needed: Option<Text>,
    /// The value that its absence means.
    pub default: Option<&'static str>,
    /// What it is for.
    pub doc: Text,
    /// What to do about a wrong value.
    pub help: Option<Text>,
    /// Whether this version checks and keeps it, but cannot run a workflow where it says anything but its default.
    pub is_planned: bool,
    /// Whether `${param:..}` and `${time..}` are replaced in it although it stands outside the bodies of actions.
    pub is_replaced: bool,
    /// Whether it is only told to people: nothing that runs hangs on it.
    pub is_for_people: bool,
}

/// Which values an attribute takes. Blanks around a value are passed over, except for [`AttributeKind::Text`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    /// Any text.
    Text,
    /// Any text that is not blank.
    NonBlank,
    /// A whole number.
    Integer {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
    },
    /// `true` or `false` in any case; blank is the default where there is one.
    Boolean,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// One of these words in any case.
    ChoiceIgnoringCase(&'static [&'static str]),
    /// The name of a workflow, a node, a link: 1 to 128 characters, no `/`, `\` or control characters, neither `.` nor `..`.
    Name,
    /// The name of a node of the same workflow: an edge leads there.
    NodeName,
    /// Names of nodes of the same workflow, parted by blanks: edges come from there.
    NodeNames,
    /// A local time, `yyyy-MM-dd HH:mm:ss`; blank is the default.
    DateTime,
    /// A length of time of a second or more: `90`, `90s`, `15m`, `2h` or `1d`; a bare number counts seconds.
    Duration,
    /// A zone of the IANA database: `Asia/Shanghai`.
    TimeZone,
    /// A name in expressions: letters of ASCII, digits and `_`, not beginning with a digit.
    Identifier,
    /// Words parted by blanks or commas.
    Words,
    /// Whole numbers and ranges of them, parted by commas: `200-299,304`.
    Codes {
        /// The smallest.
        min: u16,
        /// The largest.
        max: u16,
    },
    /// A size of a file: `0B`, `1.1kb`, `2M`, `3 GB`.
    Size,
    /// A decimal number.
    Decimal,
    /// By when something shall have ended: `08:30`, `08:30 +1d` or a length of time, see [`crate::landing::Deadline`].
    Deadline,
    /// A regular expression.
    Pattern,
    /// A condition over these variables, in CEL: see [`crate::condition`].
    Condition(&'static [&'static str]),
}

/// An element inside another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildShape {
    /// What it may hold.
    pub shape: Shape,
    /// How often it must be there.
    pub min: u32,
    /// How often it may be there; `None` for any number.
    pub max: Option<u32>,
    /// When it must be there though `min` does not say so: the whole file is looked at for that.
    pub needed: Option<Text>,
}

/// What text may stand directly inside an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextRule {
    /// Nothing but blanks.
    None,
    /// Any text or none.
    Optional,
    /// More than blanks.
    Required,
}

impl Shape {
    /// An element with neither attributes nor children nor text.
    pub fn new(tag: &'static str, doc: Text) -> Self {
        Self {
            tag,
            attributes: Vec::new(),
            children: Vec::new(),
            is_open: false,
            text: TextRule::None,
            doc,
            example: None,
            is_planned: false,
        }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, attribute: AttributeShape) -> Self {
        self.attributes.push(attribute);
        self
    }

    /// Adds a child that stands `min` to `max` times.
    #[must_use]
    pub fn child(mut self, shape: Shape, min: u32, max: Option<u32>) -> Self {
        self.children.push(ChildShape {
            shape,
            min,
            max,
            needed: None,
        });
        self
    }

    /// Says when the child that was added last must be there.
    #[must_use]
    pub fn needed(mut self, when: Text) -> Self {
        if let Some(child) = self.children.last_mut() {
            child.needed = Some(when);
        }
        self
    }

    /// Sets what text may stand in it.
    #[must_use]
    pub fn text(mut self, rule: TextRule) -> Self {
        self.text = rule;
        self
    }

    /// Lets any other element stand in it, unchecked.
    #[must_use]
    pub fn open(mut self) -> Self {
        self.is_open = true;
        self
    }

    /// Shows how people write it: an element that is right, on lines of its own.
    #[must_use]
    pub fn example(mut self, example: &'static str) -> Self {
        self.example = Some(example);
        self
    }

    /// Says that this version cannot run a workflow that holds it.
    #[must_use]
    pub fn planned(mut self) -> Self {
        self.is_planned = true;
        self
    }

    /// The attribute called `name`.
    pub fn attribute_named(&self, name: &str) -> Option<&AttributeShape> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
    }
}

impl AttributeShape {
    /// An optional attribute without a default.
    pub fn new(name: &'static str, kind: AttributeKind, doc: Text) -> Self {
        Self {
            name,
            kind,
            is_required: false,
            needed: None,
            default: None,
            doc,
            help: None,
            is_planned: false,
            is_replaced: false,
            is_for_people: false,
        }
    }

    /// Says that references are replaced in it, as in the bodies of actions.
    #[must_use]
    pub fn replaced(mut self) -> Self {
        self.is_replaced = true;
        self
    }

    /// Says that it is only told to people, so that a reference in it does no harm.
    #[must_use]
    pub fn for_people(mut self) -> Self {
        self.is_for_people = true;
        self
    }

    /// Makes it required.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// Says when it must be there.
    #[must_use]
    pub fn needed(mut self, when: Text) -> Self {
        self.needed = Some(when);
        self
    }

    /// Says what its absence means.
    #[must_use]
    pub fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    /// Says that this version cannot run a workflow where it says anything but its default.
    #[must_use]
    pub fn planned(mut self) -> Self {
        self.is_planned = true;
        self
    }

    /// Says what to do about a wrong value.
    #[must_use]
    pub fn help(mut self, help: Text) -> Self {
        self.help = Some(help);
        self
    }
}

#[cfg(test)]
mod tests;
