//! The attributes of the root.

use crate::code;
use crate::definition::{FailurePolicy, Keep, Overlap};
use crate::element::{Attribute, Element, Span};
use crate::quote::shortened;
use crate::read::Reader;
use crate::read::place::inside;
use crate::read::policy;
use crate::read::shapes::ROOT;
use crate::shape::Shape;
use crate::state::InstanceState;
use crate::suggest::did_you_mean;
use crate::text::Text;

/// The words of `mail-level`: akkaflow's own, which it spells so, and the Chinese ones.
const MAIL_LEVELS: &[(&str, &str, InstanceState)] = &[
    ("W_PREP", "就绪", InstanceState::Ready),
    ("W_RUNNING", "运行中", InstanceState::Running),
    ("W_SUSPENDED", "挂起", InstanceState::Suspended),
    ("W_SUCCESSED", "成功", InstanceState::Succeeded),
    ("W_FAILED", "失败", InstanceState::Failed),
    ("W_KILLED", "杀死", InstanceState::Killed),
];

/// What the root says beside its name.
pub(super) struct Head {
    pub(super) creator: String,
    pub(super) desc: Option<String>,
    pub(super) create_time: Option<String>,
    pub(super) mail_level: Vec<InstanceState>,
    pub(super) mail_receivers: Vec<String>,
    pub(super) instance_limit: i64,
    pub(super) dir: String,
    pub(super) overlap: Overlap,
    pub(super) failure_policy: FailurePolicy,
    pub(super) priority: i32,
    pub(super) keep: Keep,
}

pub(super) fn name(root: &Element) -> Option<String> {
    let name = root.attribute("name")?.value.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// An attribute that may be absent; blank is absent.
pub(super) fn optional(element: &Element, name: &str) -> Option<String> {
    let value = element.attribute(name)?.value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// A number that may be absent; the outer `None` when it is wrong, which its shape has reported.
fn count(shape: &Shape, root: &Element, name: &str) -> Option<Option<u32>> {
    if root.attribute(name).is_none() {
        return Some(None);
    }
    u32::try_from(shape.integer(root, name)?).ok().map(Some)
}

impl Reader<'_> {
    /// Everything but the name; `None` when a value is wrong, which is then reported.
    pub(super) fn read_head(&mut self, root: &Element) -> Option<Head> {
        let shape = &*ROOT;
        let mail_level = self.read_mail_level(root);
        let instance_limit = shape.integer(root, "instance-limit");
        self.check_limit(root, instance_limit);
        self.check_dir(root);
        Some(Head {
            creator: shape.value(root, "creator")?.to_owned(),
            desc: optional(root, "desc"),
            create_time: optional(root, "create-time"),
            mail_level,
            mail_receivers: split(shape.value(root, "mail-receivers").unwrap_or_default())
                .map(|(receiver, _)| receiver.to_owned())
                .collect(),
            instance_limit: instance_limit?,
            dir: shape.value(root, "dir")?.to_owned(),
            overlap: policy::overlap(shape, root)?,
            failure_policy: policy::failure_policy(shape, root)?,
            priority: policy::priority(shape, root)?.unwrap_or_default(),
            keep: Keep {
                days: count(shape, root, "keep-days")?,
                instances: count(shape, root, "keep-instances")?,
            },
        })
    }

    fn read_mail_level(&mut self, root: &Element) -> Vec<InstanceState> {
        let Some(attribute) = root.attribute("mail-level") else {
            return vec![InstanceState::Failed];
        };
        let mut levels = Vec::new();
        for (word, start) in split(&attribute.value) {
            let known = MAIL_LEVELS
                .iter()
                .find(|(name, zh, _)| name.eq_ignore_ascii_case(word) || *zh == word);
            match known {
                Some((_, _, state)) if levels.contains(state) => {}
                Some((_, _, state)) => levels.push(*state),
                // Told by the shape: what it brings is not known here.
                None if word.contains("${") => {}
                None => self.wrong_mail_level(attribute, word, start),
            }
        }
        levels
    }

    fn wrong_mail_level(&mut self, attribute: &Attribute, word: &str, start: usize) {
        let span = self.place(attribute, start, word);
        let found = shortened(word);
        let choices = "W_SUCCESSED, W_FAILED, W_KILLED";
        let help = did_you_mean(word, MAIL_LEVELS.iter().map(|(name, ..)| *name));
        self.diagnostics.error(
            code::BAD_MAIL_LEVEL,
            span,
            Text::new(
                format!("{found} 不能转换为工作流状态，请检查"),
                format!("`{found}` is no state of a workflow"),
            ),
            help.unwrap_or_else(|| {
                Text::new(
                    format!("可用：{choices}"),
                    format!("write some of {choices}"),
                )
            }),
        );
    }

    fn check_limit(&mut self, root: &Element, limit: Option<i64>) {
        let (Some(attribute), Some(limit @ ..=0)) = (root.attribute("instance-limit"), limit)
        else {
            return;
        };
        self.diagnostics.warning(
            code::NEVER_STARTS,
            attribute.value_span,
            Text::new(
                format!("instance-limit为{limit}，工作流永远不会启动"),
                format!("with an instance limit of {limit} the workflow never starts"),
            ),
            Text::new(
                "请写1或更大的数；停用调度请写 is-enabled=\"false\"",
                "write 1 or more; is-enabled=\"false\" of the coordinator switches a schedule off",
            ),
        );
    }

    fn check_dir(&mut self, root: &Element) {
        let Some(attribute) = root.attribute("dir") else {
            return;
        };
        let is_wrong = attribute.value.chars().any(char::is_control)
            || attribute
                .value
                .split('/')
                .any(|folder| matches!(folder.trim(), "." | ".."));
        if is_wrong {
            self.diagnostics.error(
                code::BAD_NAME,
                attribute.value_span,
                Text::new(
                    "`dir` 中不能有 `.`、`..` 或控制字符",
                    "`dir` must not hold `.`, `..` or control characters",
                ),
                Text::new("例如 /etl/daily", "an example is /etl/daily"),
            );
        }
    }

    /// Where a piece of an attribute's value stands that begins at byte `start` of it.
    pub(super) fn place(&self, attribute: &Attribute, start: usize, piece: &str) -> Span {
        inside(
            &self.document.source,
            attribute.value_span,
            &attribute.value,
            start..start + piece.len(),
        )
    }
}

/// The items of a comma list that are not blank, without the blanks around them, and where each begins.
fn split(list: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut start = 0;
    list.split([',', '，'])
        .map(move |item| {
            let begin = start + item.len() - item.trim_start().len();
            // The wide comma has three bytes.
            let end = start + item.len();
            start = end + list[end..].chars().next().map_or(0, char::len_utf8);
            (item.trim(), begin)
        })
        .filter(|(item, _)| !item.is_empty())
}
