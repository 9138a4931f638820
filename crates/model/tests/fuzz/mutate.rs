//! New inputs out of old ones.

/// A small generator: the same seed gives the same inputs on every machine.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed ^ 0x9E37_79B9_7F4A_7C15)
    }

    fn next(&mut self) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }
}

/// What the grammars are made of, so that mutations get past their first letters.
const PIECES: &[&[u8]] = &[
    b"<",
    b">",
    b"/>",
    b"'",
    b"\"",
    b"&",
    b"&#x4e2d;",
    b"&amp;",
    b"]]>",
    b"<![CDATA[",
    b"<!--",
    b"-->",
    b"<?xml ",
    b"encoding='gbk'",
    b"<!DOCTYPE",
    b"\0",
    b"\xFF",
    b"\xE4\xB8",
    b"\xEF\xBB\xBF",
    b"\x1b[2J",
    b"${param:",
    b"${time.today|",
    b"${",
    b"}",
    b"|",
    b"-1 day",
    b"+99999999999 month",
    b"yyyy-MM-dd",
    b"'",
    b"\r\n",
    b"\n",
    b"\n\n",
    b"=",
    b" ",
    b"\t",
    b"to='s'",
    b" name=''",
    b"<start",
    b"<action",
    b"<join",
    b"<fork>",
    b"<path",
    b"<param",
    b"<coordinator",
    b"<workflow name='a'/>",
    b"<script><code>",
    b"<sql ",
    b"*",
    b"*/",
    b"L",
    b"#",
    b"-",
    b",",
    b"/",
    b"0",
    b"7",
    b"31",
    b"59",
    b"99999999999999999999",
    b"-9223372036854775808",
    b"every ",
    b" at ",
    b" on ",
    b"midnight",
    b"monday",
    b"and ",
    b"minutes",
    b"last ",
    b"of the month",
    b"between ",
    b"password=",
    b"://u:p@h",
    b"<<EOF",
    b"$(",
    b"`",
    b"\\",
];

/// The longest input but for the few that are blown up on purpose.
const LONGEST: usize = 64 << 10;
/// The largest file that is read.
const BLOWN_UP: usize = 1 << 20;
/// One input in so many is blown up.
const BLOWN_UP_EVERY: usize = 400;

/// An input made of one of the corpus, with pieces of others.
pub(crate) fn mutated(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(6) {
        step(random, corpus, &mut bytes);
    }
    bytes.truncate(LONGEST);
    if random.below(BLOWN_UP_EVERY) == 0 {
        blow_up(random, &mut bytes);
    }
    bytes
}

fn step(random: &mut Random, corpus: &[Vec<u8>], bytes: &mut Vec<u8>) {
    let at = random.below(bytes.len() + 1);
    let end = (at + 1 + random.below(24)).min(bytes.len());
    match random.below(8) {
        0 => drop(bytes.drain(at..end)),
        1 => bytes.truncate(at),
        2 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        3 if at < bytes.len() => bytes[at] = random.below(256).try_into().unwrap(),
        4 => {
            let piece = bytes[at..end].to_vec();
            for _ in 0..=random.below(40) {
                bytes.splice(at..at, piece.iter().copied());
            }
        }
        5 => {
            let other = &corpus[random.below(corpus.len())];
            let from = random.below(other.len() + 1);
            let to = (from + random.below(200)).min(other.len());
            bytes.splice(at..at, other[from..to].iter().copied());
        }
        _ => {
            let piece = PIECES[random.below(PIECES.len())];
            bytes.splice(at..at, piece.iter().copied());
        }
    }
}

/// One piece repeated up to the limit of a file.
fn blow_up(random: &mut Random, bytes: &mut Vec<u8>) {
    let at = random.below(bytes.len() + 1);
    let end = (at + 1 + random.below(60)).min(bytes.len());
    let piece = if at < end {
        bytes[at..end].to_vec()
    } else {
        PIECES[random.below(PIECES.len())].to_vec()
    };
    let times = BLOWN_UP.saturating_sub(bytes.len()) / piece.len();
    bytes.splice(at..at, piece.repeat(times));
}
