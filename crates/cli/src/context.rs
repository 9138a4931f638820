//! What a command knows of its surroundings.

use akkaflow_model::text::Lang;
use chrono_tz::Tz;
use clap::ArgMatches;

use crate::client::Client;
use crate::screen::{Screen, machine_zone};

/// Where the server is when nobody says.
pub(crate) const DEFAULT_SERVER: &str = "http://127.0.0.1:8090";

/// What a command knows of its surroundings.
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) screen: Screen,
    /// Whether akkaflow's form was typed: commands then print the raw answer.
    pub(crate) is_legacy: bool,
    pub(crate) is_json: bool,
}

impl Context {
    pub(crate) fn new(matches: &ArgMatches, lang: Lang, is_legacy: bool) -> Self {
        let asked = matches.get_one::<String>("server").cloned();
        let set = || std::env::var("AKKAFLOW_SERVER").ok();
        let server = asked
            .or_else(set)
            .filter(|server| !server.trim().is_empty());
        let server = server.unwrap_or_else(|| DEFAULT_SERVER.to_owned());
        let client = Client::new(&server, lang);
        let asked = client.clone();
        let zone = move || cluster_zone(&asked).unwrap_or_else(machine_zone);
        Self {
            client,
            screen: Screen::of_terminal(lang, zone),
            is_legacy,
            is_json: matches.get_flag("json"),
        }
    }

    /// The sentence in the language of the user.
    pub(crate) fn say<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        self.screen.say(zh, en)
    }
}

/// The zone that schedules go by; `None` where no master has ever said which it is.
fn cluster_zone(client: &Client) -> Option<Tz> {
    let cluster: akkaflow_api::Cluster = client.get("/api/v1/cluster").ok()?;
    let said_by_master = cluster.master.map(|master| master.time_zone);
    said_by_master.or(cluster.time_zone)?.parse().ok()
}

/// akkaflow's form speaks Chinese, because scripts look for its words; the modern form follows the locale. Both obey
/// `AKKAFLOW_LANG`.
pub(crate) fn language(is_legacy: bool, variable: impl Fn(&str) -> Option<String>) -> Lang {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if let Some(asked) = set("AKKAFLOW_LANG") {
        return Lang::from_locale(&asked);
    }
    if is_legacy {
        return Lang::Zh;
    }
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| set(name));
    Lang::from_locale(&locale.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(is_legacy: bool, set: &[(&str, &str)]) -> Lang {
        language(is_legacy, |name| {
            let found = set.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn akkaflow_s_form_is_chinese_unless_told_otherwise() {
        assert_eq!(with(true, &[("LANG", "en_US.UTF-8")]), Lang::Zh);
        assert_eq!(with(true, &[("AKKAFLOW_LANG", "en")]), Lang::En);
    }

    #[test]
    fn the_modern_form_follows_the_locale() {
        assert_eq!(with(false, &[("LANG", "zh_CN.UTF-8")]), Lang::Zh);
        assert_eq!(with(false, &[("LANG", "zh_CN"), ("LC_ALL", "C")]), Lang::En);
        assert_eq!(with(false, &[("LANG", "zh_CN"), ("LC_ALL", "")]), Lang::Zh);
        assert_eq!(with(false, &[]), Lang::En);
    }
}
