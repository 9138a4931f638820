//! Passwords and keys in clear: everybody who can read the definition knows them, and version control never forgets.
//!
//! A guess, made of what precedes a value: it should find what people really write (`-pSecret`, `PASSWORD=...`,
//! `user:pass@host`) and keep quiet about variables, file names and comparisons of columns.

use std::ops::Range;

use super::scripts::{Language, scripts};
use super::{Lint, Value, attributes, texts, visit};
use crate::code;
use crate::text::Text;

/// Findings of one file: who has so many knows by then.
const MOST: usize = 20;
/// Places that are looked at more closely: a hostile text holds hundreds of thousands.
const MANY: usize = 1_000;
/// Nobody types a longer one into a definition.
const LONGEST: usize = 200;

/// What names a secret, in lower case and without `-` and `_`.
const WORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "secretkey",
    "apikey",
    "accesskey",
    "accesstoken",
    "authtoken",
    "token",
    "clientsecret",
];

/// Headers of a request whose value is a secret by what it is, in lower case.
const CREDENTIALS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
];

/// How the value of such a header may begin; the secret follows.
const SCHEMES: &[&str] = &[
    "token",
    "bearer",
    "basic",
    "apikey",
    "key",
    "digest",
    "negotiate",
];

/// How keys of well-known services begin.
const KEYS: &[&str] = &[
    "sk-live",
    "sk_live_",
    "sk-ant-",
    "sk-proj-",
    "rk_live_",
    "ghp_",
    "gho_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AIza",
    "eyJ",
    "LTAI",
];
/// A shorter one is no key, and a longer one no person has typed.
const KEY_LENGTHS: std::ops::RangeInclusive<usize> = 12..=2048;

/// Options of programs that are followed by a password, at once or after a blank.
const OPTIONS: &[(&str, &str)] = &[
    ("mysql", "-p"),
    ("mysqldump", "-p"),
    ("mysqladmin", "-p"),
    ("mysqlimport", "-p"),
    ("mariadb", "-p"),
    ("mariadb-dump", "-p"),
    ("sshpass", "-p"),
    ("redis-cli", "-a"),
    ("beeline", "-p"),
    ("impala-shell", "--ldap_password"),
    ("sqoop", "--password"),
    ("curl", "-u"),
    ("curl", "--user"),
    ("wget", "--password"),
];

/// Programs whose password follows its option without a blank; with one it is the name of a database.
const GLUED: &[&str] = &[
    "mysql",
    "mysqldump",
    "mysqladmin",
    "mysqlimport",
    "mariadb",
    "mariadb-dump",
];

impl Lint<'_> {
    pub(super) fn secrets(&mut self) {
        let root = self.root;
        let mut found: Vec<(Value<'_>, Range<usize>)> = Vec::new();
        visit(root, &mut |element| {
            if found.len() >= MANY {
                return;
            }
            let is_header = element.name == "header";
            let named = element.attribute("name");
            let named = named.filter(|_| is_header || element.name == "param");
            let is_credential =
                is_header && named.is_some_and(|named| is_credential(named.value.trim()));
            for (name, value) in attributes(element) {
                let is_secret = match named {
                    Some(named) => name == "value" && is_secret_word(&named.value),
                    None => is_secret_word(name),
                };
                let is_secret = (is_secret && is_literal(value.text)) || is_key(value.text);
                if is_secret {
                    found.push((value, 0..value.text.len()));
                } else if is_credential && name == "value" {
                    found.extend(credential(value.text, 0).map(|at| (value, at)));
                } else {
                    found.extend(
                        assigned(value.text, false)
                            .into_iter()
                            .map(|at| (value, at)),
                    );
                }
            }
            let is_secret_header =
                is_header && named.is_some_and(|name| is_secret_word(&name.value));
            for value in texts(element) {
                if is_credential && let Some(at) = credential(value.text, 0) {
                    found.push((value, at));
                    continue;
                }
                if (is_secret_header && is_literal(value.text)) || (is_header && is_key(value.text))
                {
                    let start = value.text.len() - value.text.trim_start().len();
                    found.push((value, start..start + value.text.trim().len()));
                    continue;
                }
                let is_statement = element.name == "sql";
                found.extend(
                    assigned(value.text, is_statement)
                        .into_iter()
                        .map(|at| (value, at)),
                );
            }
        });
        for script in scripts(root) {
            if script.language == Language::Shell {
                let options = options(script.value.text).into_iter();
                found.extend(options.map(|at| (script.value, at)));
            }
        }
        // Finding the place of one may cost a look at the whole text, and a text may hold thousands.
        found.sort_by_key(|(value, range)| (value.span.start, range.start));
        found.dedup_by(|(next, range), (earlier, merged)| {
            let is_same = next.span == earlier.span && range.start < merged.end;
            if is_same {
                merged.end = merged.end.max(range.end);
            }
            is_same
        });
        let mut spans: Vec<_> = found
            .into_iter()
            .take(2 * MOST)
            .map(|(value, range)| self.place(value, range))
            .collect();
        spans.sort();
        // A password may be found in two ways.
        spans.dedup_by(|next, earlier| {
            let is_same = next.start < earlier.end;
            if is_same {
                earlier.end = earlier.end.max(next.end);
            }
            is_same
        });
        for span in spans.into_iter().take(MOST) {
            self.warning(
                code::SECRET_IN_CLEAR,
                span,
                Text::new(
                    "此处疑似明文密码或密钥，能看到该定义的人都会知道它",
                    "this looks like a password or key in clear: everybody who can read the definition knows it",
                ),
                Text::new(
                    "请改用数据库连接（db-link），或放在只有worker可读的文件或环境变量中，并更换该密码",
                    "use a db-link, or keep it in a file or variable that only the worker can read; then change it",
                ),
            );
        }
    }
}

