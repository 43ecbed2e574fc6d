//! Text → the tree.

use std::collections::HashMap;
use std::rc::Rc;

use serde_saphyr::granit_parser::{self, Event, Marker, Parser, ScalarStyle, Span, Tag};

use crate::domain::finding::{Finding, Place};
use crate::domain::quote::quoted;

use super::syntax;
use super::tree::{MapEntry, Node, NodeValue};
use super::{MAX_HEIGHT, MAX_SIZE, YamlFile};

/// Reads the one document of `text`. `None` means that there is no tree; then a finding has the reason.
pub(in crate::domain) fn read(text: &str, file: &YamlFile, report: &mut dyn FnMut(Finding)) -> Option<Node> {
    // A byte order mark is not content; the parser would count it as a column.
    let (text_read, skipped) = text.strip_prefix('\u{feff}').map_or((text, 0), |rest| (rest, text.len() - rest.len()));
    let options = granit_parser::options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        flow_nesting_limit: MAX_HEIGHT,
        block_nesting_limit: MAX_HEIGHT,
    };
    let mut parser = Parser::new_from_str_with_options(text_read, options);
    let (open, anchors) = (Vec::new(), HashMap::new());
    let mut builder = TreeBuilder { text, skipped, file, report, open, anchors, root: None };
    let mut documents = 0;
    loop {
        match parser.next_event() {
            None | Some(Ok((Event::StreamEnd, _))) => break,
            Some(Ok((Event::DocumentStart(..), span))) => {
                documents += 1;
                if documents == 2 {
                    let what = "the file holds several YAML documents";
                    let help =
                        format!("keep one document: remove this `---` and what does not belong to the {}", file.name);
                    builder.syntax_error(what, builder.place(span), Some(help));
                    return None;
                }
            }
            Some(Ok((event, span))) => builder.event(event, span)?,
            Some(Err(error)) => {
                let place = builder.point(error.marker());
                let problem = syntax::problem(error.kind(), text.get(place.bytes.start..).unwrap_or_default(), file);
                (builder.report)(problem.error_at(file.checks.syntax, place));
                return None;
            }
        }
    }
    if builder.root.is_none() {
        (builder.report)(file.nothing(if text_read.trim().is_empty() { "is empty" } else { "holds only comments" }));
    }
    builder.root
}

/// A collection that is not closed yet.
struct OpenCollection {
    place: Place,
    anchor: usize,
    size: usize,
    height: usize,
    items: OpenItems,
}

enum OpenItems {
    List(Vec<Node>),
    Map { pairs: Vec<MapEntry>, seen: HashMap<String, Place>, key: Option<OpenKey> },
}

/// A key whose value has not been read yet; without text, it has been reported already.
struct OpenKey {
    text: Option<String>,
    place: Place,
}

struct TreeBuilder<'a> {
    text: &'a str,
    /// Bytes of `text` before what the parser reads.
    skipped: usize,
    file: &'a YamlFile,
    report: &'a mut dyn FnMut(Finding),
    open: Vec<OpenCollection>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
}

