//! Lines `akkaflow-output name=value` of standard output, which hand values on.

use akkaflow_model::outcome::{MOST_OUTPUTS, OUTPUTS_BYTES};
use akkaflow_model::text::Text;

/// How such a line begins.
const MARKER: &str = "akkaflow-output ";

/// So much of a line that is wrong stands in the message, characters.
const SHOWN: usize = 60;

/// The values that were printed until now.
#[derive(Debug, Default)]
pub struct Printed {
    values: Vec<(String, String)>,
    size: usize,
}

impl Printed {
    /// Takes a line, with or without its break; one that hands nothing on is passed over.
    ///
    /// # Errors
    /// For people: one that is no `name=value` would be lost in silence, and there may be [`MOST_OUTPUTS`] lines of
    /// [`OUTPUTS_BYTES`] in all.
    pub fn line(&mut self, line: &[u8]) -> Result<(), Text> {
        let Some(pair) = line.strip_prefix(MARKER.as_bytes()) else {
            return Ok(());
        };
        self.size += pair.len();
        let pair = String::from_utf8_lossy(pair);
        let value = name_and_value(pair.trim_end_matches('\n')).ok_or_else(|| {
            let line: String = pair.trim_end().chars().take(SHOWN).collect();
            Text::new(
                format!("akkaflow-output之后不是 名称=值：{line}"),
                format!("what follows akkaflow-output is not name=value: {line}"),
            )
        })?;
        self.values.push(value);
        if self.values.len() > MOST_OUTPUTS || self.size > OUTPUTS_BYTES {
            return Err(Text::new(
                format!("akkaflow-output超过{MOST_OUTPUTS}行或{OUTPUTS_BYTES}个字节"),
                format!(
                    "there are more than {MOST_OUTPUTS} lines or {OUTPUTS_BYTES} bytes of akkaflow-output"
                ),
            ));
        }
        Ok(())
    }

    /// All of them, in the order in which they were printed.
    pub fn into_values(self) -> Vec<(String, String)> {
        self.values
    }
}

/// What stands on both sides of the first `=`; `None` without a name.
pub fn name_and_value(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    (!name.is_empty()).then(|| (name.to_owned(), value.trim_end_matches('\r').to_owned()))
}
