//! Changes one by one, and at random over the examples.

mod random;

use crate::edit::{Change, EditError, Place, apply, edit, edit_all};
use crate::element::{Attribute, Child, Element, Span};

const SOURCE: &str = r#"<work-flow name='w' desc="a &amp; b"><!-- top -->
  <start name="s" to="f"/>
  <fork name="f">
    <path to="a"/> <!-- first -->
    <path to="b"/>
  </fork>
  <action name="a"
          retry-times="1"
          desc='it&apos;s'>
    <script><code><![CDATA[
      echo "1 < 2"
    ]]></code></script>
    <ok to="j"/>
    <error to="k"/>
  </action>
  <action name="b"><sql db-link="dw">select <!-- all --> 1</sql><ok to="j"/></action>
  <join name="j" to="e"/>
  <kill name="k"/>
  <end name="e"/>
</work-flow>
"#;

#[track_caller]
fn check(change: &Change, old: &str, new: &str) {
    assert_eq!(SOURCE.matches(old).count(), 1, "{old}");
    let edited = apply(SOURCE, &edit(SOURCE, change).unwrap());
    assert_eq!(edited, SOURCE.replacen(old, new, 1));
}

#[track_caller]
fn check_all(change: &Change, pairs: &[(&str, &str)]) {
    let mut expected = SOURCE.to_owned();
    for (old, new) in pairs {
        assert_eq!(expected.matches(old).count(), 1, "{old}");
        expected = expected.replacen(old, new, 1);
    }
    let edited = apply(SOURCE, &edit(SOURCE, change).unwrap());
    assert_eq!(edited, expected);
}

#[track_caller]
fn refused(change: &Change, error: &EditError) {
    assert_eq!(edit(SOURCE, change).as_ref(), Err(error));
}

fn set(at: Place, name: &str, value: &str) -> Change {
    Change::SetAttribute {
        at,
        name: name.into(),
        value: value.into(),
    }
}

fn text(at: Place, text: &str) -> Change {
    Change::SetText {
        at,
        text: text.into(),
    }
}

fn add_edge(from: &str, label: &str, to: &str) -> Change {
    Change::AddEdge {
        from: from.into(),
        label: label.into(),
        to: to.into(),
    }
}

fn remove_node(name: &str, to: Option<&str>) -> Change {
    Change::RemoveNode {
        name: name.into(),
        to: to.map(Into::into),
    }
}

fn element(name: &str, attributes: &[(&str, &str)], children: Vec<Child>) -> Element {
    let mut element = Element::new(name);
    element.attributes = attributes
        .iter()
        .map(|(name, value)| Attribute {
            name: (*name).into(),
            value: (*value).into(),
            name_span: Span::default(),
            value_span: Span::default(),
        })
        .collect();
    element.children = children;
    element
}

fn words(text: &str) -> Child {
    Child::Text {
        text: text.into(),
        span: Span::default(),
    }
}

#[test]
fn a_value_is_escaped_for_the_quotes_that_stand_there() {
    check(
        &set(Place::root(), "desc", "x < \"y\""),
        "a &amp; b",
        "x &lt; &quot;y&quot;",
    );
    check(
        &set(Place::node("a"), "desc", "'\"\n"),
        "it&apos;s",
        "&apos;\"&#10;",
    );
    check(
        &set(Place::node("a"), "desc", "it's"),
        "it&apos;s",
        "it&apos;s",
    );
}

#[test]
fn a_new_attribute_stands_behind_the_last_one_and_in_its_layout() {
    check(
        &set(Place::node("e"), "desc", "d"),
        "<end name=\"e\"/>",
        "<end name=\"e\" desc=\"d\"/>",
    );
    check(
        &set(Place::node("a"), "host", "h"),
        "desc='it&apos;s'>",
        "desc='it&apos;s'\n          host=\"h\">",
    );
}

#[test]
fn a_removed_attribute_takes_the_blanks_before_it_along() {
    let remove = |at, name: &str| Change::RemoveAttribute {
        at,
        name: name.into(),
    };
    check(
        &remove(Place::node("a"), "retry-times"),
        "\n          retry-times=\"1\"",
        "",
    );
    check(&remove(Place::root(), "desc"), " desc=\"a &amp; b\"", "");
    let unknown = EditError::UnknownAttribute {
        tag: "end".into(),
        name: "desc".into(),
    };
    refused(&remove(Place::node("e"), "desc"), &unknown);
}

#[test]
fn cdata_stays_cdata() {
    let code = || Place::node("a").child("script").child("code");
    let old = "\n      echo \"1 < 2\"\n    ";
    check(&text(code(), "ls && df"), old, "ls && df");
    check(&text(code(), "a]]>b"), old, "a]]]]><![CDATA[>b");
    check(&text(code(), ""), old, "");
}

