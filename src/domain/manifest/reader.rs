//! The reader that all parts of a manifest share: known keys, expected types, findings.

use std::collections::BTreeMap;

use crate::domain::finding::{Finding, Place};

use super::checks;
use super::collector::Collector;
use crate::domain::quote::quoted;
use crate::domain::rulebook::RULE_IDS;
use crate::domain::yaml::{MapEntry, Node, Shape};
use crate::text::{listed, nearest};

pub(super) const TOP_KEYS: &[&str] =
    &["version", "portal", "owns", "icons", "logos", "protect", "ignore", "policy", "rules"];
pub(super) const POLICY_KEYS: &[&str] = &["prune", "max_deletes"];
/// The keys of an entry that is written as a mapping.
pub(super) const ENTRY_KEYS: &[&str] = &["file"];

/// Reads a tree of values and collects the findings about it.
pub(super) struct Reader<'a, 'b> {
    pub(super) collector: &'a mut Collector<'b>,
}

/// The values of the known keys of a mapping.
type Fields<'a> = BTreeMap<&'static str, &'a MapEntry>;

impl Reader<'_, '_> {
    pub(super) fn push(&mut self, finding: Finding) {
        self.collector.push(finding);
    }

    /// Reports that `value` is not `expected`, unless something else was already reported about it.
    pub(super) fn wrong_type(&mut self, what: &str, expected: &str, value: &Node, key: &Place, help: Option<String>) {
        let shape = value.shape();
        if matches!(shape, Shape::Broken) {
            return;
        }
        let place = if value.place.bytes.is_empty() { key } else { &value.place };
        let message = format!("{what}: expected {expected}, found {}", shape.name());
        let help = help.or_else(|| match shape {
            Shape::Number(text) => Some(format!("quote it if it is meant as text: `\"{text}\"`")),
            Shape::Null => Some("write a value, or remove the key".to_owned()),
            _ => None,
        });
        self.push(Finding { help, ..Finding::error(checks::WRONG_TYPE, message).at(place.clone()) });
    }

    /// The pairs with known keys; the others are reported.
    pub(super) fn fields<'n>(&mut self, pairs: &'n [MapEntry], keys: &'static [&'static str], of: &str) -> Fields<'n> {
        let mut fields = BTreeMap::new();
        for pair in pairs {
            match keys.iter().find(|key| **key == pair.key) {
                Some(key) => {
                    fields.insert(*key, pair);
                }
                None => {
                    let what = format!("{} is not a key of {of}", quoted(&pair.key));
                    let help = if self.collector.is_full() { String::new() } else { unknown_key_help(&pair.key, keys) };
                    self.push(Finding::error(checks::UNKNOWN_KEY, what).at(pair.place.clone()).help(help));
                }
            }
        }
        fields
    }

    /// The pairs of a key whose value has to be a mapping.
    pub(super) fn map<'n>(&mut self, pair: &'n MapEntry, expected: &str) -> Option<&'n [MapEntry]> {
        match pair.value.shape() {
            Shape::Map(pairs) => Some(pairs),
            _ => {
                self.wrong_type(&format!("`{}`", pair.key), expected, &pair.value, &pair.place, None);
                None
            }
        }
    }
}

/// The help for a key that is not among `keys`.
fn unknown_key_help(key: &str, keys: &'static [&'static str]) -> String {
    let lower = key.to_ascii_lowercase();
    let nested = |name: &str, keys: &[&str]| {
        let alike = lower.replace(['-', '_'], "");
        let key = keys.iter().find(|key| key.replace(['-', '_'], "") == alike)?;
        Some(format!("`{key}` belongs below `{name}`"))
    };
    let elsewhere = || {
        if keys == TOP_KEYS {
            if matches!(lower.as_str(), "webhook" | "webhook_url" | "url" | "token" | "auth" | "credentials") {
                return Some("do not write credentials here: set BITRIX24_WEBHOOK_URL instead".to_owned());
            }
            return nested("policy", POLICY_KEYS).or_else(|| nested("rules", &RULE_IDS));
        }
        let synonym = keys == ENTRY_KEYS && matches!(lower.as_str(), "path" | "src" | "source" | "image" | "png");
        if synonym {
            return Some("did you mean `file`?".to_owned());
        }
        TOP_KEYS.contains(&key).then(|| format!("`{key}` belongs at the top: check the indentation"))
    };
    elsewhere().or_else(|| nearest(key, keys).map(|name| format!("did you mean `{name}`?"))).unwrap_or_else(|| {
        match keys {
            [only] => format!("the only key here is `{only}`"),
            keys => format!("the keys here are {}", listed(keys, "and")),
        }
    })
}
