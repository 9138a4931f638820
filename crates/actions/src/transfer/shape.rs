//! What a `<transfer>` may hold.

use akkaflow_model::shape::{AttributeKind, AttributeShape, Shape, TextRule};
use akkaflow_model::text::Text;

const TYPES: AttributeKind = AttributeKind::ChoiceIgnoringCase(&["DB", "FILE"]);

use super::mode::WORDS;

/// More writers than any database profits from.
const MOST_TASKS: i64 = 1000;

pub(super) fn shape(tag: &'static str) -> Shape {
    Shape::new(
        tag,
        Text::new(
            "在数据库与文件之间传输数据",
            "moves rows between databases and files",
        ),
    )
    .example(
        r#"<transfer>
  <source type="DB" db-link="shop">select id, amount from orders where day = '${param:day}'</source>
  <target type="DB" db-link="dw" table="orders" is-pre-truncate="true"/>
</transfer>"#,
    )
    .child(script(), 0, Some(1))
    .child(source(), 0, Some(1))
    .child(target(), 0, Some(1))
}

fn text(name: &'static str, kind: AttributeKind, zh: &str, en: &str) -> AttributeShape {
    AttributeShape::new(name, kind, Text::new(zh, en))
}

fn type_attribute() -> AttributeShape {
    text(
        "type",
        TYPES,
        "DB或FILE",
        "DB for a database, FILE for a file",
    )
    .required()
}

fn db_link() -> AttributeShape {
    let (zh, en) = ("数据库连接的名称（DB）", "the db-link's name (DB)");
    text("db-link", AttributeKind::Text, zh, en)
}

fn file_link() -> AttributeShape {
    let (zh, en) = (
        "文件连接的名称（FILE）：local为worker上的文件，其余为SFTP",
        "the file-link's name (FILE): local for files of the worker, SFTP otherwise",
    );
    text("file-link", AttributeKind::Text, zh, en).default("local")
}

fn source_format() -> AttributeShape {
    text(
        "format",
        AttributeKind::Choice(&["text", "csv", "jsonl", "xlsx", "parquet"]),
        "文件格式（FILE）：text按分隔符切分，没有引号，空串与null为NULL；csv按RFC 4180，字段可用引号，其中可含分隔符、引号与换行；jsonl每行一个JSON对象，键为字段名：前1000条记录中的键为全部字段，缺少的键为NULL，嵌套的值保留为JSON文本；xlsx读取Excel工作簿的一个工作表，首行为字段名；parquet按列保存并保留类型",
        "how the file is written (FILE): text is parted by delimited without quotes, empty and null are NULL; csv is RFC 4180: fields may stand in quotes and hold delimiters, quotes and line breaks then; jsonl has a JSON object on each line, whose keys are the columns: those of the first 1000 rows are all, a missing one is NULL, nested values are kept as JSON text; xlsx reads a sheet of an Excel workbook, whose first row names the columns; parquet keeps columns with their types",
    )
}

/// A workbook is no target.
fn target_format() -> AttributeShape {
    text(
        "format",
        AttributeKind::Choice(&["text", "csv", "jsonl", "parquet"]),
        "文件格式（FILE）：text按分隔符切分，没有引号，NULL写为null；csv按RFC 4180，含分隔符、引号与换行的字段加引号；jsonl每行一个JSON对象，键为字段名；parquet按列保存并保留类型",
        "how the file is written (FILE): text is parted by delimited without quotes, NULL is null; csv is RFC 4180: fields that hold delimiters, quotes or line breaks stand in quotes; jsonl has a JSON object on each line, whose keys are the columns; parquet keeps columns with their types",
    )
}

