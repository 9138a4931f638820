//! Paths that begin like an address: a file of the worker is hardly called `s3://bucket/rows.csv`.

use akkaflow_connectors::addressed;
use akkaflow_model::code;
use akkaflow_model::diagnostic::Diagnostics;
use akkaflow_model::element::{Child, Element, Span};
use akkaflow_model::text::Text;

use super::format::End;

/// Ways to another machine that a file-link goes too.
const OVER_SSH: &[&str] = &["sftp", "scp", "ssh", "ftp", "ftps"];

/// Refuses a path that begins with a scheme, unless it is one that can be read or written. Whether it may go on.
pub(super) fn check(
    element: &Element,
    path: &str,
    end: End,
    diagnostics: &mut Diagnostics,
) -> bool {
    let Some(scheme) = scheme(path).filter(|_| addressed(path.trim()).is_none()) else {
        return true;
    };
    let small = scheme.to_ascii_lowercase();
    let help = match small.as_str() {
        "http" | "https" => Text::new(
            format!("请写小写的 {small}://"),
            format!("write {small}:// in small letters"),
        ),
        "file" => Text::new(
            "请只写路径，例如 /data/rows.csv",
            "write the path alone, such as /data/rows.csv",
        ),
        small if OVER_SSH.contains(&small) => Text::new(
            "其他主机上的文件经SFTP读写：请写 file-link=\"文件连接的名称\"（类型为SFTP），此处只写路径",
            "files of other machines come and go over SFTP: write file-link=\"NAME\" of a file-link of type SFTP, and the path alone here",
        ),
        _ => {
            let (zh, en) = match end {
                End::Source => (
                    "，读取时还可写 http:// 与 https:// 网址",
                    ", or at an address of http:// or https://",
                ),
                End::Target => ("", ""),
            };
            Text::new(
                format!(
                    "文件可以在worker上（路径），或经file-link在类型为SFTP的主机上{zh}；其余请先用 <script> 取来或送走"
                ),
                format!(
                    "files lie on the worker (a path) or on a machine of a file-link of type SFTP{en}; a <script> may fetch or send others"
                ),
            )
        }
    };
    diagnostics.error(
        code::TRANSFER_OPTION,
        place(element, end),
        Text::new(
            format!("不支持 `{scheme}://`：它会被当作文件路径"),
            format!("`{scheme}://` is not supported: it would be taken for the path of a file"),
        ),
        help,
    );
    false
}

/// What stands before `://`.
fn scheme(path: &str) -> Option<&str> {
    let (scheme, _) = path.trim_start().split_once("://")?;
    let is_sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let is_scheme =
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(is_sign);
    is_scheme.then_some(scheme)
}

fn place(element: &Element, end: End) -> Span {
    let of_text = element.children.iter().find_map(|child| match child {
        Child::Text { text, span } if !text.trim().is_empty() => Some(*span),
        _ => None,
    });
    let of_path = element.attribute("path").map(|path| path.value_span);
    let span = match end {
        End::Source => of_text,
        End::Target => of_path,
    };
    span.unwrap_or(element.name_span)
}

#[cfg(test)]
mod tests {
    use super::scheme;

    #[test]
    fn a_scheme_is_letters_before_two_slashes() {
        for (path, expected) in [
            ("s3://b/k", Some("s3")),
            (" FTP://h/f", Some("FTP")),
            ("https://h/${param:day}.csv", Some("https")),
            ("${param:base}/a.csv", None),
            ("${param:base}://a.csv", None),
            ("/data/a.csv", None),
            ("data/x://y", None),
            ("C:/data", None),
            ("3://x", None),
            ("://x", None),
        ] {
            assert_eq!(scheme(path), expected, "{path}");
        }
    }
}
