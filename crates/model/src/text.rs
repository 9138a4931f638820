//! What people read exists twice: in Chinese and in English.

use serde::{Deserialize, Serialize};

/// A language that people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Simplified Chinese.
    Zh,
    /// English.
    #[default]
    En,
}

impl Lang {
    /// Reads `zh`, `zh_CN.UTF-8`, `en-US` and the like; anything but Chinese is English.
    pub fn from_locale(locale: &str) -> Self {
        if locale.to_ascii_lowercase().starts_with("zh") {
            Self::Zh
        } else {
            Self::En
        }
    }
}

/// Begins a line that holds both languages, and parts them: the unit separator of ASCII.
const SEPARATOR: char = '\u{1f}';

/// One sentence in both languages. Lowercase start and no full stop in English.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Text {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Text {
    /// Both sentences.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }

    /// The same words in both languages: what a program, a database or a person said, which we do not translate.
    pub fn verbatim(words: impl Into<String>) -> Self {
        let words = words.into();
        Self {
            zh: words.clone(),
            en: words,
        }
    }

    /// Both sentences as one line of a log, for [`Text::of_line`] to read back: each reader gets their language.
    pub fn to_line(&self) -> String {
        let on_one_line = |text: &str| text.replace(['\n', '\r', SEPARATOR], " ");
        if self.zh == self.en {
            return on_one_line(&self.en);
        }
        let (zh, en) = (on_one_line(&self.zh), on_one_line(&self.en));
        format!("{SEPARATOR}{zh}{SEPARATOR}{en}")
    }

    /// What a line says in `lang`. A line that is no [`Text::to_line`] says the same to everybody.
    pub fn of_line(line: &str, lang: Lang) -> &str {
        let both = line
            .strip_prefix(SEPARATOR)
            .and_then(|both| both.split_once(SEPARATOR));
        match (both, lang) {
            (None, _) => line,
            (Some((zh, _)), Lang::Zh) => zh,
            (Some((_, en)), Lang::En) => en,
        }
    }

    /// The sentence in `lang`.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_both_languages_is_read_in_one() {
        let line = Text::new("提交失败\n：x\u{1f}y", "cannot commit: x").to_line();
        assert!(!line.contains('\n'));
        assert_eq!(Text::of_line(&line, Lang::Zh), "提交失败 ：x y");
        assert_eq!(Text::of_line(&line, Lang::En), "cannot commit: x");
    }

    #[test]
    fn a_line_of_a_program_is_as_it_was_printed() {
        for line in ["a | b", "\u{1f}only one", "", "a\u{1f}b\u{1f}c"] {
            assert_eq!(Text::of_line(line, Lang::Zh), line);
        }
        assert_eq!(Text::verbatim("rows").to_line(), "rows");
    }
}
