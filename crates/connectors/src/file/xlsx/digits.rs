//! The digits of whole numbers that a double cannot hold.
//!
//! The library reads every number of a sheet as a double. Excel keeps no more, but other programs write all digits of what they were given: those are
//! looked up in the sheet itself. It is read a second time for that, beside the first, and only from the first such number on.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt as _;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use zip::ZipArchive;
use zip::read::ZipFile;

/// A file that is read at a place of its own, whoever else reads it.
pub(super) struct Apart {
    file: File,
    length: u64,
    place: u64,
}

impl Apart {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        Ok(Self {
            length: file.metadata()?.len(),
            file: file.try_clone()?,
            place: 0,
        })
    }
}

impl Read for Apart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.place)?;
        self.place += count as u64;
        Ok(count)
    }
}

impl Seek for Apart {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::Current(step) => self.place.checked_add_signed(step),
            SeekFrom::End(step) => self.length.checked_add_signed(step),
        };
        self.place = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.place)
    }
}

/// The archive of a workbook, for a second look.
pub(super) type Archive = ZipArchive<BufReader<Apart>>;

pub(super) fn archive(file: &File) -> Option<Archive> {
    ZipArchive::new(BufReader::new(Apart::of(file).ok()?)).ok()
}

/// The cells of a sheet once more, as they are written.
pub(super) struct Digits<'a> {
    xml: Reader<BufReader<ZipFile<'a, BufReader<Apart>>>>,
    /// Cells that lie behind.
    passed: u64,
    buffer: Vec<u8>,
}

impl<'a> Digits<'a> {
    /// `None` where the sheet is not found: how else it may be named nobody knows.
    pub(super) fn open(archive: &'a mut Archive, sheet: &str) -> Option<Self> {
        let part = part_of(archive, sheet)?;
        let mut digits = Self {
            xml: reader(archive.by_name(&part).ok()?),
            passed: 0,
            buffer: Vec::new(),
        };
        digits.pass("sheetData")?;
        Some(digits)
    }

    /// What is written in cell `number` of the sheet, from 0 in the order of its XML, empty ones included. Numbers must grow.
    pub(super) fn of(&mut self, number: u64) -> Option<String> {
        while self.passed <= number {
            self.pass("c")?;
            self.passed += 1;
        }
        self.pass("v")?;
        self.buffer.clear();
        match self.xml.read_event_into(&mut self.buffer).ok()? {
            Event::Text(text) => Some(text.xml10_content().trim().to_owned()),
            _ => None,
        }
    }

    /// Goes on behind the next label of that name.
    fn pass(&mut self, label: &str) -> Option<()> {
        loop {
            self.buffer.clear();
            match self.xml.read_event_into(&mut self.buffer).ok()? {
                Event::Start(start) if start.local_name().as_ref() == label => return Some(()),
                Event::Eof => return None,
                _ => {}
            }
        }
    }
}

fn reader<R: Read>(bytes: R) -> Reader<BufReader<R>> {
    let mut xml = Reader::from_reader(BufReader::new(bytes));
    let config = xml.config_mut();
    // As the library has it: both must see the same cells.
    config.expand_empty_elements = true;
    config.check_end_names = false;
    xml
}

/// The part of the archive that holds the sheet of this name.
fn part_of(archive: &mut Archive, sheet: &str) -> Option<String> {
    let id = find(archive, "xl/workbook.xml", "sheet", |start| {
        let is_it = attribute(start, "name")? == sheet;
        is_it.then(|| attribute(start, "id"))?
    })?;
    let rels = "xl/_rels/workbook.xml.rels";
    let target = find(archive, rels, "Relationship", |start| {
        let is_it = attribute(start, "Id")? == id;
        is_it.then(|| attribute(start, "Target"))?
    })?;
    Some(match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("xl/{target}"),
    })
}

/// What `look` finds in the first of these elements for which it finds something.
fn find(
    archive: &mut Archive,
    part: &str,
    label: &str,
    look: impl Fn(&BytesStart<'_>) -> Option<String>,
) -> Option<String> {
    let mut xml = reader(archive.by_name(part).ok()?);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer).ok()? {
            Event::Start(start) if start.local_name().as_ref() == label => {
                if let Some(found) = look(&start) {
                    return Some(found);
                }
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

/// By its name without a prefix.
fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = start.attributes().flatten();
    let found = attributes.find(|it| it.key.local_name().as_ref() == name)?;
    Some(
        found
            .normalized_value(XmlVersion::Implicit1_0)
            .ok()?
            .into_owned(),
    )
}
