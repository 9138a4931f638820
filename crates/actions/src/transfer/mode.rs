//! What becomes of the rows that are in the table already.

use akkaflow_connectors::{Column, Error, Key};
use akkaflow_model::code;
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::text::Text;

use super::body::is_true;
use super::mapping::{find, meant, names};

/// The words for it.
pub(super) const WORDS: &[&str] = &["append", "replace", "upsert", "incremental"];

/// What becomes of the rows that are in the table already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mode {
    /// They stay.
    Append,
    /// They go.
    Replace,
    /// Those go that share the values of these columns with a new row; none are named where the table's only key is meant.
    Upsert(Vec<String>),
    /// They stay, and only what is new is read; with columns named, those go that share their values.
    Incremental(Vec<String>),
}

impl Mode {
    /// `None` when the attributes do not go together, which has been said then.
    pub(super) fn parse(element: &Element, diagnostics: &mut Diagnostics) -> Option<Self> {
        let word = Self::word(element);
        let key = key(element);
        let is_emptied = is_true(element, "is-pre-truncate");
        let mode = match word {
            Some("upsert") => Self::Upsert(key.clone()),
            Some("replace") => Self::Replace,
            Some("incremental") => Self::Incremental(key.clone()),
            None if is_emptied => Self::Replace,
            _ => Self::Append,
        };
        if is_emptied && mode != Self::Replace {
            let word = word.unwrap_or_default();
            let words = Text::new(
                format!("mode=\"{word}\" 与清空目标表矛盾"),
                format!("mode=\"{word}\" keeps rows that this empties the table of"),
            );
            let help = Text::new(
                "若要清空，请写 mode=\"replace\"；否则删除 is-pre-truncate",
                "to empty the table write mode=\"replace\", else remove is-pre-truncate",
            );
            return refuse(element, "is-pre-truncate", words, help, diagnostics);
        }
        if !key.is_empty() && mode.wanted_key().is_none() {
            let words = Text::new(
                "只有 mode=\"upsert\" 与 mode=\"incremental\" 才按键更新已有的记录",
                "rows of a key are found by mode=\"upsert\" and mode=\"incremental\" alone",
            );
            let help = Text::new(
                "请写 mode=\"upsert\"，或删除 key",
                "write mode=\"upsert\", or remove key",
            );
            return refuse(element, "key", words, help, diagnostics);
        }
        Some(mode)
    }

    /// As it is written.
    pub(super) fn word(element: &Element) -> Option<&str> {
        Some(element.attribute("mode")?.value.trim())
    }

    pub(super) fn is_incremental(&self) -> bool {
        matches!(self, Self::Incremental(_))
    }

    /// The columns by which rows are found, as they are named; `None` where rows are only added.
    pub(super) fn wanted_key(&self) -> Option<&[String]> {
        match self {
            Self::Upsert(key) => Some(key),
            Self::Incremental(key) => Some(key).filter(|key| !key.is_empty()).map(Vec::as_slice),
            Self::Append | Self::Replace => None,
        }
    }
}

fn refuse(
    element: &Element,
    name: &str,
    words: Text,
    help: Text,
    diagnostics: &mut Diagnostics,
) -> Option<Mode> {
    let attribute = element.attribute(name);
    let span = attribute.map_or(element.name_span, |attribute| attribute.name_span);
    diagnostics.error(code::TRANSFER_OPTION, span, words, Some(help));
    None
}

