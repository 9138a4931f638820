//! What is missing of a link that stands in no file: told without the words of files.

use super::{Fields, LinkKind};
use crate::code;
use crate::db_links::DbKind;
use crate::file_links::FileKind;
use crate::text::Text;

/// The codes of findings that say the same in the words of files.
pub(super) const CODES: [&str; 3] = [
    code::MISSING_ATTRIBUTE,
    code::LINK_CREDENTIALS,
    code::FILE_LINK_INCOMPLETE,
];

const ACCOUNT: [&str; 2] = ["username", "password"];

/// What must be said of a link and is not.
pub(super) fn missing(kind: LinkKind, fields: &Fields) -> Vec<Text> {
    let mut needed = vec!["type"];
    let type_name = fields.value("type").unwrap_or_default();
    match kind {
        LinkKind::Db => {
            needed.push("jdbc-url");
            if DbKind::from_word(type_name).is_none_or(DbKind::has_accounts) {
                needed.extend(ACCOUNT);
            }
        }
        LinkKind::File if FileKind::from_word(type_name).is_some_and(FileKind::is_remote) => {
            needed.extend(["host", "port"]);
            needed.extend(ACCOUNT);
        }
        LinkKind::File => {}
    }
    let has_key = fields.value("key-file").is_some();
    needed.retain(|name| fields.value(name).is_none() && !(*name == "password" && has_key));
    needed.into_iter().map(is_missing).collect()
}

fn is_missing(name: &str) -> Text {
    let option = match name {
        "jdbc-url" => "--url",
        "password" => "--password-stdin, --no-password",
        "type" => "--type",
        "host" => "--host",
        "port" => "--port",
        _ => "--username",
    };
    Text::new(
        format!("缺少{name}（akka link: {option}）"),
        format!("`{name}` is missing (akka link: {option})"),
    )
}
