//! The million rows: 6 columns, 151 bytes a row, the same in every run.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use anyhow::Result;

/// How many.
pub(crate) const COUNT: usize = 1_000_000;

/// Their table in MariaDB.
pub(crate) const MARIADB_COLUMNS: &str = "(id INT NOT NULL PRIMARY KEY, number BIGINT, code VARCHAR(32), amount DECIMAL(18,4), \
     happened DATETIME, note VARCHAR(64)) ENGINE=InnoDB CHARACTER SET utf8mb4";

/// The same in PostgreSQL.
pub(crate) const POSTGRES_COLUMNS: &str = "(id INT NOT NULL PRIMARY KEY, number BIGINT, code VARCHAR(32), amount DECIMAL(18,4), \
     happened TIMESTAMP(0), note VARCHAR(64))";

/// What differs when any value of any row does, in MariaDB.
pub(crate) const MARIADB_FINGERPRINT: &str = "COUNT(*), SUM(id), \
     SUM(CAST(CONV(LEFT(MD5(CONCAT_WS('|', id, number, code, amount, happened, note)), 8), 16, 10) AS UNSIGNED))";

/// The same of the same rows in PostgreSQL.
pub(crate) const POSTGRES_FINGERPRINT: &str = "COUNT(*), SUM(id), \
     SUM(('x' || LEFT(MD5(CONCAT_WS('|', id, number, code, amount, happened, note)), 8))::BIT(32)::BIGINT)";

/// Writes them as a delimited file.
pub(crate) fn write(path: &Path) -> Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    for id in 1..=COUNT as u64 {
        row(&mut file, id)?;
    }
    Ok(file.flush()?)
}

fn row(file: &mut impl Write, id: u64) -> Result<()> {
    let (a, b, c) = (mixed(id), mixed(id ^ 1 << 40), mixed(id ^ 2 << 40));
    let number = 1_000_000_000_000_000_000 + a % 8_000_000_000_000_000_000;
    let amount = format_args!(
        "{}.{:04}",
        10_000_000_000_000 + b % 90_000_000_000_000,
        c % 10_000
    );
    let (day, second) = (1 + b % 28, c % 86_400);
    let time = format_args!(
        "{:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    );
    let date = format_args!("{}-{:02}-{day:02} {time}", 2000 + a % 27, 1 + c % 12);
    writeln!(
        file,
        "{id},{number},{a:016x}{b:016x},{amount},{date},row {c:020} of the rows that we move"
    )?;
    Ok(())
}

/// Spreads the bits of a number (the finaliser of splitmix64).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// Lines of a file and a sum of them that does not depend on their order.
pub(crate) fn fingerprint(path: &Path) -> Result<(usize, u64)> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let (mut line, mut count, mut sum) = (Vec::new(), 0, 0_u64);
    while file.read_until(b'\n', &mut line)? > 0 {
        count += 1;
        sum = sum.wrapping_add(hash(&line));
        line.clear();
    }
    Ok((count, sum))
}

/// FNV-1a.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::{fingerprint, row};

    #[test]
    fn a_row_has_six_fields_that_fit_their_columns() {
        let mut line = Vec::new();
        row(&mut line, 999_999).unwrap();
        let line = String::from_utf8(line).unwrap();
        let fields: Vec<&str> = line.trim_end().split(',').collect();
        assert_eq!(fields.len(), 6);
        assert_eq!(
            (fields[2].len(), fields[3].len(), fields[4].len()),
            (32, 19, 19)
        );
        assert!(fields[1].parse::<i64>().is_ok() && fields[5].len() <= 64);
        assert!((150..=153).contains(&line.len()), "{}", line.len());
    }

    #[test]
    fn the_order_of_lines_does_not_matter_but_their_text_does() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        let of = |text: &str| {
            std::fs::write(&path, text).unwrap();
            fingerprint(&path).unwrap()
        };
        assert_eq!(of("a\nb\n"), of("b\na\n"));
        assert_ne!(of("a\nb\n"), of("a\nc\n"));
        assert_eq!(of("a\nb\n").0, 2);
    }
}
