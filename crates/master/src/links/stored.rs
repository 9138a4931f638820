//! The links that the store keeps, as this master knows them while it leads: whoever changes one goes through its core.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use akkaflow_model::links::{Link, LinkKey, LinkRow};
use akkaflow_model::text::Text;

use super::key::{Key, KeyFile};

/// The links that the store keeps, and the key to them.
#[derive(Debug)]
pub(crate) struct StoredLinks {
    key: KeyFile,
    rows: Mutex<BTreeMap<LinkKey, LinkRow>>,
}

impl StoredLinks {
    pub(crate) fn new(key: KeyFile) -> Self {
        Self {
            key,
            rows: Mutex::default(),
        }
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<LinkKey, LinkRow>> {
        self.rows.lock().expect("no panic while held")
    }

    /// Takes over what the store holds, and says which of it cannot be opened: a master leads without it all the same.
    pub(crate) fn load(&self, rows: Vec<LinkRow>) {
        *self.rows() = rows.into_iter().map(|row| (row.key.clone(), row)).collect();
        for (row, link) in self.all() {
            if let Err(why) = link {
                let name = row.key.text();
                tracing::warn!(
                    "{} cannot be opened, nodes that need it will wait: {} / {}无法解密，需要它的节点将等待：{}",
                    name.en,
                    why.en,
                    name.zh,
                    why.zh
                );
            }
        }
    }

    /// One is another now, or gone.
    pub(crate) fn note(&self, key: LinkKey, row: Option<LinkRow>) {
        match row {
            Some(row) => drop(self.rows().insert(key, row)),
            None => drop(self.rows().remove(&key)),
        }
    }

    /// One link; an error says why it cannot be opened.
    pub(crate) fn get(&self, key: &LinkKey) -> Option<Result<Link, Text>> {
        let row = self.rows().get(key).cloned()?;
        Some(self.key.keys().open(&row))
    }

    /// All of them, in order.
    pub(crate) fn all(&self) -> Vec<(LinkRow, Result<Link, Text>)> {
        let rows: Vec<LinkRow> = self.rows().values().cloned().collect();
        if rows.is_empty() {
            return Vec::new();
        }
        let keys = self.key.keys();
        let open = |row: LinkRow| {
            let link = keys.open(&row);
            (row, link)
        };
        rows.into_iter().map(open).collect()
    }

    /// The key to seal one with. Made when it is the first one: a key that is missing later must be found again.
    pub(crate) fn sealing_key(&self) -> Result<Key, Text> {
        let is_first = self.rows().is_empty();
        match is_first {
            true => self.key.read_or_make(),
            false => self.key.read(),
        }
    }

    /// The same for this link: only while the key opens all others, or two keys would be needed from then on.
    pub(crate) fn sealing_key_for(&self, sealed: &LinkKey) -> Result<Key, Text> {
        let key = self.sealing_key()?;
        let mut others = self.all().into_iter().filter(|(row, _)| row.key != *sealed);
        match others.find_map(|(row, link)| link.err().map(|_| row)) {
            Some(row) => Err(another_key(&row.key)),
            None => Ok(key),
        }
    }
}

fn another_key(closed: &LinkKey) -> Text {
    let name = closed.text();
    Text::new(
        format!(
            "当前密钥文件无法解密{}，以它加密会使密钥混杂；请先放回原密钥文件，或删除无法解密的连接（见akka link list）",
            name.zh
        ),
        format!(
            "the key file that is there does not open {}, so nothing is sealed with it, or keys would mix; put the right key file back, or remove the links that cannot be opened (akka link list names them)",
            name.en
        ),
    )
}
