//! Where a source file can be changed so that its tests should notice, and what stands there instead.

use std::ops::Range;

use anyhow::{Context, Result};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Block, Expr, Lit, ReturnType, Stmt, UnOp};

/// How a place is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// An expression becomes another one.
    Expression,
    /// A statement is left out.
    Statement,
    /// A function returns at once; the place is the empty one behind its brace.
    Entry,
}

/// A place of a file and one change to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The bytes that are changed.
    pub(crate) range: Range<usize>,
    /// Counted from 1.
    pub(crate) line: usize,
    /// The function around it.
    pub(crate) function: String,
    pub(crate) shape: Shape,
    /// What stands there; the signature for [`Shape::Entry`].
    pub(crate) original: String,
    /// What stands there instead; empty for [`Shape::Statement`].
    pub(crate) mutated: String,
}

/// Methods that stand for each other.
const PAIRS: &[(&str, &str)] = &[
    ("all", "any"),
    ("first", "last"),
    ("first_key_value", "last_key_value"),
    ("is_err", "is_ok"),
    ("is_none", "is_some"),
    ("is_none_or", "is_some_and"),
    ("max", "min"),
    ("max_by_key", "min_by_key"),
    ("pop_back", "pop_front"),
    ("pop_first", "pop_last"),
    ("push_back", "push_front"),
    ("saturating_add", "saturating_sub"),
];

/// A call of this name answers with yes or no.
fn is_question(name: &str) -> bool {
    [
        "is_",
        "has_",
        "may_",
        "contains",
        "starts_with",
        "ends_with",
    ]
    .iter()
    .any(|beginning| name.starts_with(beginning))
}

/// All places of a file, in order of their beginning.
///
/// # Errors
/// When the text is no Rust.
pub(crate) fn places(text: &str) -> Result<Vec<Place>> {
    let file = syn::parse_file(text).context("parse a source file")?;
    let mut found = Finder {
        text,
        function: String::new(),
        is_diverging: false,
        places: Vec::new(),
    };
    found.visit_file(&file);
    found.places.sort_by_key(|place| place.range.start);
    Ok(found.places)
}

struct Finder<'a> {
    text: &'a str,
    function: String,
    /// In the `else` of a `let`, which must not go on.
    is_diverging: bool,
    places: Vec<Place>,
}

