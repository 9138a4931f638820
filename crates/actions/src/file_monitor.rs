//! `<file-monitor>`: holds the number and the size of files against limits.
//!
//! One attempt is one look. What fits the limits is looked at again ten seconds later, as a [`crate::wait`] does, and the engine takes
//! the same seen twice for the success: no slot is held in between. What does not fit fails at once, unless one of the files was
//! written within those ten seconds: then it may still grow, and is looked at again too.

use std::time::{Duration, SystemTime};

use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::Element;
use akkaflow_model::shape::{AttributeKind, AttributeShape, Shape, TextRule, parse_size};
use akkaflow_model::text::Text;
use akkaflow_model::wait::FILE_MONITOR;
use async_trait::async_trait;

use crate::action::{Action, Outcome};
use crate::context::AttemptContext;
use crate::error::ActionError;
use crate::files::{self, Found};
use crate::wait::sight;

/// Whoever writes a file writes at least so often.
const SETTLES_AFTER: Duration = Duration::from_secs(10);

/// So many files that are too small are listed.
const LISTED: usize = 20;

/// `<file-monitor>`: succeeds once enough files of a name are there, and all of them are large enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileMonitor {
    link: String,
    path: String,
    min_count: usize,
    min_bytes: u64,
    /// The same as it was written.
    min_size: String,
    warning: String,
}

/// `<warn-msg>`.
pub(crate) fn warn_msg_shape() -> Shape {
    Shape::new(
        "warn-msg",
        Text::new("检测不通过时的补充信息", "what is said beside a failure"),
    )
    .text(TextRule::Optional)
}

fn file_shape() -> Shape {
    let min_num = AttributeShape::new(
        "min-num",
        AttributeKind::Integer {
            min: 0,
            max: i64::from(i32::MAX),
        },
        Text::new("文件个数下限", "how many files there must be at least"),
    );
    let min_size = AttributeShape::new(
        "min-each-size",
        AttributeKind::Size,
        Text::new(
            "每个文件大小的下限，例如 2.3MB",
            "how large each must be at least, for example 2.3MB",
        ),
    );
    let link = AttributeShape::new(
        "file-link",
        AttributeKind::NonBlank,
        Text::new("文件连接的名称", "the file-link's name"),
    );
    Shape::new(
        "file",
        Text::new(
            "文件路径；*代表名称中任意字符，**代表任意层目录",
            "a path: * stands for anything within a name, ** for any directories",
        ),
    )
    .attribute(min_num.default("1"))
    .attribute(min_size.default("0B"))
    .attribute(link.default("local"))
    .text(TextRule::Required)
}

#[async_trait]
impl Action for FileMonitor {
    const TAG: &'static str = FILE_MONITOR;

    fn shape() -> Shape {
        Shape::new(
            Self::TAG,
            Text::new(
                "检测文件的个数和大小，低于下限时失败；间隔10秒的两次检测须一致，其间不占用worker",
                "fails unless enough files are there and all are large enough; two looks, ten seconds apart, must see the same, and hold no slot in between",
            ),
        )
        .child(file_shape(), 1, Some(1))
        .child(warn_msg_shape(), 0, Some(1))
        .example(
            "<file-monitor>\n  <file min-num=\"3\" min-each-size=\"2MB\">/data/in/orders_*.csv</file>\n  <warn-msg>orders are late</warn-msg>\n</file-monitor>",
        )
    }

    fn parse(element: &Element, _diagnostics: &mut Diagnostics) -> Option<Self> {
        let shape = file_shape();
        let file = element.elements_named("file").next()?;
        let warning = element.elements_named("warn-msg").next();
        let min_size = shape.value(file, "min-each-size")?;
        let link = shape.value(file, "file-link")?;
        Some(Self {
            link: link.to_owned(),
            path: file.text().trim().to_owned(),
            min_count: usize::try_from(shape.integer(file, "min-num")?).ok()?,
            min_bytes: parse_size(min_size)?,
            min_size: min_size.to_owned(),
            warning: warning.map_or_else(String::new, |warning| warning.text().trim().to_owned()),
        })
    }

    fn file_links(&self) -> Vec<String> {
        files::needed(&self.link)
    }

    async fn run(&self, attempt: &AttemptContext) -> Result<Outcome, ActionError> {
        if attempt.cancel.is_cancelled() {
            return Err(ActionError::Cancelled);
        }
        let found = files::find(attempt, &self.link, &self.path).await?;
        Err(self.judge(&found, SystemTime::now()))
    }
}

impl FileMonitor {
    /// What a look at `now` means: never a success by itself.
    fn judge(&self, found: &[Found], now: SystemTime) -> ActionError {
        let mut seen = sight(found);
        let Some(failure) = self.failure(found) else {
            return ActionError::NotYet { seen };
        };
        if found.iter().any(|file| is_fresh(file, now)) {
            // Never the same as what the next look sees: that one decides.
            let since = now.duration_since(SystemTime::UNIX_EPOCH);
            let since = since.map_or(0, |since| since.as_nanos());
            seen.push(("at".to_owned(), since.to_string()));
            return ActionError::NotYet { seen };
        }
        ActionError::Retryable(failure)
    }