/// Whether `name` is, or ends with, a word for secrets: `DB_PASSWORD`.
pub(super) fn is_secret_word(name: &str) -> bool {
    let name = name.trim_end();
    // The last two letters already tell nearly every name from every word.
    if let [.., a, b] = name.as_bytes()
        && a.is_ascii_alphanumeric()
        && b.is_ascii_alphanumeric()
        && !is_end_of_word([a.to_ascii_lowercase(), b.to_ascii_lowercase()])
    {
        return false;
    }
    let mut letters = name
        .trim()
        .chars()
        .rev()
        .filter(|c| !matches!(c, '-' | '_' | '.'))
        .flat_map(char::to_lowercase);
    let Some(last) = letters.next() else {
        return false;
    };
    WORDS.iter().any(|word| {
        word.strip_suffix(last).is_some_and(|word| {
            let mut letters = letters.clone();
            word.chars()
                .rev()
                .all(|letter| letters.next() == Some(letter))
        })
    })
}

fn is_end_of_word(letters: [u8; 2]) -> bool {
    WORDS.iter().any(|word| word.as_bytes().ends_with(&letters))
}

/// Whether a value is written out, rather than looked up or left to be filled in.
fn is_literal(value: &str) -> bool {
    const NO_SECRETS: &[&str] = &[
        "null", "none", "nil", "true", "false", "yes", "no", "password", "passwd", "xxx", "xxxx",
        "xxxxx", "xxxxxx", "string", "required", "optional",
    ];
    let value = value.trim();
    let Some(first) = value.chars().next() else {
        return false;
    };
    value.len() >= 3
        && value.len() <= LONGEST
        && !"$`<%@*?{(/~.[&|".contains(first)
        && !value.contains("${")
        && !value.contains("$(")
        && !value
            .chars()
            .all(|c| matches!(c, '*' | '.' | '-' | '_' | '='))
        && !NO_SECRETS.contains(&value.to_ascii_lowercase().as_str())
}

/// Values behind `password=`, `"token": "`, `identified by '`, in addresses (`://user:pass@host`), and private keys.
fn assigned(text: &str, is_statement: bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    for at in memchr::memchr2_iter(b'=', b':', bytes) {
        let value = if bytes[at] == b':' {
            colon(text, at)
        } else {
            equals(text, at, is_statement)
        };
        found.extend(value);
        if found.len() >= MANY {
            return found;
        }
    }
    // Every text of a file comes here, and few hold one of these letters.
    if memchr::memchr2(b'\'', b'"', bytes).is_some() {
        found.extend(identified_by(text));
    }
    if memchr::memchr2(b'A', b'B', bytes).is_some() {
        found.extend(keys(text));
    }
    found
}

/// `name = value`.
fn equals(text: &str, at: usize, is_statement: bool) -> Option<Range<usize>> {
    let before = &text[..at];
    let is_comparison =
        before.ends_with(['=', '!', '<', '>', '+']) || text[at + 1..].starts_with(['=', '~']);
    if is_comparison || !is_secret_word(word_before(before)) {
        return None;
    }
    let value = value_at(text, at + 1, is_statement)?;
    is_literal(&text[value.clone()]).then_some(value)
}

/// `"name": "value"`, or the end of a user's name in an address.
fn colon(text: &str, at: usize) -> Option<Range<usize>> {
    let before = &text[..at];
    if text[at + 1..].starts_with("//") {
        return userinfo(text, at + 3);
    }
    let is_quoted = before.trim_end().ends_with(['"', '\'']);
    let name = word_before(before.trim_end().trim_end_matches(['"', '\'']));
    if is_credential(name) {
        return credential(text, at + 1);
    }
    if !is_secret_word(name) {
        // `X-Key: sk-live-...`.
        if !name.contains('-') {
            return None;
        }
        let value = value_at(text, at + 1, is_quoted)?;
        return is_key(&text[value.clone()]).then_some(value);
    }
    if !is_quoted {
        return header(text, at, name);
    }
    let value = value_at(text, at + 1, true)?;
    is_literal(&text[value.clone()]).then_some(value)
}

