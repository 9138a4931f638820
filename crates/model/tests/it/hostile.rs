//! Files that mean harm, and files that no person wrote.

use std::time::Instant;

use akkaflow_model::diagnostic::Severity;
use akkaflow_model::read::read_workflow;
use akkaflow_model::render::render_findings;
use akkaflow_model::text::Lang;
use akkaflow_model::xml::{MAX_BYTES, MAX_FINDINGS};

use crate::catalog::Catalog;

/// Reads it, draws it, and holds it against what is always true.
fn read(bytes: &[u8]) -> Vec<&'static str> {
    let reading = read_workflow(bytes, &Catalog);
    let has_error = reading
        .diagnostics
        .iter()
        .any(|finding| finding.severity == Severity::Error);
    assert_eq!(reading.workflow.is_none(), has_error);
    assert!(reading.diagnostics.len() <= MAX_FINDINGS + 1);
    let findings = reading.findings("f.xml");
    for lang in [Lang::Zh, Lang::En] {
        render_findings(&findings, lang, true);
    }
    reading
        .diagnostics
        .iter()
        .map(|finding| finding.code)
        .collect()
}

#[test]
fn billion_laughs_are_never_expanded() {
    let mut text = String::from("<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY lol0 \"lol\">");
    for n in 1..10 {
        text.push_str(&format!(
            "<!ENTITY lol{n} \"{}\">",
            format!("&lol{};", n - 1).repeat(10)
        ));
    }
    text.push_str("]><work-flow name='&lol9;'/>");
    let codes = read(text.as_bytes());
    assert_eq!(codes[0], "AF006");
    // The reference stays what it is.
    assert!(codes.contains(&"AF007"), "{codes:?}");
}

#[test]
fn ten_thousand_levels_stop_at_the_limit() {
    let text = format!(
        "<work-flow name='a'>{}{}",
        "<a>".repeat(10_000),
        "</a>".repeat(10_000)
    );
    assert!(read(text.as_bytes()).contains(&"AF008"));
}

#[test]
fn a_gibibyte_is_not_even_looked_at() {
    // The size alone decides, so a little over the limit stands for all of it.
    assert_eq!(read(&vec![b'a'; MAX_BYTES + 1]), ["AF001"]);
}

#[test]
fn entities_of_other_files_and_of_the_network_are_never_fetched() {
    for target in ["file:///etc/passwd", "http://127.0.0.1:9/x"] {
        let text = format!("<!DOCTYPE w [<!ENTITY x SYSTEM \"{target}\">]><work-flow name='&x;'/>");
        assert_eq!(read(text.as_bytes())[0], "AF006");
        let text = format!("<!DOCTYPE w SYSTEM \"{target}\"><work-flow name='w'/>");
        assert_eq!(read(text.as_bytes())[0], "AF006");
    }
}

#[test]
fn names_that_climb_hide_or_turn_around_are_refused() {
    for name in [
        "..",
        ".",
        "../../etc/passwd",
        "a/b",
        "a\\b",
        "a\u{202E}b",
        "a\u{200B}b",
        "\u{FEFF}a",
    ] {
        let text =
            format!("<work-flow name='{name}'><start name='s' to='e'/><end name='e'/></work-flow>");
        assert!(read(text.as_bytes()).contains(&"AF108"), "{name:?}");
        let text = format!(
            "<work-flow name='w'><start name='s' to='{name}'/><end name='{name}'/></work-flow>"
        );
        assert!(read(text.as_bytes()).contains(&"AF108"), "{name:?}");
    }
}

#[test]
fn no_declared_encoding_makes_the_same_bytes_mean_something_else_to_others() {
    for encoding in [
        "UTF-7",
        "UTF-16",
        "UTF-32",
        "ISO-2022-JP",
        "hz-gb-2312",
        "x-user-defined",
    ] {
        let text = format!("<?xml version='1.0' encoding='{encoding}'?><work-flow name='w'/>");
        let codes = read(text.as_bytes());
        assert!(
            codes.contains(&"AF002") || codes.contains(&"AF301"),
            "{encoding}: {codes:?}"
        );
    }
    for bytes in [
        &b"\xff\xfe<\0w\0"[..],
        b"\xfe\xff\0<\0w",
        b"\0\0\xfe\xff",
        b"\0<\0w",
    ] {
        assert!(!read(bytes).is_empty(), "{bytes:?}");
    }
}

#[test]
fn the_worst_mebibytes_are_answered_within_a_second() {
    let units = [
        "${param:x}",
        "${time.x}",
        "<![CDATA[${param:a}${time.q}]]>",
        "&lt;${time.x|",
        "<kill/>",
        "<join name='j' to='j'/>",
        "<fork name='f'><path to='f'/><path to='g'/></fork>",
        "<action name='a'><ok to='a'/></action>",
        "<x a='&#65;${param:y}'/>",
        "${",
        "三",
        "password=",
        "a://u:",
        "token: '",
        "mysql -p",
        "-----BEGIN PRIVATE",
        "AKIA",
        "&lt;\0 ",
        "&nbsp; &; ",
        "ACCESS_KEY=AKIAABCDEFGHIJKLMNOP1&#50;",
        "password=abc123def&lt;\n",
        "Basic knowled",
        "Bearer a",
        "Cookie: a",
        "$｛",
        "${param：",
        "${parma:",
        "＄{param:a",
        "<<E ",
        "'$(",
        "<param name='a' value='${param:a}'/>",
    ];
    answered_in_time(&units);
}

