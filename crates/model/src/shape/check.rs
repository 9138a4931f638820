//! Holding an element against its shape.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crate::code;
use crate::diagnostic::Diagnostics;
use crate::element::{Attribute, Child, Element, Span};
use crate::param::has_reference;
use crate::read::workflow_shape;
use crate::shape::references::References;
use crate::shape::{AttributeKind, AttributeShape, ChildShape, Shape, TextRule};
use crate::suggest::{closest, did_you_mean};
use crate::text::Text;

impl Shape {
    /// Reports everything about `element` and what is inside it that this shape does not allow. Its label is not
    /// looked at: whoever chose the shape has done that.
    pub fn check(&self, element: &Element, diagnostics: &mut Diagnostics) {
        self.check_all(element, References::Literal, diagnostics);
    }

    /// The same for the body of an action: what `${param:..}` and `${time..}` bring is known only when it runs.
    pub fn check_body(&self, element: &Element, diagnostics: &mut Diagnostics) {
        self.check_all(element, References::Replaced, diagnostics);
    }

    /// The same for what stands outside the bodies, where references are kept as they are.
    pub(crate) fn check_frame(&self, element: &Element, diagnostics: &mut Diagnostics) {
        self.check_all(element, References::Kept, diagnostics);
    }

    fn check_all(&self, element: &Element, references: References, diagnostics: &mut Diagnostics) {
        self.check_attributes(element, references, diagnostics);
        self.check_text(element, diagnostics);
        self.check_children(element, references, diagnostics);
    }

    fn check_attributes(
        &self,
        element: &Element,
        references: References,
        diagnostics: &mut Diagnostics,
    ) {
        for attribute in &element.attributes {
            match self.attribute_named(&attribute.name) {
                Some(shape)
                    if has_reference(&attribute.value)
                        && shape.check_reference(attribute, references, diagnostics) => {}
                Some(shape) => {
                    shape.check(attribute, diagnostics);
                    if shape.is_planned && !shape.says_default(&attribute.value) {
                        planned_attribute(attribute, diagnostics);
                    }
                }
                None if is_of_xml_itself(&attribute.name) => {}
                None => self.unknown_attribute(&attribute.name, attribute.name_span, diagnostics),
            }
        }
        let missing = self
            .attributes
            .iter()
            .filter(|shape| shape.is_required && element.attribute(shape.name).is_none());
        for shape in missing {
            missing_attribute(element, shape, diagnostics);
        }
    }

    fn unknown_attribute(&self, name: &str, span: Span, diagnostics: &mut Diagnostics) {
        let known = || self.attributes.iter().map(|shape| shape.name);
        let tag = self.tag;
        let help = self
            .of_child(name)
            .or_else(|| did_you_mean(name, known()))
            .or_else(|| elsewhere(name, tag).filter(|_| !self.is_of_body(name)))
            .or_else(|| {
                let list: Vec<_> = known().collect();
                (!list.is_empty()).then(|| {
                    Text::new(
                        format!("<{tag}> 的属性有：{}", list.join("、")),
                        format!("<{tag}> takes {}", list.join(", ")),
                    )
                })
            });
        let name = crate::quote::shortened(name);
        diagnostics.warning(
            code::UNKNOWN_ATTRIBUTE,
            span,
            Text::new(
                format!("<{tag}> 没有属性 `{name}`，将被忽略"),
                format!("<{tag}> has no attribute `{name}`, it is ignored"),
            ),
            help,
        );
    }

    /// Where an attribute belongs that an element inside this one takes.
    fn of_child(&self, name: &str) -> Option<Text> {
        let owners = OWNERS.get(name)?;
        let is_owner = |rule: &ChildShape| owners.contains(rule.shape.tag);
        elsewhere(name, self.tag).filter(|_| self.children.iter().any(is_owner))
    }

    /// Whether an attribute of a body is meant for what the body connects to: the `host` of `<ssh>` is not the worker's.
    fn is_of_body(&self, name: &str) -> bool {
        name == "host"
            && self
                .attributes
                .iter()
                .any(|own| own.name.ends_with("-link"))
    }

