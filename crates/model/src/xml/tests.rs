use super::{MAX_ATTRIBUTES, MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, read};
use crate::element::{Child, Element};

mod misspelt;
mod sections;

fn root(text: &str) -> Element {
    let mut document = read(text.as_bytes());
    assert_eq!(document.findings(), Vec::new(), "{text}");
    document.root.unwrap()
}

/// Code, the text underlined, the message in English.
fn faults(bytes: &[u8]) -> Vec<(String, String, String)> {
    let mut document = read(bytes);
    let source = document.source.clone();
    document
        .findings()
        .into_iter()
        .map(|finding| {
            let place = source.get(finding.span.range());
            (
                finding.code.to_owned(),
                place.expect("a place in the text").to_owned(),
                finding.message.en,
            )
        })
        .collect()
}

#[track_caller]
fn check(text: &str, code: &str, place: &str, message: &str) {
    let expected = (code.to_owned(), place.to_owned(), message.to_owned());
    assert_eq!(faults(text.as_bytes()), [expected], "{text}");
}

#[test]
fn spans_point_at_labels_names_and_values() {
    let text =
        "<?xml version=\"1.0\"?>\n<!-- 注释 -->\n<工作 a='1' 名称 = \"值\">\n  <b/>文\n</工作>\n";
    let root = root(text);
    let at = |span: crate::element::Span| &text[span.range()];
    assert_eq!(at(root.name_span), "工作");
    assert!(at(root.span).starts_with("<工作") && at(root.span).ends_with("</工作>"));
    assert_eq!(at(root.attributes[1].name_span), "名称");
    assert_eq!(at(root.attributes[1].value_span), "值");
    let b = root.elements().next().unwrap();
    assert_eq!((at(b.span), at(b.name_span)), ("<b/>", "b"));
    let Child::Text { text: run, span } = &root.children[2] else {
        panic!("text follows <b/>")
    };
    assert_eq!((run.as_str(), at(*span)), ("文\n", "文\n"));
}

#[test]
fn text_cdata_and_references_are_one_run_byte_for_byte() {
    let text =
        "<a>x &lt;&#65;&#x4e2d;<!-- gone --><![CDATA[ if [ 1 < 2 ] && echo ok\r\n]]>\tz\r\n</a>";
    let root = root(text);
    assert_eq!(root.children.len(), 1);
    assert_eq!(root.text(), "x <A中 if [ 1 < 2 ] && echo ok\r\n\tz\r\n");
}

#[test]
fn attribute_values_are_unescaped() {
    let root = root("<a v='&lt;&amp;&gt;&quot;&apos;&#10;&#x41;'/>");
    assert_eq!(root.attributes[0].value, "<&>\"'\nA");
}

#[test]
fn byte_order_mark_is_passed_over() {
    let root = root("\u{FEFF}<a/>");
    assert_eq!(root.name_span.start, 1);
}

#[test]
fn marks_in_a_row_shift_no_place() {
    // One mark belongs to the file, as does one behind a tag that the reader was helped over; others are text.
    for before in 0..4 {
        for behind in 0..4 {
            let (before, behind) = ("\u{FEFF}".repeat(before), "\u{FEFF}".repeat(behind));
            let text = format!("{before}<r><a b{behind}</r>{behind}<c d='x'/>");
            let document = read(text.as_bytes());
            for finding in document.diagnostics.into_sorted() {
                assert!(
                    document.source.get(finding.span.range()).is_some(),
                    "{text:?}"
                );
            }
        }
    }
}

#[test]
fn gbk_is_read_by_declaration_and_its_text_reads_the_same_again() {
    let text = "<?xml version=\"1.0\" encoding=\"GBK\"?>\n<a desc=\"导入数据\"/>";
    for label in ["GBK", "gb2312", "GB18030"] {
        let text = text.replace("GBK", label);
        let (bytes, ..) = encoding_rs::GB18030.encode(&text);
        let mut first = read(&bytes);
        assert_eq!(first.findings(), Vec::new());
        let root = first.root.unwrap();
        assert_eq!(root.attributes[0].value, "导入数据");
        assert_eq!(
            &first.source[root.attributes[0].value_span.range()],
            "导入数据"
        );
        let again = read(first.source.as_bytes());
        assert_eq!((again.source, again.root), (first.source, Some(root)));
    }
}

