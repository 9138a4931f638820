//! Which paths are meant.

/// A path in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    /// Where it begins.
    pub(super) root: String,
    pub(super) parts: Vec<Part>,
}

/// One name in a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Itself.
    Plain(String),
    /// Names in which `*` stands for anything.
    Like(String),
    /// `**`: any number of directories, none too.
    AnyDirectories,
}

impl Pattern {
    /// A path that does not begin with `/` begins at `base`.
    pub(super) fn new(base: &str, path: &str) -> Self {
        let root = if path.starts_with('/') { "/" } else { base };
        let mut parts: Vec<Part> = path
            .split('/')
            .filter(|name| !matches!(*name, "" | "."))
            .map(|name| match name {
                "**" => Part::AnyDirectories,
                _ if name.contains('*') => Part::Like(name.to_owned()),
                _ => Part::Plain(name.to_owned()),
            })
            .collect();
        parts.dedup_by(|second, first| {
            *first == Part::AnyDirectories && *second == Part::AnyDirectories
        });
        // All files below.
        if parts.last() == Some(&Part::AnyDirectories) {
            parts.push(Part::Like("*".to_owned()));
        }
        Self {
            root: root.to_owned(),
            parts,
        }
    }
}

/// Whether a name fits a pattern in which `*` stands for anything. Takes time linear in their product.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut left) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, is_fitting) in [
            ("a.csv", "a.csv", true),
            ("a.csv", "b.csv", false),
            ("*", "", true),
            ("a*", "a", true),
            ("*.csv", "订单.csv", true),
            ("o_*_*.csv", "o_1_2.csv", true),
            ("o_*_*.csv", "o_1.csv", false),
            ("ab*ba", "aba", false),
            ("*a*b*", "xaxbx", true),
            // No other character means anything: names may hold them.
            ("a?[1].(x)+*", "a?[1].(x)+2", true),
            ("a.*", "abc", false),
        ] {
            assert_eq!(fits(pattern, name), is_fitting, "{pattern} {name}");
        }
    }
}
