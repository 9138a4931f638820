//! Stars in what somebody says of a link: whoever sends back what was shown means what is there.

use super::masks::{MASK, masked_url, names_secret};
use super::{Fields, LinkEdit};
use crate::db_links::Secret;
use crate::text::Text;

impl LinkEdit {
    /// Whether stars stand in it for what is secret.
    pub fn says_stars(&self) -> bool {
        let properties = self.properties.iter().flatten();
        let mut all = self.values.iter().chain(properties);
        all.any(|(name, value)| is_starred(name, value))
    }
}

fn is_starred(name: &str, value: &Secret) -> bool {
    match name {
        "jdbc-url" => value.reveal().contains(MASK),
        name => names_secret(name) && value.reveal() == MASK,
    }
}

impl Fields {
    /// An edit with what is there in place of the stars that stand for it.
    pub(super) fn unmasked(&self, mut edit: LinkEdit) -> Result<LinkEdit, Text> {
        if !edit.says_stars() {
            return Ok(edit);
        }
        for (name, value) in &mut edit.values {
            let before = self.value(name).filter(|_| name == "jdbc-url");
            if let Some(before) = before.filter(|url| masked_url(url) == value.reveal()) {
                *value = Secret::new(before);
            }
        }
        let is_moved = self.is_moved_by(&edit);
        let values = edit.values.iter_mut().map(|pair| (pair, &self.values));
        let properties = edit.properties.iter_mut().flatten();
        let properties = properties.map(|pair| (pair, &self.properties));
        for ((name, value), before) in values.chain(properties) {
            // The address was compared as a whole.
            let is_url = name == "jdbc-url" && self.value(name) == Some(value.reveal());
            if is_url || !is_starred(name, value) {
                continue;
            }
            let kept = before.iter().find(|(known, _)| known == name);
            let kept = kept.filter(|(_, secret)| !is_moved && !secret.reveal().is_empty());
            *value = kept.ok_or_else(|| hides_nothing(name))?.1.clone();
        }
        Ok(edit)
    }
}

fn hides_nothing(name: &str) -> Text {
    Text::new(
        format!(
            "`{name}`中的{MASK}表示沿用已保存的密码，仅在已有密码且type、jdbc-url、host、port均不变时可用；请给出密码本身"
        ),
        format!(
            "`{name}` holds {MASK}, which stands for the password that is there: it is kept only where there is one and type, jdbc-url, host and port stay as they are; give the password itself"
        ),
    )
}
