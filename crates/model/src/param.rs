//! Parameters and dates: `${param:name}` and `${time.today|yyyyMMdd|-1 day}`.
//!
//! Everything is computed from a fire time and a zone, never from a clock, so a rerun next day gives the same dates.
//! What nodes hand on is `${output:node.name}`, what is kept between runs `${state:name}`. Any other `${...}` belongs to
//! the shell and stays as it is.
//!
//! | keyword | means | format without one |
//! |---|---|---|
//! | `time.today` | the fire time | `yyyy-MM-dd` |
//! | `time.yestoday` | a day earlier | `yyyy-MM-dd` |
//! | `time.cur_month` | the fire time | `yyyy-MM` |
//! | `time.last_month` | a month earlier | `yyyy-MM` |
//!
//! Behind `|` stands a format in Java's letters, behind a second one a shift, `-1 day`. The shift's unit is recognised
//! by the first of day, month, hour and minute that it contains; any other unit counts as days.

mod error;
mod format;
mod misleading;
mod scan;
mod time;

use std::borrow::Cow;

use chrono_tz::Tz;

use compact_str::CompactString;

use crate::cron::moment_of;
use crate::element::{Child, Element};
use crate::text::Text;
use crate::time::Timestamp;
use scan::{LONGEST_REFERENCE, Reference, Token, tokens};

/// The longest value of a parameter, in bytes: processes get each in their environment, where Linux takes twice as much.
pub const LONGEST_VALUE: usize = 64 << 10;
/// All values of an instance together, in bytes: so much fits into the environment of a process.
pub const LARGEST_VALUES: usize = 1 << 20;
/// The texts of an action with their parameters filled in, together, in bytes: four times the largest file.
pub const LARGEST_BODY: usize = 4 << 20;

pub use error::ParamError;
pub(crate) use misleading::Misleading;
pub use misleading::misleading_dates;
pub(crate) use scan::{
    Kept, Miswritten, bare_names, has_opening, has_reference, kept_references, miswritten,
    references, time_expressions,
};
pub(crate) use time::check as check_time_expression;
pub(crate) use time::parse_local;

/// Resolves a coordinator's parameters from the top down.
///
/// A value may use those above it, as `${param:x}` or `${x}`; a later one of the same name replaces the earlier. What
/// `overrides` names takes that value as it is, wherever it stands; names that are not in the list are appended. The
/// result holds each name once.
///
/// # Errors
/// The first [`ParamError`] of a value. Values that repeat others grow with each step, so all that is made is bounded.
pub fn resolve_params(
    list: &[(String, String)],
    overrides: &[(String, String)],
    fire_time: Timestamp,
    zone: Tz,
) -> Result<Vec<(String, String)>, ParamError> {
    let mut resolved: Vec<(String, String)> = Vec::new();
    let mut left = LARGEST_VALUES;
    for (name, value) in list {
        let value = match find(overrides, name) {
            Some(value) => value.to_owned(),
            None => {
                let context = Context {
                    params: &resolved,
                    fallback: overrides,
                    accepts_bare_names: true,
                    kept: None,
                    fire_time,
                    zone,
                    limit: LONGEST_VALUE,
                };
                context.substitute(value).map_err(|error| error.of(name))?
            }
        };
        take(&mut left, name, &value)?;
        put(&mut resolved, name, value);
    }
    for (name, value) in overrides {
        take(&mut left, name, value)?;
        put(&mut resolved, name, value.clone());
    }
    Ok(resolved)
}

/// Takes the room of a value from what is `left` for all.
fn take(left: &mut usize, name: &str, value: &str) -> Result<(), ParamError> {
    *left = left
        .checked_sub(value.len())
        .filter(|_| value.len() <= LONGEST_VALUE)
        .ok_or(ParamError::TooLarge)
        .map_err(|error| error.of(name))?;
    Ok(())
}

