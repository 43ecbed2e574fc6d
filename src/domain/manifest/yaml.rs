//! Text → a tree of values that know their spelling and their place.
//!
//! It is built from the parser's events and not by serde: serde would lose how a key is spelt and stop at the first
//! duplicate. Aliases share what they refer to, so an alias bomb costs no memory; height and size are bounded all the
//! same, so that whoever walks the tree is done soon.

use std::collections::HashMap;
use std::rc::Rc;

use serde_saphyr::granit_parser::{self, Event, Marker, Parser, ScalarStyle, Span, Tag};

use crate::domain::finding::{Finding, Place};

use super::checks;
use super::collector::Collector;
use super::syntax;
use crate::domain::quote::quoted;

/// Collections within collections. A manifest needs three.
const MAX_HEIGHT: usize = 32;

/// Values in the tree, those behind aliases counted each time. 10,000 entries need 20,000 to 40,000.
const MAX_SIZE: usize = 1_000_000;

/// A value and where it is written.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Its place; of an alias, the alias. The bytes never go beyond the first line.
    pub(super) place: Place,
    value: Rc<Value>,
    height: usize,
    size: usize,
}

/// A value as it is written.
#[derive(Debug)]
pub(super) enum Value {
    /// A scalar: its text, and whether it is neither quoted nor tagged as text.
    Scalar { text: String, plain: bool },
    /// A list.
    List(Vec<Node>),
    /// A mapping, without the keys that could not be read or come twice.
    Map(Vec<Pair>),
    /// Something about which there is a finding already.
    Broken,
}

/// A key and its value.
#[derive(Debug)]
pub(super) struct Pair {
    /// The key's text as it is spelt, without quotes.
    pub(super) key: String,
    /// Where the key is written.
    pub(super) place: Place,
    pub(super) value: Node,
}

/// What a value is to YAML 1.2.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape<'a> {
    Null,
    Bool(bool),
    /// An integer or a float, as it is spelt.
    Number(&'a str),
    Text(&'a str),
    List(&'a [Node]),
    Map(&'a [Pair]),
    Broken,
}

impl Shape<'_> {
    /// What it is, in words.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(true) => "`true`",
            Self::Bool(false) => "`false`",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
            Self::Broken => "something unreadable",
        }
    }
}

impl Node {
    /// What it is.
    pub(super) fn shape(&self) -> Shape<'_> {
        match &*self.value {
            Value::Scalar { text, plain: false } => Shape::Text(text),
            Value::Scalar { text, plain: true } => match text.as_str() {
                "" | "~" | "null" | "Null" | "NULL" => Shape::Null,
                "true" | "True" | "TRUE" => Shape::Bool(true),
                "false" | "False" | "FALSE" => Shape::Bool(false),
                number if is_number(number) => Shape::Number(number),
                text => Shape::Text(text),
            },
            Value::List(items) => Shape::List(items),
            Value::Map(pairs) => Shape::Map(pairs),
            Value::Broken => Shape::Broken,
        }
    }

    /// The text of a scalar as it is spelt.
    pub(super) fn spelling(&self) -> Option<&str> {
        match &*self.value {
            Value::Scalar { text, .. } => Some(text),
            Value::List(_) | Value::Map(_) | Value::Broken => None,
        }
    }

    fn is_broken(&self) -> bool {
        matches!(*self.value, Value::Broken)
    }

    fn leaf(place: Place, value: Value) -> Self {
        Self { place, value: Rc::new(value), height: 0, size: 1 }
    }
}

/// The numbers of YAML's core schema.
fn is_number(text: &str) -> bool {
    let digits = |text: &str, accept: fn(&char) -> bool| !text.is_empty() && text.chars().all(|c| accept(&c));
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(hex) = text.strip_prefix("0x") {
        return digits(hex, char::is_ascii_hexdigit);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return digits(octal, |c| ('0'..='7').contains(c));
    }
    let infinity = matches!(unsigned, ".inf" | ".Inf" | ".INF");
    let decimal = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+'))
        && unsigned.parse::<f64>().is_ok();
    infinity || decimal || matches!(text, ".nan" | ".NaN" | ".NAN")
}