impl Finder<'_> {
    fn source(&self, node: &impl Spanned) -> &str {
        &self.text[node.span().byte_range()]
    }

    fn add(&mut self, node: &impl Spanned, shape: Shape, mutated: String) {
        let span = node.span();
        self.places.push(Place {
            range: span.byte_range(),
            line: span.start().line,
            function: self.function.clone(),
            shape,
            original: self.source(node).to_owned(),
            mutated,
        });
    }

    /// One part of an expression is replaced.
    fn replace(&mut self, whole: &impl Spanned, part: &impl Spanned, with: &str) {
        let begin = whole.span().byte_range().start;
        let part = part.span().byte_range();
        let mut mutated = self.source(whole).to_owned();
        mutated.replace_range(part.start - begin..part.end - begin, with);
        self.add(whole, Shape::Expression, mutated);
    }

    fn negate(&mut self, question: &Expr) {
        let mutated = format!("!{}", self.source(question));
        self.add(question, Shape::Expression, mutated);
    }

    /// Decides a condition; what a `let` binds must stay.
    fn force(&mut self, condition: &Expr, outcomes: &[bool]) {
        match condition {
            Expr::Let(_) => {}
            Expr::Binary(both) if has_let(condition) => {
                self.force(&both.left, outcomes);
                self.force(&both.right, outcomes);
            }
            // Another mutant does so.
            Expr::Lit(_) => {}
            _ => {
                for outcome in outcomes {
                    self.add(condition, Shape::Expression, outcome.to_string());
                }
            }
        }
    }

    /// Lets a function return at once, where it is easy to say what.
    fn cut_short(&mut self, signature: &syn::Signature, block: &Block) {
        if block.stmts.is_empty() {
            return;
        }
        let answers: &[&str] = match &signature.output {
            ReturnType::Default => &["return;"],
            ReturnType::Type(_, kind) => match self.source(kind).split('<').next().map(str::trim) {
                Some("bool") => &["return true;", "return false;"],
                Some("Option") => &["return None;"],
                Some("Vec") => &["return Vec::new();"],
                Some("Result") if self.source(kind).starts_with("Result<(),") => {
                    &["return Ok(());"]
                }
                _ => &[],
            },
        };
        let brace = block.brace_token.span.open();
        let end = brace.byte_range().end;
        for answer in answers {
            self.places.push(Place {
                range: end..end,
                line: signature.span().start().line,
                function: self.function.clone(),
                shape: Shape::Entry,
                original: self.source(signature).to_owned(),
                mutated: (*answer).to_owned(),
            });
        }
    }

    fn function(
        &mut self,
        attributes: &[syn::Attribute],
        signature: &syn::Signature,
        block: &Block,
    ) {
        // What is constant cannot ask which mutant it is; an invariant in words is for tests.
        if is_for_tests(attributes)
            || signature.constness.is_some()
            || self
                .source(&signature.output)
                .ends_with("Result<(), String>")
        {
            return;
        }
        let around = std::mem::replace(&mut self.function, signature.ident.to_string());
        self.cut_short(signature, block);
        self.visit_block(block);
        self.function = around;
    }

    fn binary(&mut self, node: &syn::ExprBinary) {
        let with = match node.op {
            BinOp::Lt(_) => "<=",
            BinOp::Le(_) => "<",
            BinOp::Gt(_) => ">=",
            BinOp::Ge(_) => ">",
            BinOp::Eq(_) => "!=",
            BinOp::Ne(_) => "==",
            BinOp::And(_) => "||",
            BinOp::Or(_) => "&&",
            BinOp::Add(_) => "-",
            BinOp::Sub(_) => "+",
            BinOp::Mul(_) => "/",
            BinOp::Div(_) => "*",
            BinOp::AddAssign(_) => "-=",
            BinOp::SubAssign(_) => "+=",
            BinOp::BitAnd(_) => "|",
            BinOp::BitOr(_) => "&",
            BinOp::BitAndAssign(_) => "|=",
            BinOp::BitOrAssign(_) => "&=",
            _ => return,
        };
        self.replace(node, &node.op, with);
    }

    fn literal(&mut self, node: &syn::ExprLit) {
        match &node.lit {
            Lit::Bool(value) => {
                self.add(node, Shape::Expression, (!value.value).to_string());
            }
            Lit::Int(number) => {
                if let Ok(value) = number.base10_parse::<u128>() {
                    let more = format!("{}{}", value + 1, number.suffix());
                    self.add(node, Shape::Expression, more);
                }
            }
            _ => {}
        }
    }
}

