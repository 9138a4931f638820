//! `akka link ...`: named databases and file systems.

mod password;
mod test;

use std::collections::BTreeMap;

use akkaflow_api::{LinkDetail, PutLink};
use akkaflow_model::db_links::{DbKind, Secret};
use akkaflow_model::error::ErrorCode;
use akkaflow_model::file_links::FileKind;
use akkaflow_model::links::{LinkKind, may_hold_password};
use clap::ArgMatches;
use comfy_table::Cell;

use super::steering::{say, user};
use super::{Outcome, optional, print_json, required};
use crate::client::encode;
use crate::context::Context;
use crate::failure::Failure;
use crate::screen::{Paint, Screen, plain};

pub(super) fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    match matches.subcommand().expect("clap requires an action") {
        ("list", _) => list(context),
        ("show", matches) => show(context, matches),
        ("add", matches) => add(context, matches),
        ("set", matches) => set(context, matches),
        ("test", matches) => test::run(context, matches),
        ("rekey", _) => rekey(context),
        (_, matches) => remove(context, matches),
    }
}

fn list(context: &Context) -> Outcome {
    let answer = context.client.get_raw("/api/v1/links")?;
    if context.is_json {
        return print_json(&answer);
    }
    let links: Vec<LinkDetail> = context.client.parse(&answer)?;
    let screen = &context.screen;
    if links.is_empty() {
        outln!("{}", screen.say("没有连接", "no links"));
        return Ok(0);
    }
    let header = [
        screen.say("种类", "kind"),
        screen.say("名称", "name"),
        screen.say("类型", "type"),
        screen.say("地址", "address"),
        screen.say("来源", "kept in"),
        screen.say("说明", "remark"),
    ];
    let rows = links.iter().map(|link| {
        vec![
            plain(kind(screen, link.kind)),
            plain(&link.name),
            plain(link.type_name.as_deref().unwrap_or_default()),
            plain(address(link)),
            plain(place(screen, link)),
            remark(screen, link),
        ]
    });
    let table = screen.table_without(&header, rows.collect(), &[header[4], header[0]]);
    out!("{table}");
    Ok(0)
}

fn kind<'a>(screen: &Screen, kind: LinkKind) -> &'a str {
    match kind {
        LinkKind::Db => screen.say("数据库", "db"),
        LinkKind::File => screen.say("文件", "file"),
    }
}

fn address(link: &LinkDetail) -> String {
    let host = link.host.clone().unwrap_or_default();
    match (&link.jdbc_url, link.port) {
        (Some(url), _) => url.clone(),
        (None, Some(port)) => format!("{host}:{port}"),
        (None, None) => host,
    }
}

/// The file of the master, or the database.
fn place(screen: &Screen, link: &LinkDetail) -> String {
    let in_database = || screen.say("数据库（akka link）", "the database (akka link)");
    let file = link.file.clone().filter(|_| link.changed_at.is_none());
    file.unwrap_or_else(|| in_database().to_owned())
}

fn remark(screen: &Screen, link: &LinkDetail) -> Cell {
    match &link.problem {
        Some(problem) => screen.cell(problem, Some(Paint::Red)),
        None => plain(link.desc.as_deref().unwrap_or_default()),
    }
}

fn show(context: &Context, matches: &ArgMatches) -> Outcome {
    let path = path_of(context, matches)?;
    let answer = context.client.get_raw(&path)?;
    if context.is_json {
        return print_json(&answer);
    }
    let link: LinkDetail = context.client.parse(&answer)?;
    let screen = &context.screen;
    let properties: Vec<String> = link
        .properties
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let changed = link.changed_at.map(|at| {
        let who = link.changed_by.as_deref().unwrap_or_default();
        format!("{} {who}", screen.time(at)).trim_end().to_owned()
    });
    let optional = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let said = [
        (screen.say("类型", "type"), optional(&link.type_name)),
        (screen.say("地址", "address"), Some(address(&link))),
        (screen.say("用户名", "username"), optional(&link.username)),
        (screen.say("密码", "password"), optional(&link.password)),
        (screen.say("私钥文件", "key file"), optional(&link.key_file)),
        (
            screen.say("属性", "properties"),
            Some(properties.join("\n")),
        ),
        (screen.say("描述", "description"), optional(&link.desc)),
        (screen.say("来源", "kept in"), Some(place(screen, &link))),
        (screen.say("修改", "changed"), changed),
    ];
    let mut pairs = vec![
        (screen.say("名称", "name"), plain(&link.name)),
        (screen.say("种类", "kind"), plain(kind(screen, link.kind))),
    ];
    for (label, text) in said {
        pairs.extend(
            text.filter(|text| !text.is_empty())
                .map(|text| (label, plain(text))),
        );
    }
    if let Some(problem) = &link.problem {
        let cell = screen.cell(problem, Some(Paint::Red));
        pairs.push((screen.say("不可用", "problem"), cell));
    }
    out!("{}", screen.pairs(pairs));
    Ok(0)
}

fn add(context: &Context, matches: &ArgMatches) -> Outcome {
    let (name, type_name) = (required(matches, "NAME"), required(matches, "type"));
    let db_kind = DbKind::from_word(type_name);
    let file_kind = FileKind::from_word(type_name);
    let kind = match (db_kind, file_kind) {
        (Some(_), _) => LinkKind::Db,
        (None, Some(_)) => LinkKind::File,
        (None, None) => return Err(unknown_type(context, type_name)),
    };
    let mut link = link(context, matches)?;
    let needs_none = db_kind.is_some_and(|kind| !kind.has_accounts())
        || file_kind.is_some_and(|kind| !kind.is_remote())
        || link.key_file.is_some();
    if link.password.is_none() && !needs_none {
        link.password = Some(password::ask(context)?);
    }
    let path = path(kind, name);
    let answer = context.client.put_new(&path, &link)?;
    let zh = format!("已添加连接{name}，可用akka link show {name}查看");
    let en = format!("added link {name}, see akka link show {name}");
    say(context, &answer, &zh, &en)
}