/// Reads the one document of `text`. `None` means that there is no tree, and that a finding says why.
pub(super) fn read(text: &str, collector: &mut Collector<'_>) -> Option<Node> {
    // A byte order mark is no content; the parser would count it as a column.
    let (text_read, skipped) = text.strip_prefix('\u{feff}').map_or((text, 0), |rest| (rest, text.len() - rest.len()));
    let options = granit_parser::options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        flow_nesting_limit: MAX_HEIGHT,
        block_nesting_limit: MAX_HEIGHT,
    };
    let mut parser = Parser::new_from_str_with_options(text_read, options);
    let mut builder = Builder { text, skipped, collector, open: Vec::new(), anchors: HashMap::new(), root: None };
    let mut documents = 0;
    loop {
        match parser.next_event() {
            None | Some(Ok((Event::StreamEnd, _))) => break,
            Some(Ok((Event::DocumentStart(..), span))) => {
                documents += 1;
                if documents == 2 {
                    let place = builder.place(span);
                    builder.collector.push(
                        Finding::error(checks::YAML, "the file holds several YAML documents")
                            .at(place)
                            .help("keep one document: remove this `---` and what does not belong to the manifest"),
                    );
                    return None;
                }
            }
            Some(Ok((event, span))) => builder.event(event, span)?,
            Some(Err(error)) => {
                let place = builder.point(error.marker());
                builder.collector.push(syntax::finding(error.kind(), &place, text).at(place));
                return None;
            }
        }
    }
    if builder.root.is_none() {
        let what =
            if text_read.trim().is_empty() { "the manifest is empty" } else { "the manifest holds only comments" };
        builder.collector.push(nothing(what));
    }
    builder.root
}

/// The finding for a manifest without content.
pub(super) fn nothing(what: &str) -> Finding {
    Finding::error(checks::EMPTY, what)
        .help("an empty manifest never means an empty portal: write at least `version: 1` and `owns`")
}

/// A collection that is not closed yet.
struct Open {
    place: Place,
    anchor: usize,
    size: usize,
    height: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { pairs: Vec<Pair>, seen: HashMap<String, Place>, key: Option<Key> },
}

/// A key whose value is still to come; without text, there is a finding about it already.
struct Key {
    text: Option<String>,
    place: Place,
}

struct Builder<'a, 'b> {
    text: &'a str,
    /// Bytes of `text` before what the parser reads.
    skipped: usize,
    collector: &'a mut Collector<'b>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
}

