//! What may be typed, in the modern form.

mod backfill;
mod link;

use akkaflow_model::text::Lang;
use clap::{Arg, ArgAction, Command};
use clap_complete::Shell;

/// Options that every command has stand behind its own.
const LAST: usize = 900;

/// Builds commands whose help is in one language.
struct Words(Lang);

impl Words {
    fn say(&self, zh: &'static str, en: &'static str) -> &'static str {
        match self.0 {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    fn command(&self, name: &'static str, zh: &'static str, en: &'static str) -> Command {
        let template = self.say(
            "{about-with-newline}\n用法: {usage}\n\n{all-args}{after-help}",
            "{about-with-newline}\nUsage: {usage}\n\n{all-args}{after-help}",
        );
        Command::new(name)
            .about(self.say(zh, en))
            .help_template(template)
            .subcommand_help_heading(self.say("命令", "Commands"))
            .disable_help_flag(true)
            .disable_help_subcommand(true)
    }

    /// With `--help` everywhere; added last, so that a help names its arguments before its options.
    fn with_help(&self, command: Command) -> Command {
        let help = Arg::new("help")
            .short('h')
            .long("help")
            .action(ArgAction::Help)
            .display_order(LAST + 2)
            .help_heading(self.say("选项", "Options"))
            .help(self.say("显示帮助", "Print help"));
        command
            .mut_subcommands(|inner| self.with_help(inner))
            .arg(help)
    }

    fn object(&self, name: &'static str, zh: &'static str, en: &'static str) -> Command {
        self.command(name, zh, en)
            .subcommand_required(true)
            .arg_required_else_help(true)
    }

    fn flag(&self, name: &'static str, zh: &'static str, en: &'static str) -> Arg {
        Arg::new(name)
            .long(name)
            .action(ArgAction::SetTrue)
            .help_heading(self.say("选项", "Options"))
            .help(self.say(zh, en))
    }

    fn option(
        &self,
        name: &'static str,
        value: &'static str,
        zh: &'static str,
        en: &'static str,
    ) -> Arg {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .allow_hyphen_values(true)
            .help_heading(self.say("选项", "Options"))
            .help(self.say(zh, en))
    }

    fn argument(&self, name: &'static str, zh: &'static str, en: &'static str) -> Arg {
        Arg::new(name)
            .value_name(name)
            .required(true)
            .help_heading(self.say("参数", "Arguments"))
            .help(self.say(zh, en))
    }

    fn workflow_name(&self) -> Arg {
        self.argument("NAME", "工作流名称", "Name of the workflow")
    }

    fn instance_id(&self) -> Arg {
        self.argument(
            "ID",
            "实例id的任意唯一片段",
            "Any unique part of the instance's id",
        )
    }

    fn reason(&self) -> Arg {
        self.option("reason", "TEXT", "原因", "Why")
    }

    fn date(&self) -> Arg {
        self.option(
            "date",
            "DATE",
            "业务日期 yyyy-MM-dd[THH:mm:ss]",
            "Business date yyyy-MM-dd[THH:mm:ss]",
        )
    }

    fn watching(&self, command: Command) -> Command {
        command
            .arg(self.flag(
                "wait",
                "等到实例结束，失败时退出码为1",
                "Wait for the end; exit code 1 when it fails",
            ))
            .arg(self.flag(
                "follow",
                "跟踪日志直到实例结束",
                "Follow the log to the end of the instance",
            ))
            .arg(self.flag(
                "log",
                "与--wait同用，结束后打印日志",
                "With --wait: print the log at the end",
            ))
    }
}

/// The whole command, its help in one language.
pub fn command(lang: Lang) -> Command {
    let words = &Words(lang);
    let command = words
        .object("akka", "akkaflow 命令行", "The command line of akkaflow")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_version_flag(true)
        .arg(
            words
                .flag("version", "显示版本", "Print the version")
                .short('V')
                .display_order(LAST + 3)
                .action(ArgAction::Version),
        )
        .arg(
            words
                .flag("json", "输出JSON", "Print JSON")
                .display_order(LAST)
                .global(true),
        )
        .arg(
            words
                .option(
                    "server",
                    "URL",
                    "http-server的地址，未给出时取环境变量AKKAFLOW_SERVER，\n再无则为 http://127.0.0.1:8090",
                    "Where the http-server is; else what AKKAFLOW_SERVER says, else http://127.0.0.1:8090",
                )
                .display_order(LAST + 1)
                .global(true),
        )
        .after_help(words.say(
            "退出码: 0成功 1失败 2用法错误 3不存在 4状态冲突 5服务不可用 6结果未知 7禁止 8过载 9内部错误\n\
             单独输入 akka 可查看全部命令的写法和示例\n",
            "Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 not in this state,\n\
             5 unavailable, 6 outcome unknown, 7 forbidden, 8 too much at once,\n\
             9 internal error\n\
             `akka` alone shows how every command is written, with examples\n",
        ))
        .subcommand(words.command("front", "首页：统计、等待、运行中、最近结束", "The overview: what waits, runs and ended"))
        .subcommand(workflow(words))
        .subcommand(instance(words))
        .subcommand(util(words))
        .subcommand(
            words
                .command("why", "为什么还没有运行", "Say why an instance or a workflow does not run")
                .arg(words.argument("WHAT", "实例或补数的id，或工作流名称", "Id of an instance or a backfill, or name of a workflow"))
                .arg(words.option("node", "NODE", "只看该节点", "Only this node of the instance")),
        )
        .subcommand(forecast(words))
        .subcommand(
            words
                .command("capsule", "导出实例的调度历史（不含密码），可离线重放或当作测试", "Export what an instance was decided from, without secrets, to replay or test it anywhere")
                .arg(words.instance_id())
                .arg(words.option("output", "FILE", "写入该文件", "Write it to this file").short('o')),
        )
        .subcommand(
            words
                .command("replay", "离线重放导出的实例，核对每一步调度决定", "Decide an exported instance again, step by step, without a server")
                .arg(words.argument("FILE", "akka capsule导出的文件", "A file that akka capsule wrote"))
                .after_help(words.say(
                    "退出码：0 决定完全相同，1 有差异或历史不完整，2 用法错误",
                    "Exit codes: 0 the same decisions, 1 other ones or an incomplete history, 2 usage",
                )),
        )
        .subcommand(
            words
                .command("test", "用模拟的节点结果测试工作流（离线）", "Test workflows with nodes that only pretend to run, without a server")
                .arg(words.argument("FILE", "TOML测试文件，或akka capsule导出的文件", "Test files in TOML, or files that akka capsule wrote").num_args(1..))
                .arg(zone(words))
                .after_help(words.say(
                    "退出码：0 全部通过，1 有测试未通过，2 用法错误或文件无法读取",
                    "Exit codes: 0 all tests passed, 1 some failed, 2 usage or a file that cannot be read",
                )),
        )
        .subcommand(check(words))
        .subcommand(cron(words))
        .subcommand(eval(words))
        .subcommand(
            words
                .command("cluster", "集群信息", "Show the master and the workers")
                .subcommand(
                    words
                        .command("freeze", "冻结集群：不再触发和分派，运行中的继续", "Fire and dispatch nothing any more; what runs goes on")
                        .arg(words.reason()),
                )
                .subcommand(words.command("thaw", "解冻集群", "Let the cluster go on")),
        )
        .subcommand(backfill::backfill(words))
        .subcommand(mail(words))
        .subcommand(link::link(words))
        .subcommand(pool(words))
        .subcommand(
            words.object("worker", "worker管理", "Workers").subcommand(
                words
                    .command("fence", "宣布失联的worker已死，其任务立即转移；请先确认它确实已停止", "Declare a worker out of reach dead, so that its work moves at once; make sure that it is")
                    .arg(words.argument("ID", "worker的id，见akka cluster", "Id of the worker, see akka cluster")),
            ),
        )
        .subcommand(format(words))
        .subcommand(words.command("xsd", "输出XML Schema，供编辑器补全与检查", "Print the XML Schema with which editors complete and check files"))
        .subcommand(
            words
                .command("completions", "输出命令补全脚本", "Print a completion script")
                .arg(words.argument("SHELL", "bash、zsh、fish等", "The shell").value_parser(clap::value_parser!(Shell))),
        );
    words.with_help(command)
}

fn mail(words: &Words) -> Command {
    let named = |name, zh, en| {
        let id = words.argument(
            "ID",
            "邮件，见akka mail list",
            "The mail, see akka mail list",
        );
        words.command(name, zh, en).arg(id)
    };
    let list = words
        .command(
            "list",
            "查看邮件及其发送情况",
            "Show mails, and how their sending goes",
        )
        .arg(
            words
                .option(
                    "state",
                    "STATE",
                    "waiting待发送、sent已发送或dead未送达",
                    "waiting, sent or dead",
                )
                .value_parser(["waiting", "sent", "dead"])
                .hide_possible_values(true),
        )
        .arg(words.option(
            "instance",
            "INSTANCE",
            "只看该实例的邮件",
            "Only those about this instance",
        ))
        .arg(
            words
                .option(
                    "limit",
                    "COUNT",
                    "最多显示多少封，默认且最多500",
                    "At most so many; 500 by default and at most",
                )
                .value_parser(clap::value_parser!(u16).range(1..=500)),
        );
    words
        .object("mail", "邮件：告警与通知", "Mails: what people are told")
        .subcommand(list)
        .subcommand(
            named("show", "查看一封邮件的内容", "Show what a mail says").arg(words.flag(
                "html",
                "输出HTML网页",
                "Print it as a page in HTML",
            )),
        )
        .subcommand(named(
            "send",
            "立即发送：全部已送达时发给所有人，否则只发给未收到的人",
            "Send it now: to all when all have it, otherwise to those who have not",
        ))
}

fn pool(words: &Words) -> Command {
    let named = |name, zh, en| {
        let pool = words.argument("NAME", "资源池名称", "Name of the pool");
        words.command(name, zh, en).arg(pool)
    };
    words
        .object("pool", "资源池：节点共享的份额", "Pools: what nodes share")
        .subcommand(words.command("list", "查看资源池", "Show the pools"))
        .subcommand(
            named(
                "set",
                "定义资源池或修改份数",
                "Define a pool, or change its size",
            )
            .arg(
                words
                    .argument("SLOTS", "份数", "How much of it there is")
                    .value_parser(clap::value_parser!(u32)),
            ),
        )
        .subcommand(named("del", "删除资源池", "Remove a pool").visible_alias("delete"))
}

fn check(words: &Words) -> Command {
    words
        .command(
            "check",
            "离线检查文件或整个目录，列出全部问题",
            "Show every problem of files and directories, without a server",
        )
        .after_help(words.say(
            "退出码：0 可用，1 有错误（--strict 时警告也算），2 用法错误或路径不存在",
            "Exit codes: 0 all of it can be used, 1 errors (with --strict warnings too), 2 usage or no such path",
        ))
        .arg(
            words
                .argument("PATH", "工作流文件或目录，作为一个整体检查，-表示标准输入", "Files or directories, checked as one set; - for standard input")
                .num_args(1..),
        )
        .arg(
            words
                .option("format", "FORMAT", "text、json或sarif", "text, json or sarif")
                .value_parser(["text", "json", "sarif"])
                .hide_possible_values(true),
        )
        .arg(words.flag("strict", "警告也使退出码为1，当前版本暂不执行的除外", "Warnings make the exit code 1 too, save for what this version does not run yet"))
}

fn format(words: &Words) -> Command {
    words
        .command(
            "fmt",
            "整理工作流文件的缩进，脚本、SQL与注释内容不变",
            "Mend the indentation of workflow files; scripts, statements and comments stay as they are",
        )
        .after_help(words.say(
            "退出码：0 完成，1 有文件需要整理（--check）或无法处理，2 用法错误或路径不存在",
            "Exit codes: 0 done, 1 files to mend (--check) or files that are broken, 2 usage or no such path",
        ))
        .arg(
            words
                .argument("PATH", "文件或目录，-表示标准输入", "Files or directories, - for standard input")
                .num_args(1..),
        )
        .arg(words.flag("check", "只显示差异，不修改文件", "Only show what would change"))
}

fn forecast(words: &Words) -> Command {
    words
        .command(
            "forecast",
            "预测：每小时负荷、各实例预计何时启动和结束、哪些会延迟、哪些会一直等待",
            "Foresee the load by the hour, when instances start and end, what is late and what waits for ever",
        )
        .arg(
            words
                .argument("HORIZON", "预测多久，例如7d、12h，默认7d，最多31d", "How far to look, such as 7d or 12h; 7d by default, 31d at most")
                .required(false),
        )
        .arg(words.option("workflow", "NAME", "只显示该工作流", "Show this workflow only"))
        .arg(
            words
                .option("limit", "COUNT", "每个列表最多显示多少个，默认40", "At most so many of each list, 40 by default")
                .value_parser(clap::value_parser!(u16).range(1..=20_000)),
        )
        .after_help(words.say(
            "假定无人操作、没有失败，各节点用时与以往相同（最近30次成功的中位数）",
            "It takes for granted that nobody does anything, nothing fails, and nodes take as long as they did: the median of the last 30 successes",
        ))
}

fn cron(words: &Words) -> Command {
    words
        .command(
            "cron",
            "说明cron表达式的含义并预览接下来的触发时间（离线）",
            "Say what a cron means and when it fires next, without a server",
        )
        .arg(
            words
                .argument(
                    "EXPR",
                    "五个字段、@daily等简写，或英文短语",
                    "Five fields, @daily and the like, or an English phrase",
                )
                .num_args(1..),
        )
        .arg(zone(words))
        .arg(words.option(
            "at",
            "TIME",
            "从何时起，默认现在：yyyy-MM-dd[THH:mm:ss]",
            "Looks ahead from here, now by default: yyyy-MM-dd[THH:mm:ss]",
        ))
        .arg(
            words
                .option(
                    "n",
                    "COUNT",
                    "预览次数，默认10",
                    "How many fires, 10 by default",
                )
                .short('n')
                .long("count")
                .value_parser(clap::value_parser!(u16).range(0..=1000)),
        )
        .arg(
            words
                .option(
                    "style",
                    "STYLE",
                    "akkaflow（默认）或crontab",
                    "akkaflow (default) or crontab",
                )
                .value_parser(["akkaflow", "crontab"])
                .hide_possible_values(true),
        )
        .arg(words.option("calendar", "FILE", "日历文件", "A calendar file"))
        .arg(
            words
                .option(
                    "policy",
                    "POLICY",
                    "日历的用法：workdays（默认）、days-off、next或previous",
                    "What the calendar does: workdays (default), days-off, next or previous",
                )
                .value_parser(["workdays", "days-off", "next", "previous"])
                .hide_possible_values(true)
                .requires("calendar"),
        )
}

fn zone(words: &Words) -> Arg {
    words.option(
        "zone",
        "ZONE",
        "时区，默认为本机时区，例如 Asia/Shanghai",
        "Time zone, this machine's by default, as in Asia/Shanghai",
    )
}

fn eval(words: &Words) -> Command {
    words
        .command(
            "eval",
            "计算时间与参数表达式（离线）",
            "Work out a date or a text with parameters, without a server",
        )
        .arg(words.argument(
            "TEXT",
            "例如 '${time.today|yyyyMMdd|-1 day}'",
            "As in '${time.today|yyyyMMdd|-1 day}'",
        ))
        .arg(words.option(
            "at",
            "TIME",
            "触发时间，默认现在：yyyy-MM-dd[THH:mm:ss]",
            "The fire time, now by default: yyyy-MM-dd[THH:mm:ss]",
        ))
        .arg(zone(words))
        .arg(
            words
                .option("p", "K=V", "参数，可重复", "A parameter, repeatable")
                .short('p')
                .long("param")
                .action(ArgAction::Append),
        )
}

fn workflow(words: &Words) -> Command {
    let named = |name, zh, en| words.command(name, zh, en).arg(words.workflow_name());
    let file = || words.argument("FILE", "工作流XML文件", "A workflow file");
    words
        .object("workflow", "工作流", "Workflows")
        .subcommand(
            named("info", "查看工作流", "Show a workflow")
                .arg(words.flag("xml", "只看XML", "Only its XML"))
                .arg(
                    words
                        .flag("log", "最近100次运行", "Its last 100 runs")
                        .conflicts_with("xml"),
                ),
        )
        .subcommand(named("xml", "查看XML", "Show its XML"))
        .subcommand(named("log", "最近100次运行", "Show its last 100 runs"))
        .subcommand(
            words
                .command("list", "工作流目录树", "The tree of workflows")
                .arg(
                    words
                        .argument("FOLDER", "只看该目录", "Only this folder")
                        .required(false),
                ),
        )
        .subcommand(
            words
                .command(
                    "add",
                    "检查并添加或更新工作流",
                    "Check a file, then add or replace its workflow",
                )
                .arg(file()),
        )
        .subcommand(
            words
                .command(
                    "check",
                    "检查工作流文件，列出全部错误",
                    "Show every mistake of a file",
                )
                .arg(file()),
        )
        .subcommand(named("del", "删除工作流", "Delete a workflow").visible_alias("delete"))
        .subcommand(
            named(
                "state",
                "查看或设置跨实例保留的值",
                "Show or set what it keeps between runs",
            )
            .arg(
                words
                    .option(
                        "set",
                        "K=V",
                        "设置一个值，可重复",
                        "Set a value, repeatable",
                    )
                    .action(ArgAction::Append),
            ),
        )
        .subcommand(
            named(
                "measurements",
                "查看data-monitor各次的检测值",
                "Show what its data-monitors have seen",
            )
            .arg(words.option("node", "NODE", "只看该节点", "Only those of this node"))
            .arg(
                words
                    .option(
                        "limit",
                        "COUNT",
                        "最多显示多少次，默认20，最多1000",
                        "At most so many: 20 by default, 1000 at most",
                    )
                    .value_parser(clap::value_parser!(u16).range(1..=1000)),
            ),
        )
        .subcommand(named(
            "reset",
            "重置调度器状态",
            "Forget what its dependencies have delivered",
        ))
        .subcommand(
            words.watching(
                named("trigger", "触发一次", "Run it as its schedule would")
                    .arg(words.flag(
                        "blood",
                        "随后依次触发所有后置工作流",
                        "And everything downstream after it",
                    ))
                    .arg(
                        words
                            .option(
                                "ignore",
                                "A,B",
                                "忽略的动作节点",
                                "Action nodes to pass over",
                            )
                            .conflicts_with("blood"),
                    )
                    .arg(words.date()),
            ),
        )
        .subcommand(
            named(
                "suspend",
                "暂停调度：不再自动运行，仍可手动运行",
                "Start it no more by itself; people may still run it",
            )
            .arg(words.reason()),
        )
        .subcommand(named(
            "resume",
            "恢复调度，从现在起",
            "Let its schedule go on from now",
        ))
        .subcommand(
            words.watching(
                named(
                    "run",
                    "运行一次，不触发后置工作流",
                    "Run it once, without starting what depends on it",
                )
                .arg(
                    words
                        .option(
                            "p",
                            "K=V",
                            "参数，可重复；亦可--param 'a=1&b=2'",
                            "A parameter, repeatable; or --param 'a=1&b=2'",
                        )
                        .short('p')
                        .long("param")
                        .action(ArgAction::Append),
                )
                .arg(words.date())
                .arg(words.option(
                    "idempotency-key",
                    "KEY",
                    "重复请求只运行一次",
                    "A repeated request runs it once",
                )),
            ),
        )
}

fn instance(words: &Words) -> Command {
    let named = |name, zh, en| words.command(name, zh, en).arg(words.instance_id());
    words
        .object("instance", "工作流实例", "Instances")
        .subcommand(
            named("info", "查看实例", "Show an instance")
                .arg(words.flag("xml", "只看XML", "Only its XML"))
                .arg(
                    words
                        .flag("log", "只看日志", "Only its log")
                        .conflicts_with("xml"),
                ),
        )
        .subcommand(
            named("log", "查看日志", "Show its log")
                .arg(
                    words
                        .flag(
                            "follow",
                            "跟踪到实例结束",
                            "Follow it to the end of the instance",
                        )
                        .short('f'),
                )
                .arg(
                    words
                        .option("tail", "N", "只看最后N行", "Only its last N lines")
                        .value_parser(clap::value_parser!(u32))
                        .conflicts_with("follow"),
                ),
        )
        .subcommand(named("xml", "查看XML", "Show its XML"))
        .subcommand(named("attempts", "查看每一次尝试", "Show every attempt"))
        .subcommand(named("kill", "杀死实例", "End an instance"))
        .subcommand(named("del", "删除实例", "Remove an instance").visible_alias("delete"))
        .subcommand(
            words.watching(
                named("rerun", "重跑实例", "Run an instance again")
                    .arg(
                        words
                            .flag("recover", "保留已成功的节点", "Keep what has succeeded")
                            .visible_alias("from-failed"),
                    )
                    .arg(
                        words
                            .option(
                                "node",
                                "NODE",
                                "从该节点起重跑，可重复；其余已成功的节点保留",
                                "From this node on, repeatable; what else has succeeded is kept",
                            )
                            .action(ArgAction::Append),
                    )
                    .arg(words.flag(
                        "same-version",
                        "使用原来的定义",
                        "Keep the definition that it ran with",
                    )),
            ),
        )
        .subcommand(
            named(
                "pause",
                "暂停实例：运行中的节点继续，不再启动新节点",
                "Let what runs finish and start nothing new",
            )
            .arg(words.reason()),
        )
        .subcommand(named("resume", "恢复实例", "Let it go on").arg(words.reason()))
        .subcommand(
            named(
                "mark",
                "标记节点无需执行：视为成功（默认）或跳过；已结束的实例随即从失败处重跑",
                "Say that a node need not run: it counts as done, or as skipped; an ended instance then runs again from where it broke",
            )
            .arg(words.argument("NODE", "动作节点", "The action node"))
            .arg(
                words
                    .flag("skipped", "标记为跳过", "It is left out")
                    .conflicts_with("succeeded"),
            )
            .arg(words.flag(
                "succeeded",
                "标记为成功（默认）",
                "Its work was done by other means, the default",
            ))
            .arg(words.reason()),
        )
        .subcommand(
            named(
                "repair",
                "用新定义继续未结束的实例，已成功的节点不变",
                "Let an open instance go on with another definition; what has succeeded stays",
            )
            .arg(
                words
                    .argument(
                        "FILE",
                        "工作流文件，默认为当前生效的定义",
                        "A workflow file; the definition in force by default",
                    )
                    .required(false),
            )
            .arg(words.flag(
                "dry-run",
                "只显示差异",
                "Only show what would change",
            ))
            .arg(words.reason()),
        )
        .subcommand(
            words
                .command("search", "查询实例", "Find instances")
                .visible_alias("list")
                .arg(words.option(
                    "sdate",
                    "DATE",
                    "开始日期，默认今天",
                    "First day, today by default",
                ))
                .arg(words.option(
                    "edate",
                    "DATE",
                    "结束日期，默认今天",
                    "Last day, today by default",
                ))
                .arg(words.option("creator", "NAME", "创建者", "Creator"))
                .arg(words.option(
                    "status",
                    "STATE",
                    "成功|失败|杀死|运行|就绪",
                    "succeeded|failed|killed|running|ready",
                ))
                .arg(words.option("key", "TEXT", "id或名称包含", "Part of id or name")),
        )
}

fn util(words: &Words) -> Command {
    words
        .object("util", "工具", "Tools")
        .subcommand(words.command("reset-all", "重置全部调度器状态", "Reset all schedules"))
        .subcommand(
            words
                .command("del-dir", "删除空目录", "Delete an empty folder")
                .arg(words.argument("FOLDER", "目录的绝对路径", "Absolute path of the folder")),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_well_formed_in_both_languages() {
        command(Lang::Zh).debug_assert();
        command(Lang::En).debug_assert();
    }
}