/// How a file is written: the same for both ends but for the formats.
fn with_format(shape: Shape, format: AttributeShape) -> Shape {
    let delimited = text(
        "delimited",
        AttributeKind::Text,
        "字段分隔符（FILE），普通文本，可用\\t、\\u0001等转义；csv默认为逗号",
        "what parts the fields (FILE): plain text, with escapes such as \\t and \\u0001; a comma by default in csv",
    )
    .default("\\t");
    let header = text(
        "header",
        AttributeKind::Boolean,
        "首行是否为字段名（FILE）；csv与xlsx默认为true",
        "whether the first line holds the names of the columns (FILE); true by default in csv and xlsx",
    )
    .default("false");
    shape
        .attribute(format.default("text"))
        .attribute(delimited)
        .attribute(header)
        .attribute(quote())
        .attribute(escape())
        .attribute(null_text())
        .attribute(encoding())
        .attribute(compression())
}

fn quote() -> AttributeShape {
    text(
        "quote",
        AttributeKind::Text,
        "csv的引号，一个ASCII标点符号",
        "what stands around fields in csv: one punctuation character of ASCII",
    )
    .default("\"")
}

fn escape() -> AttributeShape {
    text(
        "escape",
        AttributeKind::Text,
        "csv引号内写在引号之前的符号，例如\\；默认为引号本身，即把引号写两次",
        "what stands before a quote within quotes in csv, such as \\; by default the quote itself, which is doubled so",
    )
}

fn null_text() -> AttributeShape {
    text(
        "null-text",
        AttributeKind::Text,
        "csv中没有引号的字段为此文本时是NULL；默认为空，因此空字段是NULL，\"\"是空串",
        "the field without quotes that is NULL in csv; nothing by default: so an empty field is NULL, and \"\" the empty text",
    )
    .default("")
}

fn encoding() -> AttributeShape {
    text(
        "encoding",
        AttributeKind::Text,
        "文件编码（FILE），例如GBK、GB18030、Big5、ISO-8859-1、UTF-16LE；读取时以文件的BOM为准，写UTF-16时带BOM；编码中没有的字符与不合编码的字节会被拒绝",
        "the file's encoding (FILE), such as GBK, GB18030, Big5, ISO-8859-1 and UTF-16LE; on reading a byte order mark goes before it, UTF-16 is written with one; a character that it does not have and bytes that are no text are refused",
    )
    .default("UTF-8")
}

fn compression() -> AttributeShape {
    text(
        "compression",
        AttributeKind::Choice(&["auto", "none", "gzip", "zstd"]),
        "文件压缩（FILE）：auto按文件名的.gz、.zst判断；zstd窗口不超过32MiB；写parquet时在文件内部压缩，auto为snappy",
        "how the file is compressed (FILE): auto looks at the end of its name, .gz or .zst; zstd with a window of at most 32 MiB; parquet is compressed within when written, auto means snappy there",
    )
    .default("auto")
}

fn sheet() -> AttributeShape {
    text(
        "sheet",
        AttributeKind::Text,
        "xlsx的工作表：名称，或从1开始的序号；默认第一个",
        "the sheet of xlsx: its name, or its number from 1; the first by default",
    )
}

fn script() -> Shape {
    let doc = Text::new(
        "以脚本代替source与target",
        "a script instead of source and target",
    );
    let code = Shape::new("code", Text::new("脚本内容", "the script"));
    Shape::new("script", doc).text(TextRule::Optional).child(
        code.text(TextRule::Required),
        0,
        Some(1),
    )
}

fn source() -> Shape {
    let doc = Text::new(
        "数据来源：表名或查询语句（DB），或文件路径、http(s)网址（FILE）",
        "where rows come from: a table or a query (DB), or a path or an address of http(s) (FILE)",
    );
    let source = Shape::new("source", doc)
        .attribute(type_attribute())
        .attribute(db_link())
        .attribute(watermark())
        .attribute(since())
        .attribute(split_by())
        .attribute(source_tasks())
        .attribute(file_link())
        .attribute(filter());
    with_format(source, source_format())
        .attribute(sheet())
        .child(column(), 0, None)
        .text(TextRule::Required)
}

fn filter() -> AttributeShape {
    text(
        "filter",
        AttributeKind::Text,
        "只保留使此CEL表达式为真的记录，字段名即变量，例如 qty > 0 && name != null；名称不是标识符的字段写作 row['名称']",
        "only rows for which this expression in CEL is true are kept; its variables are the columns, as in qty > 0 && name != null; one whose name is no identifier is row['its name']",
    )
}

