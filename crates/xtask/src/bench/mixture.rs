//! A directory of workflow files as a large user has it: mostly small ones, some large, a few broken, some in GBK.
//!
//! File `number` of a mixture is always the same text, so that figures of different days compare.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Files a directory: more makes every tool slow, fewer is no large installation.
const FILES_A_DIRECTORY: usize = 500;
/// One file in so many is broken.
const BROKEN_EVERY: usize = 200;
/// One file in so many declares GBK and is written in it.
const GBK_EVERY: usize = 50;

/// Writes files `0..count` below `directory`.
pub(crate) fn write(directory: &Path, count: usize) -> io::Result<()> {
    for number in 0..count {
        let path = path(directory, number);
        if number % FILES_A_DIRECTORY == 0 {
            fs::create_dir_all(path.parent().expect("a file lies in a directory"))?;
        }
        fs::write(path, bytes(number))?;
    }
    Ok(())
}

/// Where file `number` lies. The order of paths is the order of numbers.
pub(crate) fn path(directory: &Path, number: usize) -> PathBuf {
    let folder = number / FILES_A_DIRECTORY;
    directory.join(format!("{folder:04}/{}.xml", name(number)))
}

/// The workflow's name.
pub(crate) fn name(number: usize) -> String {
    format!("flow_{number:06}")
}

/// Whether file `number` has a mistake.
pub(crate) fn is_broken(number: usize) -> bool {
    number % BROKEN_EVERY == BROKEN_EVERY / 2
}

/// The content of file `number`.
pub(crate) fn bytes(number: usize) -> Vec<u8> {
    if number % GBK_EVERY == GBK_EVERY / 3 {
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"GBK\"?>\n{}",
            text(number, "汇总")
        );
        encoding_rs::GBK.encode(&text).0.into_owned()
    } else {
        text(number, "每日汇总").into_bytes()
    }
}

/// The text of file `number` with a description.
pub(crate) fn text(number: usize, description: &str) -> String {
    let nodes = match number % 10 {
        0 => 40,
        1..=3 => 12,
        _ => 3,
    };
    let mut text = format!(
        "<work-flow name=\"{}\" creator=\"team {}\" desc=\"{description} {number}\" dir=\"/warehouse/{}\">\n",
        name(number),
        number % 37,
        number / FILES_A_DIRECTORY,
    );
    coordinator(&mut text, number);
    text += "  <start name=\"start\" to=\"n1\"/>\n";
    for node in 1..=nodes {
        action(&mut text, number, node, nodes);
    }
    if is_broken(number) {
        text += "  <action name=\"orphan\" retry-times=\"many\"><shell><command>true</command></shell><ok to=\"nowhere\"/></action>\n";
    }
    text + "  <end name=\"end\"/>\n</work-flow>\n"
}

fn coordinator(text: &mut String, number: usize) {
    let (minute, hour) = (number % 60, number % 24);
    let upstreams: String = (1..=number % 4)
        .filter_map(|back| number.checked_sub(back * 7 + 1))
        .map(|upstream| format!("<workflow name=\"{}\"/>", name(upstream)))
        .collect();
    write!(
        text,
        "  <coordinator>\n    <depend-list cron=\"{minute} {hour} * * *\">{upstreams}</depend-list>\n    <param-list>\n      \
         <param name=\"day\" value=\"${{time.today|yyyy-MM-dd|-1 day}}\"/>\n      \
         <param name=\"table\" value=\"t_${{param:day}}\"/>\n    </param-list>\n  </coordinator>\n"
    )
    .expect("writing to a string cannot fail");
}

fn action(text: &mut String, number: usize, node: usize, nodes: usize) {
    let next = if node == nodes {
        "end".to_owned()
    } else {
        format!("n{}", node + 1)
    };
    let body = match (number + node) % 4 {
        0 => {
            "<sql db-link=\"warehouse\">delete from t where ds = '${param:day}';\n      insert into t select * from s where a &lt; 3 and ds = '${param:day}'</sql>"
        }
        1 => {
            "<transfer><source type=\"DB\" db-link=\"warehouse\">select * from ${param:table}</source><target type=\"FILE\" path=\"/tmp/${param:table}.txt\"/></transfer>"
        }
        _ => {
            "<script><code><![CDATA[\n      set -e\n      for i in 1 2 3; do echo \"$i ${param:day}\"; done\n    ]]></code></script>"
        }
    };
    writeln!(
        text,
        "  <action name=\"n{node}\" retry-times=\"2\" interval=\"30\" timeout=\"3600\" desc=\"步骤 {node}\">\n    {body}\n    <ok to=\"{next}\"/>\n  </action>"
    )
    .expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use akkaflow_actions::Registry;
    use akkaflow_model::read::read_workflow;

    use super::{bytes, is_broken, name};

    #[test]
    fn all_files_but_the_broken_ones_are_good() {
        let registry = Registry::builtin();
        for number in 0..400 {
            let reading = read_workflow(&bytes(number), &registry);
            let workflow = reading.workflow.map(|workflow| workflow.name);
            assert_eq!(
                workflow,
                (!is_broken(number)).then(|| name(number)),
                "{number}"
            );
        }
    }
}
