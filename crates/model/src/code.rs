//! The stable codes of everything that can be wrong with a file.
//!
//! | range | about |
//! |---|---|
//! | AF0xx | the file itself, its encoding, well-formedness |
//! | AF1xx | attributes and their values |
//! | AF2xx | which elements stand where |
//! | AF3xx | names of nodes and the graph |
//! | AF4xx | coordinator: cron, dependencies, parameters |
//! | AF5xx | bodies of actions |
//! | AF6xx | db_links.xml, file_links.xml |
//! | AF7xx | workflows that do not fit each other |

macro_rules! codes {
    ($($name:ident = $code:literal, $zh:literal, $en:literal;)*) => {
        $(
            #[doc = concat!($code, ": ", $en, ".")]
            pub const $name: &str = $code;
        )*

        /// Every code with its meaning in Chinese and in English; the reference page is made of it.
        pub const TABLE: &[(&str, &str, &str)] = &[$(($code, $zh, $en),)*];
    };
}

codes! {
    TOO_LARGE = "AF001", "文件过大", "the file is too large";
    UNKNOWN_ENCODING = "AF002", "文件声明的编码不被支持", "the declared encoding is not supported";
    MALFORMED_BYTES = "AF003", "存在不符合文件编码的字节", "bytes that are not valid in the file's encoding";
    FORBIDDEN_CHARACTER = "AF004", "存在XML不允许的字符", "a character that XML forbids";
    ILL_FORMED = "AF005", "不是格式良好的XML", "not well-formed XML";
    DOCTYPE = "AF006", "不允许DTD", "document type declarations are refused";
    ENTITY = "AF007", "未知的实体引用", "a reference to an unknown entity";
    TOO_DEEP = "AF008", "元素嵌套过深", "elements are nested too deeply";
    TOO_MANY_ELEMENTS = "AF009", "元素过多", "too many elements";
    TOO_MANY_ATTRIBUTES = "AF010", "单个元素的属性过多", "too many attributes in one element";
    EMPTY_FILE = "AF011", "文件中没有任何元素", "the file holds no element";
    ROOT_LABEL = "AF012", "根节点标签不是<work-flow>", "the root is not called <work-flow>";
    TOO_MANY_FINDINGS = "AF013", "问题过多，其余不再列出", "too many findings, the rest is not listed";
    UNREADABLE = "AF014", "文件无法读取", "the file cannot be read";

    UNKNOWN_ATTRIBUTE = "AF101", "未知属性", "an unknown attribute";
    MISSING_ATTRIBUTE = "AF102", "缺少必填属性", "a required attribute is missing";
    DUPLICATE_ATTRIBUTE = "AF103", "属性重复", "an attribute stands twice";
    NOT_WHOLE_NUMBER = "AF104", "属性值不是整数", "a value is not a whole number";
    OUT_OF_RANGE = "AF105", "数值超出范围", "a number is out of range";
    NOT_BOOLEAN = "AF106", "属性值不是true或false", "a value is neither true nor false";
    NOT_A_CHOICE = "AF107", "属性值不在可选范围内", "a value is not one of the choices";
    BAD_NAME = "AF108", "名称不合法", "a name is not valid";
    BLANK_VALUE = "AF109", "必填属性值为空", "a required value is blank";
    BAD_DATE_TIME = "AF110", "时间格式有误", "a date or time cannot be read";
    BAD_MAIL_LEVEL = "AF111", "告警级别有误", "an unknown mail level";
    NEVER_STARTS = "AF112", "instance-limit使工作流永远不会启动", "the instance limit keeps the workflow from ever starting";
    NO_LIMIT = "AF113", "timeout为0，视为不限时", "a time limit of 0 is taken as none";
    NO_INSTANCE_LIMIT = "AF114", "未配置instance-limit，上限为1", "no instance limit is given, so it is 1";
    MAIL_WITHOUT_EFFECT = "AF115", "邮件配置不起作用", "a mail setting has no effect";
    NO_EFFECT = "AF116", "属性在此处不起作用", "an attribute has no effect here";
    NOT_REPLACED = "AF117", "此处的引用不会被替换", "a reference stays as it is written here";

    BAD_DURATION = "AF121", "时长有误", "a length of time cannot be read";
    BAD_TIME_ZONE = "AF122", "未知的时区", "an unknown time zone";
    BAD_CODES = "AF123", "数字列表有误", "a list of codes cannot be read";
    NOT_A_NUMBER = "AF124", "属性值不是数字", "a value is not a number";
    BAD_PATTERN = "AF125", "正则表达式有误", "a regular expression cannot be read";
    BAD_CONDITION = "AF126", "条件有误", "a condition cannot be read";
    NEEDS_OTHER = "AF127", "属性需要与另一属性同时使用", "an attribute needs another one beside it";
    BAD_SIZE = "AF128", "大小有误", "a size cannot be read";
    BAD_DEADLINE = "AF129", "期限有误", "a deadline cannot be read";

    UNKNOWN_ELEMENT = "AF201", "未知元素", "an unknown element";
    MISSING_ELEMENT = "AF202", "缺少必须的子元素", "a required element is missing";
    EXTRA_ELEMENT = "AF203", "元素出现次数过多", "an element stands too often";
    UNEXPECTED_TEXT = "AF204", "此处不允许文本", "text stands where none may stand";
    MISSING_TEXT = "AF205", "元素内容为空", "an element needs text";
    NO_ACTION_TYPE = "AF206", "动作节点没有指定类型", "an action has no type";
    UNKNOWN_ACTION_TYPE = "AF207", "未知的动作类型", "an unknown action type";
    SEVERAL_ACTION_TYPES = "AF208", "动作节点包含多个类型", "an action has several types";
    NOT_RUNNABLE = "AF209", "当前版本暂不能执行，工作流会保存但不会运行", "this version does not run this yet; the workflow is kept";
    REPEATED_NAME = "AF210", "名称重复", "a name is declared twice";

    MISSING_START = "AF301", "缺少<start>节点", "there is no start node";
    DUPLICATE_NODE = "AF303", "节点名称重复", "two nodes share a name";
    UNKNOWN_TARGET = "AF304", "指向的节点不存在", "an edge leads to a node that does not exist";
    CYCLE = "AF305", "节点之间存在环", "the nodes form a cycle";
    UNREACHABLE = "AF306", "节点永远不会执行", "a node is never reached";
    NO_TERMINAL = "AF307", "没有<end>也没有<kill>节点", "there is neither an end nor a kill node";
    END_UNREACHABLE = "AF308", "没有任何路径到达<end>节点", "no path leads to an end node";
    REPEATED_PATH = "AF309", "fork中重复的路径", "a fork names a path twice";
    JOIN_INCOMPLETE = "AF310", "join的各分支不可能全部到达", "the branches of a join can never all arrive";
    BAD_AFTER = "AF311", "after指向的节点之后不能再有节点", "nothing can come after this node";
    BAD_FINALLY = "AF312", "finally的用法有误", "finally is not used as it can be";
    UNKNOWN_OUTPUT = "AF313", "输出不存在", "an output does not exist";
    OUTPUT_TOO_LATE = "AF314", "输出来自不在之前的节点", "an output comes from a node that does not run before";
    UNKNOWN_STATE = "AF315", "状态值未声明", "a state is not declared";

    BAD_CRON = "AF401", "cron表达式有误", "a cron expression cannot be read";
    UNDEFINED_PARAM = "AF402", "参数未定义", "a parameter is not defined";
    BAD_TIME_EXPRESSION = "AF403", "时间表达式有误", "a time expression cannot be read";
    SELF_DEPENDENCY = "AF404", "工作流依赖自身", "a workflow depends on itself";
    REPEATED_DEPENDENCY = "AF405", "重复的前置依赖", "a dependency is named twice";
    NEVER_FIRES = "AF406", "调度永远不会触发", "the schedule never fires";
    CRON_DAY_IGNORED = "AF407", "设置了星期，日字段被忽略", "the day of month is ignored because a weekday is set";
    CRON_FIELD_IGNORED = "AF408", "cron表达式多余的字段被忽略", "surplus cron fields are ignored";
    UNKNOWN_UNIT = "AF409", "时间单位的含义与字面不同", "a unit of time means something else than it says";
    BARE_PARAM = "AF410", "参数引用缺少param:前缀", "a parameter is used without the prefix param:";
    UNUSED_PARAM = "AF411", "参数已定义但未使用", "a parameter is defined and never used";
    REPEATED_PARAM = "AF412", "参数重复定义", "a parameter is defined twice";
    WINDOW_OVER = "AF413", "调度有效期已过", "the time window of the schedule is over";
    BAD_PARAM_VALUE = "AF414", "参数值不符合要求", "a value does not fit its parameter";
    SEVERAL_CRONS = "AF415", "多个depend-list都有cron", "several dependency lists have a cron";
    WEEK_YEAR = "AF416", "时间格式中的Y是周所属的年", "Y in a date format is the year of the week";
    ODD_FORMAT = "AF417", "时间格式的含义与字面不同", "a date format gives something else than it seems to";

    PHRASE_CHANGED = "AF421", "akkaflow 2.12对该短语的理解不同", "akkaflow 2.12 read the phrase differently";
    REPEATED_CRON = "AF422", "cron表达式重复", "a cron expression stands twice";
    BAD_CALENDAR = "AF423", "日历文件有误", "a line of a calendar cannot be read";
    UNKNOWN_CALENDAR = "AF424", "日历不存在", "there is no such calendar";
    UNEVEN_STEP = "AF425", "间隔不均匀", "a step does not go evenly into its hour or day";
    NOTHING_STARTS = "AF426", "没有任何触发方式", "a coordinator holds nothing that starts the workflow";
    CRON_HOUR_IGNORED = "AF427", "小时被忽略", "the hour of a time is ignored";

    TRANSFER_PARTS = "AF501", "transfer需要单独的script，或一个source与一个target", "a transfer needs a script alone, or one source and one target";
    BODY_ATTRIBUTE = "AF502", "缺少该类型需要的属性", "an attribute that this type needs is missing";
    BAD_DELIMITER = "AF503", "分隔符有误", "a delimiter cannot be used";
    USELESS_ATTRIBUTE = "AF504", "属性对该类型无作用", "an attribute means nothing for this type";
    SECRET_IN_CLEAR = "AF505", "疑似明文密码", "a secret seems to be written in clear";
    UNQUOTED_PARAM = "AF506", "参数未加引号", "a parameter stands unquoted in a script or a statement";
    BAD_EXECUTABLE = "AF507", "命令中须有且只有一个路径", "a command must name exactly one program by its path";
    EMPTY_MAIL = "AF508", "邮件没有内容", "a mail says nothing";
    BAD_URL = "AF509", "地址有误", "an address cannot be used";
    WAIT_PARTS = "AF510", "wait需要且只能有一个条件", "a wait needs one thing to wait for, and one only";
    TRANSFER_OPTION = "AF511", "transfer的选项有误", "an option of a transfer cannot be used";
    NOTHING_BETWEEN = "AF512", "下限大于上限", "a lower limit is greater than the upper one";

    DUPLICATE_LINK = "AF601", "数据库连接名称重复", "two db-links share a name";
    LINK_CREDENTIALS = "AF602", "数据库连接缺少用户名或密码", "a db-link lacks its user name or password";
    DUPLICATE_FILE_LINK = "AF603", "文件连接名称重复", "two file-links share a name";
    FILE_LINK_INCOMPLETE = "AF604", "文件连接缺少必要的属性", "a file-link lacks what its type needs";
    LINK_UNUSABLE = "AF605", "数据库连接的地址或属性不可用", "the address or a property of a db-link cannot be used";

    DUPLICATE_WORKFLOW = "AF701", "多个文件定义同名工作流", "two files define one workflow";
    UNKNOWN_UPSTREAM = "AF702", "前置工作流不存在", "an upstream workflow does not exist";
    IDLE_UPSTREAM = "AF703", "前置工作流不会自动运行", "an upstream workflow never starts by itself";
    WORKFLOW_CYCLE = "AF704", "工作流之间循环依赖", "workflows wait for each other in a circle";
    UNKNOWN_SUB_WORKFLOW = "AF705", "子工作流不存在", "a sub-workflow does not exist";
    STUCK_SUB_WORKFLOW = "AF706", "子工作流永远不会启动", "a sub-workflow never starts";
    SUB_WORKFLOW_CYCLE = "AF707", "工作流互相作为子工作流启动", "workflows start each other in a circle";
    SUB_WORKFLOW_PARAM = "AF708", "传给子工作流的参数不符合其要求", "a sub-workflow is not given the parameters that it asks for";
}

