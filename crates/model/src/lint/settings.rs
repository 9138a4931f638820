//! Settings that have no effect.

use super::Lint;
use crate::code;
use crate::element::Attribute;
use crate::quote::shortened;
use crate::text::Text;

/// Words of `mail-level` that name no end of an instance.
const NO_END: &[&str] = &[
    "w_prep",
    "就绪",
    "w_running",
    "运行中",
    "w_suspended",
    "挂起",
];

impl Lint<'_> {
    pub(super) fn settings(&mut self) {
        let root = self.root;
        if let Some(levels) = root.attribute("mail-level") {
            self.mail_level(levels);
        }
        if let Some(receivers) = root.attribute("mail-receivers") {
            self.mail_receivers(receivers);
        }
        for action in root.elements_named("action") {
            let is_set = |name: &str| {
                let value = action.attribute(name).map(|found| found.value.trim());
                // What is no number is an error already.
                value.is_some_and(|value| value.parse::<u32>().is_ok_and(|number| number > 0))
            };
            if let Some(interval) = action.attribute("interval")
                && is_set("interval")
                && !is_set("retry-times")
            {
                self.interval_without_retry(interval);
            }
        }
    }

    fn mail_level(&mut self, levels: &Attribute) {
        for word in levels.value.split([',', '，']).map(str::trim) {
            if !NO_END.contains(&word.to_lowercase().as_str()) {
                continue;
            }
            let start = levels.value.find(word).unwrap_or_default();
            let value = super::Value {
                text: &levels.value,
                span: levels.value_span,
            };
            let found = shortened(word);
            self.warning(
                code::MAIL_WITHOUT_EFFECT,
                self.place(value, start..start + word.len()),
                Text::new(
                    format!("`{found}` 不是结束状态，不会因此发送邮件"),
                    format!("`{found}` is no end of an instance, so it never sends mail"),
                ),
                Text::new(
                    "请写 W_SUCCESSED、W_FAILED 或 W_KILLED",
                    "write W_SUCCESSED, W_FAILED or W_KILLED",
                ),
            );
        }
    }

    /// Warns of what is no address: nothing is ever sent there.
    fn mail_receivers(&mut self, receivers: &Attribute) {
        let value = super::Value {
            text: &receivers.value,
            span: receivers.value_span,
        };
        let mut start = 0;
        for piece in receivers.value.split_inclusive([',', '，']) {
            let item = piece.trim_end_matches([',', '，']);
            let begin = start + item.len() - item.trim_start().len();
            start += piece.len();
            let item = item.trim();
            if item.is_empty() || item.contains("${") || is_address(item) {
                continue;
            }
            let found = shortened(item);
            let help = if item.contains([';', '；']) {
                Text::new(
                    "多个收件人之间请用逗号 `,` 分隔，不用分号",
                    "part several receivers by a comma `,`, not by a semicolon",
                )
            } else {
                Text::new(
                    "写法为 name@example.com，多个之间用逗号 `,` 分隔",
                    "write name@example.com, several parted by a comma `,`",
                )
            };
            self.warning(
                code::MAIL_WITHOUT_EFFECT,
                self.place(value, begin..begin + item.len()),
                Text::new(
                    format!("`{found}` 不是邮件地址，邮件无法送达"),
                    format!("`{found}` is no mail address, so no mail arrives there"),
                ),
                help,
            );
        }
    }

    fn interval_without_retry(&mut self, interval: &Attribute) {
        self.warning(
            code::NO_EFFECT,
            interval.name_span,
            Text::new(
                "没有重试，`interval` 不起作用",
                "`interval` has no effect: the action is never tried again",
            ),
            Text::new(
                "请加上 retry-times=\"1\"，或删除 interval",
                "add retry-times=\"1\", or remove `interval`",
            ),
        );
    }
}

/// Whether a text may be an address, as far as mail servers agree.
fn is_address(text: &str) -> bool {
    let is_odd = |c: char| c.is_whitespace() || ",;；，<>()\"@".contains(c);
    text.split_once('@').is_some_and(|(name, domain)| {
        !name.is_empty() && !domain.is_empty() && !name.contains(is_odd) && !domain.contains(is_odd)
    })
}
