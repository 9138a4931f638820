use super::reader::TextReader;
use super::writer::TextWriter;
use super::*;
use crate::batch::{Batch, channel};
use crate::column::{Column, Kind};

fn delimiter(text: &str) -> Delimiter {
    Delimiter::parse(text).unwrap()
}

fn open(path: &Path, format: Format) -> Result<TextReader, Error> {
    TextReader::new(Content::local(path)?, format, None)
}

fn create(
    path: &Path,
    format: Format,
    columns: Vec<Column>,
    unique: &str,
) -> Result<TextWriter, Error> {
    let sink = LocalSink::create(path, unique)?;
    TextWriter::new(Box::new(sink), path, format, columns)
}

type Values = Vec<Vec<Option<String>>>;

fn text(separator: &str) -> Format {
    Format::new(Layout::Text(delimiter(separator)))
}

fn csv() -> Format {
    csv_with(",", b'"', b'"')
}

fn csv_with(separator: &str, quote: u8, escape: u8) -> Format {
    Format::new(Layout::Csv(
        Csv::new(delimiter(separator), quote, escape).unwrap(),
    ))
}

fn with_header(format: Format) -> Format {
    Format {
        has_header: true,
        ..format
    }
}

/// The rows of a file with this content.
fn rows(content: &[u8], format: Format, expected: Option<usize>) -> Result<Values, Error> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("in.txt");
    std::fs::write(&path, content).unwrap();
    rows_of(open(&path, format)?, expected)
}

fn rows_of(reader: TextReader, expected: Option<usize>) -> Result<Values, Error> {
    let (sender, mut receiver) = channel();
    let reading = std::thread::spawn(move || reader.read(expected, &sender));
    let mut rows = Vec::new();
    while let Some(batch) = receiver.blocking_recv() {
        for row in batch.rows() {
            rows.push(
                row.map(|value| value.map(|value| String::from_utf8(value.to_vec()).unwrap()))
                    .collect(),
            );
        }
    }
    reading.join().unwrap().map(|_| rows)
}

fn read(content: &str, separator: &str, expected: Option<usize>) -> Result<Values, Error> {
    rows(content.as_bytes(), text(separator), expected)
}

/// A file with these rows, as bytes.
fn written(format: Format, columns: &[Column], batches: &[Batch]) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let mut writer = create(&path, format, columns.to_vec(), "1").unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    assert_eq!(writer.finish().unwrap(), Finished::default());
    std::fs::read(&path).unwrap()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn empty_and_null_in_any_case_are_null_and_quotes_are_characters() {
    assert_eq!(
        read("\u{feff}a\t\tNull\r\n\"x\t y \tnullx\n\t\t", "\\t", Some(3)).unwrap(),
        [
            vec![some("a"), None, None],
            vec![some("\"x"), some(" y "), some("nullx")],
            vec![None, None, None],
        ]
    );
    assert_eq!(read("", ",", Some(2)).unwrap(), Vec::<Vec<_>>::new());
}

