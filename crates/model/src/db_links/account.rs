//! Why a MySQL or MariaDB server lets a user not in that exists there.

use crate::text::Text;

/// More advice for `Access denied for user 'x'@'localhost'`: who exists as `'x'@'%'` only is shadowed by an anonymous user
/// of the very host that we come from. Empty when the server's words name no host.
pub fn anonymous_user_hint(words: &str) -> Text {
    let Some((user, host)) = account(words) else {
        return Text::new("", "");
    };
    Text::new(
        format!(
            "；若该用户只以'{user}'@'%'存在，服务器上的匿名用户''@'{host}'会优先匹配，\
             请执行DROP USER ''@'{host}'或创建'{user}'@'{host}'"
        ),
        format!(
            "; if it exists as '{user}'@'%' only, an anonymous user ''@'{host}' of the server takes precedence: \
             DROP USER ''@'{host}', or create '{user}'@'{host}'"
        ),
    )
}

/// The `'user'@'host'` in the server's words.
fn account(words: &str) -> Option<(&str, &str)> {
    let (_, rest) = words.split_once("for user '")?;
    let (user, rest) = rest.split_once("'@'")?;
    let (host, _) = rest.split_once('\'')?;
    (!user.is_empty() && !host.is_empty()).then_some((user, host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_user_is_told_of_anonymous_ones_of_its_host() {
        let hint = anonymous_user_hint(
            "1045 (28000): Access denied for user 'x'@'localhost' (using password: YES)",
        );
        assert!(hint.en.contains("DROP USER ''@'localhost'"), "{hint:?}");
        assert!(hint.zh.contains("创建'x'@'localhost'"), "{hint:?}");
    }

    #[test]
    fn other_words_give_no_hint() {
        assert_eq!(anonymous_user_hint("Access denied"), Text::new("", ""));
    }
}