#[test]
fn a_marked_file_reads_the_same_again_whatever_it_declares() {
    for declared in ["UTF-8", "utf8", "GBK", "UTF-16", "klingon", ""] {
        let text =
            format!("\u{FEFF}<?xml version=\"1.0\" encoding=\"{declared}\"?>\n<a desc=\"导入\"/>");
        let mut first = read(text.as_bytes());
        assert_eq!(first.findings(), Vec::new(), "{declared}");
        let mut again = read(first.source.as_bytes());
        assert_eq!(again.findings(), Vec::new(), "{declared}");
        assert!(first.root.is_some());
        assert_eq!((again.source, again.root), (first.source, first.root));
    }
}

#[test]
fn a_declaration_that_names_two_encodings_reads_the_same_again() {
    for declared in [
        "encoding=encoding='gbk'\"GBK\"",
        "encoding='gbk'\nencoding='big5'",
    ] {
        let text = format!("<?xml version=\"1.0\" {declared}?>\n<a desc=\"导入数据\"/>");
        let first = read(text.as_bytes());
        let again = read(first.source.as_bytes());
        assert_eq!((again.source, again.root), (first.source, first.root));
    }
}

#[test]
fn wrong_encodings_name_the_byte_and_what_to_do() {
    let (bytes, ..) = encoding_rs::GBK.encode("<a desc=\"导入数据\"/>");
    let mut document = read(&bytes);
    let finding = document.findings().remove(0);
    assert_eq!(finding.message.en, "byte 10 (0xB5) is not valid UTF-8");
    assert!(finding.help.unwrap().en.contains("GBK"));
    check(
        "<?xml version='1.0' encoding='klingon'?><a/>",
        "AF002",
        "klingon",
        "encoding `klingon` is not supported",
    );
    assert_eq!(faults(b"\xFF\xFE<\0a\0")[0].0, "AF002");
    assert_eq!(
        faults(b"<a>\xC3</a>")[0].2,
        "byte 4 (0xC3) is not valid UTF-8"
    );
    assert_eq!(
        faults(b"<a>\xE4\xB8")[0].2,
        "byte 4 (0xE4) is not valid UTF-8"
    );
}

#[test]
fn what_precedes_a_fault_is_kept() {
    let document = read(b"<a><b x='1'/><c>");
    let root = document.root.unwrap();
    let names: Vec<&str> = root.elements().map(|child| child.name.as_str()).collect();
    assert_eq!(names, ["b", "c"]);
    assert!(document.fault.is_some());
    assert_eq!(document.unclosed.len(), 2);
}

#[test]
fn a_closing_tag_with_blanks_and_more_is_placed_where_it_stands() {
    for text in [
        "<w t='1't='1'\n   ame='e'/></ desc=\"错过不超过两小时才补跑 / run\">\n  <a/></w>",
        "<w></   跑跑跑跑 x></w>",
        "<w><a></\n\t跑></a></w>",
        "<w></ 跑",
    ] {
        let mut document = read(text.as_bytes());
        for finding in document.findings() {
            let range = finding.span.start..finding.span.end;
            assert!(text.get(range).is_some(), "{text}: {finding:?}");
        }
    }
}

