//! The tree: values as they are spelt, with their places and their types in YAML 1.2.

use std::rc::Rc;

use crate::domain::finding::Place;

/// A value and where it is written.
#[derive(Debug, Clone)]
pub(in crate::domain) struct Node {
    /// Its place; of an alias, the alias. The bytes never go beyond the first line.
    pub(in crate::domain) place: Place,
    pub(super) value: Rc<NodeValue>,
    /// How many collections it nests.
    pub(super) height: usize,
    /// How many values it holds, including itself, and counting aliased values each time.
    pub(super) size: usize,
}

/// A value as it is written.
#[derive(Debug)]
pub(super) enum NodeValue {
    /// A scalar: its text, and whether it is neither quoted nor tagged as text.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    /// A mapping, without the keys that could not be read or come twice.
    Map(Vec<MapEntry>),
    /// A value that already has a finding.
    Broken,
}

#[derive(Debug)]
pub(in crate::domain) struct MapEntry {
    /// The key's text as it is spelt, without quotes.
    pub(in crate::domain) key: String,
    pub(in crate::domain) place: Place,
    pub(in crate::domain) value: Node,
}

/// The type of a value in YAML 1.2.
#[derive(Debug, Clone, Copy)]
pub(in crate::domain) enum Shape<'a> {
    Null,
    Bool(bool),
    /// An integer or a float, as it is spelt.
    Number(&'a str),
    Text(&'a str),
    List(&'a [Node]),
    Map(&'a [MapEntry]),
    Broken,
}

impl Shape<'_> {
    pub(in crate::domain) const fn name(self) -> &'static str {
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
    /// The type of the value.
    pub(in crate::domain) fn shape(&self) -> Shape<'_> {
        match &*self.value {
            NodeValue::Scalar { text, plain: false } => Shape::Text(text),
            NodeValue::Scalar { text, plain: true } => match text.as_str() {
                "" | "~" | "null" | "Null" | "NULL" => Shape::Null,
                "true" | "True" | "TRUE" => Shape::Bool(true),
                "false" | "False" | "FALSE" => Shape::Bool(false),
                number if is_number(number) => Shape::Number(number),
                text => Shape::Text(text),
            },
            NodeValue::List(items) => Shape::List(items),
            NodeValue::Map(pairs) => Shape::Map(pairs),
            NodeValue::Broken => Shape::Broken,
        }
    }

    /// The text of a scalar as it is spelt.
    pub(super) fn spelling(&self) -> Option<&str> {
        match &*self.value {
            NodeValue::Scalar { text, .. } => Some(text),
            NodeValue::List(_) | NodeValue::Map(_) | NodeValue::Broken => None,
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        matches!(*self.value, NodeValue::Broken)
    }

    pub(super) fn leaf(place: Place, value: NodeValue) -> Self {
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
