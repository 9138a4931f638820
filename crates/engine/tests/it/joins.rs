//! The table of joins: what two branches do, and when the node behind them starts.
//!
//! A row is what the first branch does, a column what the second one does; the second ends after the first. The sign
//! says when the node starts: `0` at once, `1` when the first branch has ended, `2` when the second one has, `.` never.
//!
//! | word | what the branch does | its edge |
//! |---|---|---|
//! | `ok` | its action succeeds, the ok edge leads on | taken |
//! | `failed` | its action fails, the ok edge leads on and the error edge elsewhere | not taken |
//! | `caught` | its action fails, the error edge leads on | taken |
//! | `unneeded` | its action succeeds, the error edge leads on and the ok edge elsewhere | not taken |
//! | `true` | its action succeeds, and the condition of the ok edge holds | taken |
//! | `false` | its action succeeds, and the condition of the ok edge does not hold | not taken |
//! | `ignored` | its action is not run | taken at once |
//! | `dead` | a decision went another way, its action is never reached | not taken, at once |

use akkaflow_model::state::InstanceState;

use crate::world::{World, workflow};

const WORDS: [&str; 8] = [
    "ok", "failed", "caught", "unneeded", "true", "false", "ignored", "dead",
];

/// A join waits until both branches are decided, and starts if one of them leads on.
const JOIN: [&str; 8] = [
    // ok, failed, caught, unneeded, true, false, ignored, dead
    "22222211", // ok
    "2.2.2.1.", // failed
    "22222211", // caught
    "2.2.2.1.", // unneeded
    "22222211", // true
    "2.2.2.1.", // false
    "22222200", // ignored
    "2.2.2.0.", // dead
];

/// A node that is no join starts with the first branch that leads on, and once only.
const PLAIN: [&str; 8] = [
    // ok, failed, caught, unneeded, true, false, ignored, dead
    "11111101", // ok
    "2.2.2.0.", // failed
    "11111101", // caught
    "2.2.2.0.", // unneeded
    "11111101", // true
    "2.2.2.0.", // false
    "00000000", // ignored
    "2.2.2.0.", // dead
];

/// A node that comes after two others starts once both have succeeded; where their edges lead means nothing.
const AFTER: [&str; 8] = [
    // ok, failed, caught, unneeded, true, false, ignored, dead
    "2..2221.", // ok
    "........", // failed
    "........", // caught
    "2..2221.", // unneeded
    "2..2221.", // true
    "2..2221.", // false
    "2..2220.", // ignored
    "........", // dead
];

fn branch(name: &str, word: &str, target: &str) -> String {
    match word {
        "ok" | "failed" | "dead" => format!("{name}: ok={target} error=x"),
        "caught" | "unneeded" => format!("{name}: ok=x error={target}"),
        "true" => format!("{name}: ok={target}[param.yes=='1'] error=x"),
        "false" => format!("{name}: ok={target}[param.yes=='0'] error=x"),
        "ignored" => format!("{name}: ok={target} error=x ignore"),
        _ => panic!("{word}"),
    }
}

fn entry(name: &str, word: &str) -> String {
    if word == "dead" {
        format!("d{name}")
    } else {
        name.to_owned()
    }
}

fn act(world: &mut World, name: &str, word: &str) {
    match word {
        "ok" | "unneeded" | "true" | "false" => world.ok(name),
        "failed" | "caught" => world.fail(name),
        _ => {}
    }
}

/// When `t` starts.
fn started(target: &str, behind: &str, first: &str, second: &str, is_restarted: bool) -> char {
    let mut world = World::with_worker();
    let text = format!(
        "start f
        fork f: {} {}
        decision da: param.yes=='0'->a ->x
        decision db: param.yes=='0'->b ->x
        {}
        {}
        x: ok=e ignore
        {behind}
        end e",
        entry("a", first),
        entry("b", second),
        branch("a", first, target),
        branch("b", second, target),
    );
    world.put(workflow("wf", &text));
    let id = world.run_with("wf", &[("yes", "1")]);
    let mut found = '.';
    for (moment, (name, word)) in [('0', ("", "")), ('1', ("a", first)), ('2', ("b", second))] {
        act(&mut world, name, word);
        if is_restarted {
            world.take_over();
        }
        if found == '.' && world.running_nodes().contains('t') {
            found = moment;
        }
    }
    world.run_out();
    assert_eq!(
        world.state(id),
        InstanceState::Succeeded,
        "{first}, {second}: it ends"
    );
    let attempts = world
        .current_nodes(id)
        .iter()
        .find(|row| row.node == "t")
        .map(|row| row.attempts);
    assert_eq!(
        attempts,
        (found != '.').then_some(1),
        "{first}, {second}: it runs once"
    );
    found
}

fn check(target: &str, behind: &str, table: [&str; 8]) {
    for (first, row) in WORDS.iter().zip(table) {
        for (second, expected) in WORDS.iter().zip(row.chars()) {
            for is_restarted in [false, true] {
                let found = started(target, behind, first, second, is_restarted);
                assert_eq!(
                    found, expected,
                    "{behind}: {first}, then {second}, with a take-over after each: {is_restarted}"
                );
            }
        }
    }
}

#[test]
fn a_join_waits_for_all_and_starts_if_one_leads_on() {
    check("j", "join j: t\n t: ok=e", JOIN);
}

#[test]
fn another_node_starts_with_the_first_that_leads_on() {
    check("t", "t: ok=e", PLAIN);
}

#[test]
fn a_node_after_others_starts_once_all_have_succeeded() {
    check("x", "t: ok=e after=a,b", AFTER);
}

#[test]
fn a_join_counts_its_branches_wherever_it_stands_in_the_file() {
    let mut world = World::with_worker();
    let text = "join j: d\n start f\n fork f: a b\n a: ok=j\n b: ok=j\n d: ok=e\n end e";
    world.put(workflow("wf", text));
    let id = world.run("wf");
    world.ok("a");
    world.restart();
    world.attach("w", 10);
    assert_eq!(world.running_nodes(), "b");
    world.fail("b");
    assert_eq!(world.state(id), InstanceState::Failed);
    world.rerun(id, true).unwrap();
    assert_eq!(world.running_nodes(), "b");
    world.ok("b");
    assert_eq!(world.running_nodes(), "d");
    world.ok("d");
    assert_eq!(world.state(id), InstanceState::Succeeded);
}
