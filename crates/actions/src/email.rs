//! `<email>`: a mail to the receivers of the workflow. The engine does it: it writes the mail down in the step in which the
//! node's turn comes.

use akkaflow_model::code;
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::{Child, Element};
use akkaflow_model::mail::EMAIL_TAG;
use akkaflow_model::shape::{Shape, TextRule};
use akkaflow_model::text::Text;

/// `<email>`: its content is a mail in HTML to the receivers of the workflow.
pub(crate) fn shape() -> Shape {
    Shape::new(
        EMAIL_TAG,
        Text::new(
            "将其中的HTML元素作为邮件发给工作流的收件人",
            "sends the HTML elements in it as a mail to the receivers of the workflow",
        ),
    )
    .text(TextRule::Optional)
    .open()
    .example("<email>\n  <h3>orders of ${param:date}</h3>\n  <p>loaded</p>\n</email>")
}

/// Names what is not sent.
pub(crate) fn check(element: &Element, diagnostics: &mut Diagnostics) {
    for child in &element.children {
        if let Child::Text { text, span } = child
            && !text.trim().is_empty()
        {
            diagnostics.warning(
                code::TEXT_NOT_SENT,
                *span,
                Text::new(
                    "<email> 中直接书写的文本不会发送",
                    "text that stands directly in <email> is not sent",
                ),
                Text::new(
                    "请放入元素中，例如 <p>",
                    "put it into an element such as <p>",
                ),
            );
        }
    }
    if element.elements().next().is_none() {
        diagnostics.warning(
            code::TEXT_NOT_SENT,
            element.name_span,
            Text::new("邮件没有内容", "the mail is empty"),
            Text::new("请添加HTML元素，例如 <p>", "add HTML elements such as <p>"),
        );
    }
}
