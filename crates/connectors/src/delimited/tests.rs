use super::*;
use crate::batch::{Batch, channel};
use crate::column::{Column, Kind};

fn delimiter(text: &str) -> Delimiter {
    Delimiter::parse(text).unwrap()
}

fn read(
    content: &str,
    separator: &str,
    expected: Option<usize>,
) -> Result<Vec<Vec<Option<String>>>, Error> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("in.txt");
    std::fs::write(&path, content).unwrap();
    let (sender, mut receiver) = channel();
    let reader = FileReader::open(&path, delimiter(separator)).unwrap();
    reader.read(expected, &sender)?;
    drop(sender);
    let mut rows = Vec::new();
    while let Some(batch) = receiver.blocking_recv() {
        for row in batch.rows() {
            rows.push(
                row.map(|value| value.map(|value| String::from_utf8(value.to_vec()).unwrap()))
                    .collect(),
            );
        }
    }
    Ok(rows)
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
    let mut writer = FileWriter::create(&path, delimiter(","), "1").unwrap();
    let columns = [
        Kind::Text(None),
        Kind::Text(None),
        Kind::Binary(None),
        Kind::Text(None),
    ]
    .map(|kind| Column::new("c", kind));
    let values: [Option<&[u8]>; 4] = [Some(b"a\r\n\nb"), None, Some(b"\x00\xff"), Some(b"")];
    writer
        .write(&batch(&[Some(b"a b")]), Some(&columns))
        .unwrap();
    let mut second = batch(&values);
    second.first_row = 2;
    writer.write(&second, Some(&columns)).unwrap();
    writer.write(&batch(&[Some(b"c\r")]), None).unwrap();
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
    let mut writer = FileWriter::create(&path, delimiter("\\t"), "1").unwrap();
    let error = writer.write(&batch(&[Some(b"a\tb")]), None).unwrap_err();
    assert!(error.text().en.starts_with("row 1, column `1`"), "{error}");
    let mut double = FileWriter::create(&path, delimiter("||"), "2").unwrap();
    assert!(double.write(&batch(&[Some(b"a|b")]), None).is_ok());
    assert!(double.write(&batch(&[Some(b"a|")]), None).is_err());
    drop(double);
    drop(writer);
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}
