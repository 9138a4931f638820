use super::*;
use crate::mysql::Mysql;
use crate::postgres::Postgres;
use crate::sqlite::Sqlite;

fn texts(text: &str, dialect: &dyn Dialect) -> Vec<String> {
    split(text, dialect)
        .into_iter()
        .map(|statement| statement.text)
        .collect()
}

#[test]
fn b19_separator_in_strings_comments_and_procedures_separates_nothing() {
    assert_eq!(
        texts(
            "insert into t values ('a;b', \"c;d\", `e;f`); -- x; y\n# z;\n/* ; */ select 1;;",
            &Mysql
        ),
        ["insert into t values ('a;b', \"c;d\", `e;f`)", "select 1"]
    );
    let procedure = "create procedure p() begin if 1 then select case when 1 then 2 end; end if; \
                     while 0 do set @a = 1; end while; case 1 when 1 then select 1; end case; end";
    assert_eq!(
        texts(&format!("{procedure}; select 2"), &Mysql),
        [procedure, "select 2"]
    );
}

#[test]
fn statements_know_their_line() {
    let lines: Vec<u32> = split(
        "-- head\nselect\n1;\n\n/* a\nb */ select 2; select 3",
        &Sqlite,
    )
    .iter()
    .map(|statement| statement.line)
    .collect();
    assert_eq!(lines, [2, 6, 6]);
}

#[test]
fn quotes_escape_as_each_dialect_has_it() {
    assert_eq!(
        texts(r"select 'a\';b'; select 2", &Mysql),
        [r"select 'a\';b'", "select 2"]
    );
    assert_eq!(
        texts(r"select 'a\'; select 'b''; c'", &Postgres),
        [r"select 'a\'", "select 'b''; c'"]
    );
    assert_eq!(
        texts(r"select E'a\'; b'; select [a;b]", &Postgres),
        [r"select E'a\'; b'", "select [a", "b]"]
    );
    assert_eq!(texts("select [a;b]", &Sqlite), ["select [a;b]"]);
}

#[test]
fn dollar_quotes_and_nested_comments_belong_to_postgres() {
    assert_eq!(
        texts(
            "do $x$ begin; $$ ; $$ end $x$; select $1; /* a /* ; */ ; */ select 2",
            &Postgres
        ),
        ["do $x$ begin; $$ ; $$ end $x$", "select $1", "select 2"]
    );
    assert_eq!(
        texts(
            "create function f() returns int begin atomic select 1; select 2; end; select 3",
            &Postgres
        )
        .len(),
        2
    );
}

#[test]
fn mysql_dashes_need_a_blank_and_executable_comments_are_code() {
    assert_eq!(
        texts(
            "select 5--1; /*!40101 set names utf8 */; select 2 --\n;",
            &Mysql
        ),
        ["select 5--1", "/*!40101 set names utf8 */", "select 2 --"]
    );
}

#[test]
fn delimiter_lines_are_those_of_the_mysql_client() {
    assert_eq!(
        texts(
            "DELIMITER //\ncreate trigger t before insert on x for each row set a = 1; //\n\
             delimiter ;\nselect 1; select 2",
            &Mysql
        ),
        [
            "create trigger t before insert on x for each row set a = 1;",
            "select 1",
            "select 2"
        ]
    );
}

#[test]
fn begin_of_a_transaction_is_a_statement() {
    assert_eq!(
        texts("begin; insert into t values (1); end; commit", &Sqlite).len(),
        4
    );
    assert_eq!(
        texts("begin not atomic select 1; select 2; end; select 3", &Mysql).len(),
        2
    );
}

#[test]
fn sqlite_triggers_keep_their_bodies() {
    let trigger = "create temp trigger a after insert on t begin update t set x = case when 1 then 2 \
                   end; delete from u; end";
    assert_eq!(
        texts(&format!("{trigger};\nselect 1"), &Sqlite),
        [trigger, "select 1"]
    );
    assert_eq!(
        texts("create table event(a int); create table b(c int)", &Sqlite).len(),
        2
    );
}

#[test]
fn unfinished_strings_and_comments_end_with_the_text() {
    for text in ["select 'a;b", "/* a; b", "select $$;", "select `a;", "é;'"] {
        for dialect in [&Mysql as &dyn Dialect, &Postgres, &Sqlite] {
            let _ = split(text, dialect);
        }
    }
    assert_eq!(texts(" ; ;\n-- nothing", &Mysql), [""; 0]);
}