impl<'a> Visit<'a> for Finder<'_> {
    fn visit_expr(&mut self, node: &'a Expr) {
        match node {
            Expr::Binary(both) if !has_let(node) => self.binary(both),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => {
                let mutated = self.source(&unary.expr).to_owned();
                self.add(node, Shape::Expression, mutated);
            }
            Expr::Lit(literal) => self.literal(literal),
            Expr::If(node) => self.force(&node.cond, &[true, false]),
            // One that goes on for ever shows nothing.
            Expr::While(node) => self.force(&node.cond, &[false]),
            Expr::Macro(node) if node.mac.path.is_ident("matches") => {
                let mutated = format!("!{}", self.source(node));
                self.add(node, Shape::Expression, mutated);
            }
            Expr::MethodCall(call) => {
                let name = call.method.to_string();
                let pair = PAIRS.iter().find_map(|(one, other)| {
                    let is_one = (*one == name).then_some(*other);
                    is_one.or_else(|| (*other == name).then_some(*one))
                });
                if let Some(other) = pair {
                    self.replace(call, &call.method, other);
                } else if is_question(&name) {
                    self.negate(node);
                }
            }
            Expr::Call(call) => {
                if let Expr::Path(path) = &*call.func
                    && let Some(last) = path.path.segments.last()
                    && is_question(&last.ident.to_string())
                {
                    self.negate(node);
                }
            }
            _ => {}
        }
        visit::visit_expr(self, node);
    }

    fn visit_arm(&mut self, node: &'a syn::Arm) {
        if let Some((_, guard)) = &node.guard {
            self.force(guard, &[true, false]);
        }
        visit::visit_arm(self, node);
    }

    fn visit_stmt(&mut self, node: &'a Stmt) {
        if let Stmt::Expr(expression, Some(_)) = node {
            let is_left_out = match expression {
                Expr::Call(_) | Expr::MethodCall(_) | Expr::Assign(_) => true,
                Expr::Try(tried) => matches!(&*tried.expr, Expr::Call(_) | Expr::MethodCall(_)),
                Expr::Return(_) | Expr::Continue(_) | Expr::Break(_) => !self.is_diverging,
                _ => false,
            };
            if is_left_out {
                self.add(node, Shape::Statement, String::new());
            }
        }
        visit::visit_stmt(self, node);
    }

    fn visit_local_init(&mut self, node: &'a syn::LocalInit) {
        self.visit_expr(&node.expr);
        if let Some((_, otherwise)) = &node.diverge {
            let was_diverging = std::mem::replace(&mut self.is_diverging, true);
            self.visit_expr(otherwise);
            self.is_diverging = was_diverging;
        }
    }

    fn visit_item_fn(&mut self, node: &'a syn::ItemFn) {
        self.function(&node.attrs, &node.sig, &node.block);
    }

    fn visit_impl_item_fn(&mut self, node: &'a syn::ImplItemFn) {
        self.function(&node.attrs, &node.sig, &node.block);
    }

    fn visit_trait_item_fn(&mut self, node: &'a syn::TraitItemFn) {
        if let Some(block) = &node.default {
            self.function(&node.attrs, &node.sig, block);
        }
    }

    fn visit_item_mod(&mut self, node: &'a syn::ItemMod) {
        if !is_for_tests(&node.attrs) {
            visit::visit_item_mod(self, node);
        }
    }

    fn visit_item_impl(&mut self, node: &'a syn::ItemImpl) {
        // Texts for people are looked at where people are.
        let is_text = node.trait_.as_ref().is_some_and(|(_, path, _)| {
            let last = path.segments.last();
            last.is_some_and(|last| last.ident == "Debug" || last.ident == "Display")
        });
        if !is_text && !is_for_tests(&node.attrs) {
            visit::visit_item_impl(self, node);
        }
    }

    // What must be constant, or is no code.
    fn visit_item_const(&mut self, _: &'a syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'a syn::ItemStatic) {}
    fn visit_item_enum(&mut self, _: &'a syn::ItemEnum) {}
    fn visit_impl_item_const(&mut self, _: &'a syn::ImplItemConst) {}
    fn visit_trait_item_const(&mut self, _: &'a syn::TraitItemConst) {}
    fn visit_expr_const(&mut self, _: &'a syn::ExprConst) {}
    fn visit_type(&mut self, _: &'a syn::Type) {}
    fn visit_generics(&mut self, _: &'a syn::Generics) {}
    fn visit_pat(&mut self, _: &'a syn::Pat) {}
    fn visit_attribute(&mut self, _: &'a syn::Attribute) {}
    fn visit_angle_bracketed_generic_arguments(
        &mut self,
        _: &'a syn::AngleBracketedGenericArguments,
    ) {
    }

    fn visit_expr_repeat(&mut self, node: &'a syn::ExprRepeat) {
        self.visit_expr(&node.expr);
    }
}

/// Whether `let` stands in a chain of conditions.
fn has_let(expression: &Expr) -> bool {
    match expression {
        Expr::Let(_) => true,
        Expr::Binary(both) => has_let(&both.left) || has_let(&both.right),
        _ => false,
    }
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute
                    .parse_args::<syn::Path>()
                    .is_ok_and(|path| path.is_ident("test"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Original and mutated texts.
    fn of(text: &str) -> Vec<(String, String)> {
        let found = places(text).unwrap().into_iter();
        found.map(|place| (place.original, place.mutated)).collect()
    }

    /// Those of an expression.
    fn of_expression(text: &str) -> Vec<(String, String)> {
        of(&format!("fn f() -> u8 {{ {text} }}"))
    }

    fn pair(original: &str, mutated: &str) -> (String, String) {
        (original.to_owned(), mutated.to_owned())
    }

    #[test]
    fn operators_and_methods_have_their_counterparts() {
        assert_eq!(of_expression("a < b"), [pair("a < b", "a <= b")]);
        assert_eq!(
            of_expression("x - y == z"),
            [pair("x - y == z", "x - y != z"), pair("x - y", "x + y")]
        );
        assert_eq!(of_expression("a.max(b)"), [pair("a.max(b)", "a.min(b)")]);
        assert_eq!(
            of_expression("!a.is_some()"),
            [
                pair("!a.is_some()", "a.is_some()"),
                pair("a.is_some()", "a.is_none()")
            ]
        );
        assert_eq!(
            of_expression("a.is_open()"),
            [pair("a.is_open()", "!a.is_open()")]
        );
        assert_eq!(of_expression("7_u8"), [pair("7_u8", "8u8")]);
        assert_eq!(of_expression("true"), [pair("true", "false")]);
    }

    #[test]
    fn conditions_are_decided_but_keep_what_they_bind() {
        assert_eq!(
            of_expression("if let Some(x) = y && x { z } else { w }"),
            [pair("x", "true"), pair("x", "false")]
        );
        assert_eq!(
            of_expression("match x { y if z => w }"),
            [pair("z", "true"), pair("z", "false")]
        );
        assert_eq!(of_expression("while x {}"), [pair("x", "false")]);
    }

    #[test]
    fn statements_are_left_out_and_functions_return_at_once() {
        assert_eq!(
            of("fn f() { g(1); let Some(x) = y else { return; }; x?; }"),
            [pair("fn f()", "return;"), pair("g(1);", ""), pair("1", "2"),]
        );
        assert_eq!(
            of("impl X { fn is_y(&self) -> bool { self.y } }"),
            [
                pair("fn is_y(&self) -> bool", "return true;"),
                pair("fn is_y(&self) -> bool", "return false;"),
            ]
        );
    }

    #[test]
    fn what_is_constant_or_for_tests_or_for_people_is_left_alone() {
        for text in [
            "const X: u8 = 1 + 2;",
            "static X: [u8; 3] = [1; 3];",
            "const fn f() -> bool { true }",
            "enum X { A = 1 }",
            "#[cfg(test)] mod tests { fn f() -> bool { true } }",
            "#[test] fn f() { g(); }",
            "fn f() -> u8 { debug_assert!(1 < 2); match x { 1 => y, _ => z } }",
            "fn f() -> X<3> { g::<4>() as [u8; 2] }",
            "impl fmt::Display for X { fn fmt(&self) -> bool { true } }",
            "fn check(&self) -> Result<(), String> { g(); }",
            "#[doc = \"1\"] struct X;",
        ] {
            assert_eq!(of(text), [], "{text}");
        }
    }

    #[test]
    fn lines_and_bytes_are_those_of_the_file() {
        let text = "// 三\nfn f() {\n    // 三\n    g();\n}\n";
        let found = places(text).unwrap();
        let call = found.last().unwrap();
        assert_eq!(call.line, 4);
        assert_eq!(&text[call.range.clone()], "g();");
    }
}