/// `X-Api-Key: value`, as programs take the headers of a request: hyphens tell their names from the words of a sentence.
fn header(text: &str, at: usize, name: &str) -> Option<Range<usize>> {
    let value = value_at(text, at + 1, false).filter(|_| name.contains('-'))?;
    is_literal(&text[value.clone()]).then_some(value)
}

/// The word that begins at `start`, however long the token is.
fn token_at(text: &str, start: usize) -> Option<Range<usize>> {
    let window = &text[start..text.floor_char_boundary(start + KEY_LENGTHS.end())];
    let is_end = |c: char| c.is_whitespace() || "\"'`&;,|)}]<>".contains(c);
    let length = window.find(is_end).unwrap_or(window.len());
    let first = &window[..window.floor_char_boundary(length.min(LONGEST))];
    (length >= 16 && is_literal(first)).then_some(start..start + length)
}

fn is_credential(name: &str) -> bool {
    CREDENTIALS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether a value is the key of a well-known service.
fn is_key(value: &str) -> bool {
    let value = value.trim();
    KEYS.iter().any(|begin| value.starts_with(begin))
        && KEY_LENGTHS.contains(&value.len())
        && !value.contains("${")
        && !value.contains(char::is_whitespace)
}

/// The secret in the value of a header that begins at `start`: `Token abc`, `session=abc; path=/`. It ends with its line,
/// or with the quote that it stands in.
fn credential(text: &str, start: usize) -> Option<Range<usize>> {
    let rest = &text[start..];
    let begin = start + rest.len() - rest.trim_start_matches([' ', '\t', '"', '\'']).len();
    let window = &text[begin..text.floor_char_boundary(begin + KEY_LENGTHS.end())];
    let value = window
        .split(['"', '\'', '\r', '\n', '<', '`'])
        .next()?
        .trim_end();
    let (scheme, secret) = value.split_once(' ').unwrap_or(("", value));
    let is_scheme = SCHEMES
        .iter()
        .any(|known| known.eq_ignore_ascii_case(scheme));
    let secret = if is_scheme {
        secret.trim_start()
    } else {
        value
    };
    // What precedes the first `=` names a cookie.
    let shown = secret.split_once('=').map_or(secret, |(_, behind)| behind);
    let shown = if shown.trim_matches('=').is_empty() {
        secret
    } else {
        shown
    };
    let first = shown.split([';', ' ', ',']).next()?;
    let is_sentence = !is_scheme && secret.contains(' ') && !secret.contains('=');
    let first = &first[..first.floor_char_boundary(LONGEST)];
    let is_long_enough =
        is_scheme || (first.len() >= 6 && first.contains(|c: char| c.is_ascii_digit()));
    let begin = begin + (value.len() - secret.len());
    (!is_sentence && is_long_enough && is_literal(first) && !secret.contains("${"))
        .then(|| begin..begin + secret.len())
}

/// The password of `user:pass@host`, which begins at `start`.
fn userinfo(text: &str, start: usize) -> Option<Range<usize>> {
    let end = authority_end(text, start);
    let (user, rest) = text[start..end].split_once(':')?;
    let (password, _) = rest.rsplit_once('@')?;
    let begin = start + user.len() + 1;
    is_literal(password).then(|| begin..begin + password.len())
}

fn authority_end(text: &str, start: usize) -> usize {
    let is_end = |c: char| c.is_whitespace() || "/?#\"'`<>".contains(c);
    start + length_to(&text[start..], is_end).unwrap_or_default()
}

fn identified_by(text: &str) -> Vec<Range<usize>> {
    const WORDS: &str = "identified by";
    let lower = text.to_ascii_lowercase();
    lower
        .match_indices(WORDS)
        .filter_map(|(at, _)| value_at(text, at + WORDS.len(), true))
        .filter(|value| is_literal(&text[value.clone()]))
        .take(MANY)
        .collect()
}

fn keys(text: &str) -> Vec<Range<usize>> {
    const BEGIN: &str = "-----BEGIN ";
    let private = text.match_indices(BEGIN).filter_map(|(at, _)| {
        let line = &text[at..text.floor_char_boundary(at + 80)];
        let line = line.lines().next()?;
        line.contains("PRIVATE KEY-----")
            .then(|| at..at + line.trim_end().len())
    });
    let amazon = text.match_indices("AKIA").filter_map(|(at, _)| {
        let key = text.get(at..at + 20)?;
        let is_key = key
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        // What is longer is hidden to its end, whatever it is.
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
        let window = &text[at..text.floor_char_boundary(at + KEY_LENGTHS.end())];
        let length = window.find(|c| !is_part(c)).unwrap_or(window.len());
        is_key.then_some(at..at + length)
    });
    let bearer = text
        .match_indices("Bearer ")
        .filter_map(|(at, word)| token_at(text, at + word.len()));
    let basic = text.match_indices("Basic ").filter_map(|(at, word)| {
        // The word stands in sentences, too: only base64 of some length is an account.
        let value = value_at(text, at + word.len(), false)?;
        let account = &text[value.clone()];
        let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
        // The name of the header stands close by: a line may be as long as the file, and hold the word again and again.
        let near = &text[text.floor_char_boundary(at.saturating_sub(LONGEST))..at];
        let line = near.rsplit('\n').next().unwrap_or(near);
        let has_header = line.to_ascii_lowercase().contains("authorization");
        let is_alone = at == 0 && value.end == text.len();
        ((has_header || is_alone) && account.len() >= 8 && account.chars().all(is_base64))
            .then_some(value)
    });
    let all = private.chain(amazon).chain(bearer).chain(basic);
    all.take(MANY).collect()
}

/// The name that ends where `before` ends, blanks aside.
fn word_before(before: &str) -> &str {
    let before = before.trim_end_matches([' ', '\t']);
    let from = before.floor_char_boundary(before.len().saturating_sub(LONGEST));
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let start = before[from..]
        .rfind(|c: char| !is_name(c))
        .map_or(from, |at| {
            from + at + before[from + at..].chars().next().map_or(1, char::len_utf8)
        });
    &before[start..]
}

/// The value at `start`, without its quotes; `None` where quotes are needed and missing.
fn value_at(text: &str, start: usize, needs_quotes: bool) -> Option<Range<usize>> {
    let rest = &text[start..];
    // In a shell a blank behind the `=` means that there is no value.
    let begin = start + rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let first = text[begin..].chars().next()?;
    if matches!(first, '"' | '\'') {
        let begin = begin + 1;
        let length = length_to(&text[begin..], |c| c == first || c == '\n')?;
        return Some(begin..begin + length);
    }
    if needs_quotes {
        return None;
    }
    let is_end = |c: char| c.is_whitespace() || "\"'`&;,|)}]<>".contains(c);
    let length = length_to(&text[begin..], is_end)?;
    Some(begin..begin + length)
}

/// How many bytes precede the first character that `is_end`, or the end of the text; `None` when it is too far.
fn length_to(text: &str, is_end: impl Fn(char) -> bool) -> Option<usize> {
    let window = &text[..text.floor_char_boundary(LONGEST + 1)];
    window
        .find(is_end)
        .or_else(|| (window.len() == text.len()).then_some(text.len()))
}

/// Passwords behind options of well-known programs.
fn options(script: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for line in script.split_inclusive(['\n', ';', '|', '&']) {
        let offset = line.as_ptr() as usize - script.as_ptr() as usize;
        let words = words(line);
        let Some(program) = words.iter().find_map(|(_, word)| {
            let name = word.rsplit('/').next().unwrap_or(word);
            OPTIONS
                .iter()
                .map(|(program, _)| *program)
                .find(|program| *program == name)
        }) else {
            continue;
        };
        let of_program = OPTIONS.iter().filter(|(name, _)| *name == program);
        for (_, option) in of_program {
            for (index, (at, word)) in words.iter().enumerate() {
                let value =
                    option_value(program, option, (*at, word), words.get(index + 1).copied());
                found.extend(value.map(|value| value.start + offset..value.end + offset));
                if found.len() >= MANY {
                    return found;
                }
            }
        }
    }
    found
}

fn option_value(
    program: &str,
    option: &str,
    (at, word): (usize, &str),
    next: Option<(usize, &str)>,
) -> Option<Range<usize>> {
    let rest = word.strip_prefix(option)?;
    let (at, value) = if rest.is_empty() {
        next.filter(|(_, next)| !GLUED.contains(&program) && !next.starts_with('-'))?
    } else if let Some(value) = rest.strip_prefix('=') {
        (at + option.len() + 1, value)
    } else if option.starts_with("--") {
        return None;
    } else {
        (at + option.len(), rest)
    };
    let bare = value.trim_matches(['"', '\'']);
    let begin = at + value.len() - value.trim_start_matches(['"', '\'']).len();
    if program == "curl" {
        let (user, password) = bare.split_once(':')?;
        let begin = begin + user.len() + 1;
        return is_literal(password).then(|| begin..begin + password.len());
    }
    is_literal(bare).then(|| begin..begin + bare.len())
}

/// The words of a line and where each begins.
fn words(line: &str) -> Vec<(usize, &str)> {
    line.split_whitespace()
        .map(|word| (word.as_ptr() as usize - line.as_ptr() as usize, word))
        .collect()
}
