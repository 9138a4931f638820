//! Values that hold `${param:..}` or `${time..}`.
//!
//! akkaflow 2.12 replaced them in the raw text of the file, wherever they stood. They are replaced in the bodies of actions
//! and in parameters here; elsewhere they are kept as written. Where nothing but people reads them that is all; else the
//! workflow waits for a version that replaces them there.

use crate::code;
use crate::diagnostic::Diagnostics;
use crate::element::Attribute;
use crate::quote::shortened;
use crate::shape::value::value_place;
use crate::shape::{AttributeKind, AttributeShape};
use crate::text::Text;

/// What becomes of references in the values of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum References {
    /// There are none: what looks like one is plain text.
    Literal,
    /// They are replaced before the value is used.
    Replaced,
    /// They would have to be replaced, and are not yet.
    Kept,
}

impl AttributeKind {
    /// Whether its values are read, not taken as they are, and none of them is a name.
    pub(super) fn is_read(self) -> bool {
        match self {
            Self::Integer { .. }
            | Self::Boolean
            | Self::Choice(_)
            | Self::ChoiceIgnoringCase(_)
            | Self::DateTime
            | Self::Duration
            | Self::TimeZone
            | Self::Codes { .. }
            | Self::Size
            | Self::Decimal
            | Self::Deadline => true,
            Self::Text
            | Self::NonBlank
            | Self::Name
            | Self::NodeName
            | Self::NodeNames
            | Self::Identifier
            | Self::Words
            | Self::Pattern
            | Self::Condition(_) => false,
        }
    }

    /// Whether its values are numbers, sizes and the like, and not words that decide what else must be there.
    fn is_measure(self) -> bool {
        self.is_read() && !matches!(self, Self::Choice(_) | Self::ChoiceIgnoringCase(_))
    }
}

impl AttributeShape {
    /// Whether a value that holds a reference is right, whatever else it says.
    pub(crate) fn takes_references(&self, references: References) -> bool {
        match references {
            References::Literal => false,
            References::Replaced => self.kind.is_measure(),
            References::Kept if self.is_replaced => false,
            References::Kept if self.is_for_people => true,
            References::Kept => match self.kind {
                AttributeKind::Text | AttributeKind::DateTime => true,
                // Without a default nothing could stand in for the value.
                kind => kind.is_read() && self.default.is_some(),
            },
        }
    }

    /// Looks at a value that holds a reference; whether there is no more to say of it.
    pub(super) fn check_reference(
        &self,
        attribute: &Attribute,
        references: References,
        diagnostics: &mut Diagnostics,
    ) -> bool {
        let is_name = matches!(self.kind, AttributeKind::Name | AttributeKind::Identifier);
        if references == References::Kept && is_name {
            self.name_of_parameters(attribute, diagnostics);
            return true;
        }
        let is_right = self.takes_references(references);
        if is_right && references == References::Kept {
            if self.is_for_people {
                kept_as_written(attribute, diagnostics);
            } else {
                not_replaced(attribute, diagnostics);
            }
        }
        is_right
    }

    fn name_of_parameters(&self, attribute: &Attribute, diagnostics: &mut Diagnostics) {
        let name = self.name;
        diagnostics.error(
            code::BAD_NAME,
            value_place(attribute),
            Text::new(
                format!("`{name}` 中不能引用参数或时间"),
                format!("`{name}` must not be made of parameters or dates"),
            ),
            Text::new(
                "名称在实例产生之前就已确定，请写明名称",
                "names are settled before there is an instance: write the name itself",
            ),
        );
    }
}

/// Of a value that people read: the workflow runs, and they see the reference.
fn kept_as_written(attribute: &Attribute, diagnostics: &mut Diagnostics) {
    let name = &attribute.name;
    diagnostics.warning(
        code::NOT_REPLACED,
        value_place(attribute),
        Text::new(
            format!("`{name}` 中的引用不会被替换，原样显示"),
            format!("references in `{name}` are not replaced: they are shown as written"),
        ),
        Text::new(
            "工作流照常运行；不想看到引用时请写明该值",
            "the workflow runs all the same; write the value itself if people should see it",
        ),
    );
}

fn not_replaced(attribute: &Attribute, diagnostics: &mut Diagnostics) {
    let name = &attribute.name;
    let what = format!("{name}=\"{}\"", shortened(attribute.value.trim()));
    diagnostics.not_runnable(
        value_place(attribute),
        &what,
        Text::new(
            format!("当前版本不会替换 `{name}` 中的引用，工作流会保存但不会运行"),
            format!(
                "this version does not replace references in `{name}` yet; the workflow is kept but does not run"
            ),
        ),
        Text::new(
            "请写明该值；动作内部与参数中的引用会被替换",
            "write the value itself; references are replaced inside of actions and in parameters",
        ),
    );
}
