//! The workflows of the workloads.

use std::fmt::Write as _;

/// The action of W1 to W3: one `/bin/sh` that runs `true`, which is how a `shell` command is run.
const TRUE: &str = "<shell><command>true</command></shell>";

/// `length` nodes in a row.
pub(crate) fn chain(name: &str, length: usize) -> String {
    let mut body = start("n1");
    for index in 1..=length {
        let next = if index == length {
            "end".to_owned()
        } else {
            format!("n{}", index + 1)
        };
        body += &action(&format!("n{index}"), TRUE, &next);
    }
    workflow(name, &body)
}

/// `width` nodes side by side between a fork and a join.
pub(crate) fn fan_out(name: &str, width: usize) -> String {
    let names: Vec<String> = (1..=width).map(|index| format!("n{index}")).collect();
    let mut body = start("fork") + &fork(&names);
    for node in &names {
        body += &action(node, TRUE, "join");
    }
    workflow(name, &(body + "<join name=\"join\" to=\"end\"/>\n"))
}

/// `a`, then `b c d`, then `e`.
pub(crate) fn diamond(name: &str) -> String {
    let middle = ["b", "c", "d"].map(str::to_owned);
    let mut body = start("a") + &action("a", TRUE, "fork") + &fork(&middle);
    for node in &middle {
        body += &action(node, TRUE, "join");
    }
    workflow(
        name,
        &(body + "<join name=\"join\" to=\"e\"/>\n" + &action("e", TRUE, "end")),
    )
}

/// One node that does `body`.
pub(crate) fn single(name: &str, body: &str) -> String {
    workflow(name, &(start("only") + &action("only", body, "end")))
}

fn workflow(name: &str, body: &str) -> String {
    // The limit of an akkaflow file is 1; these are asked for by the hundred.
    format!(
        "<work-flow name=\"{name}\" desc=\"benchmark\" instance-limit=\"1000\">\n{body}<end name=\"end\"/>\n</work-flow>\n"
    )
}

fn start(to: &str) -> String {
    format!("<start name=\"start\" to=\"{to}\"/>\n")
}

fn action(name: &str, body: &str, to: &str) -> String {
    format!("<action name=\"{name}\">{body}<ok to=\"{to}\"/></action>\n")
}

fn fork(to: &[String]) -> String {
    let paths = to.iter().fold(String::new(), |mut paths, node| {
        write!(paths, "<path to=\"{node}\"/>").expect("writing to a string cannot fail");
        paths
    });
    format!("<fork name=\"fork\">{paths}</fork>\n")
}

#[cfg(test)]
mod tests {
    use super::{chain, diamond, fan_out};

    #[test]
    fn the_chain_has_its_nodes_one_after_the_other() {
        let text = chain("w", 40);
        assert_eq!(text.matches("<action ").count(), 40);
        assert!(text.contains(
            "<action name=\"n39\"><shell><command>true</command></shell><ok to=\"n40\"/>"
        ));
        assert!(text.contains(
            "<action name=\"n40\"><shell><command>true</command></shell><ok to=\"end\"/>"
        ));
    }

    #[test]
    fn every_branch_of_the_fan_out_leads_to_the_join() {
        let text = fan_out("w", 1000);
        assert_eq!(text.matches("<path to=").count(), 1000);
        assert_eq!(text.matches("<ok to=\"join\"/>").count(), 1000);
    }

    #[test]
    fn the_diamond_has_five_nodes() {
        let text = diamond("w");
        assert_eq!(text.matches("<action ").count(), 5);
        assert_eq!(text.matches("<ok to=\"join\"/>").count(), 3);
    }
}