#[test]
fn plain_text_stays_plain_and_comments_stay() {
    let sql = || Place::node("b").child("sql");
    check(
        &text(sql(), "select  2"),
        "select <!-- all --> 1",
        "select  2<!-- all -->",
    );
    check(&text(sql(), "delete 1"), "select <!--", "delete<!--");
    check(
        &text(sql(), "a < b & c ]]> 1"),
        "select <!--",
        "a &lt; b &amp; c ]]&gt;<!--",
    );
}

#[test]
fn an_empty_element_opens_for_its_text() {
    let source = "<work-flow name='w'><kill name='k'><message /></kill></work-flow>";
    let message = text(Place::node("k").child("message"), "a < b");
    let edited = apply(source, &edit(source, &message).unwrap());
    assert_eq!(
        edited,
        source.replace("<message />", "<message><![CDATA[a < b]]></message>")
    );
}

#[test]
fn text_is_refused_where_elements_or_forbidden_characters_stand() {
    let has_elements = EditError::HasElements { tag: "fork".into() };
    refused(&text(Place::node("f"), "x"), &has_elements);
    let forbidden = EditError::ForbiddenCharacter { number: 1 };
    refused(&text(Place::node("b").child("sql"), "\u{1}"), &forbidden);
    refused(&set(Place::root(), "desc", "\u{1}"), &forbidden);
}

#[test]
fn renaming_mends_every_edge() {
    let rename = |name: &str, to: &str| Change::RenameNode {
        name: name.into(),
        to: to.into(),
    };
    check_all(
        &rename("a", "load <1>"),
        &[
            ("<path to=\"a\"/>", "<path to=\"load &lt;1>\"/>"),
            ("<action name=\"a\"", "<action name=\"load &lt;1>\""),
        ],
    );
    check_all(
        &rename("k", "stop"),
        &[
            ("<error to=\"k\"/>", "<error to=\"stop\"/>"),
            ("<kill name=\"k\"/>", "<kill name=\"stop\"/>"),
        ],
    );
    refused(
        &rename("a", "b"),
        &EditError::NameTaken { name: "b".into() },
    );
    refused(
        &rename("a", " "),
        &EditError::BadName {
            name: String::new(),
        },
    );
    refused(
        &rename("x", "y"),
        &EditError::UnknownNode { name: "x".into() },
    );
    refused(&set(Place::node("a"), "name", "x"), &EditError::IsNodeName);
}

#[test]
fn a_new_node_is_laid_out_as_its_neighbours_are() {
    let code = element("code", &[], vec![words("\necho 1 < 2\n")]);
    let script = element("script", &[], vec![Child::Element(code)]);
    let ok = element("ok", &[("to", "e")], Vec::new());
    let children = vec![Child::Element(script), Child::Element(ok)];
    let node = element("action", &[("name", "c"), ("desc", "\"c\"")], children);
    let change = |after: Option<&str>| Change::AddNode {
        node: node.clone(),
        after: after.map(Into::into),
    };
    let written = "\n  <action name=\"c\" desc=\"&quot;c&quot;\">\n    <script>\n      <code><![CDATA[\necho 1 < 2\n]]></code>\n    </script>\n    <ok to=\"e\"/>\n  </action>";
    check(
        &change(None),
        "<end name=\"e\"/>",
        &format!("<end name=\"e\"/>{written}"),
    );
    check(
        &change(Some("k")),
        "<kill name=\"k\"/>",
        &format!("<kill name=\"k\"/>{written}"),
    );
    let again = Change::AddNode {
        node: element("end", &[("name", "a")], Vec::new()),
        after: None,
    };
    refused(&again, &EditError::NameTaken { name: "a".into() });
    let nothing = Change::AddNode {
        node: element("coordinator", &[("name", "c")], Vec::new()),
        after: None,
    };
    refused(
        &nothing,
        &EditError::NotANode {
            tag: "coordinator".into(),
        },
    );
}

#[test]
fn a_removed_node_takes_its_edges_along_or_leads_them_on() {
    check_all(
        &remove_node("b", None),
        &[
            ("\n    <path to=\"b\"/>", ""),
            (
                "\n  <action name=\"b\"><sql db-link=\"dw\">select <!-- all --> 1</sql><ok to=\"j\"/></action>",
                "",
            ),
        ],
    );
    check_all(
        &remove_node("k", None),
        &[
            ("\n    <error to=\"k\"/>", ""),
            ("\n  <kill name=\"k\"/>", ""),
        ],
    );
    check_all(
        &remove_node("f", Some("a")),
        &[
            ("to=\"f\"", "to=\"a\""),
            (
                "\n  <fork name=\"f\">\n    <path to=\"a\"/> <!-- first -->\n    <path to=\"b\"/>\n  </fork>",
                "",
            ),
        ],
    );
    let needed = EditError::StillNeeded {
        name: "e".into(),
        by: "j".into(),
        label: "to".into(),
    };
    refused(&remove_node("e", None), &needed);
    refused(
        &remove_node("j", Some("j")),
        &EditError::ToItself { name: "j".into() },
    );
    refused(
        &remove_node("j", Some("a")),
        &EditError::ToItself { name: "a".into() },
    );
}