/// What to do about a finding whose finder does not know better, in Chinese and in English.
pub(crate) fn general_help(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        ROOT_LABEL => ("请修改根节点的标签", "rename the outermost element"),
        TOO_MANY_FINDINGS => (
            "请先修正列出的问题，再检查一次",
            "mend what is listed, then check again",
        ),
        NOT_WHOLE_NUMBER => ("请只写数字，不带单位", "write digits only, no unit"),
        OUT_OF_RANGE => ("请写范围内的数", "write a number of that range"),
        NOT_BOOLEAN => ("请写 true 或 false", "write true or false"),
        NOT_A_CHOICE => ("请写其中之一", "write one of them"),
        BLANK_VALUE => ("请填写该值", "give it a value"),
        MISSING_TEXT => ("请填写内容，或删除该元素", "write its text, or remove it"),
        NOT_RUNNABLE => (
            "其余部分要先运行时，请为该节点写 is-ignore=\"true\"",
            "to run the rest meanwhile, write is-ignore=\"true\" for that node",
        ),
        NOT_A_NUMBER => ("例如 12 或 0.5", "an example is 12 or 0.5"),
        BAD_PARAM_VALUE => (
            "请修改参数值，或修改对它的要求",
            "change the value, or what is asked of it",
        ),
        BAD_URL => (
            "例如 https://example.com/",
            "an example is https://example.com/",
        ),
        END_UNREACHABLE => ("请让一条路径通向<end>", "lead one path to an <end>"),
        NEVER_FIRES => (
            "没有哪个月有这一天，请检查日与月",
            "no month has such a day: look at day and month",
        ),
        BAD_TIME_EXPRESSION => (
            "写法为 ${关键字|格式|偏移}，例如 ${time.today|yyyyMMdd|-1 day}",
            "write ${keyword|format|shift}, for example ${time.today|yyyyMMdd|-1 day}",
        ),
        TRANSFER_PARTS => (
            "搬运数据请写一个<source>和一个<target>，否则只写一个<script>",
            "to move rows write one <source> and one <target>; else write a <script> and nothing more",
        ),
        BODY_ATTRIBUTE => ("请添加该属性", "add the attribute"),
        BAD_DELIMITER => (
            "请写一个或几个字符，例如 , 或 \\t",
            "write one or some characters, such as , or \\t",
        ),
        USELESS_ATTRIBUTE => ("请删除该属性", "remove the attribute"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn codes_are_unique_and_in_order() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
