//! `akka link ...`

use clap::{Arg, ArgAction, ArgGroup, Command};

use super::Words;

pub(super) fn link(words: &Words) -> Command {
    let named = |name, zh, en| {
        let link = words.argument("NAME", "连接名称", "Name of the link");
        words.command(name, zh, en).arg(link)
    };
    let of_a_kind = |name, zh, en| named(name, zh, en).arg(kind(words));
    words
        .object(
            "link",
            "连接：工作流所用的数据库与文件系统",
            "Links: the databases and file systems that workflows name",
        )
        .subcommand(words.command("list", "查看连接", "Show the links"))
        .subcommand(of_a_kind(
            "show",
            "查看一个连接，不含密码",
            "Show a link, but not its password",
        ))
        .subcommand(said(
            words,
            named(
                "add",
                "添加连接，加密保存在数据库中",
                "Add a link, kept encrypted in the database",
            ),
            true,
        ))
        .subcommand(said(
            words,
            of_a_kind(
                "set",
                "修改连接，未给出的各项不变",
                "Change a link; what is not said stays",
            ),
            false,
        ))
        .subcommand(
            of_a_kind(
                "test",
                "测试连接：能否连接、读、写、取消、批量写入，以及速度；不留下任何东西",
                "Try a link: connecting, reading, writing, cancelling, the bulk path, and how fast; leaves nothing behind",
            )
            .arg(words.option(
                "worker",
                "ID",
                "由哪个worker测试，默认任意一个，见akka cluster",
                "Which worker tries it, any by default, see akka cluster",
            ))
            .after_help(words.say(
                "退出码：0 全部正常，1 有一项失败",
                "Exit codes: 0 all parts work, 1 one does not",
            )),
        )
        .subcommand(of_a_kind("remove", "删除连接", "Remove a link").visible_alias("del"))
        .subcommand(words.command(
            "rekey",
            "用密钥文件中的新密钥重新加密数据库中的所有连接，旧密钥须在旁边的.old文件中",
            "Seal all links of the database with the new key of the key file; the old one lies beside it, ending in .old",
        ))
}

fn kind(words: &Words) -> Arg {
    words
        .option(
            "kind",
            "KIND",
            "db数据库或file文件，同名时必须指明",
            "db or file, where both have one of that name",
        )
        .value_parser(["db", "file"])
        .hide_possible_values(true)
}

/// What may be said of a link.
fn said(words: &Words, command: Command, is_new: bool) -> Command {
    let option = |name, value, zh, en| words.option(name, value, zh, en);
    let command = command
        .arg(
            option(
                "type",
                "TYPE",
                "MYSQL、POSTGRESQL、SQLITE、ORACLE、HIVE，或SFTP、HDFS、LOCAL",
                "MYSQL, POSTGRESQL, SQLITE, ORACLE or HIVE; SFTP, HDFS or LOCAL",
            )
            .required(is_new),
        )
        .arg(option(
            "url",
            "URL",
            "jdbc地址，如jdbc:mysql://host:3306/db",
            "Where a database is: jdbc:mysql://host:3306/db",
        ))
        .arg(option(
            "host",
            "HOST",
            "文件系统的主机",
            "Host of a file system",
        ))
        .arg(
            option("port", "PORT", "文件系统的端口", "Port of a file system")
                .value_parser(clap::value_parser!(u16)),
        )
        .arg(option("username", "NAME", "用户名", "Who connects"))
        .arg(words.flag(
            "password-stdin",
            "从标准输入读取密码",
            "Read the password from standard input",
        ))
        .arg(option(
            "password-file",
            "FILE",
            "从文件读取密码（首行）",
            "Read the password from a file, its first line",
        ))
        .arg(words.flag("no-password", "没有密码", "There is no password"))
        .arg(option(
            "key-file",
            "FILE",
            "SSH私钥文件，在master上，相对路径从连接文件所在目录开始",
            "File of a private key on the master; a relative path begins where the link files lie",
        ))
        .arg(option("desc", "TEXT", "描述", "What it is for"))
        .arg(
            option(
                "property",
                "NAME=VALUE",
                "连接属性，可重复；修改时替换全部属性",
                "A further setting, may be repeated; a change replaces all of them",
            )
            .action(ArgAction::Append),
        );
    let mut ways = vec!["password-stdin", "password-file", "no-password"];
    if is_new {
        let after = words.say(
            "需要密码而未给出时，会提示输入（不显示）",
            "A password that is needed and not given is asked for, and not shown while it is typed",
        );
        return command
            .after_help(after)
            .group(ArgGroup::new("password").args(ways));
    }
    ways.push("ask-password");
    let ask = words.flag(
        "ask-password",
        "提示输入密码（不显示）",
        "Ask for the password",
    );
    command.arg(ask).group(ArgGroup::new("password").args(ways))
}
