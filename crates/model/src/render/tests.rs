use super::{locate, render_findings, render_for};
use crate::diagnostic::{Diagnostic, Severity};
use crate::element::Span;
use crate::text::{Lang, Text};

fn diagnostic(source: &str, piece: &str) -> Diagnostic {
    let start = source.find(piece).unwrap();
    Diagnostic {
        code: "AF104",
        severity: Severity::Error,
        span: Span {
            start,
            end: start + piece.len(),
        },
        message: Text::new(
            "`retry-times` 必须是整数",
            "`retry-times` must be a whole number",
        ),
        help: Some(Text::new("不重试时请写0", "write 0 to switch retries off")),
    }
}

#[track_caller]
fn check(source: &str, piece: &str, lang: Lang, expected: &str) {
    let finding = locate(source, "xmlconfig/report.xml", &diagnostic(source, piece));
    assert_eq!(render_findings(&[finding], lang, false), expected);
}

#[test]
fn carets_stand_under_wide_characters() {
    check(
        "<a>\n  <动作 名=\"甲\" retry-times=\"三次\">\r\n",
        "三次",
        Lang::En,
        "\
error[AF104]: `retry-times` must be a whole number
 --> xmlconfig/report.xml:2:26
  |
2 |   <动作 名=\"甲\" retry-times=\"三次\">
  |                              ^^^^
  = help: write 0 to switch retries off
",
    );
}

#[test]
fn chinese_has_its_own_words() {
    check(
        "<a x='1'/>",
        "1",
        Lang::Zh,
        "\
错误[AF104]：`retry-times` 必须是整数
 --> xmlconfig/report.xml:1:7
  |
1 | <a x='1'/>
  |       ^
  = 帮助：不重试时请写0
",
    );
}

#[test]
fn tabs_long_numbers_and_places_over_several_lines_are_drawn() {
    let source = format!("{}\t<b>x\n</b>\n", "\n".repeat(99));
    check(
        &source,
        "<b>x\n</b>",
        Lang::En,
        "\
error[AF104]: `retry-times` must be a whole number
   --> xmlconfig/report.xml:100:2
    |
100 |     <b>x
    |     ^^^^
    = help: write 0 to switch retries off
",
    );
}

#[test]
fn a_place_at_the_very_end_is_drawn() {
    let source = "<a>\n";
    let mut at_end = diagnostic(source, "<a>");
    at_end.span = Span { start: 4, end: 99 };
    let finding = locate(source, "f", &at_end);
    assert_eq!((finding.line, finding.column, finding.width), (2, 1, 1));
    let mut empty = at_end;
    empty.span = Span::default();
    assert_eq!(locate("", "f", &empty).line, 1);
}

#[test]
fn of_a_long_line_the_part_around_the_place_is_kept() {
    for (before, behind, from) in [(1_000, 0, 601), (1_000, 1_000, 900), (300, 1_000, 0)] {
        let source = format!("{}三{}", "甲".repeat(before), "x".repeat(behind));
        let finding = locate(&source, "f", &diagnostic(&source, "三"));
        let kept = finding.excerpt.chars().count();
        assert_eq!((finding.excerpt_from, kept), (from, 400), "{before}");
        let at = usize::try_from(finding.column - finding.excerpt_from).unwrap() - 1;
        assert_eq!(finding.excerpt.chars().nth(at), Some('三'));
        let shown = render_findings(&[finding], Lang::En, false);
        assert!(shown.contains('三') && shown.contains("^^"), "{shown}");
    }
}

#[test]
fn a_finding_of_an_older_version_that_was_cut_is_not_underlined_beyond() {
    let mut finding = locate("<a>三", "f", &diagnostic("<a>三", "三"));
    finding.column = 1_001;
    finding.excerpt = "x".repeat(400);
    assert!(!render_findings(&[finding], Lang::En, false).contains('^'));
}

#[test]
fn a_carriage_return_alone_ends_a_line() {
    let source = "<a>\r<b>\r\n<c>\n<d>\r";
    for (piece, line) in [("<a>", 1), ("<b>", 2), ("<c>", 3), ("<d>", 4)] {
        let finding = locate(source, "f", &diagnostic(source, piece));
        assert_eq!((finding.line, finding.column), (line, 1), "{piece}");
        assert_eq!(finding.excerpt, piece);
    }
}

#[test]
fn nothing_in_a_finding_can_steer_the_terminal() {
    let source = "<a b='\u{1b}[2J\u{202E}'/>";
    let mut wrong = diagnostic(source, "\u{1b}[2J");
    wrong.message = Text::verbatim("found `\u{1b}[2J`");
    let text = render_findings(&[locate(source, "\u{7}f", &wrong)], Lang::En, false);
    assert!(
        text.chars()
            .all(|character| character == '\n' || !character.is_control())
    );
    assert!(!text.contains('\u{202E}'));
}

#[test]
fn colour_only_where_it_is_wanted() {
    let source = "<a x='1'/>";
    let finding = locate(source, "f", &diagnostic(source, "1"));
    let plain = render_findings(std::slice::from_ref(&finding), Lang::En, false);
    let painted = render_findings(&[finding], Lang::En, true);
    let mut stripped = painted.clone();
    for code in ["0", "1", "1;31", "1;34"] {
        stripped = stripped.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_ne!(plain, painted);
    assert_eq!(plain, stripped);
}

/// The line and the carets on a terminal of so many columns.
#[track_caller]
fn check_width(source: &str, piece: &str, width: usize, expected: [&str; 2]) {
    let finding = locate(source, "f", &diagnostic(source, piece));
    let said = render_for(&[finding], Lang::En, false, Some(width));
    let lines: Vec<&str> = said.lines().skip(3).take(2).collect();
    assert_eq!(lines, expected);
    let mut lines = lines.into_iter();
    assert!(lines.all(|line| unicode_width::UnicodeWidthStr::width(line) <= width));
}

#[test]
fn a_line_that_is_longer_than_the_terminal_is_shown_around_the_place() {
    let line = "<action name=\"a\" desc=\"每天从订单库取数\" retry-times=\"三\" host=\"-1\" is-ignore=\"false\"/>";
    check_width(
        line,
        "name",
        40,
        [
            "1 | <action name=\"a\" desc=\"每天从订单库…",
            "  |         ^^^^",
        ],
    );
    check_width(
        line,
        "三",
        40,
        [
            "1 | …etry-times=\"三\" host=\"-1\" is-ignor…",
            "  |              ^^",
        ],
    );
    check_width(
        line,
        "false",
        40,
        ["1 | … is-ignore=\"false\"/>", "  |              ^^^^^"],
    );
    // What is marked may itself be too long.
    check_width(
        line,
        line,
        24,
        ["1 | <action name=\"a\" de…", "  | ^^^^^^^^^^^^^^^^^^^"],
    );
}
