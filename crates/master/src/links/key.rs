//! The key of the links in the store: it lies in a file, so that whoever has the database alone has no password.

use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use akkaflow_model::links::{Link, LinkKey, LinkRow};
use akkaflow_model::text::Text;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

/// Bytes of a key.
const LENGTH: usize = 32;
/// Bytes of its digest that name it.
const NAMED_BY: usize = 8;

/// Where the key lies. It is read at each use: whoever puts it there, or another, need not restart anything.
#[derive(Debug)]
pub(crate) struct KeyFile {
    path: PathBuf,
    /// Whether one that is missing may be made: not where other masters would make others.
    makes: bool,
}

/// A key.
pub(crate) struct Key {
    id: String,
    cipher: LessSafeKey,
}

impl KeyFile {
    pub(crate) fn new(path: PathBuf, makes: bool) -> Self {
        Self { path, makes }
    }

    /// The key, and the one before it as long as that lies beside it under the ending `.old`.
    pub(crate) fn keys(&self) -> Keys {
        let mut old = self.path.clone().into_os_string();
        old.push(".old");
        let old = PathBuf::from(old);
        Keys {
            current: self.read(),
            old: old.exists().then(|| read(&old)),
        }
    }

    /// The key.
    ///
    /// # Errors
    /// Why there is none, and what to do.
    pub(crate) fn read(&self) -> Result<Key, Text> {
        read(&self.path)
    }

    /// The same for whoever seals the first link: makes the key where that is allowed.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn read_or_make(&self) -> Result<Key, Text> {
        if self.makes && !self.path.exists() {
            self.make()
                .map_err(|error| unreadable(&self.path, &error))?;
            tracing::info!(path = %self.path.display(), "made the key of the links; keep a copy: without it their passwords are lost / 已生成连接的密钥，请备份");
        }
        self.read()
    }

    /// A key that anything was sealed with must outlive a power cut.
    fn make(&self) -> std::io::Result<()> {
        let mut bytes = [0; LENGTH];
        SystemRandom::new()
            .fill(&mut bytes)
            .expect("the system has random numbers");
        let directory = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(directory)?;
        let mut file = std::fs::OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&self.path)?;
        file.write_all(format!("{}\n", STANDARD.encode(bytes)).as_bytes())?;
        file.sync_all()?;
        std::fs::File::open(directory)?.sync_all()
    }
}

/// The keys that there are.
pub(crate) struct Keys {
    current: Result<Key, Text>,
    /// Of before a change of the key.
    old: Option<Result<Key, Text>>,
}

impl Keys {
    /// Reads a link with the key that it was sealed with.
    ///
    /// # Errors
    /// Why that cannot be, and what to do.
    pub(crate) fn open(&self, row: &LinkRow) -> Result<Link, Text> {
        match (&self.current, &self.old) {
            (Ok(key), _) if key.id == row.key_id => key.open(row),
            (_, Some(Ok(old))) if old.id == row.key_id => old.open(row),
            (_, Some(Err(why))) | (Err(why), _) => Err(why.clone()),
            (Ok(key), _) => key.open(row),
        }
    }
}

fn read(path: &Path) -> Result<Key, Text> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(missing(path)),
        Err(error) => return Err(unreadable(path, &error)),
    };
    let meta = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(open_to_others(path));
    }
    let bytes = STANDARD.decode(text.trim()).unwrap_or_default();
    Key::new(&bytes).ok_or_else(|| malformed(path))
}

impl Key {
    /// `None` when these bytes are no key.
    fn new(bytes: &[u8]) -> Option<Self> {
        let cipher = UnboundKey::new(&AES_256_GCM, bytes).ok()?;
        let named = digest(&SHA256, bytes);
        let id = &named.as_ref()[..NAMED_BY];
        Some(Self {
            id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
            cipher: LessSafeKey::new(cipher),
        })
    }

