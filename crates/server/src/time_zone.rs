//! The one time zone of the cluster.

use anyhow::{Context as _, Result};
use chrono_tz::Tz;

/// The zone that `configured` names, or the system's.
///
/// # Errors
/// A name that the tz database does not know.
pub(crate) fn choose(configured: &str) -> Result<Tz> {
    if !configured.is_empty() {
        return parse(configured);
    }
    let system = iana_time_zone::get_timezone().unwrap_or_else(|_| "UTC".to_owned());
    Ok(parse(&system).unwrap_or(Tz::UTC))
}

fn parse(name: &str) -> Result<Tz> {
    name.parse::<Tz>().ok().with_context(|| {
        format!("`{name}` is no time zone; write a name such as Asia/Shanghai / 不是有效的时区名")
    })
}