fn column() -> Shape {
    let doc = Text::new(
        "由源的字段计算的字段，替换同名的字段，否则加在最后",
        "a column computed from those of the source: it takes the place of one of its name, or stands behind them",
    );
    Shape::new("column", doc)
        .attribute(
            text("name", AttributeKind::NonBlank, "字段名", "its name").required(),
        )
        .attribute(
            text(
                "value",
                AttributeKind::Text,
                "CEL表达式，例如 price * double(qty)；只写一个字段名则原样传递",
                "an expression in CEL, as in price * double(qty); the name of a column alone hands it on as it is",
            )
            .required(),
        )
}

fn target() -> Shape {
    let boolean = |name, zh, en| text(name, AttributeKind::Boolean, zh, en).default("false");
    let command =
        |tag, zh: &str, en: &str| Shape::new(tag, Text::new(zh, en)).text(TextRule::Optional);
    let target = Shape::new("target", Text::new("数据去向", "where rows go"))
        .attribute(type_attribute())
        .attribute(db_link())
        .attribute(table())
        .attribute(columns())
        .attribute(boolean(
            "is-pre-truncate",
            "是否先清空目标表（DB），同 mode=\"replace\"",
            "whether the table is emptied first (DB), as by mode=\"replace\"",
        ))
        .attribute(mode())
        .attribute(key())
        .attribute(guard())
        .attribute(task_num())
        .attribute(reject_limit())
        .attribute(rejects())
        .attribute(path())
        .attribute(file_link());
    with_format(target, target_format())
        .attribute(boolean(
            "is-pre-del",
            "是否先删除目标文件（FILE）",
            "whether the file is deleted first (FILE)",
        ))
        .child(
            command(
                "pre",
                "传输前执行的SQL（DB）或命令（FILE）",
                "statements (DB) or a command (FILE) to run before",
            ),
            0,
            Some(1),
        )
        .child(
            command(
                "after",
                "传输后执行的SQL（DB）或命令（FILE）",
                "statements (DB) or a command (FILE) to run after",
            ),
            0,
            Some(1),
        )
}

fn table() -> AttributeShape {
    text(
        "table",
        AttributeKind::Text,
        "目标表（DB），不存在则自动建表：未声明精度的数字按文本建列（PostgreSQL除外），除非在查询中写明cast(n as decimal(18,2))；SQLite源则按其值的类型建列",
        "the table (DB), made if it is missing: a number without a declared scale becomes text there (but not in PostgreSQL), unless the query says cast(n as decimal(18,2)); from SQLite it becomes what its values are",
    )
}

fn columns() -> AttributeShape {
    text(
        "columns",
        AttributeKind::Choice(&["position", "name"]),
        "字段如何对应（DB）：position按位置，字段数须相同；name按名称（大小写可不同），顺序任意，源中没有的字段取默认值，目标表没有的字段会被拒绝。带字段名的文件（header、jsonl）默认按名称，其余按位置",
        "how columns are matched (DB): by position, both have as many; by name, whatever its case, they may stand in any order, those that the source lacks get their default, and one that the table lacks is refused. The default is name for files that name their columns (header, jsonl), position otherwise",
    )
}

fn mode() -> AttributeShape {
    text(
        "mode",
        AttributeKind::Choice(WORDS),
        "目标表中已有的记录如何处理（DB）：append保留；replace先清空；upsert更新键相同的记录，插入其余的，源中没有的字段保持原值，源中键相同的多条记录以最后一条为准；incremental只读取watermark之后的新记录并追加，写明key则按键更新",
        "what becomes of the rows that are in the table (DB): append keeps them; replace empties the table first; upsert updates those of the same key and inserts the others, columns that the source lacks keep their value, and of several rows of one key in the source the last one counts; incremental reads only the rows behind the watermark and adds them, or upserts them where key is given",
    )
    .default("append")
}

