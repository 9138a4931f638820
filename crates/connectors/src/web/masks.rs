//! What people must not see of a request: passwords in its address, and headers and parts of the query that are named like secrets.

use akkaflow_model::text::Text;
use hyper::header::HeaderValue;
use url::Url;

use super::client::Call;

/// Stands for a secret.
const STARS: &str = "***";

/// Parts of the names of what is secret.
const SECRET_NAMES: [&str; 9] = [
    "auth",
    "cookie",
    "token",
    "secret",
    "key",
    "password",
    "passwd",
    "signature",
    "credential",
];

/// A shorter text is no secret that could be told from other words.
const SHORTEST: usize = 4;

/// The secrets of a request.
#[derive(Default)]
pub struct Masks {
    secrets: Vec<String>,
}

impl Masks {
    /// Those of `call`.
    pub fn of(call: &Call) -> Self {
        let mut masks = Self::default();
        for (name, value) in &call.headers {
            if is_secret(name.as_str()) {
                masks.add_header(value);
            }
        }
        masks.add(call.url.password().unwrap_or_default());
        for (name, value) in call.url.query_pairs() {
            if is_secret(&name) {
                masks.add(&value);
            }
        }
        // The longest first: what is part of another must not break it.
        masks
            .secrets
            .sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        masks
    }

    /// `Bearer abc`: a server that repeats it may leave the first word out.
    fn add_header(&mut self, value: &HeaderValue) {
        let Ok(value) = value.to_str() else { return };
        self.add(value);
        if let Some((_, last)) = value.rsplit_once(' ') {
            self.add(last);
        }
    }

    fn add(&mut self, secret: &str) {
        if secret.len() >= SHORTEST {
            self.secrets.push(secret.to_owned());
        }
    }

    /// A text without the secrets.
    pub fn line(&self, text: &str) -> String {
        self.secrets
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret, STARS))
    }

    /// The same in both languages.
    pub fn text(&self, text: &Text) -> Text {
        Text::new(self.line(&text.zh), self.line(&text.en))
    }

    /// An address without user, password and the secrets of its query.
    pub fn url(&self, url: &Url) -> String {
        let mut shown = url.clone();
        // Refused by addresses that cannot have them.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        if url.query_pairs().any(|(name, _)| is_secret(&name)) {
            let pairs = url.query_pairs().map(|(name, value)| {
                let value = if is_secret(&name) {
                    STARS.into()
                } else {
                    value
                };
                (name, value)
            });
            shown.query_pairs_mut().clear().extend_pairs(pairs);
        }
        shown.into()
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part))
}