#[test]
fn mebibytes_of_tags_that_do_not_fit_are_answered_within_a_second() {
    answered_in_time(&[
        "</x>",
        "</a",
        "<a",
        "x<a ",
        "<a b=\"",
        "<a b='\n<a c=\"\n",
        "<a></b>",
        "<x><y></x>",
        "<a !",
        "<!DOCTYPE a>",
        "\0 ",
        "<a><b>x\n<c/>\n",
        "</a>\n<a><b>x\n<c/>",
    ]);
}

#[test]
fn mebibytes_of_sections_that_never_end_are_answered_within_a_second() {
    answered_in_time(&[
        "<![CDATA[",
        "<![CDATA[</code><",
        "<![CDATA[ </code><x><![CDATA[ ]]>",
        "<![CDATA[ <code> </code> <![CDATA[ ]]>",
        "<! [cdata[",
        "<![cdata[ ]]>",
        "<!--\n",
        "<!--\n<!-- -->",
        "<!-- <!-- --> ",
        "<?\n",
        "<?\n<? ?>",
    ]);
}

#[test]
fn mebibytes_of_misspelt_tags_are_answered_within_a_second() {
    answered_in_time(&[
        "\n＜a b='",
        "\n＜a b='1' ",
        "\n＜a＞",
        "《",
        "\n<<a b='",
        "\n<<a/>",
        "\n<<a>",
        "\n<\\code>",
        "</code＞",
        "\n<a/ b='1' ",
        "\n<a \"x\" ",
    ]);
}

fn answered_in_time(units: &[&str]) {
    for unit in units {
        let head = "<work-flow name='a'><start name='s' to='x'/><action name='x'><script><code>";
        for head in [head, "<work-flow name='a'>"] {
            let tail = if head.ends_with("<code>") {
                "</code></script><ok to='e'/></action><end name='e'/></work-flow>"
            } else {
                "</work-flow>"
            };
            let body = unit.repeat((MAX_BYTES - 200) / unit.len());
            #[expect(clippy::disallowed_methods, reason = "a test may measure")]
            let start = Instant::now();
            read(format!("{head}{body}{tail}").as_bytes());
            // A generous bound: the machine may be busy. What it rules out is a cost that grows with the square.
            assert!(
                start.elapsed().as_secs() < 20,
                "{unit} took {:?}",
                start.elapsed()
            );
        }
    }
}

#[test]
fn a_mebibyte_within_one_tag_is_answered() {
    for unit in [
        " name=\"",
        "ow name=\"",
        "a='b c=\"",
        "a='b",
        "= ",
        "a=“",
        "a=b,",
        "/ ",
        "a = ",
        "\" ",
        "a=\"b\"",
        "a=\"b\"x ",
        "a \"b\" ",
        "a==\"b ",
        "a=\"\"b ",
        "a=b c ",
        "a=`b ",
        "a=“b ",
    ] {
        for head in ["<work-flow ", "<work-flow name=\""] {
            let body = unit.repeat((MAX_BYTES - 200) / unit.len());
            #[expect(clippy::disallowed_methods, reason = "a test may measure")]
            let start = Instant::now();
            read(format!("{head}{body}").as_bytes());
            assert!(
                start.elapsed().as_secs() < 20,
                "{unit} took {:?}",
                start.elapsed()
            );
        }
    }
}

#[test]
fn thousands_of_unknown_names_are_answered() {
    let nodes: String = (0..2_400)
        .map(|n| format!("<join name='{:0>60}' to='{:1>60}'/>", n * 2, n * 2 + 1))
        .collect();
    let text =
        format!("<work-flow name='a'><start name='s' to='x'/>{nodes}<end name='e'/></work-flow>");
    assert!(read(text.as_bytes()).contains(&"AF013"));
}

/// The wrong files of this crate: a good start for worse ones.
fn corpus() -> Vec<Vec<u8>> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wrong");
    let mut paths: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "xml"))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// A small generator: the same seed gives the same files on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

#[test]
fn mangled_files_never_panic() {
    let seed = std::env::var("AKKAFLOW_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(20_261_121);
    println!("AKKAFLOW_SEED={seed}");
    let mut random = Random(seed);
    let cases = corpus();
    let pieces: &[&[u8]] = &[
        b"<",
        b">",
        b"/>",
        b"'",
        b"\"",
        b"&",
        b"&#x4e2d;",
        b"]]>",
        b"<![CDATA[",
        b"<!--",
        b"\0",
        b"\xFF",
        b"\xE4\xB8",
        b"${param:",
        b"${time.today|",
        b"}",
        b"\r\n",
        b"to='s'",
        b" name=''",
        b"<start",
        "三".as_bytes(),
        b"<?xml encoding='gbk'?>",
    ];
    for _ in 0..3_000 {
        let mut bytes = cases[random.below(cases.len())].clone();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len() + 1);
            match random.below(3) {
                0 => bytes.truncate(at),
                1 => {
                    let end = (at + random.below(20)).min(bytes.len());
                    bytes.drain(at..end);
                }
                _ => {
                    let piece = pieces[random.below(pieces.len())];
                    bytes.splice(at..at, piece.iter().copied());
                }
            }
        }
        read(&bytes);
    }
}
