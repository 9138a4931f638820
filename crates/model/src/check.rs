//! A set of files checked as one: what each holds, and what does not fit between them.
//!
//! The command line, the master and the http-server all check with this module; what differs is only where the files come
//! from. A file that is broken is reported and otherwise takes no part, so it never spoils another.

mod handed_over;
mod outline;
mod set;

use std::path::Path;

use crate::code;
use crate::diagnostic::{Diagnostic, Finding, Severity};
use crate::element::Span;
use crate::encoding::size_beyond_limit;
use crate::links::{LinkKind, read_file};
use crate::read::{ActionCatalog, read_workflow};
use crate::render;
use crate::schedule::Calendar;
use crate::text::Text;
use crate::xml::MAX_BYTES;

pub use outline::{Idle, Outline, Place, Upstream};
pub use set::{Set, Surroundings};

/// A file, checked for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedFile {
    /// As it was named to us.
    pub file: String,
    /// Everything found so far, in the order of the file.
    pub findings: Vec<Finding>,
    /// What others need to know of its workflow; `None` when not even its name could be read, and for other files.
    pub outline: Option<Outline>,
    /// The name of the calendar that it is, right or wrong.
    pub calendar: Option<String>,
}

impl CheckedFile {
    /// Whether it cannot be used.
    pub fn has_errors(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.severity == Severity::Error)
    }
}

/// Whether a path names a file that is read from a directory of workflows: `*.xml` in any case, not hidden.
pub fn is_workflow_file(path: &Path) -> bool {
    let extension = path.extension();
    !is_hidden(path) && extension.is_some_and(|extension| extension.eq_ignore_ascii_case("xml"))
}

/// Whether a path names a calendar: `*.calendar`, not hidden.
pub fn is_calendar(path: &Path) -> bool {
    let extension = path.extension();
    !is_hidden(path) && extension.is_some_and(|extension| extension == Calendar::EXTENSION)
}

/// Whether a file or a directory is hidden: such are left to the editors and tools that made them.
pub fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_none_or(|name| name.to_string_lossy().starts_with('.'))
}

/// Whether a path names a file of links, which stands beside workflows in some directories.
pub fn is_link_file(path: &Path) -> bool {
    is_called(path, "db_links.xml") || is_called(path, "file_links.xml")
}

fn is_called(path: &Path, wanted: &str) -> bool {
    path.file_name()
        .is_some_and(|name| name.eq_ignore_ascii_case(wanted))
}

/// Whether a file of so many bytes is worth reading: it is refused otherwise.
pub fn is_readable_size(bytes: u64) -> bool {
    usize::try_from(bytes).is_ok_and(|bytes| bytes <= MAX_BYTES)
}

/// Reads one file and lists everything that can be said without the others.
pub fn check_file(file: &str, bytes: &[u8], actions: &dyn ActionCatalog) -> CheckedFile {
    if is_calendar(Path::new(file)) {
        let name = Path::new(file).file_stem().unwrap_or_default();
        return CheckedFile {
            file: file.to_owned(),
            findings: Calendar::read(file, bytes).findings,
            outline: None,
            calendar: Some(name.to_string_lossy().into_owned()),
        };
    }
    if is_link_file(Path::new(file)) {
        let kind = match is_called(Path::new(file), "file_links.xml") {
            true => LinkKind::File,
            false => LinkKind::Db,
        };
        let read = read_file(kind, bytes, file, &|link| actions.use_of(link));
        return CheckedFile {
            file: file.to_owned(),
            findings: render::locate_all(&read.source, file, &read.diagnostics),
            outline: None,
            calendar: None,
        };
    }
    let mut reading = read_workflow(bytes, actions);
    reading.diagnostics.extend(no_instance_limit(&reading));
    reading
        .diagnostics
        .sort_by_key(|diagnostic| diagnostic.span);
    CheckedFile {
        file: file.to_owned(),
        findings: reading.findings(file),
        outline: reading.outline,
        calendar: None,
    }
}

/// What the system says about a file or a directory, in words of both languages where it says what is usual.
pub fn reason(error: &std::io::Error) -> Text {
    use std::io::ErrorKind;
    let zh = match error.kind() {
        ErrorKind::NotFound => "不存在",
        ErrorKind::PermissionDenied => "没有权限",
        ErrorKind::IsADirectory => "是目录",
        ErrorKind::NotADirectory => "路径中有一段不是目录",
        ErrorKind::StorageFull => "磁盘已满",
        ErrorKind::ReadOnlyFilesystem => "文件系统只读",
        ErrorKind::AlreadyExists => "已存在",
        _ => return Text::verbatim(error.to_string()),
    };
    Text::new(zh, error.to_string())
}

/// Neither a file nor a directory of which there would be a content.
pub fn not_regular() -> Text {
    Text::new("不是普通文件", "it is not a regular file")
}

/// A file or directory that cannot be read at all, and why.
pub fn unreadable(file: &str, why: &Text) -> CheckedFile {
    let message = Text::new(
        format!("无法读取：{}", why.zh),
        format!("it cannot be read: {}", why.en),
    );
    let help = Text::new("请检查路径与权限", "look at its path and permissions");
    without_text(file, code::UNREADABLE, message, help)
}

/// A file that is too large to be looked at.
pub fn too_large(file: &str, bytes: u64) -> CheckedFile {
    let (message, help) = size_beyond_limit(bytes);
    without_text(file, code::TOO_LARGE, message, help)
}

fn without_text(file: &str, code: &'static str, message: Text, help: Text) -> CheckedFile {
    let diagnostic = Diagnostic {
        code,
        severity: Severity::Error,
        span: Span::default(),
        message,
        help: Some(help),
    };
    CheckedFile {
        file: file.to_owned(),
        findings: vec![render::locate("", file, &diagnostic)],
        outline: None,
        calendar: None,
    }
}

/// What the documentation of akkaflow calls unlimited and its code takes for 1.
fn no_instance_limit(reading: &crate::read::Reading) -> Option<Diagnostic> {
    let outline = reading
        .outline
        .as_ref()
        .filter(|outline| !outline.has_limit)?;
    reading.workflow.as_ref()?;
    Some(Diagnostic {
        code: code::NO_INSTANCE_LIMIT,
        severity: Severity::Note,
        span: outline.name_span,
        message: Text::new(
            "未配置instance-limit，同时只运行一个实例",
            "without `instance-limit` one instance runs at a time",
        ),
        help: Some(Text::new(
            "akkaflow文档称默认不限，而其代码为1，此处从代码；请写明 instance-limit=\"1\" 或更大的数",
            "akkaflow's documentation says unlimited, its code says 1, which holds here; write instance-limit=\"1\" or more",
        )),
    })
}

#[cfg(test)]
mod tests;
