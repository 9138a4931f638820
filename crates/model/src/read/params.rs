//! Uses of parameters and dates.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::code;
use crate::element::{Child, Element, Span};
use crate::param::{self, LONGEST_VALUE, Misleading, Miswritten};
use crate::quote::shortened;
use crate::read::Reader;
use crate::read::coordinator::param_elements;
use crate::read::place::inside;
use crate::text::Text;
use crate::xml::MAX_FINDINGS;

/// A value of the file and where it stands.
#[derive(Clone, Copy)]
struct Value<'e> {
    text: &'e str,
    span: Span,
}

/// What is known while the values are looked at.
struct Names<'e> {
    /// Every parameter of the list.
    listed: BTreeSet<&'e str>,
    /// Each unknown name is reported once.
    reported: BTreeSet<&'e str>,
}

impl Reader<'_> {
    pub(super) fn check_params(&mut self, root: &Element) {
        let coordinators: Vec<&Element> = root.elements_named("coordinator").collect();
        let params = || {
            coordinators
                .iter()
                .flat_map(|element| param_elements(element))
        };
        let mut names = Names {
            listed: params()
                .filter_map(|param| Some(param.attribute("name")?.value.trim()))
                .collect(),
            reported: BTreeSet::new(),
        };
        let mut above: BTreeMap<&str, usize> = BTreeMap::new();
        for param in params() {
            let mut length = 0;
            if let Some(value) = param.attribute("value") {
                let value = Value {
                    text: &value.value,
                    span: value.value_span,
                };
                let own = param.attribute("name").map(|name| name.value.trim());
                self.check_param_value(value, own, &above, &mut names);
                length = self.check_length(value, &above);
            }
            if let Some(name) = param.attribute("name") {
                above.insert(name.value.trim(), length);
            }
        }
        for node in root.elements() {
            match node.name.as_str() {
                "action" => node
                    .elements()
                    .for_each(|body| self.check_body_values(body, &mut names)),
                "kill" => self.check_body_values(node, &mut names),
                _ => {}
            }
        }
    }

    fn check_param_value<'e>(
        &mut self,
        value: Value<'e>,
        own: Option<&str>,
        above: &BTreeMap<&'e str, usize>,
        names: &mut Names<'e>,
    ) {
        if !param::has_opening(value.text) {
            return;
        }
        for (range, name) in param::references(value.text) {
            if own == Some(name) && !above.contains_key(name) {
                self.refers_to_itself(value, range, name);
            } else if names.listed.contains(name) && !above.contains_key(name) {
                self.defined_below(value, range, name);
            } else {
                self.check_reference(value, range, name, names);
            }
        }
        for (range, name) in param::bare_names(value.text) {
            if above.contains_key(name) {
                self.bare_param(value, range, name);
            }
        }
        self.check_times(value);
        for piece in ["${output:", "${state:"] {
            for (start, _) in value.text.match_indices(piece).take(MAX_FINDINGS) {
                let end = value.text[start..].find('}').map_or(0, |end| end + 1);
                self.not_known_yet(value, start..start + end.max(piece.len()));
            }
        }
    }

    /// How long a value becomes with the lengths of those above it, dates aside. Values that repeat others grow with each
    /// line; the first that is too long is reported, and those that use it count as short.
    fn check_length(&mut self, value: Value<'_>, above: &BTreeMap<&str, usize>) -> usize {
        let references = param::references(value.text);
        let used = references.into_iter().chain(param::bare_names(value.text));
        let length = used.fold(value.text.len(), |length, (range, name)| {
            let other = above.get(name).map_or(range.len(), |other| *other);
            (length + other).saturating_sub(range.len())
        });
        if length <= LONGEST_VALUE {
            return length;
        }
        self.diagnostics.error(
            code::BAD_PARAM_VALUE,
            value.span,
            Text::new(
                format!("该参数的值约有{length}字节"),
                format!("the value of this parameter has about {length} bytes"),
            ),
            Text::new(
                format!("最多{LONGEST_VALUE}字节，请改用文件传递数据"),
                format!("at most {LONGEST_VALUE} are allowed; hand data on in files"),
            ),
        );
        0
    }

    fn check_body_values<'e>(&mut self, element: &'e Element, names: &mut Names<'e>) {
        let attributes = element.attributes.iter().map(|attribute| Value {
            text: &attribute.value,
            span: attribute.value_span,
        });
        for value in attributes {
            self.check_body_value(value, names);
        }
        for child in &element.children {
            match child {
                Child::Text { text, span } => {
                    self.check_body_value(Value { text, span: *span }, names)
                }
                Child::Element(inner) => self.check_body_values(inner, names),
            }
        }
    }

    fn check_body_value<'e>(&mut self, value: Value<'e>, names: &mut Names<'e>) {
        // Every value of a file comes here, and most hold no reference at all.
        if !param::has_opening(value.text) {
            return;
        }
        for (range, name) in param::references(value.text) {
            self.check_reference(value, range, name, names);
        }
        self.check_times(value);
    }

    fn check_reference<'e>(
        &mut self,
        value: Value<'e>,
        range: Range<usize>,
        name: &'e str,
        names: &mut Names<'e>,
    ) {
        let is_new = !names.listed.contains(name)
            && names.reported.len() < MAX_FINDINGS
            && names.reported.insert(name);
        if !is_new {
            return;
        }
        if name.is_empty() {
            return self.nameless(value, range);
        }
        let found = shortened(name);
        let help = self
            .did_you_mean(name, names.listed.iter().copied())
            .unwrap_or_else(|| {
                Text::new(
                    "请在 <param-list> 中定义，或在运行时给出",
                    "define it in <param-list>, or give it with every run",
                )
            });
        self.diagnostics.warning(
            code::UNDEFINED_PARAM,
            self.place_in(value, range),
            Text::new(
                format!("参数 `{found}` 未定义"),
                format!("parameter `{found}` is not defined"),
            ),
            help,
        );
    }

    fn nameless(&mut self, value: Value<'_>, range: Range<usize>) {
        let found = shortened(&value.text[range.clone()]);
        self.diagnostics.warning(
            code::UNDEFINED_PARAM,
            self.place_in(value, range),
            Text::new(
                format!("`{found}` 中缺少参数名"),
                format!("`{found}` names no parameter"),
            ),
            Text::new(
                "写法为 ${param:名称}，例如 ${param:day}",
                "write ${param:name}, for example ${param:day}",
            ),
        );
    }

    /// Parameters are computed before there is an instance, whose nodes hand on what they find.
    fn not_known_yet(&mut self, value: Value<'_>, range: Range<usize>) {
        let found = shortened(&value.text[range.clone()]);
        self.diagnostics.warning(
            code::NOT_REPLACED,
            self.place_in(value, range),
            Text::new(
                format!("参数值中的 `{found}` 不会被替换：计算参数时还没有节点运行过"),
                format!(
                    "`{found}` is not replaced in a parameter: no node has run when parameters are computed"
                ),
            ),
            Text::new(
                "请在节点中直接使用它",
                "use it in the node itself",
            ),
        );
    }

    fn refers_to_itself(&mut self, value: Value<'_>, range: Range<usize>, name: &str) {
        let found = shortened(name);
        self.diagnostics.warning(
            code::UNDEFINED_PARAM,
            self.place_in(value, range),
            Text::new(
                format!("参数 `{found}` 引用了自身"),
                format!("parameter `{found}` refers to itself"),
            ),
            Text::new(
                "请直接写出值，或改用另一个名称",
                "write the value out, or use another name",
            ),
        );
    }

    fn miswritten(&mut self, value: Value<'_>, range: Range<usize>, what: &Miswritten) {
        let (message, help) = what.text(&value.text[range.clone()]);
        let span = self.place_in(value, range);
        self.diagnostics
            .warning(code::NOT_REPLACED, span, message, help);
    }

    fn defined_below(&mut self, value: Value<'_>, range: Range<usize>, name: &str) {
        let found = shortened(name);
        self.diagnostics.warning(
            code::UNDEFINED_PARAM,
            self.place_in(value, range),
            Text::new(
                format!("参数 `{found}` 在下方才定义"),
                format!("parameter `{found}` is defined only below"),
            ),
            Text::new(
                "参数自上而下计算，请把它移到上方",
                "parameters are computed from the top down; move it up",
            ),
        );
    }

    fn bare_param(&mut self, value: Value<'_>, range: Range<usize>, name: &str) {
        let found = shortened(name);
        self.diagnostics.warning(
            code::BARE_PARAM,
            self.place_in(value, range),
            Text::new(
                format!("`${{{found}}}` 按参数处理，但缺少 `param:`"),
                format!("`${{{found}}}` is taken as a parameter, but lacks `param:`"),
            ),
            Text::new(
                format!("请写 `${{param:{found}}}`"),
                format!("write `${{param:{found}}}`"),
            ),
        );
    }

    fn check_times(&mut self, value: Value<'_>) {
        for (range, what) in param::miswritten(value.text).into_iter().take(MAX_FINDINGS) {
            self.miswritten(value, range, &what);
        }
        let expressions = param::time_expressions(value.text);
        for (range, expression) in expressions.into_iter().take(MAX_FINDINGS) {
            // What a parameter brings is known only when it runs.
            if expression.contains("${") {
                continue;
            }
            match param::check_time_expression(expression) {
                Ok(found) => {
                    for misleading in &found {
                        self.misleading(value, range.clone(), misleading);
                    }
                }
                Err(error) => {
                    let span = self.place_in(value, range);
                    self.diagnostics
                        .error(code::BAD_TIME_EXPRESSION, span, error.text(), None);
                }
            }
        }
    }

    fn misleading(&mut self, value: Value<'_>, range: Range<usize>, misleading: &Misleading) {
        self.diagnostics.warning(
            misleading.code(),
            self.place_in(value, range),
            misleading.message(),
            misleading.help(),
        );
    }

    fn place_in(&self, value: Value<'_>, range: Range<usize>) -> Span {
        inside(&self.document.source, value.span, value.text, range)
    }
}
