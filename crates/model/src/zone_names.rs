//! What people write for a time zone, and the zone that they mean.

use chrono_tz::TZ_VARIANTS;

use crate::suggest::closest;
use crate::text::Text;

/// The zone of Beijing time.
const BEIJING: &str = "Asia/Shanghai";

/// What people write for it, in lower case.
const OF_BEIJING: &[&str] = &[
    "beijing",
    "peking",
    "shanghai",
    "shenzhen",
    "guangzhou",
    "hangzhou",
    "china",
    "cst",
    "北京",
    "北京时间",
    "上海",
    "中国",
];

/// What to write in place of a name that is no zone.
pub fn zone_help(name: &str) -> Text {
    let name = name.trim();
    if let Some(hours) = offset(name) {
        return of_offset(hours);
    }
    match meant(name) {
        Some(zone) => Text::new(
            format!("是否想写 `{zone}`？"),
            format!("did you mean `{zone}`?"),
        ),
        None => Text::new(
            "请写IANA时区名，例如 Asia/Shanghai、Europe/Berlin",
            "write a name of the IANA database, for example Asia/Shanghai, Europe/Berlin",
        ),
    }
}

/// The hours of `GMT+8`, `UTC+08:00`, `+8`.
fn offset(name: &str) -> Option<i32> {
    let upper = name.to_ascii_uppercase();
    let rest = upper
        .strip_prefix("GMT")
        .or_else(|| upper.strip_prefix("UTC"))
        .unwrap_or(&upper)
        .trim_start();
    let sign = match rest.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits = &rest[1..];
    let hours = digits
        .strip_suffix(":00")
        .or_else(|| digits.strip_suffix("00").filter(|hours| hours.len() == 2))
        .unwrap_or(digits);
    let is_number = (1..=2).contains(&hours.len()) && hours.bytes().all(|b| b.is_ascii_digit());
    let hours: i32 = hours.parse().ok().filter(|_| is_number)?;
    Some(sign * hours).filter(|hours| (-12..=14).contains(hours))
}

fn of_offset(hours: i32) -> Text {
    // The names of this family count westwards.
    let fixed = match hours {
        0 => "UTC".to_owned(),
        _ => format!("Etc/GMT{:+}", -hours),
    };
    if hours == 8 {
        return Text::new(
            format!("请写城市的时区名，例如 {BEIJING}；固定偏移写作 {fixed}（符号相反）"),
            format!(
                "write the zone of a city, such as {BEIJING}; a fixed offset is {fixed}, with the sign reversed"
            ),
        );
    }
    Text::new(
        format!("请写城市的时区名；固定偏移写作 {fixed}（符号相反）"),
        format!("write the zone of a city; a fixed offset is {fixed}, with the sign reversed"),
    )
}

fn meant(name: &str) -> Option<&'static str> {
    let names = || TZ_VARIANTS.iter().map(|zone| zone.name());
    if let Some(same) = names().find(|zone| zone.eq_ignore_ascii_case(name)) {
        return Some(same);
    }
    let lower = name.to_lowercase();
    let city = lower.rsplit('/').next().unwrap_or(&lower).replace(' ', "_");
    if OF_BEIJING.contains(&city.as_str()) {
        return Some(BEIJING);
    }
    let city_of = |zone: &'static str| zone.rsplit('/').next().unwrap_or(zone);
    let of_city = |city: &str| {
        names().find(|zone| zone.contains('/') && city_of(zone).eq_ignore_ascii_case(city))
    };
    if let Some(zone) = of_city(&city) {
        return Some(zone);
    }
    // Names of few letters are near to many others.
    if city.chars().count() >= 5 && closest(&city, OF_BEIJING.iter().copied()).is_some() {
        return Some(BEIJING);
    }
    closest(name, names()).or_else(|| of_city(closest(&city, names().map(city_of))?))
}

#[cfg(test)]
mod tests {
    use super::{meant, zone_help};

    #[test]
    fn what_people_write_leads_to_the_zone_that_they_mean() {
        for (name, zone) in [
            ("Asia/Bejing", "Asia/Shanghai"),
            ("Shanghai", "Asia/Shanghai"),
            ("asia/shanghai", "Asia/Shanghai"),
            ("Asia/Shangai", "Asia/Shanghai"),
            ("CST", "Asia/Shanghai"),
            ("北京时间", "Asia/Shanghai"),
            ("berlin", "Europe/Berlin"),
            ("Europe/Berln", "Europe/Berlin"),
            ("New York", "America/New_York"),
            ("Tokio", "Asia/Tokyo"),
        ] {
            assert_eq!(meant(name), Some(zone), "{name}");
        }
        assert_eq!(meant("nowhere at all"), None);
    }

    #[test]
    fn an_offset_is_a_city_or_a_fixed_zone() {
        for name in ["GMT+8", "utc+08:00", "+0800", "UTC +8"] {
            assert_eq!(
                zone_help(name).en,
                "write the zone of a city, such as Asia/Shanghai; a fixed offset is Etc/GMT-8, with the sign reversed",
                "{name}"
            );
        }
        let west = "write the zone of a city; a fixed offset is Etc/GMT+5, with the sign reversed";
        assert_eq!(zone_help("UTC-5").en, west);
    }
}
