//! What can go wrong between us and a database.

use std::error::Error as _;

use akkaflow_model::text::Text;

use crate::place::Place;

/// Why the store could not do it.
///
/// Its `Display` says in English what could not be done and what to do, the cause is its source; [`Error::text`] says all of
/// it, for people.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database does not answer; nothing is known to be wrong with the data.
    #[error("{} cannot be reached; {}", .place.name().en, .place.advice().en)]
    Unavailable {
        /// Which database.
        place: Place,
        /// What the driver says.
        source: Cause,
    },
    /// The database answered with an error.
    #[error("{} refused a statement", .place.name().en)]
    Refused {
        /// Which database.
        place: Place,
        /// What the database says.
        source: Cause,
    },
    /// A row is not what we wrote.
    #[error("the metadata database holds a row that cannot be read: {0}")]
    Corrupt(String),
    /// The database cannot be used as it is configured.
    #[error("{}; {}", .what.en, .advice.en)]
    Unsuitable {
        /// What is wrong with it.
        what: Text,
        /// What to do.
        advice: Text,
        /// What the driver or the system says.
        source: Option<Cause>,
    },
}

/// A driver's error, kept out of the trait.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Error {
    /// What cannot be used, and what to do.
    pub(crate) fn unsuitable(what: Text, advice: Text) -> Self {
        Self::Unsuitable {
            what,
            advice,
            source: None,
        }
    }

    /// The same with what the driver or the system says of it.
    pub(crate) fn unsuitable_because(what: Text, advice: Text, cause: impl Into<Cause>) -> Self {
        Self::Unsuitable {
            what,
            advice,
            source: Some(cause.into()),
        }
    }

    /// The same failure, saying of which database it is.
    pub(crate) fn at(self, known: &Place) -> Self {
        match self {
            Self::Unavailable { source, .. } => Self::Unavailable {
                place: known.clone(),
                source,
            },
            Self::Refused { source, .. } => Self::Refused {
                place: known.clone(),
                source,
            },
            other => other,
        }
    }

    /// Everything that people should read, causes included.
    pub fn text(&self) -> Text {
        let (what, advice) = match self {
            Self::Unavailable { place, .. } => {
                let name = place.name();
                let what = Text::new(
                    format!("{}无法连接", name.zh),
                    format!("{} cannot be reached", name.en),
                );
                (what, Some(place.advice()))
            }
            Self::Refused { place, .. } => {
                let name = place.name();
                let what = Text::new(
                    format!("{}拒绝执行语句", name.zh),
                    format!("{} refused a statement", name.en),
                );
                (what, None)
            }
            Self::Corrupt(what) => (
                Text::new(
                    format!("元数据库中有无法识别的记录：{what}"),
                    format!("the metadata database holds a row that cannot be read: {what}"),
                ),
                Some(Text::new(
                    "请检查该库是否被手工或其他版本修改过",
                    "check whether somebody, or another version, has changed it",
                )),
            ),
            Self::Unsuitable { what, advice, .. } => (what.clone(), Some(advice.clone())),
        };
        let mut text = what;
        let mut cause = self.source();
        while let Some(next) = cause {
            text.zh = format!("{}：{next}", text.zh);
            text.en = format!("{}: {next}", text.en);
            cause = next.source();
        }
        if let Some(advice) = advice {
            text.zh = format!("{}；{}", text.zh, advice.zh);
            text.en = format!("{}; {}", text.en, advice.en);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_where_why_and_what_to_do_in_both_languages() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let error = Error::from(sqlx::Error::Io(refused)).at(&Place::server("db:3307", "akkaflow"));
        let text = error.text();
        assert_eq!(
            text.en,
            "the metadata database `akkaflow` on db:3307 cannot be reached: connection refused; check that the database \
             server is up and that the address in `store` is right"
        );
        assert_eq!(
            text.zh,
            "元数据库akkaflow（db:3307）无法连接：connection refused；请检查数据库服务是否已启动，以及store配置的地址是否正确"
        );
    }

    #[test]
    fn a_cause_is_the_source_and_not_part_of_the_words() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let error = Error::from(sqlx::Error::Io(refused)).at(&Place::server("db:3307", "a"));
        assert!(!error.to_string().contains("refused"), "{error}");
        let cause = error.source().unwrap();
        assert_eq!(cause.to_string(), "connection refused");
        assert!(cause.source().is_none());
    }
}