    fn check_text(&self, element: &Element, diagnostics: &mut Diagnostics) {
        let tag = self.tag;
        match self.text {
            TextRule::Optional => {}
            TextRule::Required if element.text().trim().is_empty() => diagnostics.error(
                code::MISSING_TEXT,
                element.name_span,
                Text::new(
                    format!("<{tag}> 不能为空"),
                    format!("<{tag}> must not be empty"),
                ),
                self.doc_help(),
            ),
            TextRule::Required => {}
            TextRule::None => {
                if let Some(span) = first_text(element) {
                    diagnostics.error(
                        code::UNEXPECTED_TEXT,
                        span,
                        Text::new(
                            format!("<{tag}> 中不允许文本"),
                            format!("no text may stand in <{tag}>"),
                        ),
                        self.place_of_text(element),
                    );
                }
            }
        }
    }

    /// Where the text of an element belongs that takes none.
    fn place_of_text(&self, element: &Element) -> Text {
        let text = element.text();
        let (tag, word) = (self.tag, text.trim());
        let takes_text = |rule: &&ChildShape| {
            rule.shape.text == TextRule::Required
                && element.elements_named(rule.shape.tag).next().is_none()
        };
        if let Some(rule) = self.children.iter().find(takes_text) {
            let inner = rule.shape.tag;
            return Text::new(
                format!("请放入 <{inner}>：<{tag}><{inner}>...</{inner}></{tag}>"),
                format!("put it into <{inner}>: <{tag}><{inner}>...</{inner}></{tag}>"),
            );
        }
        let leads_on = |shape: &&AttributeShape| {
            shape.kind == AttributeKind::NodeName && element.attribute(shape.name).is_none()
        };
        let is_name = !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c == '<');
        if let Some(shape) = self.attributes.iter().find(leads_on).filter(|_| is_name) {
            let (name, word) = (shape.name, crate::quote::shortened(word));
            return Text::new(
                format!("请写作 <{tag} {name}=\"{word}\"/>"),
                format!("write <{tag} {name}=\"{word}\"/>"),
            );
        }
        Text::new("请删除该文本", "remove the text")
    }

    fn doc_help(&self) -> Text {
        let tag = self.tag;
        Text::new(
            format!("<{tag}>：{}", self.doc.zh),
            format!("<{tag}>: {}", self.doc.en),
        )
    }

    fn check_children(
        &self,
        element: &Element,
        references: References,
        diagnostics: &mut Diagnostics,
    ) {
        let mut counts = vec![0_u32; self.children.len()];
        for child in element.elements() {
            let position = self
                .children
                .iter()
                .position(|rule| rule.shape.tag == child.name);
            match position {
                Some(position) => {
                    counts[position] += 1;
                    let rule = &self.children[position];
                    if rule.max.is_some_and(|max| counts[position] > max) {
                        self.extra_element(child, rule, diagnostics);
                    }
                    if rule.shape.is_planned {
                        planned_element(child, diagnostics);
                    }
                    rule.shape.check_all(child, references, diagnostics);
                }
                None if self.is_open => {}
                None => self.unknown_element(child, diagnostics),
            }
        }
        for (rule, count) in self.children.iter().zip(counts) {
            if count > 0 && count < rule.min {
                self.too_few(element, rule, count, diagnostics);
            } else if count < rule.min {
                self.missing_element(element, rule, diagnostics);
            }
        }
    }

    fn extra_element(&self, child: &Element, rule: &ChildShape, diagnostics: &mut Diagnostics) {
        let (tag, inner) = (self.tag, rule.shape.tag);
        let max = rule.max.unwrap_or(u32::MAX);
        diagnostics.error(
            code::EXTRA_ELEMENT,
            child.name_span,
            Text::new(
                format!("<{tag}> 中最多只能有{max}个 <{inner}>"),
                format!("<{tag}> takes at most {max} <{inner}>"),
            ),
            Text::new(
                format!("请删除多余的 <{inner}>"),
                format!("remove this <{inner}>"),
            ),
        );
    }

    fn too_few(
        &self,
        element: &Element,
        rule: &ChildShape,
        count: u32,
        diagnostics: &mut Diagnostics,
    ) {
        let (tag, inner, min) = (self.tag, rule.shape.tag, rule.min);
        diagnostics.error(
            code::MISSING_ELEMENT,
            element.name_span,
            Text::new(
                format!("<{tag}> 中至少要有{min}个 <{inner}>，现在只有{count}个"),
                format!("<{tag}> needs at least {min} <{inner}>, and holds {count}"),
            ),
            Text::new(
                format!("请再添加 <{inner}>，或去掉 <{tag}>，直接写它里面的 <{inner}>"),
                format!(
                    "add another <{inner}>, or write the <{inner}> without the <{tag}> around it"
                ),
            ),
        );
    }

    fn missing_element(&self, element: &Element, rule: &ChildShape, diagnostics: &mut Diagnostics) {
        let (tag, inner) = (self.tag, rule.shape.tag);
        diagnostics.error(
            code::MISSING_ELEMENT,
            element.name_span,
            Text::new(
                format!("<{tag}> 中缺少 <{inner}>"),
                format!("<{tag}> needs a <{inner}>"),
            ),
            rule.shape.doc_help(),
        );
    }

    /// Reports that `element` lacks the child `tag`, which only the whole shows to be needed.
    pub(crate) fn missing_child(
        &self,
        element: &Element,
        tag: &str,
        diagnostics: &mut Diagnostics,
    ) {
        if let Some(rule) = self.children.iter().find(|rule| rule.shape.tag == tag) {
            self.missing_element(element, rule, diagnostics);
        }
    }

    /// The same for the attribute `name`.
    pub(crate) fn missing_value(
        &self,
        element: &Element,
        name: &str,
        diagnostics: &mut Diagnostics,
    ) {
        if let Some(shape) = self.attribute_named(name) {
            missing_attribute(element, shape, diagnostics);
        }
    }

    /// The element of this shape that takes such a child.
    fn holder_of(&self, child: &Element) -> Option<&Shape> {
        self.children.iter().map(|rule| &rule.shape).find(|shape| {
            let mut inner = shape.children.iter();
            inner.any(|rule| rule.shape.tag == child.name)
        })
    }

    /// What a child that this shape does not know was most likely meant to be.
    pub(crate) fn meant_child(&self, child: &Element) -> Option<&ChildShape> {
        if self.holder_of(child).is_some() {
            return None;
        }
        let known = self.children.iter().map(|rule| rule.shape.tag);
        let meant = meant_element(&child.name, known)?;
        self.children.iter().find(|rule| rule.shape.tag == meant)
    }

    /// Reports a child that this shape does not know.
    pub(crate) fn unknown_element(&self, child: &Element, diagnostics: &mut Diagnostics) {
        let place = self.holder_of(child).map(|shape| {
            let tag = shape.tag;
            Text::new(
                format!("请把它放入 <{tag}>"),
                format!("put it into <{tag}>"),
            )
        });
        unknown_element(
            self.tag,
            child,
            place,
            self.children.iter().map(|rule| rule.shape.tag),
            diagnostics,
        );
    }
}