    /// What rows call it.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Makes the content of a link unreadable for whoever has not this key, and bound to its kind and name.
    pub(crate) fn seal(&self, key: &LinkKey, link: &Link) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new()
            .fill(&mut nonce)
            .expect("the system has random numbers");
        let mut content = serde_json::to_vec(link).expect("links are plain data");
        let bound_to = Aad::from(key.to_string());
        self.cipher
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound_to, &mut content)
            .expect("a link is far smaller than what can be sealed");
        [&nonce[..], &content].concat()
    }

    /// Reads a link again.
    ///
    /// # Errors
    /// Another key is needed, or the row is not as it was written.
    pub(crate) fn open(&self, row: &LinkRow) -> Result<Link, Text> {
        if row.key_id != self.id {
            return Err(Text::new(
                format!(
                    "该连接由另一密钥（{}）加密，当前密钥为{}；请放回原密钥文件，或重新添加该连接",
                    row.key_id, self.id
                ),
                format!(
                    "it is sealed with another key ({}), the key file holds {}; put the right key file back, or remove the link and add it again",
                    row.key_id, self.id
                ),
            ));
        }
        self.unseal(row).ok_or_else(|| {
            Text::new(
                "数据库中该连接的内容已被改动，无法解密；请删除后重新添加",
                "its row in the database is not as it was written and cannot be opened; remove the link and add it again",
            )
        })
    }

    fn unseal(&self, row: &LinkRow) -> Option<Link> {
        let (nonce, content) = row.sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut content = content.to_vec();
        let bound_to = Aad::from(row.key.to_string());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let content = self
            .cipher
            .open_in_place(nonce, bound_to, &mut content)
            .ok()?;
        serde_json::from_slice(content).ok()
    }
}

fn missing(path: &Path) -> Text {
    let path = path.display();
    let command = format!("(umask 077; head -c 32 /dev/urandom | base64 > '{path}')");
    Text::new(
        format!(
            "没有连接的密钥文件{path}；首次使用请执行 {command} 并让所有master使用同一份（可用配置项key-file指定）；曾经有过则请放回原文件"
        ),
        format!(
            "there is no key file {path}; put the earlier one back, or if there never was one, run {command} and give all masters the same (key `key-file`)"
        ),
    )
}

fn open_to_others(path: &Path) -> Text {
    let path = path.display();
    Text::new(
        format!("密钥文件{path}可被其他用户读取，请执行 chmod 600 '{path}'"),
        format!("others may read the key file {path}; run chmod 600 '{path}'"),
    )
}

fn malformed(path: &Path) -> Text {
    let path = path.display();
    Text::new(
        format!("密钥文件{path}的内容不是base64编码的{LENGTH}字节，请放回正确的文件"),
        format!(
            "the key file {path} does not hold {LENGTH} bytes in base64; put the right one there"
        ),
    )
}

fn unreadable(path: &Path, error: &std::io::Error) -> Text {
    let path = path.display();
    Text::new(
        format!("密钥文件{path}无法使用：{error}；请检查路径及权限"),
        format!("cannot use the key file {path}: {error}; check its place and its permissions"),
    )
}

#[cfg(test)]
mod tests {
    use akkaflow_model::db_links::{DbKind, DbLink, Secret};
    use akkaflow_model::links::LinkKind;
    use akkaflow_model::time::Timestamp;

    use super::*;

    fn key_of(kind: LinkKind, name: &str) -> LinkKey {
        LinkKey {
            kind,
            name: name.to_owned(),
        }
    }

    fn link() -> Link {
        Link::Db(DbLink {
            name: "a".to_owned(),
            kind: DbKind::Mysql,
            jdbc_url: "jdbc:mysql://h/d".to_owned(),
            username: "u".to_owned(),
            password: Secret::new("hunter2"),
            desc: None,
            properties: Vec::new(),
        })
    }

