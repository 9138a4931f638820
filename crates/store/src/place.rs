//! Which database a failure is about, in words for people.

use std::path::Path;
use std::sync::Arc;

use akkaflow_model::text::Text;

/// A database by its address; never with its user or password. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place(Option<Arc<Words>>);

#[derive(Debug, PartialEq, Eq)]
struct Words {
    name: Text,
    advice: Text,
}

impl Place {
    /// A database on a server, by `host:port` and name.
    pub(crate) fn server(address: &str, database: &str) -> Self {
        Self(Some(Arc::new(Words {
            name: Text::new(
                format!("元数据库{database}（{address}）"),
                format!("the metadata database `{database}` on {address}"),
            ),
            advice: Text::new(
                "请检查数据库服务是否已启动，以及store配置的地址是否正确",
                "check that the database server is up and that the address in `store` is right",
            ),
        })))
    }

    /// A database in a file.
    pub(crate) fn file(path: &Path) -> Self {
        let path = path.display();
        Self(Some(Arc::new(Words {
            name: Text::new(
                format!("元数据库{path}"),
                format!("the metadata database {path}"),
            ),
            advice: Text::new(
                "请检查磁盘空间、文件权限，以及是否有其他程序占用该文件",
                "check that its disk has room, that this user may write it and that no other program holds it",
            ),
        })))
    }

    /// What it is called.
    pub fn name(&self) -> Text {
        match &self.0 {
            Some(words) => words.name.clone(),
            None => Text::new("元数据库", "the metadata database"),
        }
    }

    /// What to look at when it does not answer.
    pub fn advice(&self) -> Text {
        match &self.0 {
            Some(words) => words.advice.clone(),
            None => Text::new("请检查数据库是否正常", "check that it is up"),
        }
    }
}