#[test]
fn ill_formed_files_name_their_fault() {
    check("", "AF011", "", "the file holds no element");
    check("  \n<!-- x -->", "AF011", "", "the file holds no element");
    check("<a><b></a>", "AF005", "b", "<b> is never closed");
    check(
        "<a><b></c></a>",
        "AF005",
        "</c>",
        "expected </b>, found </c>",
    );
    check("<a><b/></c></a>", "AF005", "</c>", "</c> closes nothing");
    check("<a></a></b>", "AF005", "</b>", "</b> closes nothing");
    check("<a><b>", "AF005", "b", "<b> is never closed");
    check(
        "<a/><b/>",
        "AF005",
        "b",
        "a file has one outermost element only",
    );
    check(
        "<a/> x ",
        "AF005",
        "x",
        "text stands outside the outermost element",
    );
    check(
        "hello",
        "AF005",
        "hello",
        "text stands outside the outermost element",
    );
    check(
        "<a><![CDATA[x</a>",
        "AF005",
        "<![CDATA[",
        "the CDATA section is never closed with ]]>",
    );
    check(
        "<a><!-- x</a>",
        "AF005",
        "<!--",
        "the comment is never closed with -->",
    );
    check("<a>1 < 2</a>", "AF005", "<", "`<` does not begin a tag");
    check(
        "<a>x && y</a>",
        "AF005",
        "&&",
        "`&` does not begin an entity",
    );
    check("<a b='x&y'/>", "AF005", "&", "`&` does not begin an entity");
    check(
        "<a b=1/>",
        "AF005",
        "1",
        "the value of `b` must stand in quotes",
    );
    check("<a b/>", "AF005", "b", "`b` has no `=` and no value");
    check("<a b='<'/>", "AF005", "<", "the value of `b` holds a `<`");
    check(
        "<a b='1' b='2'/>",
        "AF103",
        "b",
        "attribute `b` stands twice",
    );
    check("<a", "AF005", "<", "the tag is never closed with >");
    check(
        "<a b='1></a>",
        "AF005",
        "'",
        "the attribute value that begins here is never closed with its quote",
    );
    check(
        "<a>\0</a>",
        "AF004",
        "\0",
        "character U+0000 is not allowed in XML",
    );
    check(
        "<a>\u{1b}[0m</a>",
        "AF004",
        "\u{1b}",
        "character U+001B is not allowed in XML",
    );
    check(
        "<a>&#0;</a>",
        "AF007",
        "&#0;",
        "the numeric reference `&#0;` stands for U+0000, which XML does not allow",
    );
    check("<a>&lt b</a>", "AF005", "&lt", "`&lt` lacks its `;`");
    check(
        "<a>&nbsp;</a>",
        "AF007",
        "&nbsp;",
        "unknown entity `&nbsp;`",
    );
    check("<a b='&x;'/>", "AF007", "&x;", "unknown entity `&x;`");
}

#[test]
fn a_bare_ampersand_or_bracket_hides_nothing_behind_it() {
    let text =
        "<a><b>x && y & z; 1 < 2 &amp; <= 3 <\u{FEFF}</b><c d='1 & 2 && 3; 4' e='&x;'/>&</a>";
    let found = faults(text.as_bytes());
    let places: Vec<(&str, &str)> = found
        .iter()
        .map(|(code, place, _)| (code.as_str(), place.as_str()))
        .collect();
    let bare = |place| ("AF005", place);
    let expected = [
        bare("&&"),
        bare("&"),
        bare("<"),
        bare("<"),
        bare("<"),
        bare("&"),
        bare("&&"),
        ("AF007", "&x;"),
        bare("&"),
    ];
    assert_eq!(places, expected);
    let document = read(text.as_bytes());
    assert_eq!(document.fault, None);
    let root = document.root.unwrap();
    let b = root.elements().next().unwrap();
    assert_eq!(b.text(), "x && y & z; 1 < 2 & <= 3 <");
    let c = root.elements().nth(1).unwrap();
    assert_eq!(c.attribute("d").unwrap().value, "1 & 2 && 3; 4");
}

#[test]
fn a_quote_that_is_never_closed_is_named_where_it_opens() {
    let mut document = read(b"<a b='1'>\n  <c d='2' e='3/>\n  <f g='4'/>\n</a>\n");
    let finding = document.findings().remove(0);
    assert_eq!(&document.source[finding.span.start..][..3], "'3/");
}

