//! Rows in the log, as a table.

use akkaflow_connectors::Preview;
use unicode_width::UnicodeWidthStr as _;

use crate::context::AttemptContext;

/// Writes the rows that were kept, under their columns' names, and how many there are besides.
pub(crate) fn report(attempt: &AttemptContext, result: &Preview) {
    for line in lines(result) {
        attempt.log.info(line);
    }
    let more = result.more_rows;
    if more > 0 {
        attempt.log.both(
            format_args!("… 还有{more}行未显示"),
            format_args!("… {more} more rows not shown"),
        );
    }
    let more = result.more_columns;
    if more > 0 {
        attempt.log.both(
            format_args!("… 还有{more}列未显示"),
            format_args!("… {more} more columns not shown"),
        );
    }
}

fn lines(result: &Preview) -> Vec<String> {
    let all = || std::iter::once(&result.columns).chain(&result.rows);
    let mut widths = vec![0; result.columns.len()];
    for row in all() {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let mut lines: Vec<String> = all().map(|row| line(row, &widths)).collect();
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    lines.insert(1, rule.join("-+-"));
    lines
}

fn line(row: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
        if index > 0 {
            line.push_str(" | ");
        }
        line.push_str(cell);
        line.extend(std::iter::repeat_n(' ', width - cell.width()));
    }
    line.truncate(line.trim_end().len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_their_names_whatever_the_script() {
        let row = |cells: [&str; 3]| cells.map(ToOwned::to_owned).to_vec();
        let result = Preview {
            columns: row(["id", "名称", "n"]),
            rows: vec![row(["1", "上海", "NULL"]), row(["22", "x", ""])],
            ..Preview::default()
        };
        assert_eq!(
            lines(&result),
            [
                "id | 名称 | n",
                "---+------+-----",
                "1  | 上海 | NULL",
                "22 | x    |",
            ]
        );
    }
}
