//! Links: listed without their passwords, and changed in the store.

use akkaflow_actions::{check_link, check_supported};
use akkaflow_engine::Order;
use akkaflow_model::command::{Answer, Rejection};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::links::{Fields, Link, LinkEdit, LinkKey, LinkRow, Write};
use akkaflow_model::text::Text;
use akkaflow_rpc::links::pairs_to_wire;
use akkaflow_rpc::wire;

use crate::core::Gone;
use crate::links::Listed;
use crate::shared::{Shared, Term};

/// All links.
pub(super) fn list(shared: &Shared) -> wire::LinksReply {
    let links = shared.links.all().into_iter();
    wire::LinksReply {
        links: links.map(listed).collect(),
    }
}

fn listed(listed: Listed) -> wire::ListedLink {
    let Listed {
        key,
        link,
        row,
        file,
    } = listed;
    let file = file.map(|file| file.display().to_string());
    // One that is in both is the file's: whoever looks for a change that has no effect finds it here.
    let hidden = row.as_ref().and(file.as_deref()).map(in_file);
    let (fields, problem) = match link {
        Ok(link) => (
            link.fields(),
            hidden.or_else(|| check_supported(&link).err()),
        ),
        Err(why) => (Fields::default(), Some(why)),
    };
    let shown = fields.masked();
    wire::ListedLink {
        kind: key.kind.as_str().to_owned(),
        name: key.name,
        values: pairs_to_wire(shown.values),
        properties: pairs_to_wire(shown.properties),
        file: file.unwrap_or_default(),
        is_stored: row.is_some(),
        changed_at_ms: row.as_ref().map_or(0, |row| row.changed_at.as_millis()),
        changed_by: row.map(|row| row.user).unwrap_or_default(),
        problem: problem.map(Into::into),
    }
}

fn in_file(file: &str) -> Text {
    Text::new(
        format!("该名称的连接在master的文件{file}中，以文件为准，请在文件中修改"),
        format!(
            "a link of that name stands in the master's file {file}, which is what counts: change it there"
        ),
    )
}

/// Makes a link or changes one. One at a time: what is found is what is changed.
pub(super) async fn put(
    shared: &Shared,
    term: &Term,
    key: LinkKey,
    edit: LinkEdit,
    user: String,
) -> Result<Result<Answer, Rejection>, Gone> {
    let _turn = shared.links.changing.lock().await;
    match sealed(shared, key, edit, user) {
        Ok(link) => term.core.order(Order::PutLink { link }).await,
        Err(rejection) => Ok(Err(rejection)),
    }
}

fn sealed(
    shared: &Shared,
    key: LinkKey,
    edit: LinkEdit,
    user: String,
) -> Result<Box<LinkRow>, Rejection> {
    refuse_if_in_file(shared, &key)?;
    let fields = before(shared, &key, &edit)?
        .edited(edit)
        .map_err(|why| wrong(&key, &why))?;
    let link = Link::read(&key, &fields).map_err(|found| {
        let joined = Text::new(
            found
                .iter()
                .map(|it| &*it.zh)
                .collect::<Vec<_>>()
                .join("；"),
            found
                .iter()
                .map(|it| &*it.en)
                .collect::<Vec<_>>()
                .join("; "),
        );
        wrong(&key, &joined)
    })?;
    check_link(&link).map_err(|why| Rejection::new(ErrorCode::Invalid, why))?;
    let sealing = shared
        .links
        .stored
        .sealing_key_for(&key)
        .map_err(|why| Rejection::new(ErrorCode::Conflict, why))?;
    Ok(Box::new(LinkRow {
        sealed: sealing.seal(&key, &link),
        key_id: sealing.id().to_owned(),
        key,
        changed_at: shared.clock.now(),
        user,
    }))
}

/// Seals all links with the key that there is now: all of them in one transaction, or none.
pub(super) async fn reseal(
    shared: &Shared,
    term: &Term,
    user: String,
) -> Result<Result<Answer, Rejection>, Gone> {
    let _turn = shared.links.changing.lock().await;
    match resealed(shared) {
        Ok(links) if links.is_empty() => Ok(Ok(Answer::Done)),
        Ok(links) => term.core.order(Order::ResealLinks { links, user }).await,
        Err(rejection) => Ok(Err(rejection)),
    }
}

/// The links that another key has sealed, sealed anew. Who has changed what they say, and when, stays.
fn resealed(shared: &Shared) -> Result<Vec<LinkRow>, Rejection> {
    let stored = &shared.links.stored;
    let conflict = |why| Rejection::new(ErrorCode::Conflict, why);
    let sealing = stored.sealing_key().map_err(conflict)?;
    let mut links = Vec::new();
    for (row, link) in stored.all() {
        let link = link.map_err(|why| {
            let name = row.key.text();
            conflict(Text::new(
                format!("{}无法解密，未作任何修改：{}", name.zh, why.zh),
                format!(
                    "{} cannot be opened, nothing is changed: {}",
                    name.en, why.en
                ),
            ))
        })?;
        if row.key_id != sealing.id() {
            links.push(LinkRow {
                sealed: sealing.seal(&row.key, &link),
                key_id: sealing.id().to_owned(),
                ..row
            });
        }
    }
    Ok(links)
}

/// What a link says before it is changed.
fn before(shared: &Shared, key: &LinkKey, edit: &LinkEdit) -> Result<Fields, Rejection> {
    match (edit.write, shared.links.stored.get(key)) {
        (Write::Create, Some(_)) => {
            let name = key.text();
            let text = Text::new(
                format!("{}已存在，修改请用akka link set", name.zh),
                format!("{} is there already; akka link set changes it", name.en),
            );
            Err(Rejection::new(ErrorCode::Conflict, text))
        }
        (Write::Change, None) => Err(unknown(key)),
        (_, Some(Ok(link))) => Ok(link.fields()),
        // Whoever says all of it anew needs nothing of what is there.
        (Write::Put, Some(Err(_))) if !edit.says_stars() => Ok(Fields::default()),
        (_, Some(Err(why))) => Err(Rejection::new(ErrorCode::Conflict, why)),
        (Write::Create | Write::Put, None) => Ok(Fields::default()),
    }
}

/// Removes a link.
pub(super) async fn delete(
    shared: &Shared,
    term: &Term,
    key: LinkKey,
    user: String,
) -> Result<Result<Answer, Rejection>, Gone> {
    let _turn = shared.links.changing.lock().await;
    if shared.links.stored.get(&key).is_none() {
        let rejection = refuse_if_in_file(shared, &key).err();
        return Ok(Err(rejection.unwrap_or_else(|| unknown(&key))));
    }
    term.core.order(Order::DeleteLink { key, user }).await
}

fn refuse_if_in_file(shared: &Shared, key: &LinkKey) -> Result<(), Rejection> {
    match shared.links.file_of(key) {
        None => Ok(()),
        Some(file) => {
            let text = in_file(&file.display().to_string());
            Err(Rejection::new(ErrorCode::Conflict, text))
        }
    }
}

pub(super) fn unknown(key: &LinkKey) -> Rejection {
    let name = key.text();
    let text = Text::new(
        format!("{}不存在，可用akka link list查看", name.zh),
        format!("{} does not exist; see akka link list", name.en),
    );
    Rejection::new(ErrorCode::NotFound, text)
}

fn wrong(key: &LinkKey, why: &Text) -> Rejection {
    let name = key.text();
    let text = Text::new(
        format!("{}有误：{}", name.zh, why.zh),
        format!("{} is wrong: {}", name.en, why.en),
    );
    Rejection::new(ErrorCode::Invalid, text)
}
