use super::{AttributeKind, AttributeShape, Shape, TextRule};
use crate::diagnostic::{Diagnostics, Severity};
use crate::text::Text;
use crate::xml;

fn same(words: &str) -> Text {
    Text::verbatim(words)
}

fn sample() -> Shape {
    let kind = |name, kind| AttributeShape::new(name, kind, same("a value"));
    Shape::new("box", same("a box"))
        .attribute(kind("name", AttributeKind::Name).required())
        .attribute(
            kind("size", AttributeKind::Integer { min: 0, max: 9 })
                .default("3")
                .help(same("write 0 for none")),
        )
        .attribute(kind("flag", AttributeKind::Boolean).default("true"))
        .attribute(kind("mode", AttributeKind::Choice(&["fast", "slow"])))
        .attribute(kind(
            "type",
            AttributeKind::ChoiceIgnoringCase(&["DB", "FILE"]),
        ))
        .attribute(kind("since", AttributeKind::DateTime))
        .child(
            Shape::new("item", same("an item")).text(TextRule::Required),
            1,
            Some(2),
        )
}

fn findings(text: &str) -> Vec<(Severity, String, Option<String>)> {
    let root = xml::read(text.as_bytes()).root.unwrap();
    let mut diagnostics = Diagnostics::new();
    sample().check(&root, &mut diagnostics);
    diagnostics
        .into_sorted()
        .into_iter()
        .map(|finding| {
            let place = &text[finding.span.range()];
            let line = format!("{} {place}: {}", finding.code, finding.message.en);
            (finding.severity, line, finding.help.map(|help| help.en))
        })
        .collect()
}

#[track_caller]
fn check(text: &str, expected: &str, help: Option<&str>) {
    let expected = (
        Severity::Error,
        expected.to_owned(),
        help.map(str::to_owned),
    );
    assert_eq!(findings(text), [expected], "{text}");
}

#[test]
fn what_the_shape_allows_passes() {
    let text =
        "<box name='n' size=' 4 ' flag='FALSE' mode='slow' type='db' since='2026-01-02 03:04:05'
        xmlns:x='y' x:z='1'> <item>1</item> <item><![CDATA[ 2 ]]></item> </box>";
    assert_eq!(findings(text), []);
}

#[test]
fn wrong_values_are_named_where_they_stand() {
    let wrap = |attributes: &str| format!("<box name='n' {attributes}><item>1</item></box>");
    let help = Some("write 0 for none");
    check(
        &wrap("size='many'"),
        "AF104 many: `size` must be a whole number, found `many`",
        help,
    );
    check(
        &wrap("size='三'"),
        "AF104 三: `size` must be a whole number, found `三`",
        Some("use digits: write `3`"),
    );
    check(
        &wrap("flag='“ｔｒｕｅ”'"),
        "AF106 “ｔｒｕｅ”: `flag` must be true or false, found `“ｔｒｕｅ”`",
        Some("it holds wide characters: write `true`"),
    );
    check(
        &wrap("size='10'"),
        "AF105 10: `size` must lie between 0 and 9, found `10`",
        help,
    );
    check(
        &wrap("size='99999999999999999999'"),
        "AF105 99999999999999999999: `size` must lie between 0 and 9, found `99999999999999999999`",
        help,
    );
    check(
        &wrap("flag='yes'"),
        "AF106 yes: `flag` must be true or false, found `yes`",
        Some("write true or false"),
    );
    check(
        &wrap("mode='fats'"),
        "AF107 fats: `mode` must be one of fast, slow, found `fats`",
        Some("did you mean `fast`?"),
    );
    check(
        &wrap("type='x'"),
        "AF107 x: `type` must be one of DB, FILE, found `x`",
        Some("write one of them"),
    );
    check(
        &wrap("since='2026-02-30 00:00:00'"),
        "AF110 2026-02-30 00:00:00: `since` must be a date and time, found `2026-02-30 00:00:00`",
        Some("write yyyy-MM-dd HH:mm:ss, for example 2026-11-21 04:59:00"),
    );
}

#[test]
fn names_become_directories() {
    let help = Some("names become directories; use letters, digits, `-` and `_`");
    let wrap = |name: &str| format!("<box name='{name}'><item>1</item></box>");
    check(&wrap("a/b"), "AF108 a/b: `name` must not hold `/`", help);
    check(&wrap(".."), "AF108 ..: `name` must not be `..`", help);
    check(
        &wrap("a&#9;b"),
        "AF108 a&#9;b: `name` must not hold the invisible character U+0009",
        help,
    );
    check(
        &wrap("a\u{202E}b"),
        "AF108 a\u{202E}b: `name` must not hold the invisible character U+202E",
        help,
    );
    let long = "长".repeat(129);
    check(
        &wrap(&long),
        &format!("AF108 {long}: `name` is longer than 128 characters"),
        Some("shorten it; what it is for may stand in `desc`"),
    );
    check(
        &wrap(" "),
        "AF109  : `name` must not be blank",
        Some("give it a value"),
    );
    assert_eq!(findings(&wrap("导入 数据.v2")), []);
}

#[test]
fn missing_and_surplus_parts_are_named() {
    check(
        "<box><item>1</item></box>",
        "AF102 box: <box> needs the attribute `name`",
        Some("`name`: a value"),
    );
    check(
        "<box name='n'/>",
        "AF202 box: <box> needs a <item>",
        Some("<item>: an item"),
    );
    check(
        "<box name='n'><item/></box>",
        "AF205 item: <item> must not be empty",
        Some("<item>: an item"),
    );
    check(
        "<box name='n'>x <item>1</item></box>",
        "AF204 x: no text may stand in <box>",
        Some("remove the text"),
    );
    let three = "<box name='n'><item>1</item><item>2</item><item>3</item></box>";
    check(
        three,
        "AF203 item: <box> takes at most 2 <item>",
        Some("remove this <item>"),
    );
    let unknown = "<box name='n'><item>1</item><itme/></box>";
    check(
        unknown,
        "AF201 itme: <box> cannot hold <itme>",
        Some("did you mean `item`?"),
    );
}

#[test]
fn unknown_attributes_are_warnings() {
    let found = findings("<box name='n' sise='1' colour='2'><item>1</item></box>");
    let expected =
        |line: &str, help: &str| (Severity::Warning, line.to_owned(), Some(help.to_owned()));
    assert_eq!(
        found,
        [
            expected(
                "AF101 sise: <box> has no attribute `sise`, it is ignored",
                "did you mean `size`?"
            ),
            expected(
                "AF101 colour: <box> has no attribute `colour`, it is ignored",
                "<box> takes name, size, flag, mode, type, since"
            ),
        ]
    );
}

#[test]
fn values_fall_back_to_their_defaults() {
    let shape = sample();
    let root = xml::read(b"<box name=' n ' size='' flag='false' since=' '/>")
        .root
        .unwrap();
    assert_eq!(shape.value(&root, "name"), Some("n"));
    assert_eq!(shape.integer(&root, "size"), Some(3));
    assert_eq!(shape.boolean(&root, "flag"), Some(false));
    assert_eq!(shape.date_time(&root, "since"), None);
    assert_eq!(shape.value(&root, "mode"), None);
}