impl TreeBuilder<'_> {
    fn syntax_error(&mut self, what: impl Into<String>, place: Place, help: Option<String>) {
        (self.report)(Finding { help, ..Finding::error(self.file.checks.syntax, what).at(place) });
    }

    /// Reports an error, and stands in for the value that has it.
    fn broken(&mut self, what: impl Into<String>, place: Place, help: Option<String>) -> Node {
        self.syntax_error(what, place.clone(), help);
        Node::leaf(place, NodeValue::Broken)
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let place = self.place(span);
                let plain = style == ScalarStyle::Plain && !self.is_text(tag.as_deref(), &place);
                self.value(anchor, Node::leaf(place, NodeValue::Scalar { text: text.into_owned(), plain }))
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.open(span, anchor, tag.as_deref(), OpenItems::List(Vec::new()));
                Some(())
            }
            Event::MappingStart(_, anchor, tag) => {
                let items = OpenItems::Map { pairs: Vec::new(), seen: HashMap::new(), key: None };
                self.open(span, anchor, tag.as_deref(), items);
                Some(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(anchor) => {
                let place = self.place(span);
                let node = match self.anchors.get(&anchor) {
                    Some(node) => Node { place, ..node.clone() },
                    None => self.broken("an alias refers to a value that contains it", place, None),
                };
                self.value(0, node)
            }
            Event::UnresolvedAlias(name) => {
                let what = format!("{} is an alias of an anchor that does not exist", quoted(&format!("*{name}")));
                let help = "quote a value that begins with `*`, for example `\"*\"`";
                let node = self.broken(what, self.place(span), Some(help.to_owned()));
                self.value(0, node)
            }
            _ => Some(()),
        }
    }

    fn open(&mut self, span: Span, anchor: usize, tag: Option<&Tag>, items: OpenItems) {
        let place = self.place(span);
        self.is_text(tag, &place);
        self.open.push(OpenCollection { place, anchor, size: 0, height: 0, items });
    }

    fn close(&mut self, span: Span) -> Option<()> {
        let OpenCollection { mut place, anchor, size, height, items } = self.open.pop()?;
        place.bytes.end = self.line_end(place.bytes.start, self.skipped + span.end.byte_offset().unwrap_or(0));
        let value = match items {
            OpenItems::List(items) => NodeValue::List(items),
            OpenItems::Map { pairs, .. } => NodeValue::Map(pairs),
        };
        self.value(anchor, Node { place, value: Rc::new(value), height: height + 1, size: size + 1 })
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
            let name = self.file.name;
            let what = if open.height >= MAX_HEIGHT {
                format!("values are nested more than {MAX_HEIGHT} deep")
            } else {
                format!("the {name} holds more than {MAX_SIZE} values, counting aliased values each time")
            };
            let help = format!("a {name} needs neither deep nesting nor aliases: write the values out");
            self.syntax_error(what, node.place, Some(help));
            return None;
        }
        match &mut open.items {
            OpenItems::List(items) => items.push(node),
            OpenItems::Map { pairs, seen, key } => match key.take() {
                None => *key = Some(read_key(&node, seen, self.file, self.report)),
                Some(OpenKey { text: Some(text), place }) => pairs.push(MapEntry { key: text, place, value: node }),
                Some(OpenKey { text: None, .. }) => {}
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
                let what = format!("the tag {} is not supported", quoted(&tag.original()));
                let help = "remove the tag; quote a value that begins with `!`";
                self.syntax_error(what, place.clone(), Some(help.to_owned()));
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

fn read_key(
    node: &Node,
    seen: &mut HashMap<String, Place>,
    file: &YamlFile,
    report: &mut dyn FnMut(Finding),
) -> OpenKey {
    let place = node.place.clone();
    let unusable = |place| OpenKey { text: None, place };
    let Some(text) = node.spelling() else {
        if !node.is_broken() {
            let what = format!("a key must be text, but this one is {}", node.shape().name());
            report(Finding::error(file.checks.syntax, what).at(place.clone()));
        }
        return unusable(place);
    };
    if text == "<<" && matches!(&*node.value, NodeValue::Scalar { plain: true, .. }) {
        let finding = Finding::error(file.checks.syntax, "merge keys (`<<`) are not supported");
        report(finding.at(place.clone()).help("write the merged keys out"));
        return unusable(place);
    }
    if let Some(first) = seen.get(text) {
        report(
            Finding::error(file.checks.duplicate_key, format!("the key {} is written twice", quoted(text)))
                .at(place.clone())
                .related(first.clone(), "first here")
                .help("keep one of them"),
        );
        return unusable(place);
    }
    seen.insert(text.to_owned(), place.clone());
    OpenKey { text: Some(text.to_owned()), place }
}