/// More elements than this are not worth naming: such an attribute says little.
const MOST_OWNERS: usize = 3;

/// The attributes of a workflow outside the bodies of actions, each with the elements that take it.
static OWNERS: LazyLock<BTreeMap<&'static str, BTreeSet<&'static str>>> = LazyLock::new(|| {
    let mut owners = BTreeMap::new();
    collect_owners(workflow_shape(), &mut owners);
    owners
});

fn collect_owners(shape: &Shape, owners: &mut BTreeMap<&'static str, BTreeSet<&'static str>>) {
    for attribute in &shape.attributes {
        owners.entry(attribute.name).or_default().insert(shape.tag);
    }
    for child in &shape.children {
        collect_owners(&child.shape, owners);
    }
}

/// What to do about an attribute that another element than `tag` takes, under this name or one like it.
fn elsewhere(name: &str, tag: &str) -> Option<Text> {
    let name = OWNERS
        .get_key_value(name)
        .map(|(name, _)| *name)
        .or_else(|| closest(name, OWNERS.keys().copied()))?;
    let owners = OWNERS.get(name)?;
    if owners.len() > MOST_OWNERS || owners.contains(tag) {
        return None;
    }
    let owners: Vec<String> = owners.iter().map(|tag| format!("<{tag}>")).collect();
    Some(Text::new(
        format!("`{name}` 是 {} 的属性，请移到那里", owners.join("、")),
        format!("`{name}` belongs to {}, move it there", owners.join(", ")),
    ))
}

impl AttributeShape {
    /// Whether a value means what the attribute's absence means.
    fn says_default(&self, value: &str) -> bool {
        let value = value.trim();
        value.is_empty()
            || self
                .default
                .is_some_and(|default| default.eq_ignore_ascii_case(value))
    }
}

/// Warns that this version cannot run an action of this type.
pub fn planned_body(body: &Element, diagnostics: &mut Diagnostics) {
    let shown = format!("<{}>", body.name);
    planned(body.name_span, &body.name, &shown, None, diagnostics);
}

