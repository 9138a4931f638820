//! `akka mail ...`: what people were told, or will be.

use akkaflow_api::{MailDetail, MailSummary, Mails, SendMail};
use akkaflow_model::mail::DeliveryState;
use clap::ArgMatches;
use comfy_table::Cell;

use super::steering::{say, user};
use super::{Outcome, optional, print_json, required};
use crate::client::encode;
use crate::context::Context;
use crate::screen::{Paint, Screen, plain};

pub(super) fn run(context: &Context, matches: &ArgMatches) -> Outcome {
    match matches.subcommand().expect("clap requires an action") {
        ("list", matches) => list(context, matches),
        ("show", matches) => show(context, matches),
        (_, matches) => send(context, matches),
    }
}

fn list(context: &Context, matches: &ArgMatches) -> Outcome {
    let mut path = "/api/v1/mails?".to_owned();
    if let Some(limit) = matches.get_one::<u16>("limit") {
        path.push_str(&format!("limit={limit}&"));
    }
    for name in ["state", "instance"] {
        if let Some(value) = optional(matches, name) {
            path.push_str(&format!("{name}={}&", encode(value)));
        }
    }
    let answer = context.client.get_raw(path.trim_end_matches(['?', '&']))?;
    if context.is_json {
        return print_json(&answer);
    }
    let found: Mails = context.client.parse(&answer)?;
    let screen = &context.screen;
    outln!("{}", sending(screen, &found));
    if found.mails.is_empty() {
        outln!("{}", screen.say("没有邮件", "no mails"));
        return Ok(0);
    }
    let header = [
        screen.say("邮件", "mail"),
        screen.say("主题", "subject"),
        screen.say("产生时间", "born"),
        screen.say("状态", "state"),
        screen.say("收件人", "receivers"),
        screen.say("说明", "remark"),
    ];
    let rows = found.mails.iter().map(|mail| {
        vec![
            plain(short_id(mail)),
            plain(mail.subject.trim_start_matches("【Akkaflow】")),
            plain(screen.time(mail.born_at)),
            state(screen, mail),
            plain(receivers(mail)),
            plain(remark(screen, mail)),
        ]
    });
    let table = screen.table_with_remarks(
        &header,
        rows.collect(),
        &[header[5], header[4], header[2]],
        &[0],
    );
    out!("{table}");
    Ok(0)
}

/// Who sends them, or why nobody does.
fn sending(screen: &Screen, found: &Mails) -> String {
    let words = match &found.mail_server {
        Some(server) => return format!("{}{server}", screen.say("邮件服务器：", "mail server: ")),
        None if !found.has_master => screen.say(
            "不存在活动的master，邮件只保存，有master时再发送",
            "no active master: mails are kept and sent once there is one",
        ),
        None => screen.say(
            "未配置邮件服务器（[mail] host），邮件只保存、不发送",
            "no mail server is configured ([mail] host): mails are kept and not sent",
        ),
    };
    words.to_owned()
}

/// The id as it may be typed: the instance by the end of its id, as elsewhere.
fn short_id(mail: &MailSummary) -> String {
    let (_, rest) = mail.id.split_once('.').unwrap_or(("", ""));
    let instance = mail.instance.rsplit('-').next().unwrap_or_default();
    let start = instance.len().saturating_sub(8);
    format!("{}.{rest}", &instance[start..])
}

/// The first one, and how many besides.
fn receivers(mail: &MailSummary) -> String {
    match mail.receivers.as_slice() {
        [] => String::new(),
        [only] => on_one_line(only),
        [first, others @ ..] => format!("{} +{}", on_one_line(first), others.len()),
    }
}

fn state(screen: &Screen, mail: &MailSummary) -> Cell {
    let (zh, en, paint) = match mail.state {
        DeliveryState::Waiting => ("待发送", "waiting", None),
        DeliveryState::Sent => ("已发送", "sent", Some(Paint::Green)),
        DeliveryState::Dead if !mail.accepted.is_empty() => {
            ("部分送达", "partly sent", Some(Paint::Red))
        }
        DeliveryState::Dead => ("未送达", "dead", Some(Paint::Red)),
    };
    screen.cell(screen.say(zh, en), paint)
}

fn remark(screen: &Screen, mail: &MailSummary) -> String {
    let mut words: Vec<String> = mail
        .refused
        .iter()
        .map(|it| format!("{}: {}", it.receiver, it.answer))
        .collect();
    words.extend(mail.error.clone());
    if let (Some(next), true) = (mail.next_at, mail.tries > 0) {
        let next = screen.time(next);
        words.push(match screen.lang {
            akkaflow_model::text::Lang::Zh => format!("已尝试{}次，下次{next}", mail.tries),
            akkaflow_model::text::Lang::En => {
                let times = if mail.tries == 1 { "time" } else { "times" };
                format!("tried {} {times}, next at {next}", mail.tries)
            }
        });
    }
    on_one_line(&words.join("; "))
}

/// An address is whatever somebody wrote: it must not steer a terminal.
fn on_one_line(text: &str) -> String {
    let shown = text
        .chars()
        .map(|it| if it.is_control() { ' ' } else { it });
    shown.collect()
}

fn show(context: &Context, matches: &ArgMatches) -> Outcome {
    let path = format!("/api/v1/mails/{}", encode(required(matches, "ID")));
    let answer = context.client.get_raw(&path)?;
    if context.is_json {
        return print_json(&answer);
    }
    let mail: MailDetail = context.client.parse(&answer)?;
    if matches.get_flag("html") {
        outln!("{}", mail.html);
        return Ok(0);
    }
    let (screen, summary) = (&context.screen, &mail.summary);
    let mut pairs = vec![
        (screen.say("主题", "subject"), plain(&summary.subject)),
        (
            screen.say("收件人", "receivers"),
            plain(on_one_line(&summary.receivers.join(", "))),
        ),
        (screen.say("状态", "state"), state(screen, summary)),
    ];
    let remark = remark(screen, summary);
    if !remark.is_empty() {
        pairs.push((screen.say("说明", "remark"), plain(remark)));
    }
    out!("{}", screen.pairs(pairs));
    outln!("\n{}", mail.text.trim_end());
    Ok(0)
}

fn send(context: &Context, matches: &ArgMatches) -> Outcome {
    let id = required(matches, "ID");
    let path = format!("/api/v1/mails/{}/send", encode(id));
    let answer = context.client.post(&path, &SendMail { user: user() })?;
    let zh = format!("邮件{id}将立即发送");
    let en = format!("mail {id} is sent now");
    say(context, &answer, &zh, &en)
}
