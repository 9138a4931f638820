//! What a script hands on: lines `name=value` in the file that `$AKKAFLOW_OUTPUT` names, and lines
//! `akkaflow-output name=value` of its standard output.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

use akkaflow_model::outcome::{MOST_OUTPUTS, OUTPUTS_BYTES};
use akkaflow_model::text::Text;

use crate::home::AttemptHome;

/// So much of a line that is wrong stands in the message, characters.
const SHOWN: usize = 60;

/// How a line of standard output begins that hands something on.
const MARKER: &str = "akkaflow-output ";

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

/// The lines of standard output. One that is no `name=value` is an error as in the file: it would be lost in silence.
fn printed(path: &Path) -> Result<Vec<(String, String)>, Text> {
    let mut values = Vec::new();
    let Ok(file) = File::open(path) else {
        return Ok(values);
    };
    let mut reader = BufReader::new(file.take(SEARCHED_BYTES));
    let (mut line, mut size) = (Vec::new(), 0);
    while reader
        .read_until(b'\n', &mut line)
        .is_ok_and(|length| length > 0)
    {
        if let Some(pair) = line.strip_prefix(MARKER.as_bytes()) {
            size += pair.len();
            values.push(printed_pair(&String::from_utf8_lossy(pair))?);
        }
        if values.len() > MOST_OUTPUTS || size > OUTPUTS_BYTES {
            return Err(Text::new(
                format!("akkaflow-output超过{MOST_OUTPUTS}行或{OUTPUTS_BYTES}个字节"),
                format!(
                    "there are more than {MOST_OUTPUTS} lines or {OUTPUTS_BYTES} bytes of akkaflow-output"
                ),
            ));
        }
        line.clear();
    }
    Ok(values)
}

fn printed_pair(line: &str) -> Result<(String, String), Text> {
    split(line.trim_end_matches('\n')).ok_or_else(|| {
        let line: String = line.trim_end().chars().take(SHOWN).collect();
        Text::new(
            format!("akkaflow-output之后不是 名称=值：{line}"),
            format!("what follows akkaflow-output is not name=value: {line}"),
        )
    })
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
    split(line).ok_or_else(|| {
        let line: String = line.chars().take(SHOWN).collect();
        Text::new(
            format!("$AKKAFLOW_OUTPUT第{number}行不是 名称=值：{line}"),
            format!("line {number} of $AKKAFLOW_OUTPUT is not name=value: {line}"),
        )
    })
}

fn split(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    (!name.is_empty()).then(|| (name.to_owned(), value.trim_end_matches('\r').to_owned()))
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
