//! Tags that are wrong in one sign.

use super::{check_recovery, faults};

#[test]
fn a_tag_that_is_wrong_in_one_sign_is_read_as_it_was_meant() {
    for (written, shown) in [
        ("<<ok to='e'/>", "<<ok"),
        ("＜ok to='e'/＞", "＜ok"),
        ("《ok to='e'/》", "《ok"),
        ("<ok/ to='e'>", "/"),
        ("<ok / to='e'>", "/"),
        ("<ok to='e'\\>", "\\>"),
        ("<1ok to='e'/>", "<1ok"),
    ] {
        let told = format!("the tag <ok> is misspelt: `{shown}`");
        let text = format!("<r>\n  <a/>\n  {written}\n  <b/>\n</r>");
        check_recovery(&text, &[&told], "r(a()ok()b())");
    }
    for written in ["<\\a>", "‹/a＞", "</a＞", "<／a>", "<//a>", "<</a>"] {
        let told = format!("the tag <a> is misspelt: `{written}`");
        check_recovery(&format!("<r><a>{written}<b/></r>"), &[&told], "r(a()b())");
    }
    let told = "the tag <a> is misspelt: `<<a`";
    check_recovery("<r>\n<<a>x</a><b/></r>", &[told], "r(a(x)b())");
    let told = "`\"x\"` cannot be the name of an attribute";
    check_recovery("<r>\n<a \"x\" b='1'/><c/></r>", &[told], "r(a()c())");
}

#[test]
fn what_only_looks_like_a_misspelt_tag_is_text() {
    for text in [
        "见《手册》第三章",
        "cat ＜ a ＞ b",
        "＜说明＞",
        "a » b « c",
        "《ok",
    ] {
        let text = format!("<a>{text}</a>");
        assert_eq!(faults(text.as_bytes()), [], "{text}");
    }
    check_recovery(
        "<a>cat <<EOF\nEOF\n</a>",
        &["`<<` does not begin a tag"],
        "a(cat <<EOF\nEOF)",
    );
}
