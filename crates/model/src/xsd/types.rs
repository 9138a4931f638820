//! The types of values.

use std::fmt::Write as _;

use crate::shape::AttributeKind;

use super::escaped;

/// Types that many attributes share. All collapse blanks, as the checker passes over those around a value.
pub(super) const COMMON_TYPES: &str = r#"  <xs:simpleType name="blank">
    <xs:restriction base="xs:token"><xs:maxLength value="0"/></xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="filled">
    <xs:restriction base="xs:token"><xs:minLength value="1"/></xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="boolean">
    <xs:restriction base="xs:token"><xs:pattern value="([tT][rR][uU][eE]|[fF][aA][lL][sS][eE])?"/></xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="name">
    <xs:restriction base="filled">
      <xs:maxLength value="128"/>
      <xs:pattern value="[^/\\&#xAD;&#x200B;-&#x200F;&#x2028;-&#x202E;&#x2060;-&#x206F;&#xFEFF;]*[^/\\.&#xAD;&#x200B;-&#x200F;&#x2028;-&#x202E;&#x2060;-&#x206F;&#xFEFF;][^/\\&#xAD;&#x200B;-&#x200F;&#x2028;-&#x202E;&#x2060;-&#x206F;&#xFEFF;]*|\.\.\.+"/>
    </xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="dateTime">
    <xs:restriction base="xs:token">
      <xs:pattern value="([+]?\d{1,4}-(0?[1-9]|1[0-2])-(0?[1-9]|[12][0-9]|3[01]) ?([01]?[0-9]|2[0-3]):[0-5]?[0-9]:([0-5]?[0-9]|60))?"/>
    </xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="duration">
    <xs:restriction base="xs:token"><xs:pattern value="[0-9]+ ?[smhd]?"/></xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="identifier">
    <xs:restriction base="xs:token"><xs:pattern value="[a-zA-Z_][a-zA-Z0-9_]*"/></xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="codes">
    <xs:restriction base="xs:token"><xs:pattern value="[0-9]+(-[0-9]+)?([ ,，]+[0-9]+(-[0-9]+)?)*"/></xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="size">
    <xs:restriction base="xs:token"><xs:pattern value="[0-9]+(\.[0-9]+)? ?([bB]|[kKmMgG][bB]?)"/></xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="decimal">
    <xs:restriction base="xs:token"><xs:pattern value="[+\-]?[0-9]+(\.[0-9]+)?"/></xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="deadline">
    <xs:restriction base="xs:token"><xs:pattern value="[0-9]{1,2}:[0-9]{1,2}( ?\+[0-9]+d)?|[0-9]+ ?[smhd]"/></xs:restriction>
  </xs:simpleType>
  <xs:simpleType name="reference">
    <xs:restriction base="xs:token"><xs:pattern value=".*[$]\{ ?(param ?:|time\.).*\}.*"/></xs:restriction>
  </xs:simpleType>
"#;

/// The name of a type, or the type itself.
pub(super) fn attribute_type(kind: AttributeKind) -> (Option<&'static str>, Option<String>) {
    match kind {
        AttributeKind::Text => (Some("xs:string"), None),
        AttributeKind::NonBlank
        | AttributeKind::NodeName
        | AttributeKind::NodeNames
        | AttributeKind::TimeZone
        | AttributeKind::Words
        | AttributeKind::Pattern
        | AttributeKind::Condition(_) => (Some("filled"), None),
        AttributeKind::Duration => (Some("duration"), None),
        AttributeKind::Identifier => (Some("identifier"), None),
        AttributeKind::Codes { .. } => (Some("codes"), None),
        AttributeKind::Size => (Some("size"), None),
        AttributeKind::Decimal => (Some("decimal"), None),
        AttributeKind::Deadline => (Some("deadline"), None),
        AttributeKind::Boolean => (Some("boolean"), None),
        AttributeKind::Name => (Some("name"), None),
        AttributeKind::DateTime => (Some("dateTime"), None),
        AttributeKind::Integer { min, max } => {
            let bounds =
                format!("<xs:minInclusive value=\"{min}\"/><xs:maxInclusive value=\"{max}\"/>");
            (None, Some(restriction("xs:integer", &bounds)))
        }
        AttributeKind::Choice(words) => {
            let mut facets = String::new();
            for word in words {
                let word = escaped(word);
                write!(facets, "<xs:enumeration value=\"{word}\"/>")
                    .expect("a String takes everything");
            }
            (None, Some(restriction("xs:token", &facets)))
        }
        AttributeKind::ChoiceIgnoringCase(words) => {
            let words: Vec<String> = words.iter().map(|word| any_case(word)).collect();
            let pattern = format!("<xs:pattern value=\"{}\"/>", words.join("|"));
            (None, Some(restriction("xs:token", &pattern)))
        }
    }
}

/// The same, or any value that holds a reference.
pub(super) fn or_reference(
    (named, inline): (Option<&'static str>, Option<String>),
) -> (Option<&'static str>, Option<String>) {
    // Any text holds references as it is.
    if named == Some("xs:string") {
        return (named, inline);
    }
    let others = named.map_or_else(String::new, |name| format!("{name} "));
    let inline: String = inline
        .iter()
        .flat_map(|text| text.lines())
        .map(|line| format!("    {line}\n"))
        .collect();
    let union = format!(
        "<xs:simpleType>\n  <xs:union memberTypes=\"{others}reference\">\n{inline}  </xs:union>\n</xs:simpleType>"
    );
    (None, Some(union))
}

fn restriction(base: &str, facets: &str) -> String {
    format!(
        "<xs:simpleType>\n  <xs:restriction base=\"{base}\">{facets}</xs:restriction>\n</xs:simpleType>"
    )
}

/// A pattern for a word in any case.
fn any_case(word: &str) -> String {
    word.chars()
        .map(|letter| {
            if letter.is_ascii_alphabetic() {
                format!(
                    "[{}{}]",
                    letter.to_ascii_lowercase(),
                    letter.to_ascii_uppercase()
                )
            } else if letter.is_alphanumeric() {
                letter.to_string()
            } else {
                escaped(&format!("\\{letter}"))
            }
        })
        .collect()
}