    fn row(key: &Key) -> LinkRow {
        let of = key_of(LinkKind::Db, "a");
        LinkRow {
            sealed: key.seal(&of, &link()),
            key: of,
            key_id: key.id().to_owned(),
            changed_at: Timestamp::default(),
            user: String::new(),
        }
    }

    #[test]
    fn a_sealed_link_opens_again_and_shows_nothing() {
        let key = Key::new(&[1; LENGTH]).unwrap();
        let row = row(&key);
        assert_eq!(key.open(&row), Ok(link()));
        let sealed = String::from_utf8_lossy(&row.sealed).into_owned();
        assert!(!sealed.contains("hunter2") && !sealed.contains("jdbc"));
        assert_ne!(
            row.sealed,
            self::row(&key).sealed,
            "each sealing is another"
        );
    }

    #[test]
    fn a_wrong_key_a_moved_row_and_a_changed_byte_are_refused() {
        let key = Key::new(&[1; LENGTH]).unwrap();
        let other = Key::new(&[2; LENGTH]).unwrap();
        let row = row(&key);
        assert!(other.open(&row).unwrap_err().en.contains(key.id()));
        let is_refused = |row: &LinkRow| {
            let why = key.open(row).unwrap_err();
            assert!(why.en.contains("not as it was written"), "{why:?}");
        };
        let claimed = LinkRow {
            sealed: other.seal(&row.key, &link()),
            ..row.clone()
        };
        is_refused(&claimed);
        for moved in [key_of(LinkKind::Db, "b"), key_of(LinkKind::File, "a")] {
            is_refused(&LinkRow {
                key: moved,
                ..row.clone()
            });
        }
        for place in 0..row.sealed.len() {
            let mut changed = row.clone();
            changed.sealed[place] ^= 1;
            is_refused(&changed);
            changed.sealed.truncate(place);
            is_refused(&changed);
        }
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone_and_only_where_it_may() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config/links.key");
        let cluster = KeyFile::new(path.clone(), false);
        let refused = cluster.read_or_make().err().unwrap();
        assert!(
            refused.en.contains("head -c 32 /dev/urandom"),
            "{refused:?}"
        );
        assert!(refused.zh.contains("links.key"), "{refused:?}");
        let standalone = KeyFile::new(path.clone(), true);
        assert!(standalone.read().is_err(), "it is made on first need");
        let made = standalone.read_or_make().unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(standalone.read_or_make().unwrap().id(), made.id());
        assert_eq!(cluster.read().unwrap().id(), made.id());
    }

    #[test]
    fn the_key_before_opens_what_it_has_sealed_as_long_as_it_lies_beside_the_new_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("links.key");
        let old = directory.path().join("links.key.old");
        let file = KeyFile::new(path.clone(), true);
        let before = file.read_or_make().unwrap();
        let row = row(&before);
        std::fs::rename(&path, &old).unwrap();
        assert_eq!(file.keys().open(&row).unwrap(), link(), "in between too");
        let after = file.read_or_make().unwrap();
        assert_ne!(after.id(), before.id());
        assert_eq!(file.keys().open(&row).unwrap(), link());
        let shared = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(&old, shared).unwrap();
        let refused = file.keys().open(&row).unwrap_err();
        assert!(refused.en.contains("links.key.old"), "{refused:?}");
        std::fs::remove_file(&old).unwrap();
        let refused = file.keys().open(&row).unwrap_err();
        assert!(refused.en.contains("another key"), "{refused:?}");
    }

    #[test]
    fn a_key_that_others_may_read_or_that_is_none_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("links.key");
        let file = KeyFile::new(path.clone(), true);
        file.read_or_make().unwrap();
        let mode = |mode| {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&path, permissions).unwrap();
        };
        mode(0o640);
        assert!(file.read().err().unwrap().en.contains("chmod 600"));
        mode(0o600);
        std::fs::write(&path, "c2hvcnQ=").unwrap();
        assert!(file.read_or_make().err().unwrap().en.contains("32 bytes"));
    }
}