#[test]
fn document_types_are_refused_so_entities_cannot_grow() {
    let laughs =
        "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]><lolz>&lol2;</lolz>";
    let found = faults(laughs.as_bytes());
    let refused = "a document type declaration is not allowed";
    assert_eq!(found[0].2, refused);
    assert_eq!(found[1].2, "unknown entity `&lol2;`");
    assert_eq!(read(laughs.as_bytes()).root.unwrap().text(), "&lol2;");
    let external = "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>";
    check(external, "AF006", "<!DOCTYPE", refused);
}

#[test]
fn forbidden_characters_hide_nothing_behind_them() {
    let text = "<a b='x\0\0y'>\u{1}<c/>\u{FFFF}</a>\0\0\0";
    let found = faults(text.as_bytes());
    let codes: Vec<&str> = found.iter().map(|(code, ..)| code.as_str()).collect();
    assert_eq!(codes, ["AF004"; 4], "{found:?}");
    let document = read(text.as_bytes());
    assert_eq!(document.fault, None);
    assert!(document.root.unwrap().elements_named("c").next().is_some());
    let many = format!("<a>{}</a>", "\0 ".repeat(1_000));
    assert!(read(many.as_bytes()).fault.is_some());
}

/// The tree as it was understood, without places.
fn outline(element: &Element) -> String {
    let inside: String = element
        .children
        .iter()
        .map(|child| match child {
            Child::Element(child) => outline(child),
            Child::Text { text, .. } => text.trim().to_owned(),
        })
        .collect();
    format!("{}({inside})", element.name)
}

/// What is said, and what is understood, of a file that is read to its end.
#[track_caller]
fn check_recovery(text: &str, messages: &[&str], understood: &str) {
    let found = faults(text.as_bytes());
    let said: Vec<&str> = found.iter().map(|(.., message)| message.as_str()).collect();
    assert_eq!(said, messages, "{text}");
    let document = read(text.as_bytes());
    assert_eq!(document.fault, None, "{text}");
    assert_eq!(outline(&document.root.unwrap()), understood, "{text}");
}

#[test]
fn a_bracket_before_a_letter_is_text_where_no_tag_follows() {
    let bare = "`<` does not begin a tag";
    check_recovery("<a>x<b</a>", &[bare], "a(x<b)");
    check_recovery(
        "<a>x<b ]; then echo 'it'</a>",
        &[bare],
        "a(x<b ]; then echo 'it')",
    );
    check_recovery(
        "<a>cat <<EOF\nEOF\n</a>",
        &["`<<` does not begin a tag"],
        "a(cat <<EOF\nEOF)",
    );
    check_recovery("<a>read x </dev/null</a>", &[bare], "a(read x </dev/null)");
    check_recovery(
        "<a>cat <in >out</a>",
        &["<in> is never closed"],
        "a(cat <in >out)",
    );
}

#[test]
fn a_wrong_closing_tag_hides_nothing_behind_it() {
    check_recovery(
        "<r><ab><c/></ba><d/></r>",
        &["expected </ab>, found </ba>"],
        "r(ab(c())d())",
    );
    check_recovery(
        "<r><action><c></acton><d/></r>",
        &["<c> is never closed", "expected </action>, found </acton>"],
        "r(action(c())d())",
    );
    check_recovery(
        "<r><a><b></a></b><d/></r>",
        &["<b> is never closed"],
        "r(a(b())d())",
    );
    check_recovery("<r><d/></a><e/></r>", &["</a> closes nothing"], "r(d()e())");
    check_recovery(
        "<r><a></a b='1'><e/></r>",
        &["the closing tag </a> holds more than its name"],
        "r(a()e())",
    );
}