#[test]
fn edges_are_added_redirected_and_removed_by_their_label() {
    check(
        &add_edge("f", "path", "e"),
        "\n    <path to=\"b\"/>",
        "\n    <path to=\"b\"/>\n    <path to=\"e\"/>",
    );
    check(
        &add_edge("b", "error", "k"),
        "</sql><ok to=\"j\"/>",
        "</sql><ok to=\"j\"/><error to=\"k\"/>",
    );
    let redirect = Change::RedirectEdge {
        from: "f".into(),
        label: "path".into(),
        old: "b".into(),
        to: "e".into(),
    };
    check(&redirect, "<path to=\"b\"/>", "<path to=\"e\"/>");
    let remove = Change::RemoveEdge {
        from: "a".into(),
        label: "error".into(),
        to: "k".into(),
    };
    check(&remove, "\n    <error to=\"k\"/>", "");
    let exists = EditError::EdgeExists {
        from: "a".into(),
        label: "ok".into(),
    };
    refused(&add_edge("a", "ok", "e"), &exists);
    let no_kind = EditError::NoSuchKind {
        tag: "end".into(),
        label: "to".into(),
    };
    refused(&add_edge("e", "to", "k"), &no_kind);
}

#[test]
fn an_element_without_content_opens_for_a_child() {
    let source = "<work-flow name='w'>\n  <fork name='f'/>\n  <fork name='g'></fork>\n  <end name='e'/>\n</work-flow>";
    let edited = edit_all(
        source,
        &[add_edge("f", "path", "e"), add_edge("g", "path", "e")],
    );
    let expected = "<work-flow name='w'>\n  <fork name='f'>\n    <path to=\"e\"/>\n  </fork>\n  <fork name='g'>\n    <path to=\"e\"/>\n  </fork>\n  <end name='e'/>\n</work-flow>";
    assert_eq!(edited.unwrap(), expected);
}

#[test]
fn windows_line_ends_stay() {
    let source =
        "<work-flow name='w'>\r\n  <end name='e'/>\r\n  <end name='d'/>\r\n</work-flow>\r\n";
    let node = element("end", &[("name", "c")], Vec::new());
    let changes = [
        remove_node("d", None),
        Change::AddNode { node, after: None },
    ];
    let expected =
        "<work-flow name='w'>\r\n  <end name='e'/>\r\n  <end name=\"c\"/>\r\n</work-flow>\r\n";
    assert_eq!(edit_all(source, &changes).unwrap(), expected);
}

#[test]
fn only_decoded_and_well_formed_text_is_edited() {
    let change = set(Place::root(), "desc", "d");
    assert_eq!(edit("<a", &change), Err(EditError::IllFormed));
    assert_eq!(edit("\u{FEFF}<a/>", &change), Err(EditError::NotDecoded));
    let gbk = "<?xml version='1.0' encoding='GBK'?><a/>";
    assert_eq!(edit(gbk, &change), Err(EditError::NotDecoded));
}

#[test]
fn a_change_travels_as_json() {
    let json = r#"{"op":"set-text","at":{"node":"a","path":[{"tag":"script"},{"tag":"code"}]},"text":"ls"}"#;
    let change: Change = serde_json::from_str(json).unwrap();
    assert_eq!(
        change,
        text(Place::node("a").child("script").child("code"), "ls")
    );
}

#[test]
fn lists_of_nodes_follow_too() {
    let source = "<work-flow name='w'>\n  <end name='e' after='a  b'/>\n  <end name='a'/>\n  <end name='b'/>\n</work-flow>";
    let rename = Change::RenameNode {
        name: "a".into(),
        to: "c".into(),
    };
    let edited = edit_all(source, &[rename]).unwrap();
    assert_eq!(
        edited,
        source
            .replace("a  b", "c b")
            .replace("name='a'", "name='c'")
    );
    let edited = edit_all(source, &[remove_node("b", None)]).unwrap();
    let expected = source
        .replace("a  b", "a")
        .replace("\n  <end name='b'/>", "");
    assert_eq!(edited, expected);
    let both = [remove_node("b", None), remove_node("a", None)];
    assert_eq!(
        edit_all(source, &both).unwrap(),
        "<work-flow name='w'>\n  <end name='e'/>\n</work-flow>"
    );
    let edited = edit_all(source, &[add_edge("a", "after", "b")]).unwrap();
    assert_eq!(edited, source.replace("name='b'", "name='b' after=\"a\""));
    let redirect = Change::RedirectEdge {
        from: "a".into(),
        label: "after".into(),
        old: "e".into(),
        to: "b".into(),
    };
    let edited = edit_all(source, &[redirect]).unwrap();
    assert_eq!(
        edited,
        source
            .replace("a  b", "b")
            .replace("name='b'", "name='b' after=\"a\"")
    );
    let spaced = Change::RenameNode {
        name: "a".into(),
        to: "a b".into(),
    };
    let refused = edit(source, &spaced);
    assert_eq!(refused, Err(EditError::BadName { name: "a b".into() }));
}