fn planned_element(element: &Element, diagnostics: &mut Diagnostics) {
    let shown = format!("<{}>", element.name);
    let help = without(&shown);
    planned(element.name_span, &element.name, &shown, help, diagnostics);
}

fn planned_attribute(attribute: &Attribute, diagnostics: &mut Diagnostics) {
    let shown = format!("`{}`", attribute.name);
    let help = without(&shown);
    planned(
        attribute.name_span,
        &attribute.name,
        &shown,
        help,
        diagnostics,
    );
}

fn without(shown: &str) -> Option<Text> {
    Some(Text::new(
        format!("去掉 {shown} 后当前版本可以运行"),
        format!("without {shown} this version runs it"),
    ))
}

fn planned(span: Span, name: &str, shown: &str, help: Option<Text>, diagnostics: &mut Diagnostics) {
    let message = Text::new(
        format!("当前版本暂不能执行 {shown}，工作流会保存但不会运行"),
        format!("this version does not run {shown} yet; the workflow is kept but does not run"),
    );
    diagnostics.not_runnable(span, name, message, help);
}

/// Reports an element that may not stand in `<tag>`, where `known` may.
pub(crate) fn unknown_element<'a>(
    tag: &str,
    child: &Element,
    place: Option<Text>,
    known: impl Iterator<Item = &'a str> + Clone,
    diagnostics: &mut Diagnostics,
) {
    let suggestion = || {
        meant_element(&child.name, known.clone()).map(|meant| {
            Text::new(
                format!("是否想写 `{meant}`？"),
                format!("did you mean `{meant}`?"),
            )
        })
    };
    let help = place.or_else(suggestion).unwrap_or_else(|| {
        let list: Vec<String> = known.map(|tag| format!("<{tag}>")).collect();
        if list.is_empty() {
            Text::new("请删除该元素", "remove it")
        } else {
            Text::new(
                format!("<{tag}> 中可以有：{}", list.join("、")),
                format!("<{tag}> takes {}", list.join(", ")),
            )
        }
    });
    let name = crate::quote::shortened(&child.name);
    diagnostics.error(
        code::UNKNOWN_ELEMENT,
        child.name_span,
        Text::new(
            format!("<{tag}> 中不能有 <{name}>"),
            format!("<{tag}> cannot hold <{name}>"),
        ),
        help,
    );
}

/// Which of `known` an element was most likely meant to be.
fn meant_element<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    closest(name, known.clone()).or_else(|| of_other_systems(name, known))
}

/// What other systems call what `known` holds.
fn of_other_systems<'a>(name: &str, mut known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const NAMES: &[(&str, &str)] = &[
        ("schedule", "coordinator"),
        ("scheduler", "coordinator"),
        ("trigger", "coordinator"),
        ("node", "action"),
        ("task", "action"),
        ("job", "action"),
        ("step", "action"),
        ("success", "ok"),
        ("failure", "error"),
    ];
    let (_, ours) = NAMES
        .iter()
        .find(|(other, _)| *other == name || closest(name, std::iter::once(*other)).is_some())?;
    known.find(|known| known == ours)
}

fn missing_attribute(element: &Element, shape: &AttributeShape, diagnostics: &mut Diagnostics) {
    let (tag, name) = (&element.name, shape.name);
    diagnostics.error(
        code::MISSING_ATTRIBUTE,
        element.name_span,
        // akkaflow 2.12's words, which people grep for.
        Text::new(
            format!("节点<{tag}/>未配置{name}属性"),
            format!("<{tag}> needs the attribute `{name}`"),
        ),
        Text::new(
            format!("`{name}`：{}", shape.doc.zh),
            format!("`{name}`: {}", shape.doc.en),
        ),
    );
}

/// `xmlns`, `xml:lang`, `xsi:noNamespaceSchemaLocation`: editors put them there.
fn is_of_xml_itself(name: &str) -> bool {
    name == "xmlns" || name.contains(':')
}

/// Where the first run of text stands that is more than blanks.
fn first_text(element: &Element) -> Option<Span> {
    element.children.iter().find_map(|child| match child {
        Child::Text { text, span } if !text.trim().is_empty() => {
            // A run that holds references or CDATA is longer in the file than in memory.
            if span.end - span.start != text.len() {
                return Some(*span);
            }
            let start = span.start + text.len() - text.trim_start().len();
            Some(Span {
                start,
                end: start + text.trim().len(),
            })
        }
        _ => None,
    })
}