/// Where the values of a text come from that is used while an instance runs.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    /// The instance's parameters.
    pub params: &'a [(String, String)],
    /// What a node has handed on: node and output.
    pub outputs: &'a dyn Fn(&str, &str) -> Option<String>,
    /// The workflow's state as the instance sees it; `None` without a state list: then `${state:x}` is the shell's.
    pub state: Option<&'a [(String, String)]>,
    /// The instance's fire time.
    pub fire_time: Timestamp,
    /// The zone of its dates.
    pub zone: Tz,
}

impl Values<'_> {
    /// Replaces `${param:x}`, `${time...}`, `${output:node.x}` and `${state:x}` in a text.
    ///
    /// # Errors
    /// [`ParamError`] for a value that does not exist, for a date that cannot be read, and beyond [`LARGEST_BODY`].
    pub fn substitute(&self, text: &str) -> Result<String, ParamError> {
        self.substitute_within(LARGEST_BODY, text)
    }

    /// The same in every attribute and text of an element. Values are inserted into the tree, so nothing in them can
    /// change it.
    ///
    /// # Errors
    /// As [`Self::substitute`].
    pub fn substitute_element(&self, element: &Element) -> Result<Element, ParamError> {
        let mut copy = element.clone();
        let mut left = LARGEST_BODY;
        for_each_text(&mut copy, &mut |text| {
            let filled = self.substitute_within(left, text)?;
            left = left.saturating_sub(filled.len());
            *text = filled.into();
            Ok(())
        })?;
        Ok(copy)
    }

    fn substitute_within(&self, limit: usize, text: &str) -> Result<String, ParamError> {
        let context = Context {
            params: self.params,
            fallback: &[],
            accepts_bare_names: false,
            kept: Some(self),
            fire_time: self.fire_time,
            zone: self.zone,
            limit,
        };
        context.substitute(text)
    }

    /// `None`: the reference is not ours.
    fn kept(&self, kept: &Kept<'_>) -> Result<Option<Cow<'_, str>>, ParamError> {
        match (kept, self.state) {
            (Kept::Output { node, name }, _) => {
                let missing = || ParamError::NoOutput {
                    node: (*node).to_owned(),
                    name: (*name).to_owned(),
                };
                let value = (self.outputs)(node, name).ok_or_else(missing)?;
                Ok(Some(value.into()))
            }
            (Kept::State { .. }, None) => Ok(None),
            (Kept::State { name }, Some(state)) => {
                let missing = || ParamError::NoState {
                    name: (*name).to_owned(),
                };
                let value = find(state, name).ok_or_else(missing)?;
                Ok(Some(value.into()))
            }
        }
    }
}

/// Replaces `${param:x}` and `${time...}` in a text.
///
/// # Errors
/// [`ParamError::Undefined`] for an unknown parameter, [`ParamError::TooLarge`] beyond [`LARGEST_BODY`], others for a date
/// that cannot be read.
pub fn substitute(
    text: &str,
    params: &[(String, String)],
    fire_time: Timestamp,
    zone: Tz,
) -> Result<String, ParamError> {
    let context = Context {
        params,
        fallback: &[],
        accepts_bare_names: false,
        kept: None,
        fire_time,
        zone,
        limit: LARGEST_BODY,
    };
    context.substitute(text)
}

/// The distinct names that `${param:x}` uses in an element, in order of first use.
pub fn used_params(element: &Element) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    visit_texts(element, &mut |text| {
        for (_, name) in references(text) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    });
    names
}

/// Reads a local date `yyyy-MM-dd`, optionally with a time of day behind `T` or a blank.
///
/// A time in a daylight-saving gap means the end of the gap, a repeated one its first occurrence.
///
/// # Errors
/// What to write instead.
pub fn parse_date(text: &str, zone: Tz) -> Result<Timestamp, Text> {
    time::parse_local(text.trim())
        .and_then(|local| moment_of(local, zone))
        .ok_or_else(|| {
            let found = crate::quote::shortened(text);
            Text::new(
                format!("日期 `{found}` 有误，写法为 yyyy-MM-dd 或 yyyy-MM-ddTHH:mm:ss"),
                format!("`{found}` is not a date; write yyyy-MM-dd or yyyy-MM-ddTHH:mm:ss"),
            )
        })
}