/// The names in `key`, in its order.
fn key(element: &Element) -> Vec<String> {
    let names = element.attribute("key").map(|it| it.value.as_str());
    let names = names.unwrap_or_default().split(',').map(str::trim);
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The columns of `wanted` as `columns` of `table` spell them.
pub(super) fn spelled(
    wanted: &[String],
    columns: &[Column],
    table: &str,
) -> Result<Vec<String>, Error> {
    let name = |name: &String| {
        find(name, columns)
            .map(|column| column.name.clone())
            .ok_or_else(|| {
                let Text { zh, en } = meant(name, columns);
                let names = names(columns);
                Error::Configuration(Text::new(
                    format!(
                        "源没有key中的字段`{name}`{zh}（写入表{table}的字段：{names}）；请在源中给出，或改写key"
                    ),
                    format!(
                        "the source does not give `{name}`, which key names{en} (columns that are written to table {table}: {names}); \
                         give it in the source, or name others in key"
                    ),
                ))
            })
    };
    wanted.iter().map(name).collect()
}

/// The key of `table` by which rows are found: the one over the columns `wanted`, else its primary key or its only one. `written` are the columns
/// that rows have.
pub(super) fn choose(
    keys: &[Key],
    wanted: &[String],
    written: &[Column],
    table: &str,
) -> Result<Vec<String>, Error> {
    let wanted = spelled(wanted, written, table)?;
    let key = match (wanted.as_slice(), keys) {
        ([], []) => return Err(without_key(table)),
        ([], [only]) => only,
        ([], keys) => keys
            .iter()
            .find(|key| key.is_primary)
            .ok_or_else(|| several(keys, table))?,
        (wanted, keys) => {
            let is_over = |key: &&Key| {
                key.columns.len() == wanted.len()
                    && key.columns.iter().all(|column| wanted.contains(column))
            };
            keys.iter()
                .find(is_over)
                .ok_or_else(|| no_key_over(wanted, table))?
        }
    };
    let is_written = |name: &&String| written.iter().any(|column| column.name == **name);
    match key.columns.iter().find(|name| !is_written(name)) {
        None => Ok(key.columns.clone()),
        Some(missing) => Err(not_in_source(key, missing, table)),
    }
}

fn without_key(table: &str) -> Error {
    Error::Configuration(Text::new(
        format!(
            "目标表{table}没有主键或唯一索引，无法按键更新；请添加，例如 alter table {table} add primary key (id)，或改用 mode=\"append\""
        ),
        format!(
            "table {table} has neither a primary key nor a unique index by which rows could be found; add one, such as \
             alter table {table} add primary key (id), or write mode=\"append\""
        ),
    ))
}

fn several(keys: &[Key], table: &str) -> Error {
    let keys: Vec<String> = keys.iter().map(|key| key.columns.join(",")).collect();
    let (first, keys) = (&keys[0], keys.join("; "));
    Error::Configuration(Text::new(
        format!("目标表{table}有多个唯一索引（{keys}）；请指明按哪一个更新，例如 key=\"{first}\""),
        format!(
            "table {table} has several unique indexes ({keys}); say by which rows are found, such as key=\"{first}\""
        ),
    ))
}

fn no_key_over(wanted: &[String], table: &str) -> Error {
    let columns = wanted.join(", ");
    Error::Configuration(Text::new(
        format!(
            "目标表{table}没有恰好由{columns}组成的主键或唯一索引；请添加：create unique index akkaflow_key on {table} ({columns})"
        ),
        format!(
            "table {table} has neither a primary key nor a unique index over just {columns}; add one: \
             create unique index akkaflow_key on {table} ({columns})"
        ),
    ))
}

fn not_in_source(key: &Key, missing: &str, table: &str) -> Error {
    let columns = key.columns.join(",");
    Error::Configuration(Text::new(
        format!(
            "源中没有目标表{table}的键（{columns}）的字段`{missing}`；请在源中给出，或用key指明另一个键"
        ),
        format!(
            "the source lacks column `{missing}` of the key ({columns}) of table {table}; give it, or name another key in key"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use akkaflow_connectors::Kind;

    use super::*;

    fn key(columns: &[&str], is_primary: bool) -> Key {
        Key {
            name: "k".to_owned(),
            is_primary,
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    fn chosen(keys: &[Key], wanted: &[&str]) -> Result<Vec<String>, String> {
        let wanted: Vec<String> = wanted.iter().map(|&name| name.to_owned()).collect();
        let written = ["id", "code", "v"].map(|name| Column::new(name, Kind::Date));
        choose(keys, &wanted, &written, "t").map_err(|error| error.text().en)
    }

    #[test]
    fn the_primary_key_or_the_only_one_is_meant() {
        let (id, code) = (key(&["id"], true), key(&["code"], false));
        assert_eq!(chosen(std::slice::from_ref(&code), &[]).unwrap(), ["code"]);
        assert_eq!(chosen(&[code.clone(), id.clone()], &[]).unwrap(), ["id"]);
        assert_eq!(
            chosen(&[id.clone(), code.clone()], &["CODE"]).unwrap(),
            ["code"]
        );
        let both = key(&["id", "v"], false);
        assert_eq!(
            chosen(std::slice::from_ref(&both), &["v", "id"]).unwrap(),
            ["id", "v"]
        );
        for (keys, wanted, words) in [
            (vec![], vec![], "add one"),
            (vec![code.clone(), both.clone()], vec![], "(code; id,v)"),
            (vec![id.clone()], vec!["code"], "create unique index"),
            (vec![id.clone()], vec!["cod"], "is `code` meant?"),
            (vec![key(&["other"], true)], vec![], "lacks column `other`"),
        ] {
            let error = chosen(&keys, &wanted).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
