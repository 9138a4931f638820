//! CDATA sections, comments and instructions that end elsewhere than they were meant to.

use super::{check_recovery, faults, read, root};

const CDATA: &str = "the CDATA section is never closed with ]]>";
const COMMENT: &str = "the comment is never closed with -->";

#[test]
fn a_section_that_is_never_closed_ends_with_its_element() {
    check_recovery(
        "<r><a><![CDATA[ x < y </a><b/></r>",
        &[CDATA],
        "r(a(x < y)b())",
    );
    check_recovery(
        "<r><a><![CDATA[ x\n y ] ]></a><b/></r>",
        &[CDATA],
        "r(a(x\n y)b())",
    );
    check_recovery("<r><a><!-- x</a><b/></r>", &[COMMENT], "r(a()b())");
    check_recovery("<r>\n<!-- x\n<b/></r>", &[COMMENT], "r(b())");
    check_recovery("<r>\n<!-- x ->\n<b/></r>", &[COMMENT], "r(b())");
    check_recovery("<!-- x\n<r/>", &[COMMENT], "r()");
    let instruction = "`<?` is never closed with ?>";
    check_recovery("<r>\n<?x y\n<b/></r>", &[instruction], "r(b())");
    check_recovery("<?xml version='1.0'><r/>", &[instruction], "r()");
}

#[test]
fn the_end_of_another_section_is_not_taken_for_that_of_an_earlier_one() {
    check_recovery(
        "<r><a><![CDATA[ x </a>\n<b><![CDATA[ y ]]></b></r>",
        &[CDATA],
        "r(a(x)b(y))",
    );
    check_recovery(
        "<r>\n<!-- x\n<a/>\n<!-- y -->\n<b/></r>",
        &[COMMENT],
        "r(a()b())",
    );
    check_recovery(
        "<r>\n<!-- x\n<a/>\n<!-- y\n<b/>\n<!-- z --></r>",
        &[COMMENT, COMMENT],
        "r(a()b())",
    );
}

#[test]
fn a_script_may_write_of_sections() {
    for script in [
        "echo '<![CDATA[' x",
        "grep '</a>' f | grep '<![CDATA['",
        "cat <<E\n<a>x</a>\n<b><![CDATA[ y </b>\nE\n",
        "cat <<E\n<a x='1'/><a>x</a>\n<![CDATA[ y\nE\n",
    ] {
        let root = root(&format!("<r><a><![CDATA[{script}]]></a></r>"));
        assert_eq!(root.elements().next().unwrap().text(), script);
    }
}

#[test]
fn a_comment_around_others_is_told_of_where_the_first_of_them_opens() {
    let text = "<r>\n<!-- x\n<!-- y -->\n<a/> -->\n</r>";
    let found = faults(text.as_bytes());
    assert_eq!(found[0].2, "a comment must not hold `--`, nor end with `-`");
}

#[test]
fn a_misspelt_cdata_is_read_as_one() {
    for opening in ["<![cdata[", "<![CData["] {
        let told = format!("CDATA must be written in capitals, not as in `{opening}`");
        check_recovery(&format!("<a>{opening} 1 < 2 ]]></a>"), &[&told], "a(1 < 2)");
    }
    for opening in [
        "<! [CDATA[",
        "<!CDATA[",
        "<[CDATA[",
        "<![CDATA [",
        "<！[CDATA[",
    ] {
        let told = format!("`{opening}` does not begin a CDATA section");
        check_recovery(&format!("<a>{opening} 1 < 2 ]]></a>"), &[&told], "a(1 < 2)");
    }
    let text = "<r><a><![cdata[ x </a><b/></r>";
    let told = [
        "CDATA must be written in capitals, not as in `<![cdata[`",
        CDATA,
    ];
    check_recovery(text, &told, "r(a(x)b())");
}

#[test]
fn the_place_of_a_cdata_between_elements_is_its_own() {
    let text = "<r>\n  <a/>\n  <![CDATA[x]]>\n  <b/>\n</r>";
    let root = read(text.as_bytes()).root.unwrap();
    let span = root
        .children
        .iter()
        .find_map(|child| match child {
            super::Child::Text { text, span } if text.contains('x') => Some(*span),
            _ => None,
        })
        .unwrap();
    assert!(text[span.range()].starts_with("<![CDATA[x"));
}
