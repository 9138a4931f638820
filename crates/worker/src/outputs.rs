//! What a script hands on: lines `name=value` in the file that `$AKKAFLOW_OUTPUT` names, and lines
//! `akkaflow-output name=value` of its standard output.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

use akkaflow_actions::{Printed, name_and_value};
use akkaflow_model::outcome::{MOST_OUTPUTS, OUTPUTS_BYTES};
use akkaflow_model::text::Text;

use crate::home::AttemptHome;

/// So much of a line that is wrong stands in the message, characters.
const SHOWN: usize = 60;

/// So much of standard output is searched, bytes: whoever writes more than this uses the file.
const SEARCHED_BYTES: u64 = 16 * 1024 * 1024;

/// Reads both: what the file says of a name counts.
///
/// # Errors
/// What is wrong with one of them, for people.
pub(crate) fn read_all(home: &AttemptHome) -> Result<Vec<(String, String)>, Text> {
    let mut values = printed(&home.out())?;
    values.extend(read(&home.outputs())?);
    Ok(values)
}

/// The lines of standard output.
fn printed(path: &Path) -> Result<Vec<(String, String)>, Text> {
    let mut printed = Printed::default();
    let Ok(file) = File::open(path) else {
        return Ok(Vec::new());
    };
    let mut reader = BufReader::new(file.take(SEARCHED_BYTES));
    let mut line = Vec::new();
    while reader
        .read_until(b'\n', &mut line)
        .is_ok_and(|length| length > 0)
    {
        printed.line(&line)?;
        line.clear();
    }
    Ok(printed.into_values())
}

/// Reads the file; none when the script has written no file. Blank lines count for nothing.
///
/// # Errors
/// What is wrong with the file, for people.
fn read(path: &Path) -> Result<Vec<(String, String)>, Text> {
    let bytes = match first_bytes(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|error| unreadable(&error))?,
    };
    if bytes.len() > OUTPUTS_BYTES {
        return Err(Text::new(
            format!("$AKKAFLOW_OUTPUT超过{OUTPUTS_BYTES}个字节，请改用文件或表传递大量数据"),
            format!(
                "$AKKAFLOW_OUTPUT is longer than {OUTPUTS_BYTES} bytes; hand much on by a file or a table"
            ),
        ));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        Text::new(
            "$AKKAFLOW_OUTPUT不是UTF-8文本",
            "$AKKAFLOW_OUTPUT is no UTF-8 text",
        )
    })?;
    let lines = text.lines().enumerate();
    let values: Vec<_> = lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| pair(index + 1, line))
        .collect::<Result<_, _>>()?;
    if values.len() > MOST_OUTPUTS {
        return Err(Text::new(
            format!("$AKKAFLOW_OUTPUT超过{MOST_OUTPUTS}行"),
            format!("$AKKAFLOW_OUTPUT has more than {MOST_OUTPUTS} lines"),
        ));
    }
    Ok(values)
}

/// One byte more than what may be there, so that more is noticed.
fn first_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    file.take(OUTPUTS_BYTES as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn pair(number: usize, line: &str) -> Result<(String, String), Text> {
    name_and_value(line).ok_or_else(|| {
        let line: String = line.chars().take(SHOWN).collect();
        Text::new(
            format!("$AKKAFLOW_OUTPUT第{number}行不是 名称=值：{line}"),
            format!("line {number} of $AKKAFLOW_OUTPUT is not name=value: {line}"),
        )
    })
}

fn unreadable(error: &io::Error) -> Text {
    Text::new(
        format!("无法读取$AKKAFLOW_OUTPUT：{error}"),
        format!("cannot read $AKKAFLOW_OUTPUT: {error}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &[u8]) -> Result<Vec<(String, String)>, Text> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("outputs");
        std::fs::write(&path, text).unwrap();
        read(&path)
    }

    fn error(text: &[u8]) -> String {
        read_text(text).unwrap_err().en
    }

    #[test]
    fn values_keep_everything_behind_the_first_equals_sign() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            read_text("a=1\n\n b =x=y \r\n名=\n".as_bytes()).unwrap(),
            [pair("a", "1"), pair("b", "x=y "), pair("名", "")]
        );
        assert_eq!(read(Path::new("/nonexistent")).unwrap(), []);
    }

    #[test]
    fn what_is_no_output_is_named() {
        assert_eq!(
            error(b"a=1\nrows 3"),
            "line 2 of $AKKAFLOW_OUTPUT is not name=value: rows 3"
        );
        assert_eq!(
            error(b"=1"),
            "line 1 of $AKKAFLOW_OUTPUT is not name=value: =1"
        );
        assert!(error(b"a=\xff").contains("UTF-8"));
    }

    #[test]
    fn lines_of_the_output_hand_on_too_and_the_file_comes_last() {
        let directory = tempfile::tempdir().unwrap();
        let home = AttemptHome::at(directory.path().to_owned());
        let print = |text: &[u8]| std::fs::write(home.out(), text).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        print(
            "行\nakkaflow-output rows=7\r\n akkaflow-output no=1\nakkaflow-output b=\u{4e8c}"
                .as_bytes(),
        );
        assert_eq!(
            read_all(&home).unwrap(),
            [pair("rows", "7"), pair("b", "二")]
        );
        std::fs::write(home.outputs(), "rows=8\n").unwrap();
        assert_eq!(read_all(&home).unwrap().last(), Some(&pair("rows", "8")));
        print(b"akkaflow-output rows 7\n");
        assert_eq!(
            read_all(&home).unwrap_err().en,
            "what follows akkaflow-output is not name=value: rows 7"
        );
        print("akkaflow-output a=1\n".repeat(MOST_OUTPUTS + 1).as_bytes());
        assert!(read_all(&home).unwrap_err().en.contains("200 lines"));
    }

    #[test]
    fn count_and_size_are_bounded() {
        assert!(read_text("a=1\n".repeat(MOST_OUTPUTS).as_bytes()).is_ok());
        assert!(error("a=1\n".repeat(MOST_OUTPUTS + 1).as_bytes()).contains("200 lines"));
        let long = format!("a={}", "x".repeat(OUTPUTS_BYTES));
        assert!(error(long.as_bytes()).contains("65536 bytes"));
    }
}
