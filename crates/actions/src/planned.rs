//! Action types that this version checks and keeps, but does not run yet.

use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::Shape;

/// An action type that is declared and checked only. Once it runs it becomes an [`Action`](crate::Action).
pub(crate) trait Planned {
    /// The label of its body, and its name everywhere.
    const TAG: &'static str;

    /// Attributes and children; [`Shape::is_planned`] is set.
    fn shape() -> Shape;

    /// Names every value of a body that is wrong although its shape allows it.
    fn check(element: &Element, diagnostics: &mut Diagnostics);
}
