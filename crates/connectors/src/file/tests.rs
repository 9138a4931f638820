use super::*;
use crate::batch::{Batch, channel};
use crate::column::{Column, Kind};

fn delimiter(text: &str) -> Delimiter {
    Delimiter::parse(text).unwrap()
}

type Values = Vec<Vec<Option<String>>>;

fn text(separator: &str) -> Format {
    Format {
        layout: Layout::Text(delimiter(separator)),
        has_header: false,
    }
}

fn csv() -> Format {
    csv_with(",", b'"', b'"')
}

fn csv_with(separator: &str, quote: u8, escape: u8) -> Format {
    Format {
        layout: Layout::Csv(Csv::new(delimiter(separator), quote, escape).unwrap()),
        has_header: false,
    }
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
    rows_of(FileReader::open(&path, format)?, expected)
}

fn rows_of(reader: FileReader, expected: Option<usize>) -> Result<Values, Error> {
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
    let mut writer = FileWriter::create(&path, format, columns.to_vec(), "1").unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    assert_eq!(writer.finish().unwrap(), None);
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
    let mut writer = FileWriter::create(&path, text(","), columns, "1").unwrap();
    let values: [Option<&[u8]>; 4] = [Some(b"a\r\n\nb"), None, Some(b"\x00\xff"), Some(b"")];
    writer.write(&batch(&[Some(b"a b")])).unwrap();
    let mut second = batch(&values);
    second.first_row = 2;
    writer.write(&second).unwrap();
    writer.write(&batch(&[Some(b"c\r")])).unwrap();
    let told = LineBreaks {
        values: 2,
        first_row: 2,
        first_column: "c".to_owned(),
    };
    assert_eq!(writer.finish().unwrap(), Some(told));
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
    let mut writer = FileWriter::create(&path, text("\\t"), Vec::new(), "1").unwrap();
    let error = writer.write(&batch(&[Some(b"a\tb")])).unwrap_err();
    assert!(error.text().en.starts_with("row 1, column `1`"), "{error}");
    let mut double = FileWriter::create(&path, text("||"), Vec::new(), "2").unwrap();
    assert!(double.write(&batch(&[Some(b"a|b")])).is_ok());
    assert!(double.write(&batch(&[Some(b"a|")])).is_err());
    drop(double);
    drop(writer);
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_header_names_the_columns_whatever_the_format() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("in");
    let columns = |content: &str, format: Format| {
        std::fs::write(&path, content).unwrap();
        let reader = FileReader::open(&path, format).unwrap();
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
    let error = FileReader::open(&path, with_header(csv())).unwrap_err();
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
    let format = Format {
        layout: Layout::Csv(layout.clone().with_null_text("\\N").unwrap()),
        has_header: false,
    };
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
        let layout = &format.layout;
        let mut whole = Batch::new(1);
        let mut text = &content[..];
        while let Some(taken) = layout.take_row(text, true, &mut whole).unwrap() {
            whole.end_row();
            // A row that is cut anywhere is taken for one that is still to come.
            for cut in 0..taken.bytes {
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
    let words = "row 2 has 1 fields (line 5 of the file) instead of 2";
    assert_eq!(error.text().en, words);
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