fn key() -> AttributeShape {
    text(
        "key",
        AttributeKind::Text,
        "upsert（与incremental）所用的键：字段名，以逗号分隔，须恰好是目标表的主键或一个唯一索引；默认为主键，或唯一的那个唯一索引；自动建表时成为主键",
        "the key for upsert (and incremental): names of columns, separated by commas, which are just those of the primary key or of a unique index; by default the primary key, or the only unique index. A table that is made gets it as its primary key",
    )
}

fn guard() -> AttributeShape {
    text(
        "guard",
        AttributeKind::Boolean,
        "是否在目标数据库的表akkaflow_guard中、与数据同一事务地记下本次运行（DB），使提交后应答丢失的重试不再写入；表不存在则自动建立；incremental总是记录",
        "whether the run is remembered in table akkaflow_guard of the target's database, in the transaction of the rows (DB), so that a retry after a lost answer writes nothing again; the table is made if it is missing; always so for incremental",
    )
    .default("false")
}

fn watermark() -> AttributeShape {
    text(
        "watermark",
        AttributeKind::NonBlank,
        "mode=\"incremental\"所比较的字段（DB）：只增不减的整数、定点数、文本、日期或时间；为NULL的记录不读取",
        "the column that mode=\"incremental\" compares (DB): whole numbers, decimals, text, dates or times that only grow; rows where it is NULL are not read",
    )
}

fn since() -> AttributeShape {
    text(
        "since",
        AttributeKind::Text,
        "只读取watermark大于此值的记录（DB），通常为 ${state:名称}；为空则从头读取",
        "only rows whose watermark is greater are read (DB), mostly ${state:name}; empty reads from the beginning",
    )
    .default("")
}

fn task_num() -> AttributeShape {
    text(
        "task-num",
        AttributeKind::Integer {
            min: 1,
            max: MOST_TASKS,
        },
        "写入的连接数（DB），最多16：大于1时各连接写入目标旁的中间表，最后由一条insert … select在一个事务中写入目标；SQLite与reject-limit只用一个连接",
        "how many connections write (DB), 16 at most: with more than 1 each fills a table of its own beside the target, and one insert … select moves all on into the target in one transaction; SQLite and reject-limit use one",
    )
    .default("1")
}

fn split_by() -> AttributeShape {
    text(
        "split-by",
        AttributeKind::Text,
        "按此字段的区间分段，用task-num个连接同时读取（DB）；须为整数、日期或时间",
        "the column by whose ranges task-num connections read side by side (DB): of whole numbers, days or times",
    )
}

fn source_tasks() -> AttributeShape {
    text(
        "task-num",
        AttributeKind::Integer {
            min: 1,
            max: MOST_TASKS,
        },
        "读取的连接数（DB），最多16；须与split-by同写",
        "how many connections read (DB), 16 at most; needs split-by",
    )
    .default("4")
}

fn reject_limit() -> AttributeShape {
    text(
        "reject-limit",
        AttributeKind::Text,
        "最多可拒绝多少条记录（DB），例如100，或占全部记录的比例，例如1%（结束时判断）：目标拒绝的记录、字段个数不符或不合编码的记录写入rejects，其余照常写入；超过则全部回滚。须与rejects同写；不写时第一条坏记录即失败",
        "how many rows may be rejected (DB), such as 100, or which share of all, such as 1% (told at the end): rows that the target refuses, and those of a file with another number of fields or bytes that are no text, go to rejects, the others go in; beyond it everything is rolled back. Needs rejects; without it the first bad row fails the transfer",
    )
}

fn rejects() -> AttributeShape {
    text(
        "rejects",
        AttributeKind::Text,
        "被拒绝的记录写入的CSV文件（DB）：行号、原因与各字段的值；没有被拒绝的记录时只有表头",
        "the CSV file for rejected rows (DB): their number, the reason and their values; nothing but its header when there are none",
    )
}

fn path() -> AttributeShape {
    text(
        "path",
        AttributeKind::Text,
        "目标文件路径（FILE）；text格式没有引号：值中的换行写为空格并在日志中告警，含有分隔符的值会被拒绝",
        "the file's path (FILE); text has no quotes: line breaks in a value become a blank, with a warning in the log, and a value that holds the delimiter is refused",
    )
}