    fn failure(&self, found: &[Found]) -> Option<Text> {
        let (directory, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        if found.len() < self.min_count {
            let (count, min) = (found.len(), self.min_count);
            return Some(self.with_warning(
                format!(
                    "检测到目录（{directory}）符合命名要求的文件（{name}）个数为{count},少于阈值{min}"
                ),
                format!("{directory} holds {count} files named {name}, fewer than {min}"),
            ));
        }
        let small = found.iter().filter(|file| file.bytes < self.min_bytes);
        let small: Vec<String> = small
            .map(|file| format!("{} ({} B)", file.path, file.bytes))
            .collect();
        if small.is_empty() {
            return None;
        }
        let mut list = small[..small.len().min(LISTED)].join(", ");
        if small.len() > LISTED {
            list += &format!(", … +{}", small.len() - LISTED);
        }
        let min = &self.min_size;
        Some(self.with_warning(
            format!("目录（{directory}）下存在文件大小低于阈值{min}：{list}"),
            format!("files in {directory} are smaller than {min}: {list}"),
        ))
    }

    fn with_warning(&self, zh: String, en: String) -> Text {
        let warning = &self.warning;
        if warning.is_empty() {
            return Text::new(zh, en);
        }
        Text::new(
            format!("{zh} 自定义信息: {warning}"),
            format!("{en}; {warning}"),
        )
    }
}

/// Whether somebody may still write it. A clock that goes wrong by more counts as long ago.
fn is_fresh(file: &Found, now: SystemTime) -> bool {
    file.changed.is_some_and(|changed| {
        let apart = now
            .duration_since(changed)
            .unwrap_or_else(|later| later.duration());
        apart < SETTLES_AFTER
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG_AGO: Duration = Duration::from_secs(3600);

    fn monitor() -> FileMonitor {
        FileMonitor {
            link: "local".to_owned(),
            path: "/in/orders_*.csv".to_owned(),
            min_count: 2,
            min_bytes: 10,
            min_size: "10B".to_owned(),
            warning: "订单未到".to_owned(),
        }
    }

    fn file(name: &str, bytes: u64, age: Duration) -> Found {
        Found {
            path: format!("/in/{name}"),
            bytes,
            changed: Some(SystemTime::UNIX_EPOCH + 2 * LONG_AGO - age),
        }
    }

    fn judged(found: &[Found], later: Duration) -> ActionError {
        monitor().judge(found, SystemTime::UNIX_EPOCH + 2 * LONG_AGO + later)
    }

    #[test]
    fn what_fits_is_the_same_at_the_next_look_unless_it_has_changed() {
        let found = [
            file("orders_1.csv", 10, LONG_AGO),
            file("orders_2.csv", 99, LONG_AGO),
        ];
        let first = judged(&found, Duration::ZERO);
        assert!(matches!(first, ActionError::NotYet { .. }));
        assert_eq!(judged(&found, SETTLES_AFTER), first);
        let grown = [found[0].clone(), file("orders_2.csv", 100, LONG_AGO)];
        assert_ne!(judged(&grown, SETTLES_AFTER), first);
    }

    #[test]
    fn too_few_or_too_small_files_fail_with_akkaflows_words() {
        let one = file("orders_1.csv", 10, LONG_AGO);
        let ActionError::Retryable(text) = judged(std::slice::from_ref(&one), Duration::ZERO)
        else {
            panic!("no failure");
        };
        assert_eq!(
            text.zh,
            "检测到目录（/in）符合命名要求的文件（orders_*.csv）个数为1,少于阈值2 自定义信息: 订单未到"
        );
        assert_eq!(
            text.en,
            "/in holds 1 files named orders_*.csv, fewer than 2; 订单未到"
        );
        let small = file("orders_2.csv", 9, LONG_AGO);
        let ActionError::Retryable(text) = judged(&[one, small], Duration::ZERO) else {
            panic!("no failure");
        };
        assert_eq!(
            text.zh,
            "目录（/in）下存在文件大小低于阈值10B：/in/orders_2.csv (9 B) 自定义信息: 订单未到"
        );
    }

    #[test]
    fn a_file_that_was_just_written_is_looked_at_again_until_it_is_left_alone() {
        let young = [file("orders_1.csv", 3, Duration::from_secs(4))];
        let first = judged(&young, Duration::ZERO);
        let second = judged(&young, Duration::from_secs(1));
        assert!(matches!(second, ActionError::NotYet { .. }));
        assert_ne!(first, second, "the engine would take it for a success");
        assert!(matches!(
            judged(&young, SETTLES_AFTER),
            ActionError::Retryable(_)
        ));
    }

    #[test]
    fn a_clock_that_goes_far_wrong_does_not_make_it_wait_for_ever() {
        let future = file("orders_1.csv", 3, Duration::ZERO);
        let now = SystemTime::UNIX_EPOCH + LONG_AGO;
        assert!(matches!(
            monitor().judge(&[future], now),
            ActionError::Retryable(_)
        ));
    }
}
