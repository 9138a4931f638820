//! What an attempt's log says of processes that it has left behind.

use akkaflow_actions::{Level, LogSink};
use akkaflow_model::text::Text;

use crate::supervisor::{Exit, Left};

/// Names them all.
pub(crate) fn tell(exit: &Exit, log: &LogSink) {
    for left in &exit.left {
        let Left { pid, command, .. } = left;
        if !left.is_ended {
            log.say(
                Level::Info,
                &Text::new(
                    format!("进程{pid}已自成会话，任其继续运行: {command}"),
                    format!(
                        "left running: process {pid}, which made a session of its own: {command}"
                    ),
                ),
            );
        } else if exit.code == Some(0) {
            log.say(
                Level::Warn,
                &Text::new(
                    format!("已终止遗留的进程{pid}（要让它继续运行，请用setsid启动）: {command}"),
                    format!("ended process {pid}, which was left behind; start it with setsid where it shall go on: {command}"),
                ),
            );
        } else {
            log.say(
                Level::Warn,
                &Text::new(
                    format!("已终止失败的尝试遗留的进程{pid}: {command}"),
                    format!("ended process {pid}, which the failed attempt left behind: {command}"),
                ),
            );
        }
    }
}
