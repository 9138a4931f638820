//! What `akka` alone says.

use akkaflow_model::text::Lang;

const BANNER: &str = r"
          _    _          __ _
    __ _ | | _| | ____ _ / _| | _____      __
   / _` || |/ / |/ / _` | |_| |/ _ \ \ /\ / /
  | (_| ||   <|   < (_| |  _| | (_) \ V  V /
   \__,_||_|\_\_|\_\__,_|_| |_|\___/ \_/\_/

";

const ZH: &str = "\
【使用】
  akka front                                显示首页：近七天统计、等待、运行中和最近结束的实例
  akka workflow -info NAME [--xml|--log]    查看工作流、其XML、其最近的运行
  akka workflow -list [目录]                工作流目录树
  akka workflow -check FILE                 检查工作流文件，列出全部错误（无需服务）
  akka workflow -add FILE                   检查并添加（或更新）工作流
  akka workflow -run NAME [-p k=v]...       运行一次，不触发后置工作流；也可 --param 'a=1&b=2'
  akka workflow -trigger NAME [--blood]     触发一次；--blood 依次触发所有后置工作流
  akka workflow -reset NAME                 重置调度器状态
  akka workflow -suspend NAME | -resume NAME  暂停 | 恢复调度
  akka workflow -del NAME                   删除工作流
  akka instance -info ID [--log|--xml]      查看实例、其日志、其XML
  akka instance -log ID [--follow]          查看或跟踪日志
  akka instance -kill ID                    杀死实例
  akka instance -rerun ID [--recover]       重跑；--recover 保留已成功的节点
  akka instance -rerun ID --node NODE       从该节点起重跑
  akka instance -pause ID | -resume ID      暂停 | 恢复实例
  akka instance -mark ID NODE [--skipped]   标记节点成功或跳过，无需执行；--reason 原因
  akka instance -repair ID [FILE] [--dry-run]  用新定义继续未结束的实例；--dry-run 只看差异
  akka instance -del ID                     删除实例
  akka instance -search [--sdate 日期] [--edate 日期] [--creator 创建者] [--status 状态] [--key 关键字]
  akka util -reset-all | -del-dir 目录      重置全部调度器 | 检查目录能否删除
  akka check PATH... [--strict]             离线检查文件或目录；--format text|json|sarif
  akka test FILE...                         用模拟的节点结果测试工作流（离线）
  akka capsule ID [-o FILE]                 导出实例的调度历史，不含密码
  akka replay FILE                          离线重放导出的实例，核对每一步决定
  akka cron EXPR [--zone 时区] [-n 次数]     离线说明cron的含义并预览触发时间
  akka eval TEXT [--at 日期]                离线计算 '${time.today|yyyyMMdd|-1 day}' 一类表达式
  akka why ID|NAME                          为什么还没有运行
  akka cluster [freeze|thaw]                集群信息 | 冻结 | 解冻
  akka backfill plan|start NAME --from 日期 --to 日期 [--dependants]  补数：计划 | 开始
  akka backfill list | info|pause|resume|abort ID  补数：查看 | 暂停 | 恢复 | 中止
  akka mail list | show|send ID             邮件：查看 | 内容 | 立即发送
  akka link list | show|add|set|remove|test NAME  连接：查看 | 内容 | 添加 | 修改 | 删除 | 测试
  akka pool list | set NAME 份数 | del NAME  资源池
  akka worker fence ID                      宣布失联的worker已死
  akka fmt [--check] PATH...                整理工作流文件的缩进，脚本与注释不变
  akka xsd                                  工作流文件的XML Schema，供编辑器使用
  akka completions bash|zsh|fish            命令补全脚本
【说明】
  也可写成 akka workflow info NAME 的形式，语言随系统；-info 的形式总是中文，除非 AKKAFLOW_LANG=en。
  ID 可以是实例id的任意唯一片段。任何命令加 --json 输出JSON，加 --help 查看用法。
  服务地址：--server URL 或环境变量 AKKAFLOW_SERVER，默认 http://127.0.0.1:8090
  退出码：0成功 1失败 2用法错误 3不存在 4状态冲突 5服务不可用 6结果未知 7禁止 8过载 9内部错误
【示例】
  akka workflow -check xmlconfig/日报.xml
  akka workflow -run 日报 -p stadate=2026-11-20
  akka workflow run 日报 --follow
  akka instance -info 8f3a --log
";

const EN: &str = "\
USAGE
  akka front                                the overview: seven days, waiting, running, lately ended
  akka workflow info NAME [--xml|--log]     a workflow, its XML, its latest runs
  akka workflow list [FOLDER]               the tree of workflows
  akka workflow check FILE                  every mistake of a file, at its place (works offline)
  akka workflow add FILE                    check it, then add or replace the workflow
  akka workflow run NAME [-p k=v]...        run once, dependants do not notice; or --param 'a=1&b=2'
  akka workflow trigger NAME [--blood]      run as its schedule would; --blood: and everything downstream
  akka workflow reset NAME                  forget what its dependencies have delivered
  akka workflow suspend NAME | resume NAME  start it no more by itself | let its schedule go on
  akka workflow del NAME                    delete it
  akka instance info ID [--log|--xml]       an instance, its log, its XML
  akka instance log ID [--follow]           its log, now or as it comes
  akka instance kill ID                     end it
  akka instance rerun ID [--recover]        run it again; --recover keeps what has succeeded
  akka instance rerun ID --node NODE        run it again from that node
  akka instance pause ID | resume ID        start nothing new in it | let it go on
  akka instance mark ID NODE [--skipped]    the node need not run; --reason why
  akka instance repair ID [FILE] [--dry-run]  go on with another definition; --dry-run shows what changes
  akka instance del ID                      remove it
  akka instance search [--sdate D] [--edate D] [--creator C] [--status S] [--key K]
  akka util reset-all | del-dir FOLDER      reset all schedules | see whether a folder is empty
  akka check PATH... [--strict]             every problem of files and directories; --format text|json|sarif
  akka test FILE...                         play workflows with nodes that only pretend to run (works offline)
  akka capsule ID [-o FILE]                 export what an instance was decided from, without secrets
  akka replay FILE                          decide an exported instance again and compare each step
  akka cron EXPR [--zone Z] [-n COUNT]      what a cron means and when it fires next
  akka eval TEXT [--at DATE]                what '${time.today|yyyyMMdd|-1 day}' and the like become
  akka why ID|NAME                          why it does not run
  akka cluster [freeze|thaw]                who is there | fire and dispatch nothing | go on
  akka backfill plan|start NAME --from D --to D [--dependants]  run a range of dates: look | do it
  akka backfill list | info|pause|resume|abort ID  how far it is, and steering it
  akka mail list | show|send ID             mails: see | read | send now
  akka link list | show|add|set|remove|test NAME  databases and file systems that workflows name
  akka pool list | set NAME SLOTS | del NAME  what nodes share
  akka worker fence ID                      declare a worker out of reach dead
  akka fmt [--check] PATH...                mend the indentation of files; scripts and comments stay
  akka xsd                                  an XML Schema of workflow files, for editors
  akka completions bash|zsh|fish            a script for the shell
NOTES
  akkaflow's own form `akka workflow -info NAME` works too and speaks Chinese unless AKKAFLOW_LANG=en.
  ID is any unique part of an instance's id. Every command takes --json and --help.
  The server: --server URL or AKKAFLOW_SERVER, http://127.0.0.1:8090 by default
  Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 not in this state, 5 unavailable, 6 outcome unknown,
  7 forbidden, 8 too much at once, 9 internal error
EXAMPLES
  akka workflow check xmlconfig/report.xml
  akka workflow run report -p stadate=2026-11-20
  akka workflow run report --follow
  akka instance info 8f3a --log
";

/// What `akka` alone says.
pub(crate) fn banner(lang: Lang) -> String {
    let text = match lang {
        Lang::Zh => ZH,
        Lang::En => EN,
    };
    format!("{BANNER}{text}")
}
