//! What a narrow terminal has no room for in a table.

use akkaflow_model::text::Lang;
use comfy_table::Cell;

use super::Screen;
use crate::layout;

impl Screen {
    /// A line that names the columns which are not `shown`; none where nothing stands in them.
    pub(super) fn left_out(&self, header: &[&str], rows: &[Vec<Cell>], shown: &[usize]) -> String {
        let holds_something = |column: &usize| {
            let mut cells = rows.iter().filter_map(|row| row.get(*column));
            cells.any(|cell| !cell.content().trim().is_empty())
        };
        let columns = (0..header.len()).filter(|column| !shown.contains(column));
        let titles: Vec<&str> = columns
            .filter(holds_something)
            .map(|column| header[column])
            .collect();
        if titles.is_empty() {
            return String::new();
        }
        let line = match self.lang {
            Lang::Zh => format!("（终端太窄，未显示：{}）", titles.join("、")),
            Lang::En => format!("(no room for: {})", titles.join(", ")),
        };
        let room = self.width.map_or(usize::MAX, usize::from);
        format!("{}\n", layout::cut(&line, room))
    }

    /// The texts of the last column, each under those of the columns that name its row.
    pub(super) fn remarks(&self, rows: &[Vec<Cell>], named_by: &[usize]) -> String {
        let room = self.width.map_or(usize::MAX, usize::from);
        let mut text = String::new();
        for row in rows {
            let remark = row.last().map(Cell::content).unwrap_or_default();
            if remark.trim().is_empty() {
                continue;
            }
            let names = named_by.iter().filter_map(|column| row.get(*column));
            let names: Vec<_> = names.map(Cell::content).collect();
            text.push_str(&format!("{}:\n", layout::cut(&names.join(" "), room - 1)));
            for line in layout::wrapped(&remark, room.saturating_sub(INDENT.len())) {
                text.push_str(&format!("{INDENT}{line}\n"));
            }
        }
        text
    }
}

/// Before a line that belongs to the one above.
const INDENT: &str = "  ";

#[cfg(test)]
mod tests {
    use akkaflow_model::text::Lang;

    use crate::screen::plain;
    use crate::screen::testing::screen;

    const HEADER: [&str; 4] = ["name", "state", "receivers", "remark"];

    fn table(width: Option<u16>) -> String {
        let why = "a@b.c: 550 5.1.1 no such user here, ask the postmaster of the place";
        let rows = [why, ""].map(|why| {
            let name = plain("8f3a11bb.ended");
            vec![name, plain("succeeded"), plain("ann@a.com"), plain(why)]
        });
        screen(Lang::En, width).table_with_remarks(
            &HEADER,
            rows.into(),
            &[HEADER[3], HEADER[2]],
            &[0],
        )
    }

    #[test]
    fn remarks_that_have_no_room_in_a_table_stand_below_it_in_whole_words() {
        assert!(table(None).lines().count() == 4, "all in one row each");
        let narrow = table(Some(40));
        let (table, below) = narrow.split_once("(no room for: receivers)\n").unwrap();
        assert!(
            table.contains("succeeded") && !table.contains("550"),
            "{narrow}"
        );
        let said: Vec<&str> = below.lines().map(str::trim).collect();
        let expected =
            "8f3a11bb.ended: a@b.c: 550 5.1.1 no such user here, ask the postmaster of the place";
        assert_eq!(said.join(" "), expected);
        assert!(narrow.lines().all(|line| line.len() <= 40), "{narrow}");
    }

    #[test]
    fn a_column_that_is_left_out_is_named_where_something_stands_in_it() {
        let table = |text: &str| {
            let rows = vec![vec![
                plain("a_name_of_words"),
                plain("succeeded"),
                plain(text),
            ]];
            let header = ["name", "state", "moved"];
            screen(Lang::Zh, Some(32)).table_without(&header, rows, &["moved"])
        };
        assert!(
            table("12 MiB").ends_with("未显示：moved）\n"),
            "{}",
            table("12 MiB")
        );
        assert!(!table("").contains("moved"));
    }
}
