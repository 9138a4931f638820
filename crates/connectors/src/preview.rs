//! The first rows of a result, for people to read in a log.

/// Rows that are kept; the others are counted.
const ROWS: usize = 100;

/// Columns of a row that are kept: more than anybody reads in a line.
const COLUMNS: usize = 64;

/// Characters of a value that are kept.
const CHARACTERS: usize = 60;

/// Bytes of a value of the first row that is kept as it is.
const WHOLE: usize = 64 << 10;

/// Results of one statement that are kept: a procedure may give thousands.
const RESULTS: usize = 10;

/// The first rows of one result, every value cut to what fits a line. Takes some MiB at the very most.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preview {
    /// Names of the columns that are kept.
    pub columns: Vec<String>,
    /// Columns that are not.
    pub more_columns: usize,
    /// The rows that are kept.
    pub rows: Vec<Vec<String>>,
    /// Rows that are not.
    pub more_rows: u64,
    /// The first row's values as they are, for programs; `None` is NULL, or too long, or no text.
    pub first: Vec<Option<String>>,
}

impl Preview {
    /// A result without rows as yet.
    pub(crate) fn new<'a>(columns: impl IntoIterator<Item = &'a str>) -> Self {
        let mut preview = Self::default();
        for (index, name) in columns.into_iter().enumerate() {
            match index < COLUMNS {
                true => preview.columns.push(on_one_line(name)),
                false => preview.more_columns += 1,
            }
        }
        preview
    }

    /// Whether the next row will be kept; one that is not need not be spelled.
    pub(crate) fn has_room(&self) -> bool {
        self.rows.len() < ROWS
    }

    /// Takes the next row; `None` is NULL.
    pub(crate) fn push<T: AsRef<[u8]>>(&mut self, row: impl IntoIterator<Item = Option<T>>) {
        if !self.has_room() {
            self.more_rows += 1;
            return;
        }
        let cell = |value: Option<T>| match value {
            None => "NULL".to_owned(),
            Some(bytes) => cell(bytes.as_ref()),
        };
        let row: Vec<Option<T>> = row.into_iter().take(COLUMNS).collect();
        if self.rows.is_empty() {
            self.first = row.iter().map(whole).collect();
        }
        self.rows.push(row.into_iter().map(cell).collect());
    }

    /// All rows of the result.
    pub fn row_count(&self) -> u64 {
        self.rows.len() as u64 + self.more_rows
    }
}

/// Appends a result while there is room for one more.
pub(crate) fn keep(results: &mut Vec<Preview>, preview: Option<Preview>) {
    if results.len() < RESULTS {
        results.extend(preview);
    }
}

fn whole<T: AsRef<[u8]>>(value: &Option<T>) -> Option<String> {
    let bytes = value.as_ref()?.as_ref();
    let text = std::str::from_utf8(bytes).ok()?;
    (text.len() <= WHOLE).then(|| text.to_owned())
}

fn cell(bytes: &[u8]) -> String {
    // A character has four bytes at most; one that is cut in its middle lies behind what is shown.
    let start = &bytes[..bytes.len().min(4 * (CHARACTERS + 1))];
    match std::str::from_utf8(start) {
        Ok(text) => on_one_line(text),
        Err(error) if error.error_len().is_none() && start.len() < bytes.len() => {
            on_one_line(&String::from_utf8_lossy(&start[..error.valid_up_to()]))
        }
        Err(_) => {
            let mut digits = Vec::new();
            crate::convert::append_hex(start, &mut digits);
            on_one_line(&format!("0x{}", String::from_utf8_lossy(&digits)))
        }
    }
}

/// Breaks and other control characters as their escapes, cut to what is kept.
fn on_one_line(text: &str) -> String {
    let mut line = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == CHARACTERS {
            line.push('…');
            break;
        }
        match character.is_control() {
            true => line.extend(character.escape_default()),
            false => line.push(character),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_on_one_line_and_are_cut() {
        let mut preview = Preview::new(["a", "b", "c", "d"]);
        let long = "长".repeat(1000);
        preview.push([
            Some("x\ty\n".as_bytes()),
            None,
            Some(b"\xff\x00"),
            Some(long.as_bytes()),
        ]);
        let cut = format!("{}…", "长".repeat(60));
        assert_eq!(preview.rows, [["x\\ty\\n", "NULL", "0xff00", &cut]]);
        let whole = [Some("x\ty\n".to_owned()), None, None, Some(long)];
        assert_eq!(preview.first, whole);
    }

    #[test]
    fn rows_and_columns_beyond_the_bound_are_counted() {
        let names: Vec<String> = (0..70).map(|number| format!("c{number}")).collect();
        let mut preview = Preview::new(names.iter().map(String::as_str));
        for _ in 0..250 {
            preview.push(names.iter().map(Some));
        }
        assert_eq!((preview.columns.len(), preview.more_columns), (64, 6));
        assert_eq!((preview.rows.len(), preview.more_rows), (100, 150));
        assert_eq!(preview.rows[99].len(), 64);
        assert_eq!(preview.row_count(), 250);
    }
}