/// Where values come from.
struct Context<'a> {
    params: &'a [(String, String)],
    fallback: &'a [(String, String)],
    accepts_bare_names: bool,
    /// Outputs and state; `None` where there are none: then what looks like one stays as it is.
    kept: Option<&'a Values<'a>>,
    fire_time: Timestamp,
    zone: Tz,
    /// How long a text may become, in bytes.
    limit: usize,
}

impl Context<'_> {
    fn substitute(&self, text: &str) -> Result<String, ParamError> {
        let mut result = String::with_capacity(text.len());
        for token in tokens(text) {
            match token {
                Token::Literal(literal) => result.push_str(literal),
                Token::Reference(_, Reference::Param(name)) => result.push_str(self.param(name)?),
                Token::Reference(_, Reference::Time(expression)) => {
                    let expression = self.substitute_params(expression)?;
                    result.push_str(&time::evaluate(&expression, self.fire_time, self.zone)?);
                }
                Token::Reference(raw, Reference::Kept(kept)) => {
                    result.push_str(&self.kept(&kept)?.unwrap_or(raw.into()));
                }
                Token::Reference(raw, Reference::Bare(name)) => {
                    let value = self.accepts_bare_names.then(|| self.find(name)).flatten();
                    result.push_str(value.unwrap_or(raw));
                }
            }
            // No piece is longer than a value or the text itself.
            if result.len() > self.limit {
                return Err(ParamError::TooLarge);
            }
        }
        Ok(result)
    }

    fn kept(&self, kept: &Kept<'_>) -> Result<Option<Cow<'_, str>>, ParamError> {
        self.kept.map_or(Ok(None), |values| values.kept(kept))
    }

    /// A date's own text may use parameters, outputs and state, but not other dates.
    fn substitute_params(&self, expression: &str) -> Result<String, ParamError> {
        let mut result = String::with_capacity(expression.len());
        for token in tokens(expression) {
            match token {
                Token::Reference(_, Reference::Param(name)) => result.push_str(self.param(name)?),
                Token::Reference(raw, Reference::Kept(kept)) => {
                    result.push_str(&self.kept(&kept)?.unwrap_or(raw.into()));
                }
                Token::Literal(raw) | Token::Reference(raw, _) => result.push_str(raw),
            }
            if result.len() > LONGEST_VALUE {
                return Err(ParamError::TooLarge);
            }
        }
        Ok(result)
    }

    fn find(&self, name: &str) -> Option<&str> {
        find(self.params, name).or_else(|| find(self.fallback, name))
    }

    fn param(&self, name: &str) -> Result<&str, ParamError> {
        self.find(name).ok_or_else(|| ParamError::Undefined {
            name: name.to_owned(),
        })
    }
}

/// The last value of a name.
fn find<'a>(list: &'a [(String, String)], name: &str) -> Option<&'a str> {
    list.iter()
        .rev()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

fn put(list: &mut Vec<(String, String)>, name: &str, value: String) {
    match list.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => *old = value,
        None => list.push((name.to_owned(), value)),
    }
}

fn for_each_text(
    element: &mut Element,
    change: &mut impl FnMut(&mut CompactString) -> Result<(), ParamError>,
) -> Result<(), ParamError> {
    for attribute in &mut element.attributes {
        change(&mut attribute.value)?;
    }
    for child in &mut element.children {
        match child {
            Child::Text { text, .. } => change(text)?,
            Child::Element(inner) => for_each_text(inner, change)?,
        }
    }
    Ok(())
}

/// Every attribute's value and every text, in the order of the file.
fn visit_texts(element: &Element, visit: &mut impl FnMut(&str)) {
    for attribute in &element.attributes {
        visit(&attribute.value);
    }
    for child in &element.children {
        match child {
            Child::Text { text, .. } => visit(text),
            Child::Element(inner) => visit_texts(inner, visit),
        }
    }
}

#[cfg(test)]
mod tests;
