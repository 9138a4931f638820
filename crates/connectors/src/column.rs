//! What the columns of tables and queries hold.

/// A column of a table or of a query's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, unquoted.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

impl Column {
    /// A column.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
        }
    }
}

/// What a column holds, in the words that all products share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers of this many bits.
    Integer {
        /// 8, 16, 32 or 64.
        bits: u8,
        /// Whether there are no negative ones.
        is_unsigned: bool,
    },
    /// Exact numbers: all digits, those behind the point; `None` when the product sets no limit.
    Decimal(Option<(u32, u32)>),
    /// IEEE 754 single precision.
    Float,
    /// IEEE 754 double precision.
    Double,
    /// True or false.
    Boolean,
    /// This many bits, travelling as a decimal number.
    Bits(u32),
    /// A field of a delimited file: text that may mean anything.
    Field,
    /// Text of at most this many characters.
    Text(Option<u32>),
    /// Bytes, at most this many.
    Binary(Option<u32>),
    /// A day.
    Date,
    /// A time of day with this many digits of a second.
    Time(u32),
    /// A day and a time of day with this many digits of a second.
    DateTime(u32),
    /// The same with an offset from UTC.
    DateTimeZone(u32),
    /// JSON text.
    Json,
}

impl Kind {
    /// A signed integer.
    pub const fn signed(bits: u8) -> Self {
        Self::Integer {
            bits,
            is_unsigned: false,
        }
    }

    /// Reads a declared type as PostgreSQL's `format_type` and `CREATE TABLE` of any product spell it. What is not known is
    /// text.
    pub(crate) fn from_declared(declared: &str) -> Self {
        let declared = declared.trim().to_ascii_lowercase();
        let is_unsigned = declared.contains("unsigned");
        let numbers = numbers(&declared);
        let first = numbers.first().copied();
        let integer = |bits| Self::Integer { bits, is_unsigned };
        if declared.ends_with("[]") {
            return Self::Text(None);
        }
        let name: String = declared
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        match name.as_str() {
            "tinyint" => integer(8),
            "smallint" | "int2" | "year" => integer(16),
            "int" | "integer" | "int4" | "mediumint" => integer(32),
            "bigint" | "int8" | "oid" => integer(64),
            "decimal" | "numeric" | "number" => Self::Decimal(match numbers.as_slice() {
                [digits, scale, ..] => Some((*digits, *scale)),
                [digits] => Some((*digits, 0)),
                [] => None,
            }),
            "real" | "float4" => Self::Float,
            "double" | "float" | "float8" => Self::Double,
            "bool" | "boolean" => Self::Boolean,
            "char" | "character" | "varchar" | "nchar" | "nvarchar" | "bpchar" => Self::Text(first),
            "uuid" => Self::Text(Some(36)),
            "bytea" | "blob" | "tinyblob" | "mediumblob" | "longblob" => Self::Binary(None),
            "binary" | "varbinary" => Self::Binary(first),
            "date" => Self::Date,
            "time" if declared.contains("with time zone") => Self::Text(None),
            "time" => Self::Time(first.unwrap_or(6)),
            "timestamp" | "timestamptz"
                if declared.contains("with time zone") || name == "timestamptz" =>
            {
                Self::DateTimeZone(first.unwrap_or(6))
            }
            "timestamp" | "datetime" => Self::DateTime(first.unwrap_or(6)),
            "json" | "jsonb" => Self::Json,
            _ => Self::Text(None),
        }
    }
}

fn numbers(declared: &str) -> Vec<u32> {
    let Some((_, rest)) = declared.split_once('(') else {
        return Vec::new();
    };
    let inside = rest.split(')').next().unwrap_or_default();
    inside
        .split(',')
        .map_while(|number| number.trim().parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_of_all_products_are_understood() {
        for (declared, kind) in [
            ("numeric(18,4)", Kind::Decimal(Some((18, 4)))),
            ("numeric", Kind::Decimal(None)),
            ("DECIMAL(10)", Kind::Decimal(Some((10, 0)))),
            ("character varying(32)", Kind::Text(Some(32))),
            ("timestamp(3) without time zone", Kind::DateTime(3)),
            ("timestamp with time zone", Kind::DateTimeZone(6)),
            ("double precision", Kind::Double),
            ("integer[]", Kind::Text(None)),
            ("bytea", Kind::Binary(None)),
            ("INT", Kind::signed(32)),
            ("", Kind::Text(None)),
            (
                "bigint(20) unsigned",
                Kind::Integer {
                    bits: 64,
                    is_unsigned: true,
                },
            ),
        ] {
            assert_eq!(Kind::from_declared(declared), kind, "{declared}");
        }
    }
}