#[test]
fn an_element_that_is_never_closed_ends_where_the_layout_says() {
    check_recovery(
        "<r>\n  <a>\n    <b/>\n  <c/>\n  <a/>\n</r>",
        &["<a> is never closed"],
        "r(a(b())c()a())",
    );
    check_recovery(
        "<r>\n <a>\n  <s><c>x\n  <o/>\n  <e/>\n </a>\n</r>",
        &["<s> is never closed", "<c> is never closed"],
        "r(a(s(c(x))o()e()))",
    );
    check_recovery(
        "<r>\n <a>\n  <s><c>x\n  <o/>\n <k/>\n <e/>\n</r>",
        &[
            "<a> is never closed",
            "<s> is never closed",
            "<c> is never closed",
        ],
        "r(a(s(c(x))o())k()e())",
    );
    // What is not indented at all says nothing.
    check_recovery(
        "<r>\n<a><s>\n<c>x</c>\n</a>\n</r>",
        &["<s> is never closed"],
        "r(a(s(c(x))))",
    );
    check_recovery(
        "<r><a><b/><a><b/></a></r>",
        &["<a> is never closed"],
        "r(a(b())a(b()))",
    );
    check_recovery(
        "<r><a b='1'\n<c/></a><d e='2/>\n<f g='3'/></r>",
        &[
            "the tag is never closed with >",
            "the attribute value that begins here is never closed with its quote",
        ],
        "r(a(c())d()f())",
    );
    check_recovery(
        "<r><a></a\n<c/></r>",
        &["the tag is never closed with >"],
        "r(a()c())",
    );
}

#[test]
fn what_is_no_attribute_is_told_of_and_the_rest_is_read() {
    let attributes = |text: &str| {
        let root = read(text.as_bytes()).root.unwrap();
        let found: Vec<(String, String)> = root
            .attributes
            .iter()
            .map(|found| (found.name.to_string(), found.value.to_string()))
            .collect();
        found
    };
    let list = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(own).collect()
    };
    for (text, expected) in [
        ("<a b=1 c='2'/>", &[("b", "1"), ("c", "2")][..]),
        ("<a b=x/y></a>", &[("b", "x/y")]),
        ("<a b=“1” c=‘2’></a>", &[("b", "1"), ("c", "2")]),
        ("<a b＝'1'/>", &[("b", "1")]),
        ("<a b= c='2'/>", &[("c", "2")]),
        ("<a b c='2'/>", &[("c", "2")]),
        (
            "<a b='1', c=2; d='3'/>",
            &[("b", "1"), ("c", "2"), ("d", "3")],
        ),
        ("<a b='1'c='2'/>", &[("b", "1"), ("c", "2")]),
        ("<a b='1 c='2'/>", &[("b", "1"), ("c", "2")]),
        (
            "<a b='1\n  c='2 > 1' d='3'/>",
            &[("b", "1"), ("c", "2 > 1"), ("d", "3")],
        ),
        ("<a b=1\" c='2'/>", &[("b", "1"), ("c", "2")]),
        ("<a x='1' && b='2' /＞", &[("x", "1"), ("b", "2")]),
        ("<a b='<' c='2'></a>", &[("b", "<"), ("c", "2")]),
    ] {
        assert_eq!(attributes(text), list(expected), "{text}");
        let count = faults(text.as_bytes()).len();
        assert!((1..=3).contains(&count), "{text}: {count}");
    }
}

#[test]
fn limits_are_named() {
    let deep = "<a>".repeat(10_000);
    let message = format!("elements are nested more than {MAX_DEPTH} deep");
    assert_eq!(faults(deep.as_bytes())[0].2, message);
    let many = format!("<a>{}</a>", "<b/>".repeat(MAX_ELEMENTS));
    let message = format!("more than {MAX_ELEMENTS} elements");
    assert_eq!(faults(many.as_bytes())[0].2, message);
    let wide: String = (0..=MAX_ATTRIBUTES).map(|n| format!(" a{n}='1'")).collect();
    let message = format!("more than {MAX_ATTRIBUTES} attributes");
    assert_eq!(faults(format!("<a{wide}/>").as_bytes())[0].2, message);
    let huge = vec![b' '; MAX_BYTES + 1];
    assert_eq!(faults(&huge)[0].0, "AF001");
}

