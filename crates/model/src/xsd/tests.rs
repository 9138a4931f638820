use crate::shape::{AttributeKind, AttributeShape, Shape, TextRule};
use crate::text::Text;

use super::schema;

fn doc() -> Text {
    Text::new("说明 & <b>", "what \"it\" is & <b>")
}

#[test]
fn a_new_action_type_is_in_the_schema_with_all_that_it_declares() {
    let level = AttributeShape::new("level", AttributeKind::Choice(&["low", "a&b"]), doc());
    let body = Shape::new("beep", doc())
        .attribute(level.default("low"))
        .text(TextRule::Required);
    let schema = schema(&[body]);
    for piece in [
        "<xs:element name=\"beep\" type=\"action.beep\"/>",
        "<xs:attribute name=\"level\" default=\"low\">",
        "<xs:enumeration value=\"a&amp;b\"/>",
        "<xs:extension base=\"filled\">",
        "<xs:documentation xml:lang=\"zh\">说明 &amp; &lt;b&gt;</xs:documentation>",
    ] {
        assert!(schema.contains(piece), "{piece} is missing");
    }
}

#[test]
fn the_schema_is_well_formed() {
    let document = crate::xml::read(schema(&[]).as_bytes());
    assert!(document.fault.is_none() && !document.diagnostics.has_errors());
}

#[test]
fn edges_lead_to_nodes() {
    let edges = super::edges(crate::read::workflow_shape());
    let (_, places) = edges.iter().find(|(name, _)| *name == "to").unwrap();
    for place in ["start", "join", "fork/path", "action/ok", "action/error"] {
        assert!(
            places.iter().any(|known| known == place),
            "{place} is missing"
        );
    }
}
