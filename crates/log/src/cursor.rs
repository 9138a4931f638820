//! Where a reader of a log stands.

use std::fmt;
use std::str::FromStr;

/// Where a reader stands. Opaque to callers; a few dozen characters for a usual instance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cursor {
    /// The run whose events are counted; 0: nothing has been read.
    pub(crate) run: u32,
    /// The last chunk that was read to its end.
    pub(crate) after: u64,
    /// Bytes of the next chunk that were read already.
    pub(crate) offset: u64,
    /// Bytes of all chunks up to here.
    pub(crate) bytes: u64,
    /// Lines whose end has not arrived: the chunk in which each begins, and where in it.
    pub(crate) unfinished: Vec<(u64, u64)>,
    /// The definition whose nodes are counted, and when the newest event happened that was given out, in milliseconds since
    /// 1970: after a repair they are counted anew by it.
    pub(crate) definition: u32,
    pub(crate) newest: u64,
    /// Events given out, of the instance and then of each node in the order of the definition.
    pub(crate) events: Vec<u32>,
}

/// The text is no cursor of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoCursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{}.{}.{}.{}.",
            self.run, self.after, self.offset, self.bytes, self.definition, self.newest
        )?;
        let unfinished: Vec<String> = self
            .unfinished
            .iter()
            .map(|(number, offset)| format!("{number}-{offset}"))
            .collect();
        write!(f, "{}.", unfinished.join("_"))?;
        // Most neighbours stand equal: all done, or none reached.
        let runs: Vec<String> = self
            .events
            .chunk_by(|a, b| a == b)
            .map(|equal| format!("{}-{}", equal[0], equal.len()))
            .collect();
        f.write_str(&runs.join("_"))
    }
}

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        if text.is_empty() || text == "0" {
            return Ok(Self::default());
        }
        let parts: Vec<&str> = text.split('.').collect();
        let [
            run,
            after,
            offset,
            bytes,
            definition,
            newest,
            unfinished,
            events,
        ] = parts.as_slice()
        else {
            return Err(NoCursor);
        };
        let mut counts = Vec::new();
        for (count, times) in pairs(events)? {
            // More nodes than a definition can have: not ours.
            if times > 100_000 || counts.len() > 100_000 {
                return Err(NoCursor);
            }
            let count = u32::try_from(count).map_err(|_| NoCursor)?;
            counts.extend(std::iter::repeat_n(count, times as usize));
        }
        Ok(Self {
            run: number(run)?.try_into().map_err(|_| NoCursor)?,
            after: number(after)?,
            offset: number(offset)?,
            bytes: number(bytes)?,
            definition: number(definition)?.try_into().map_err(|_| NoCursor)?,
            newest: number(newest)?,
            unfinished: pairs(unfinished)?,
            events: counts,
        })
    }
}

fn number(text: &str) -> Result<u64, NoCursor> {
    text.parse().map_err(|_| NoCursor)
}

fn pairs(text: &str) -> Result<Vec<(u64, u64)>, NoCursor> {
    text.split('_')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (a, b) = pair.split_once('-').ok_or(NoCursor)?;
            Ok((number(a)?, number(b)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_is_short() {
        let cursor = Cursor {
            run: 2,
            after: 345,
            offset: 17,
            bytes: 99_999,
            definition: u32::MAX,
            newest: 1_790_000_000_000,
            unfinished: vec![(340, 12), (345, 0)],
            events: [vec![3; 700], vec![2], vec![0; 300]].concat(),
        };
        let text = cursor.to_string();
        assert!(text.len() < 80, "{text}");
        assert_eq!(text.parse(), Ok(cursor));
        assert_eq!("".parse(), Ok(Cursor::default()));
        assert_eq!(Cursor::default().to_string().parse(), Ok(Cursor::default()));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in [
            "x",
            "1.2.3",
            "1.2.3.4.5.6",
            "1.2.3.4.5.6.7.8",
            "1.2.3.4.5.6..1-999999999",
            "-1.0.0.0.0.0..",
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(NoCursor), "{text}");
        }
    }
}
