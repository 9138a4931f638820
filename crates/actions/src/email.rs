//! `<email>`: a mail to the receivers of the workflow. The engine does it: it writes the mail down in the step in which the
//! node's turn comes.

use akkaflow_model::code;
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::mail::EMAIL_TAG;
use akkaflow_model::shape::{Shape, TextRule};
use akkaflow_model::text::Text;

/// `<email>`: its content is a mail in HTML to the receivers of the workflow.
pub(crate) fn shape() -> Shape {
    Shape::new(
        EMAIL_TAG,
        Text::new(
            "将其中的文字与HTML作为邮件发给工作流的收件人",
            "sends what stands in it, text and HTML, as a mail to the receivers of the workflow",
        ),
    )
    .text(TextRule::Optional)
    .open()
    .example("<email>\n  <h3>orders of ${param:date}</h3>\n  <p>loaded</p>\n</email>")
}

/// Warns of a mail that says nothing.
pub(crate) fn check(element: &Element, diagnostics: &mut Diagnostics) {
    if element.elements().next().is_none() && element.text().trim().is_empty() {
        diagnostics.warning(
            code::EMPTY_MAIL,
            element.name_span,
            Text::new("邮件没有内容", "the mail is empty"),
            Text::new(
                "请写上内容，例如 <p>…</p>",
                "write what it shall say, such as <p>...</p>",
            ),
        );
    }
}
