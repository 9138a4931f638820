//! What people must not see of a link.

/// Stands for a secret.
pub(super) const MASK: &str = "***";

/// Parts of the names of what is secret.
const SECRET_NAMES: [&str; 7] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "credential",
];

/// Whether what is called so must not be shown.
pub(super) fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part))
}

/// What ends a JDBC URL's address, and what parts its options.
const OPTIONS: [char; 3] = ['?', ';', '&'];

/// A JDBC URL up to its options, stars for credentials before an `@`.
pub fn bare_url(url: &str) -> String {
    let bare = url.split(['?', ';']).next().unwrap_or_default();
    match (bare.find("//"), bare.rfind('@')) {
        (Some(slashes), Some(at)) if slashes + 2 <= at => {
            format!("{}{MASK}{}", &bare[..slashes + 2], &bare[at..])
        }
        // `jdbc:oracle:thin:@host`
        (None, Some(at)) if bare[..at].ends_with(':') => bare.to_owned(),
        (None, Some(_)) => format!("jdbc:{MASK}"),
        (Some(slashes), None) if url.contains('@') => format!("{}{MASK}", &bare[..slashes + 2]),
        _ => bare.to_owned(),
    }
}

/// A JDBC URL with stars for whatever is secret in it.
pub(super) fn masked_url(url: &str) -> String {
    let mut shown = bare_url(url);
    let Some(begin) = url.find(['?', ';']) else {
        return shown;
    };
    // A password before the `@` may hold what parts options.
    if url[begin..].contains('@') && shown.ends_with(MASK) {
        return shown;
    }
    for option in url[begin..].split_inclusive(OPTIONS) {
        let end = option.trim_end_matches(OPTIONS);
        match end.split_once('=') {
            Some((name, value)) if names_secret(name) && !value.is_empty() => {
                shown.push_str(&format!("{name}={MASK}{}", &option[end.len()..]));
            }
            _ => shown.push_str(option),
        }
    }
    shown
}

/// Whether a JDBC URL holds what must not be seen.
pub fn may_hold_password(url: &str) -> bool {
    masked_url(url) != url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_passwords_of_a_url_are_not_shown_and_the_rest_of_it_is() {
        let cases = [
            ("jdbc:mysql://h:3306/d", "jdbc:mysql://h:3306/d"),
            (
                "jdbc:mysql://h/d?useSSL=false&password=PASS&a=b",
                "jdbc:mysql://h/d?useSSL=false&password=***&a=b",
            ),
            (
                "jdbc:mysql://h/d?a=b&amp;PassWord=PASS",
                "jdbc:mysql://h/d?a=b&amp;PassWord=***",
            ),
            ("jdbc:mysql://u:PASS@h/d?a=b", "jdbc:mysql://***@h/d?a=b"),
            ("jdbc:mysql://u:PA?SS@h/d", "jdbc:mysql://***"),
            ("jdbc:oracle:thin:u/PASS@h:1521:x", "jdbc:***"),
            ("jdbc:oracle:thin:@h:1521:x", "jdbc:oracle:thin:@h:1521:x"),
            (
                "jdbc:hive2://h:10000/d;user=u;password=PASS?mapred=x",
                "jdbc:hive2://h:10000/d;user=u;password=***?mapred=x",
            ),
            ("jdbc:sqlite:/a/b.db", "jdbc:sqlite:/a/b.db"),
        ];
        for (url, shown) in cases {
            assert_eq!(masked_url(url), shown);
            assert_eq!(may_hold_password(url), url != shown);
        }
    }
}