fn unknown_type(context: &Context, type_name: &str) -> Failure {
    let words = [DbKind::WORDS, FileKind::WORDS].concat().join(", ");
    let what = context.say("没有这种类型", "there is no such type");
    let known = context.say("可用类型", "there are");
    Failure::usage(format!("{what}: {type_name}; {known}: {words}"))
}

fn set(context: &Context, matches: &ArgMatches) -> Outcome {
    let mut link = link(context, matches)?;
    if matches.get_flag("ask-password") {
        link.password = Some(password::ask(context)?);
    }
    let path = path_of(context, matches)?;
    let answer = context.client.patch(&path, &link)?;
    let name = required(matches, "NAME");
    let (zh, en) = (format!("已修改连接{name}"), format!("changed link {name}"));
    say(context, &answer, &zh, &en)
}

fn remove(context: &Context, matches: &ArgMatches) -> Outcome {
    let user = user();
    let path = path_of(context, matches)?;
    let answer = (context.client).delete(&format!("{path}?user={}", encode(&user)))?;
    let name = required(matches, "NAME");
    let left: Option<LinkDetail> = context.client.get(&path).ok();
    let (zh, en) = match left.and_then(|link| link.file) {
        None => (format!("已删除连接{name}"), format!("removed link {name}")),
        Some(file) => (
            format!("已从数据库中删除连接{name}；master的文件{file}中的同名连接仍然有效"),
            format!(
                "removed link {name} from the database; the one of that name in the master's file {file} stays in force"
            ),
        ),
    };
    say(context, &answer, &zh, &en)
}

fn rekey(context: &Context) -> Outcome {
    let path = format!("/api/v1/links/reseal?user={}", encode(&user()));
    let answer = context.client.post(&path, &serde_json::json!({}))?;
    say(
        context,
        &answer,
        "数据库中的连接已全部用新密钥加密；现在可以在所有master上删除旧密钥文件",
        "all links of the database are sealed with the new key; the file of the old one may be removed on all masters now",
    )
}

/// What was said of a link, but for a password that is asked for.
fn link(context: &Context, matches: &ArgMatches) -> Result<PutLink, Failure> {
    let value = |name| optional(matches, name).map(ToOwned::to_owned);
    let url = value("url");
    if url.as_deref().is_some_and(may_hold_password) {
        return Err(in_sight(context, "--url"));
    }
    Ok(PutLink {
        type_name: value("type"),
        jdbc_url: url.map(Secret::new),
        host: value("host"),
        port: matches.get_one::<u16>("port").copied(),
        username: value("username"),
        password: password::given(context, matches)?,
        key_file: value("key-file"),
        desc: value("desc"),
        properties: properties(context, matches)?,
        user: user(),
    })
}

fn properties(
    context: &Context,
    matches: &ArgMatches,
) -> Result<Option<BTreeMap<String, Secret>>, Failure> {
    let Some(given) = matches.get_many::<String>("property") else {
        return Ok(None);
    };
    let mut properties = BTreeMap::new();
    for property in given {
        let (name, value) = property.split_once('=').ok_or_else(|| {
            let what = context.say("--property应为NAME=VALUE", "--property is NAME=VALUE");
            Failure::usage(format!("{what}: {property}"))
        })?;
        if may_hold_password(&format!("?{name}={value}")) {
            return Err(in_sight(context, "--property"));
        }
        properties.insert(name.to_owned(), Secret::new(value));
    }
    Ok(Some(properties))
}

/// Everybody on the machine sees the arguments of a command.
fn in_sight(context: &Context, option: &str) -> Failure {
    let why = context.say(
        "中含有密码，会被本机其他用户看到；请去掉，密码按提示输入，或用--password-stdin、--password-file给出",
        "holds a password, which everybody on this machine can see; leave it out and type it when asked, or use --password-stdin or --password-file",
    );
    Failure::usage(format!("{option} {why}"))
}

fn path(kind: LinkKind, name: &str) -> String {
    format!("/api/v1/links/{}/{}", kind.as_str(), encode(name))
}

/// Where the link of that name is: both kinds may have one.
fn path_of(context: &Context, matches: &ArgMatches) -> Result<String, Failure> {
    let name = required(matches, "NAME");
    if let Some(kind) = optional(matches, "kind").and_then(LinkKind::from_word) {
        return Ok(path(kind, name));
    }
    let links: Vec<LinkDetail> = context.client.get("/api/v1/links")?;
    let mut kinds: Vec<LinkKind> = links
        .iter()
        .filter(|link| link.name == name)
        .map(|link| link.kind)
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    match kinds.as_slice() {
        [kind] => Ok(path(*kind, name)),
        [] => {
            let what = context.say(
                "连接不存在，见akka link list",
                "no such link, see akka link list",
            );
            Err(Failure::new(ErrorCode::NotFound, format!("{what}: {name}")))
        }
        _ => Err(Failure::usage(context.say(
            "数据库连接和文件连接都有该名称，请用--kind db或--kind file指明",
            "there are a db-link and a file-link of that name: say --kind db or --kind file",
        ))),
    }
}