#[test]
fn the_worst_files_of_a_mebibyte_are_answered() {
    for unit in [
        "<a>",
        "<",
        "&",
        "<a b='",
        "&lt;",
        "<![CDATA[",
        "${",
        "<a b='1' ",
        "]]>",
        "x=\"",
        "\u{FEFF}",
        "< a b='",
        "< a b='1' ",
        "</ a ",
        "<a b=“",
        "<a b= ",
        "<a, ",
        "<a b＝ c d ",
        "<a b='1'c='2'/>",
        "<a b=\"x c=",
        " b= c=\"",
        "<!-- - --",
        "&lt ",
        "=\"=",
        "<! [cdata[",
        "<![CDATA[</r><",
        "<![CDATA[ </r><x><![CDATA[ ]]>",
        "<!--\n",
        "<!--\n<!-- -->",
        "<!-- <!-- --> ",
        "<?",
        "<?\n<? ?>",
        "\n＜a b='",
        "\n＜a b='1' ",
        "＜",
        "\n<<a ",
        "\n<<a/>",
        "\n<\\r>",
        "<a/ b=",
        "\n<a \"x\" ",
    ] {
        for begin in ["<r>", "<r><a ", "<r><a b=\""] {
            let text = format!("{begin}{}", unit.repeat((MAX_BYTES - 16) / unit.len()));
            assert!(read(text.as_bytes()).findings().len() <= super::MAX_FINDINGS + 1);
        }
    }
}

#[test]
fn faults_of_one_kind_do_not_crowd_out_the_others() {
    for count in [150, 5_000] {
        let text = format!("<r><a>{}</a><b c='1' c='2'/></r>", "a && b\n".repeat(count));
        let mut document = read(text.as_bytes());
        assert_eq!(document.fault, None);
        let found = document.findings();
        assert!(found.iter().any(|finding| finding.code == "AF103"));
        let expected = format!("{} more findings are not listed", count - 20);
        assert_eq!(found.last().unwrap().message.en, expected);
    }
}

#[test]
fn behind_very_many_faults_it_is_said_that_the_rest_is_not_read() {
    let text = format!("<r>{}<b c='1' c='2'/></r>", "<a></b>".repeat(200));
    let said: Vec<String> = faults(text.as_bytes())
        .into_iter()
        .map(|found| found.2)
        .collect();
    let expected = "there are too many faults: from here on the file is not checked";
    assert!(said.iter().any(|said| said == expected), "{said:?}");
}

#[test]
fn a_damaged_file_is_not_taken_for_gbk() {
    let text = |bytes: &[u8]| {
        let found = read(bytes).findings().remove(0);
        (found.message.en, found.help.unwrap().en)
    };
    let damaged = [
        b"<a b=\"\xE6\x97\" c=\"".as_slice(),
        "日报装载\"/>".as_bytes(),
    ]
    .concat();
    let (message, help) = text(&damaged);
    assert_eq!(message, "byte 7 (0xE6) is not valid UTF-8");
    assert!(help.contains("is damaged here"), "{help}");
    let cut = &"<a b=\"日报装".as_bytes()[..14];
    let (message, help) = text(cut);
    assert_eq!(message, "byte 13 (0xE8) is not valid UTF-8");
    assert!(help.contains("was cut off"), "{help}");
}

#[test]
fn what_is_not_kept_of_very_many_findings_is_counted() {
    let count = 5 * super::MAX_FINDINGS;
    let text = format!("<r>{}</r>", "<a b='1' b='2'/>".repeat(count));
    let mut document = read(text.as_bytes());
    assert!(document.diagnostics.has_errors());
    let found = document.findings();
    assert_eq!(found.len(), super::MAX_FINDINGS + 1);
    let rest = found.last().unwrap();
    assert_eq!(rest.code, crate::code::TOO_MANY_FINDINGS);
    let expected = format!(
        "{} more findings are not listed",
        count - super::MAX_FINDINGS
    );
    assert_eq!(rest.message.en, expected);
}