impl Builder<'_, '_> {
    fn event(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let place = self.place(span);
                let plain = style == ScalarStyle::Plain && !self.is_text(tag.as_deref(), &place);
                self.value(anchor, Node::leaf(place, Value::Scalar { text: text.into_owned(), plain }))
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.open(span, anchor, tag.as_deref(), Content::List(Vec::new()));
                Some(())
            }
            Event::MappingStart(_, anchor, tag) => {
                let content = Content::Map { pairs: Vec::new(), seen: HashMap::new(), key: None };
                self.open(span, anchor, tag.as_deref(), content);
                Some(())
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Open { mut place, anchor, size, height, content } = self.open.pop()?;
                place.bytes.end = self.line_end(place.bytes.start, self.skipped + span.end.byte_offset().unwrap_or(0));
                let value = match content {
                    Content::List(items) => Value::List(items),
                    Content::Map { pairs, .. } => Value::Map(pairs),
                };
                self.value(anchor, Node { place, value: Rc::new(value), height: height + 1, size: size + 1 })
            }
            Event::Alias(anchor) => {
                let place = self.place(span);
                let node = if let Some(node) = self.anchors.get(&anchor) {
                    Node { place, ..node.clone() }
                } else {
                    self.collector
                        .push(Finding::error(checks::YAML, "an alias refers to what it is part of").at(place.clone()));
                    Node::leaf(place, Value::Broken)
                };
                self.value(0, node)
            }
            Event::UnresolvedAlias(name) => {
                let place = self.place(span);
                let what = format!("{} is an alias of an anchor that does not exist", quoted(&format!("*{name}")));
                let help = "a value that begins with `*` has to be quoted, as in `\"*\"`";
                self.collector.push(Finding::error(checks::YAML, what).at(place.clone()).help(help));
                self.value(0, Node::leaf(place, Value::Broken))
            }
            _ => Some(()),
        }
    }

    fn open(&mut self, span: Span, anchor: usize, tag: Option<&Tag>, content: Content) {
        let place = self.place(span);
        self.is_text(tag, &place);
        self.open.push(Open { place, anchor, size: 0, height: 0, content });
    }

    /// Takes a complete value to where it belongs. `None` when the tree grows beyond its limits.
    fn value(&mut self, anchor: usize, node: Node) -> Option<()> {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Some(());
        };
        open.size = open.size.saturating_add(node.size);
        open.height = open.height.max(node.height);
        if open.height >= MAX_HEIGHT || open.size > MAX_SIZE {
            let what = if open.height >= MAX_HEIGHT {
                format!("values are nested more than {MAX_HEIGHT} deep")
            } else {
                format!("the manifest holds more than {MAX_SIZE} values, those behind aliases counted each time")
            };
            self.collector.push(
                Finding::error(checks::YAML, what)
                    .at(node.place)
                    .help("a manifest needs neither deep nesting nor aliases: write the values out"),
            );
            return None;
        }
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Map { pairs, seen, key } => match key.take() {
                None => *key = Some(read_key(&node, seen, self.collector)),
                Some(Key { text: Some(text), place }) => pairs.push(Pair { key: text, place, value: node }),
                Some(Key { text: None, .. }) => {}
            },
        }
        Some(())
    }

    /// Whether a tag makes a plain scalar text; other tags are not read.
    fn is_text(&mut self, tag: Option<&Tag>, place: &Place) -> bool {
        match tag {
            None => false,
            Some(tag) if tag.is_yaml_core_schema_tag("str") => true,
            Some(tag) => {
                let what = format!("the tag {} is not understood", quoted(&tag.original()));
                self.collector.push(
                    Finding::error(checks::YAML, what)
                        .at(place.clone())
                        .help("remove the tag; a value that begins with `!` has to be quoted"),
                );
                false
            }
        }
    }

    fn place(&self, span: Span) -> Place {
        let start = self.skipped + span.start.byte_offset().unwrap_or(0);
        let end = self.skipped + span.end.byte_offset().unwrap_or(0);
        Place { line: span.start.line(), column: span.start.col() + 1, bytes: start..self.line_end(start, end) }
    }

    /// The place of a single character.
    fn point(&self, marker: &Marker) -> Place {
        let start = self.skipped + marker.byte_offset().unwrap_or(0);
        let length = self.text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        Place { line: marker.line(), column: marker.col() + 1, bytes: start..self.line_end(start, start + length) }
    }

    /// `end`, or the end of what is written in the line of `start` if that comes first.
    fn line_end(&self, start: usize, end: usize) -> usize {
        let text = self.text.get(start..end).unwrap_or_default();
        let line = text.split(['\n', '\r']).next().unwrap_or_default();
        start + line.trim_end().len()
    }
}

fn read_key(node: &Node, seen: &mut HashMap<String, Place>, collector: &mut Collector<'_>) -> Key {
    let place = node.place.clone();
    let Some(text) = node.spelling() else {
        if !node.is_broken() {
            collector.push(
                Finding::error(checks::YAML, format!("a key has to be text, but this one is {}", node.shape().name()))
                    .at(place.clone()),
            );
        }
        return Key { text: None, place };
    };
    if text == "<<" && matches!(&*node.value, Value::Scalar { plain: true, .. }) {
        collector.push(
            Finding::error(checks::YAML, "merge keys (`<<`) are not understood")
                .at(place.clone())
                .help("write the merged keys out"),
        );
        return Key { text: None, place };
    }
    if let Some(first) = seen.get(text) {
        collector.push(
            Finding::error(checks::DUPLICATE_KEY, format!("the key {} is written twice", quoted(text)))
                .at(place.clone())
                .related(first.clone(), "first here")
                .help("keep one of them"),
        );
        return Key { text: None, place };
    }
    seen.insert(text.to_owned(), place.clone());
    Key { text: Some(text.to_owned()), place }
}
