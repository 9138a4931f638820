use crate::element::{Child, Element, Span};
use crate::indent::{Refused, mend};
use crate::shape::{AttributeKind, AttributeShape, Shape, TextRule};
use crate::text::Text;
use crate::xml;

fn bodies() -> Vec<Shape> {
    let doc = || Text::new("", "");
    let code = Shape::new("code", doc()).text(TextRule::Required);
    let script = Shape::new("script", doc()).child(code, 1, Some(1));
    let link = AttributeShape::new("db-link", AttributeKind::NonBlank, doc());
    let sql = Shape::new("sql", doc())
        .attribute(link)
        .text(TextRule::Required);
    let mail = Shape::new("email", doc()).text(TextRule::Optional).open();
    vec![script, sql, mail]
}

#[track_caller]
fn check(source: &str, expected: &str) {
    let mended = mend(source.as_bytes(), &bodies()).unwrap();
    assert_eq!(String::from_utf8(mended.bytes.clone()).unwrap(), expected);
    let again = mend(&mended.bytes, &bodies()).unwrap();
    assert_eq!(again.lines, []);
    assert_eq!(mended.lines.is_empty(), source == expected);
}

#[test]
fn what_stands_in_an_element_is_deeper_than_its_line() {
    check(
        "  <work-flow name='w'>\n<start name='s' to='a'/>\n\t<fork name='f'>\n<path to='a'/>\n      </fork>\n   \n<end name='e'/>\n  </work-flow>\n",
        "<work-flow name='w'>\n  <start name='s' to='a'/>\n  <fork name='f'>\n    <path to='a'/>\n  </fork>\n\n  <end name='e'/>\n</work-flow>\n",
    );
}

#[test]
fn compact_lines_stay_compact() {
    check(
        "<work-flow name='w'>\n<coordinator><depend-list/><param-list>\n<param name='a' value=''/></param-list></coordinator>\n<end name='e'/></work-flow>",
        "<work-flow name='w'>\n  <coordinator><depend-list/><param-list>\n    <param name='a' value=''/></param-list></coordinator>\n  <end name='e'/></work-flow>",
    );
}

#[test]
fn scripts_statements_and_mails_stay() {
    check(
        "<work-flow name='w'>\n<action name='a'>\n<script>\n<code>\n if x\n      then\n</code>\n</script>\n<ok to='b'/>\n</action>\n\
         <action name='b'><sql db-link='d'>\nselect 1\n</sql>\n<ok to='c'/></action>\n\
         <action name='c'>\n<email><p>\n a\n</p>\n</email>\n<ok to='e'/></action>\n</work-flow>",
        "<work-flow name='w'>\n  <action name='a'>\n    <script>\n      <code>\n if x\n      then\n</code>\n    </script>\n    <ok to='b'/>\n  </action>\n  \
         <action name='b'><sql db-link='d'>\nselect 1\n</sql>\n    <ok to='c'/></action>\n  \
         <action name='c'>\n    <email><p>\n a\n</p>\n</email>\n    <ok to='e'/></action>\n</work-flow>",
    );
}

#[test]
fn comments_are_moved_but_not_changed_inside() {
    check(
        "<!-- head -->\n   <!-- two\n lines -->\n<work-flow name='w'>\n<!-- a\n  b\n-->\n<end name='e'/> <!-- c -->\n</work-flow>\n   <!-- tail -->\n",
        "<!-- head -->\n<!-- two\n lines -->\n<work-flow name='w'>\n  <!-- a\n  b\n-->\n  <end name='e'/> <!-- c -->\n</work-flow>\n<!-- tail -->\n",
    );
}

#[test]
fn attributes_on_lines_of_their_own_move_along_and_values_stay() {
    check(
        "<work-flow name='w'>\n      <end name='e'\n           desc='a\n b'\n           />\n</work-flow>",
        "<work-flow name='w'>\n  <end name='e'\n       desc='a\n b'\n       />\n</work-flow>",
    );
}

#[test]
fn no_attribute_lands_to_the_left_of_its_tag() {
    check(
        "<work-flow name='w'>\n          <action name='x'\n  retry-times='1'\n\n      interval='60'\n>\n<ok to='e'/></action>\n<end\nname='e'/></work-flow>",
        "<work-flow name='w'>\n  <action name='x'\n    retry-times='1'\n\n    interval='60'\n  >\n    <ok to='e'/></action>\n  <end\n    name='e'/></work-flow>",
    );
}

#[test]
fn what_nobody_declares_stays() {
    check(
        "<work-flow name='w'>\n<what>\n<is/>\n</what>\n</work-flow>",
        "<work-flow name='w'>\n  <what>\n<is/>\n</what>\n</work-flow>",
    );
    let kept = "<work-flow name='w'>\n  <fork name='f' xml:space='preserve'>\n<path to='a'/></fork>\n</work-flow>";
    check(kept, kept);
}

#[test]
fn marks_line_ends_and_encodings_stay() {
    check(
        "\u{FEFF}<work-flow name='w'>\r\n<end name='e'/>\r\n</work-flow>\r\n",
        "\u{FEFF}<work-flow name='w'>\r\n  <end name='e'/>\r\n</work-flow>\r\n",
    );
    let text = "<?xml version='1.0' encoding='GBK'?>\n<work-flow name='日报'>\n<end name='结束'/>\n</work-flow>";
    let (bytes, ..) = encoding_rs::GBK.encode(text);
    let mended = mend(&bytes, &bodies()).unwrap();
    let (expected, ..) = encoding_rs::GBK.encode("<?xml version='1.0' encoding='GBK'?>\n<work-flow name='日报'>\n  <end name='结束'/>\n</work-flow>");
    assert_eq!(mended.bytes, expected.as_ref());
    assert_eq!(mended.lines[0].line, 3);
    assert_eq!(mended.lines[0].new, "  <end name='结束'/>");
}

