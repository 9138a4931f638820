//! "Did you mean ...?"

use crate::text::Text;

/// Names longer than this are not compared: the cost grows with the square.
const LONGEST: usize = 64;

/// The candidate that `word` most likely is a misspelling of.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters: Vec<char> = word.to_lowercase().chars().collect();
    if letters.len() > LONGEST {
        return None;
    }
    let allowed = (letters.len() / 3).max(1);
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let nearest = candidates
        .iter()
        .copied()
        .filter(|candidate| *candidate != word && candidate.len() <= 4 * LONGEST)
        .map(|candidate| (distance(&letters, candidate), candidate))
        // A word of which nothing is left is another word.
        .filter(|(distance, _)| *distance <= allowed && *distance < letters.len())
        .min()
        .map(|(_, candidate)| candidate);
    nearest.or_else(|| begun(&letters.iter().collect::<String>(), &candidates))
}

/// The only candidate that a word begins, or whose beginning it is with little left: `err` for `error`, `cancel` for
/// `cancel-running`, `row` for `rows`.
fn begun<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    const SHORTEST: usize = 3;
    if word.len() < SHORTEST {
        return None;
    }
    let mut fitting = candidates
        .iter()
        .filter(|candidate| **candidate != word && candidate.to_lowercase().starts_with(word));
    let only = fitting.next()?;
    fitting.next().is_none().then_some(*only)
}

/// A help line naming the closest candidate.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<Text> {
    closest(word, candidates).map(|candidate| {
        Text::new(
            format!("是否想写 `{candidate}`？"),
            format!("did you mean `{candidate}`?"),
        )
    })
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other.
fn distance(left: &[char], right: &str) -> usize {
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, letter) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != other);
            let mut best = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            let is_swapped =
                row > 0 && column > 0 && *letter == right[column - 1] && left[row - 1] == *other;
            if is_swapped {
                best = best.min(before_last[column - 1] + 1);
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn a_misspelling_finds_its_word() {
        let names = ["retry-times", "interval", "timeout", "host"];
        assert_eq!(closest("retry-time", names), Some("retry-times"));
        assert_eq!(closest("tiemout", names), Some("timeout"));
        assert_eq!(closest("Host", names), Some("host"));
        assert_eq!(closest("colour", names), None);
        assert_eq!(closest("err", ["ok", "error"]), Some("error"));
        assert_eq!(
            closest("cancel", ["queue", "skip", "cancel-running"]),
            Some("cancel-running")
        );
        assert_eq!(closest("ret", ["retry-times", "retry-codes"]), None);
    }

    #[test]
    fn chinese_names_are_compared_by_character() {
        assert_eq!(closest("导入数椐", ["导入数据", "导出"]), Some("导入数据"));
    }
}