#[test]
fn b17_delimiter_is_plain_text_on_both_sides() {
    assert_eq!(
        read("a|b||c|", "\\|", None).unwrap(),
        [vec![some("a"), some("b"), None, some("c"), None]]
    );
    assert_eq!(
        read("a||b|c||", "||", None).unwrap(),
        [vec![some("a"), some("b|c"), None]]
    );
    assert_eq!(
        read("a.b", ".", None).unwrap(),
        [vec![some("a"), some("b")]]
    );
    for (text, expected) in [
        ("\\u0001", "\u{1}"),
        ("\\x01", "\u{1}"),
        ("\\001", "\u{1}"),
        ("\\\\", "\\"),
        ("¦", "¦"),
    ] {
        assert_eq!(delimiter(text).as_bytes(), expected.as_bytes());
    }
    for wrong in ["", "\\s+", "\\", "\\u00", "\n", "\\d"] {
        assert!(Delimiter::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_row_with_another_number_of_fields_is_named() {
    let error = read("1,2\n1,2\n1,2,3\n", ",", Some(2)).unwrap_err().text();
    assert!(
        error.zh.starts_with("存在某（多条）记录的字段个数不等于2"),
        "{error:?}"
    );
    assert!(error.en.contains("row 3 has 3 fields"), "{error:?}");
}

#[test]
fn lines_longer_than_a_chunk_are_read_whole() {
    let long = "x".repeat(3 * 1024 * 1024);
    let rows = read(&format!("{long},1\n{long},2"), ",", Some(2)).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1], [Some(long), some("2")]);
}

fn batch(values: &[Option<&[u8]>]) -> Batch {
    let mut batch = Batch::new(1);
    for value in values {
        match value {
            Some(value) => batch.push(value),
            None => batch.push_null(),
        }
    }
    batch.end_row();
    batch
}

#[test]
fn line_breaks_become_one_blank_which_is_told_and_null_is_a_word() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new/out.txt");
    let columns = [
        Kind::Text(None),
        Kind::Text(None),
        Kind::Binary(None),
        Kind::Text(None),
    ]
    .map(|kind| Column::new("c", kind))
    .to_vec();
    let mut writer = create(&path, text(","), columns, "1").unwrap();
    let values: [Option<&[u8]>; 4] = [Some(b"a\r\n\nb"), None, Some(b"\x00\xff"), Some(b"")];
    writer.write(&batch(&[Some(b"a b")])).unwrap();
    let mut second = batch(&values);
    second.first_row = 2;
    writer.write(&second).unwrap();
    writer.write(&batch(&[Some(b"c\r")])).unwrap();
    let told = Altered {
        values: 2,
        first_row: 2,
        first_column: "c".to_owned(),
    };
    let finished = writer.finish().unwrap();
    assert_eq!(finished.line_breaks, Some(told));
    let nulls = Altered {
        values: 1,
        first_row: 2,
        first_column: "c".to_owned(),
    };
    assert_eq!(finished.nulls, Some(nulls), "the empty text, not the NULL");
    assert_eq!(
        std::fs::read(&path).unwrap(),
        b"a b\na b,null,\\x00ff,\nc \n"
    );
    assert_eq!(
        std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
        1
    );
}