#[test]
fn broken_and_foreign_files_are_refused() {
    assert!(matches!(
        mend(b"<work-flow>", &[]),
        Err(Refused::IllFormed { .. })
    ));
    let other = Err(Refused::OtherRoot {
        label: "project".into(),
    });
    assert_eq!(mend(b"<project/>", &[]), other);
}

/// The tree without places, and without blanks that mean nothing.
fn tree(bytes: &[u8]) -> Element {
    let mut root = xml::read(bytes).root.unwrap();
    plain(&mut root, false);
    root
}

fn plain(element: &mut Element, is_kept: bool) {
    element.span = Span::default();
    element.name_span = Span::default();
    for attribute in &mut element.attributes {
        attribute.name_span = Span::default();
        attribute.value_span = Span::default();
    }
    let is_kept = is_kept || ["code", "sql", "email", "message"].contains(&element.name.as_str());
    if !is_kept {
        let is_blank =
            |child: &Child| matches!(child, Child::Text { text, .. } if text.trim().is_empty());
        element.children.retain(|child| !is_blank(child));
    }
    for child in &mut element.children {
        match child {
            Child::Element(child) => plain(child, is_kept),
            Child::Text { span, .. } => *span = Span::default(),
        }
    }
}

/// A file with blanks, comments and line breaks wherever they may stand.
struct Maker(u64);

impl Maker {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn gap(&mut self) -> &'static str {
        const GAPS: [&str; 12] = [
            "",
            " ",
            "\n",
            "\n  ",
            "\n\t",
            "\n\n      ",
            "\n   \n",
            "\r\n ",
            "\n <!-- a\n  b -->\n",
            "<!-- > -->",
            " <!--\n-->",
            "\n<?p\nq?> ",
        ];
        GAPS[usize::try_from(self.below(12)).unwrap()]
    }

    fn text(&mut self) -> &'static str {
        const TEXTS: [&str; 7] = [
            "ls",
            "\n a\n   b\n",
            "<![CDATA[\n x < 1\n  ]]>",
            "\n<![CDATA[\n]]>\n z",
            " <!-- n\n m --> 1",
            "",
            "\n\n",
        ];
        TEXTS[usize::try_from(self.below(7)).unwrap()]
    }

    fn file(&mut self) -> String {
        let mut text = format!(
            "{}<work-flow{}name='w'>",
            self.gap().replace("<?p\nq?>", "").trim_start(),
            self.space()
        );
        for number in 0..self.below(6) {
            text.push_str(self.gap());
            text.push_str(&self.node(number));
        }
        text + self.gap() + "</work-flow>" + self.gap()
    }

    fn space(&mut self) -> &'static str {
        ["  ", " ", "\n  ", "\n\t\t", "\r\n        "][usize::try_from(self.below(5)).unwrap()]
    }

    fn node(&mut self, number: u64) -> String {
        let space = self.space();
        let (a, b, c, d) = (self.gap(), self.gap(), self.gap(), self.gap());
        let text = self.text();
        match self.below(5) {
            0 => format!(
                "<fork{space}name='n{number}'>{a}<path to='x'/>{b}<path{space}to='y'{space}/>{c}</fork>"
            ),
            1 => format!(
                "<action name='n{number}'>{a}<script>{b}<code>{text}</code>{c}</script>{d}<ok to='x'/></action>"
            ),
            2 => format!(
                "<action{space}name='n{number}' desc='a\n b'>{a}<sql db-link='d'>{text}</sql><ok to='x'/>{b}</action>"
            ),
            3 => format!(
                "<action name='n{number}'><email>{text}{a}<p>{b}</p>{text}</email>{c}<ok to='x'/>{d}</action>"
            ),
            _ => format!("<kill name='n{number}'>{a}<message>{text}</message>{b}</kill>"),
        }
    }
}

#[test]
fn mending_keeps_the_definition_and_is_done_after_once() {
    let seed = std::env::var("AKKAFLOW_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| {
        use std::hash::BuildHasher as _;
        std::collections::hash_map::RandomState::new().hash_one(0)
    });
    for number in 0..3000 {
        let source = Maker(seed.wrapping_add(number)).file();
        let said = format!("AKKAFLOW_SEED={seed}, file {number}\n{source}");
        let mended = mend(source.as_bytes(), &bodies())
            .unwrap_or_else(|refused| panic!("{refused:?} {said}"));
        let text = String::from_utf8(mended.bytes.clone()).unwrap();
        assert_eq!(
            tree(&mended.bytes),
            tree(source.as_bytes()),
            "{said}\n{text}"
        );
        let again = mend(&mended.bytes, &bodies()).unwrap();
        assert_eq!(again.lines, [], "{said}\n{text}");
        // Nothing but blanks at the beginning of lines has changed.
        let trimmed = |text: &str| -> Vec<String> {
            text.split('\n')
                .map(|line| line.trim_start_matches([' ', '\t']).to_owned())
                .collect()
        };
        assert_eq!(trimmed(&text), trimmed(&source), "{said}");
    }
}