#[test]
fn a_value_with_the_delimiter_is_refused_and_nothing_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.txt");
    std::fs::write(&path, "old").unwrap();
    let mut writer = create(&path, text("\\t"), Vec::new(), "1").unwrap();
    let error = writer.write(&batch(&[Some(b"a\tb")])).unwrap_err();
    assert!(error.text().en.starts_with("row 1, column `1`"), "{error}");
    let mut double = create(&path, text("||"), Vec::new(), "2").unwrap();
    assert!(double.write(&batch(&[Some(b"a|b")])).is_ok());
    assert!(double.write(&batch(&[Some(b"a|")])).is_err());
    drop(double);
    drop(writer);
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn what_is_replaced_keeps_its_mode_and_its_links_and_is_a_regular_file() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("real.txt"), "old").unwrap();
    std::fs::set_permissions(path("real.txt"), std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink(path("real.txt"), path("link.txt")).unwrap();
    let writer = create(&path("link.txt"), text(","), Vec::new(), "1").unwrap();
    writer.finish().unwrap();
    assert!(
        std::fs::symlink_metadata(path("link.txt"))
            .unwrap()
            .is_symlink()
    );
    assert_eq!(std::fs::read(path("real.txt")).unwrap(), b"");
    let mode = std::fs::metadata(path("real.txt"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    symlink(path("nowhere"), path("dangling")).unwrap();
    for (name, words) in [("socket", "no regular file"), ("dangling", "no such file")] {
        let made = create(&path(name), text(","), Vec::new(), "1");
        let error = made.err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert!(
        std::fs::symlink_metadata(path("dangling"))
            .unwrap()
            .is_symlink()
    );
}

#[test]
fn a_header_names_the_columns_whatever_the_format() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("in");
    let columns = |content: &str, format: Format| {
        std::fs::write(&path, content).unwrap();
        let reader = open(&path, format).unwrap();
        let names = reader.columns().map(|columns| {
            let names = columns.iter().map(|column| column.name.clone());
            names.collect::<Vec<_>>().join("|")
        });
        (names, rows_of(reader, None).unwrap().len())
    };
    assert_eq!(
        columns("\u{feff}id ,\"the, name\"\r\n1,a\n", with_header(csv())),
        (some("id|the, name"), 1)
    );
    assert_eq!(
        columns("a;b\n1;2\n", with_header(text(";"))),
        (some("a|b"), 1)
    );
    assert_eq!(columns("1,2\n", csv()), (some("col_0|col_1"), 1));
    assert_eq!(columns("", with_header(csv())), (None, 0));
    std::fs::write(&path, "id,,x\n").unwrap();
    let error = open(&path, with_header(csv())).err().unwrap();
    assert!(error.text().en.contains("no column 2"), "{error}");
    for (format, content) in [(csv(), "id,\"a\"\"b\"\n"), (text("\\t"), "id\ta\"b\n")] {
        let columns = ["id", "a\"b"].map(|name| Column::new(name, Kind::Field));
        assert_eq!(
            written(with_header(format), &columns, &[]),
            content.as_bytes()
        );
    }
}

#[test]
fn csv_keeps_delimiters_quotes_line_breaks_and_null_beside_empty() {
    let content = "1,\"a,\"\"b\"\"\",\r\n\"x\ny\r\nz\", ,\"\"";
    assert_eq!(
        rows(content.as_bytes(), csv(), None).unwrap(),
        [
            vec![some("1"), some("a,\"b\""), None],
            vec![some("x\ny\r\nz"), some(" "), some("")],
        ]
    );
    let escaped = csv_with("||", b'\'', b'\\');
    assert_eq!(
        rows(b"'it\\'s'||a|b||'\\\\n\\b'\n", escaped, None).unwrap(),
        [[some("it's"), some("a|b"), some("\\n\\b")]]
    );
}

#[test]
fn null_of_csv_may_have_another_spelling() {
    let layout = Csv::new(delimiter(","), b'"', b'"').unwrap();
    let format = Format::new(Layout::Csv(layout.clone().with_null_text("\\N").unwrap()));
    let values: [Option<&[u8]>; 3] = [None, Some(b""), Some(b"\\N")];
    let content = written(format.clone(), &[], &[batch(&values)]);
    assert_eq!(content, b"\\N,,\"\\N\"\n");
    assert_eq!(
        rows(&content, format, None).unwrap(),
        [[None, some(""), some("\\N")]]
    );
    for wrong in ["a,b", "\"", "\n"] {
        assert!(layout.clone().with_null_text(wrong).is_err(), "{wrong}");
    }
    assert!(Csv::new(delimiter("a'"), b'\'', b'"').is_err());
    assert!(Csv::sign("ab").is_err() && Csv::sign("n").is_err() && Csv::sign("'").is_ok());
}

#[test]
fn what_csv_writes_it_reads_back_whatever_the_chunks_are() {
    const VALUES: [Option<&[u8]>; 12] = [
        None,
        Some(b""),
        Some(b"null"),
        Some(b"\""),
        Some(b"\\"),
        Some(b"\\\""),
        Some(b"a|"),
        Some(b"||"),
        Some(b"\r"),
        Some(b"\r\n,"),
        Some(b" x "),
        Some("日本".as_bytes()),
    ];
    for format in [
        csv(),
        csv_with("||", b'\'', b'\\'),
        csv_with("\\t", b'|', b'"'),
    ] {
        let batches: Vec<Batch> = (0..VALUES.len())
            .map(|shift| {
                let mut values = VALUES.to_vec();
                values.rotate_left(shift);
                batch(&values)
            })
            .collect();
        let content = written(format.clone(), &[], &batches);
        let Layout::Csv(layout) = &format.layout else {
            panic!("{format:?}");
        };
        let mut whole = Batch::new(1);
        let mut text = &content[..];
        while !text.is_empty() {
            let taken = layout.take_row(text, true, &mut whole).unwrap().unwrap();
            whole.end_row();
            // A row that is cut anywhere is taken for one that is still to come.
            for cut in 1..taken.bytes {
                let mut part = Batch::new(1);
                let cut = layout.take_row(&text[..cut], false, &mut part).unwrap();
                assert!(cut.is_none() && part.byte_count() == 0);
            }
            text = &text[taken.bytes..];
        }
        let read: Vec<Vec<Option<&[u8]>>> = whole.rows().map(Iterator::collect).collect();
        let expected: Vec<Vec<Option<&[u8]>>> = batches
            .iter()
            .flat_map(|batch| batch.rows().map(Iterator::collect))
            .collect();
        assert_eq!(read, expected, "{format:?}");
    }
}

#[test]
fn a_wrong_csv_file_is_refused_with_its_line() {
    for (content, line, words) in [
        ("a,b\n1,\"x\ny\"\n2,z\"z\n", 4, "within a field"),
        ("a,b\n1,\"x\n\"y\n", 3, "behind a closing quote"),
        ("a,b\n1,2\n\"x\n\n,3\n", 3, "never closed"),
        ("a,\"b\n1,2\n", 1, "never closed"),
    ] {
        let error = rows(content.as_bytes(), with_header(csv()), None).unwrap_err();
        let text = error.text();
        assert!(
            text.en.contains(&format!("line {line}: ")) && text.en.contains(words),
            "{text:?}"
        );
        assert!(text.zh.contains(&format!("第{line}行")), "{text:?}");
    }
    let error = rows(b"a,b\n\"1\n\",2\n\n3\n", with_header(csv()), Some(2)).unwrap_err();
    let text = error.text().en;
    assert!(text.starts_with("row 2 has 1 fields (/"), "{text}");
    assert!(text.ends_with(", line 5) instead of 2"), "{text}");
}

#[test]
fn empty_lines_of_csv_are_no_rows_unless_there_is_one_column() {
    let two = rows(b"1,2\n\n\r\n3,4\n\n", csv(), Some(2)).unwrap();
    assert_eq!(two.len(), 2);
    let one = rows(b"1\n\n\"\"\n", csv(), Some(1)).unwrap();
    assert_eq!(one, [[some("1")], [None], [some("")]]);
}

#[test]
fn bytes_that_look_like_spelled_bytes_are_spelled_too() {
    let columns = [Column::new("b", Kind::Binary(None))];
    for format in [csv(), text("\\t")] {
        let content = written(format, &columns, &[batch(&[Some(b"\\x41")])]);
        assert_eq!(content, b"\\x5c783431\n");
    }
}

fn encoded(name: &str, format: Format) -> Format {
    Format {
        encoding: Encoding::parse(name).unwrap(),
        ..format
    }
}

fn compressed(compression: Compression, format: Format) -> Format {
    Format {
        compression,
        ..format
    }
}

#[test]
fn text_survives_every_encoding_that_has_its_characters() {
    const WORDS: &str = "编号，日本語";
    for (name, mark, length) in [
        ("utf-8", &b""[..], 18),
        ("gbk", b"", 12),
        ("GB18030", b"", 12),
        ("UTF-16LE", b"\xff\xfe", 12),
        ("utf-16be", b"\xfe\xff", 12),
    ] {
        let format = encoded(name, csv());
        let content = written(format.clone(), &[], &[batch(&[Some(WORDS.as_bytes())])]);
        assert!(content.starts_with(mark), "{name}");
        let end = content.len() - mark.len() - length;
        assert_eq!(end, if mark.is_empty() { 1 } else { 2 }, "{name}");
        assert_eq!(rows(&content, format, None).unwrap(), [[some(WORDS)]]);
        if !mark.is_empty() {
            assert_eq!(rows(&content, csv(), None).unwrap(), [[some(WORDS)]]);
        }
    }
    let latin = rows(b"caf\xe9,x", encoded("ISO-8859-1", csv()), None).unwrap();
    assert_eq!(latin, [[some("caf\u{e9}"), some("x")]]);
    let marked = rows(b"\xef\xbb\xbf\xe7\xbc\x96", encoded("gbk", csv()), None).unwrap();
    assert_eq!(marked, [[some("编")]], "a byte order mark is believed");
    let error = Encoding::parse("GBKK").unwrap_err().0;
    assert!(error.en.contains("did you mean `GBK`?"), "{error:?}");
    assert!(
        Encoding::parse("iso-2022-kr").is_err(),
        "it decodes to nothing"
    );
}

#[test]
fn characters_beyond_a_chunk_are_decoded_whole() {
    let long = "编".repeat(1_200_000);
    let content = encoding_rs::GBK.encode(&long).0.into_owned();
    for shift in ["", "x"] {
        let mut shifted = shift.as_bytes().to_vec();
        shifted.extend_from_slice(&content);
        let read = rows(&shifted, encoded("GBK", text("\\t")), None).unwrap();
        assert_eq!(read[0][0], some(&format!("{shift}{long}")));
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    let mut content = "a,b\n".repeat(400_000).into_bytes();
    content.extend_from_slice(b"x,\xb1\xe0\n");
    for (name, rest) in [("UTF-8", &b""[..]), ("UTF-16LE", b"\n")] {
        let error = match name {
            "UTF-8" => rows(&content, text(","), None).unwrap_err(),
            _ => rows(b"\x00\xd8a\0", encoded(name, text(",")), None).unwrap_err(),
        };
        let words = error.text();
        let place = match rest.is_empty() {
            true => "line 400001 (byte 1600003) is no UTF-8 text",
            false => "line 1 (byte 1) is no UTF-16LE text",
        };
        assert!(words.en.contains(place), "{words:?}");
    }
    let cut = rows("a\u{7f16}".as_bytes().split_last().unwrap().1, csv(), None);
    assert!(cut.unwrap_err().text().en.contains("(byte 2)"));
}

#[test]
fn a_character_that_the_encoding_lacks_is_refused_with_its_value() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let columns = ["id", "名称"].map(|name| Column::new(name, Kind::Text(None)));
    let format = with_header(encoded("GBK", csv()));
    let mut writer = create(&path, format.clone(), columns.to_vec(), "1").unwrap();
    let mut two = batch(&[Some(b"1"), Some("编号".as_bytes())]);
    two.push(b"2");
    two.push("x😀y".as_bytes());
    two.end_row();
    let words = writer.write(&two).unwrap_err().text().en;
    assert_eq!(
        words,
        "row 2, column `名称`: value `x😀y` holds `😀`, which GBK does not have"
    );
    let odd = [Column::new("😀", Kind::Text(None))];
    let error = create(&path, format, odd.to_vec(), "2").err().unwrap();
    assert!(error.text().en.starts_with("a column's name"), "{error}");
    let mut writer = create(&path, csv(), Vec::new(), "3").unwrap();
    let error = writer.write(&batch(&[None, Some(b"\xff")])).unwrap_err();
    assert!(error.text().en.contains("row 1, column `2`"), "{error}");
    drop(writer);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn compressed_files_are_read_whole_or_refused() {
    let lines = "1,a\n".repeat(500_000);
    let batch = batch(&[Some(b"1"), Some(b"a")]);
    let batches = vec![batch; 20_000];
    for (compression, name) in [(Compression::Gzip, "gzip"), (Compression::Zstd, "zstd")] {
        let format = compressed(compression, csv());
        let content = written(format.clone(), &[], &batches);
        assert!(content.len() < 8_000, "{name}");
        assert_eq!(rows(&content, format.clone(), None).unwrap().len(), 20_000);
        let twice = [content.clone(), content.clone()].concat();
        assert_eq!(rows(&twice, format.clone(), None).unwrap().len(), 40_000);
        for cut in [
            0,
            1,
            9,
            content.len() / 2,
            content.len() - 4,
            content.len() - 1,
        ] {
            let error = rows(&content[..cut], format.clone(), None).unwrap_err();
            let words = format!("cannot be uncompressed by {name}: it is cut off");
            assert!(error.text().en.contains(&words), "{cut}: {error}");
        }
        assert!(rows(lines.as_bytes(), format, None).is_err());
        let error = rows(&content, csv(), None).unwrap_err().text().en;
        let words = format!("is compressed by {name}: write compression=\"{name}\"");
        assert!(error.contains(&words), "{error}");
    }
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    std::io::Write::write_all(&mut encoder, lines.as_bytes()).unwrap();
    let content = encoder.finish().unwrap();
    let error = rows(&content, compressed(Compression::Zstd, csv()), None).unwrap_err();
    assert!(
        error.text().en.contains("compress it again without --long"),
        "{error}"
    );
}

#[test]
fn the_end_of_a_name_tells_the_compression() {
    let directory = tempfile::tempdir().unwrap();
    for (name, begin) in [
        ("a.csv.gz", &b"\x1f\x8b"[..]),
        ("a.ZST", b"\x28\xb5\x2f\xfd"),
        ("gz", b"1"),
    ] {
        let path = directory.path().join(name);
        let mut writer = create(&path, csv(), Vec::new(), "1").unwrap();
        writer.write(&batch(&[Some(b"1")])).unwrap();
        writer.finish().unwrap();
        assert!(std::fs::read(&path).unwrap().starts_with(begin), "{name}");
        let read = rows_of(open(&path, csv()).unwrap(), None);
        assert_eq!(read.unwrap(), [[some("1")]]);
    }
    let plain = compressed(Compression::None, csv());
    let path = directory.path().join("b.gz");
    std::fs::write(&path, "1\n").unwrap();
    let read = rows_of(open(&path, plain).unwrap(), None);
    assert_eq!(read.unwrap(), [[some("1")]]);
}

fn json() -> Format {
    Format::new(Layout::JsonLines)
}

#[test]
fn json_lines_keep_the_kinds_of_their_values() {
    let kinds = [
        Kind::Integer {
            bits: 64,
            is_unsigned: true,
        },
        Kind::Decimal(None),
        Kind::Boolean,
        Kind::Text(None),
        Kind::Binary(None),
        Kind::Json,
        Kind::Double,
    ];
    let columns: Vec<Column> = ["u", "d", "b", "t\"", "bytes", "j", "f"]
        .iter()
        .zip(kinds)
        .map(|(name, kind)| Column::new(*name, kind))
        .collect();
    let nothing = [None; 7];
    let values: [Option<&[u8]>; 7] = [
        Some(b"18446744073709551615"),
        Some(b"-0.10000000000000000000000000000001"),
        Some(b"t"),
        Some("a\"\\\n日\u{1}".as_bytes()),
        Some(b"\x00\xff"),
        Some(b"{\"x\":\n [1, \"\\n\"]}"),
        Some(b"NaN"),
    ];
    let texts: [Option<&[u8]>; 7] = [
        Some(b"007"),
        Some(b"1e5"),
        Some(b"0"),
        Some(b"12"),
        Some(b"\\x41"),
        Some(b"\"null\""),
        Some(b"1.5e-300"),
    ];
    let content = written(
        json(),
        &columns,
        &[batch(&values), batch(&nothing), batch(&texts)],
    );
    assert_eq!(
        String::from_utf8(content.clone()).unwrap(),
        concat!(
            r#"{"u":18446744073709551615,"d":-0.10000000000000000000000000000001,"b":true,"t\"":"a\"\\\n日\u0001","#,
            r#""bytes":"\\x00ff","j":{"x":  [1, "\n"]},"f":"NaN"}"#,
            "\n",
            r#"{"u":null,"d":null,"b":null,"t\"":null,"bytes":null,"j":null,"f":null}"#,
            "\n",
            r#"{"u":"007","d":1e5,"b":false,"t\"":"12","bytes":"\\x5c783431","j":"\"null\"","f":1.5e-300}"#,
            "\n",
        )
    );
    let read = rows(&content, json(), None).unwrap();
    assert_eq!(read[0][0], some("18446744073709551615"));
    assert_eq!(read[0][1], some("-0.10000000000000000000000000000001"));
    assert_eq!(read[0][3], some("a\"\\\n日\u{1}"));
    assert_eq!(read[0][5], some("{\"x\":  [1, \"\\n\"]}"));
    assert_eq!(read[1], [None, None, None, None, None, None, None]);
    assert_eq!(read[2][5], some("\"null\""));
    let twice = [Column::new("a", Kind::Field), Column::new("a", Kind::Field)];
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let error = create(&path, json(), twice.to_vec(), "1").err().unwrap();
    assert!(error.text().en.contains("called `a`"), "{error}");
}

#[test]
fn the_keys_of_the_first_rows_of_json_are_the_columns() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("in");
    let content = "{\"id\": 1, \"n\": 1}\r\n\n{\"n\":1.50,\"id\":-2,\"ok\":true}\n{\"ok\":null,\"tags\":[1, 2],\"x\":\"\",\"id\":3}\n{}";
    std::fs::write(&path, content).unwrap();
    let reader = open(&path, json()).unwrap();
    let columns: Vec<(String, Kind)> = reader
        .columns_for(9)
        .into_iter()
        .map(|column| (column.name, column.kind))
        .collect();
    let expected = [
        ("id", Kind::signed(64)),
        ("n", Kind::Decimal(None)),
        ("ok", Kind::Boolean),
        ("tags", Kind::Json),
        ("x", Kind::Field),
    ];
    assert_eq!(
        columns,
        expected.map(|(name, kind)| (name.to_owned(), kind))
    );
    assert_eq!(
        rows_of(reader, Some(5)).unwrap(),
        [
            vec![some("1"), some("1"), None, None, None],
            vec![some("-2"), some("1.50"), some("true"), None, None],
            vec![some("3"), None, None, some("[1, 2]"), some("")],
            vec![None; 5],
        ]
    );
    std::fs::write(&path, "\n \n").unwrap();
    assert!(open(&path, json()).unwrap().columns().is_none());
}

#[test]
fn wrong_json_lines_are_refused_with_their_line() {
    let many = "{\"amount\":1}\n".repeat(1500);
    for (last, words) in [
        (
            "{\"amonut\":1}",
            "line 1501: key `amonut` is not among those of the rows at the file's beginning; is `amount` meant?",
        ),
        (
            "{\"amount\":1,\"amount\":2}",
            "line 1501: key `amount` stands twice",
        ),
        (
            "{\"amount\":1",
            "line 1501: this is no JSON object on one line (byte 11): EOF",
        ),
        (
            "{\"amount\":\"\\ud800\"}",
            "line 1501: this is no JSON object on one line",
        ),
        (
            "[1]",
            "line 1501: this is no JSON object on one line (byte 0): invalid type: sequence, expected an object",
        ),
    ] {
        let error = rows(format!("{many}{last}\n").as_bytes(), json(), None).unwrap_err();
        assert!(error.text().en.contains(words), "{error}");
    }
    let error = rows(b"{}\n", json(), None).unwrap_err();
    assert!(
        error
            .text()
            .en
            .contains("line 1: the first object has no keys"),
        "{error}"
    );
}
