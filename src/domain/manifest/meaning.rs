//! A tree of values → a [`Manifest`], or all findings about it.

use std::collections::BTreeSet;

use crate::domain::asset::Kind;
use crate::domain::finding::{Finding, Place, Problem};
use crate::domain::rulebook::CODE_STYLE;
use crate::domain::scope::{Pattern, PatternError, Scope};

use super::checks;
use super::codes::CodeChecks;
use super::collector::Collector;
use super::reader::{Reader, TOP_KEYS};
use super::text;
use super::values;
use super::{Manifest, VERSION};
use crate::domain::quote::quoted;
use crate::domain::yaml::{self, MapEntry, Node, Shape, YamlChecks, YamlFile};

/// The texts of findings about the YAML of a manifest.
const YAML: YamlFile = YamlFile {
    name: "manifest",
    levels: "three levels",
    empty_help: "an empty manifest never means an empty portal: write at least `version: 1` and `owns`",
    checks: YamlChecks { syntax: checks::YAML, empty: checks::EMPTY, duplicate_key: checks::DUPLICATE_KEY },
};

/// The most patterns of a list. A manifest may come from a stranger, and compiling patterns takes time and memory.
const MAX_PATTERNS: usize = 1000;

const OWNS_HELP: &str = "list the codes this manifest is the source of truth for: `owns: [\"acme-*\"]`";

/// Reads a manifest. `name` is the user's name for the file; every finding carries it.
///
/// All findings are reported together, in the order of their places. There is a manifest if and only if none of them is
/// an error. A place with an empty byte range must be shown without a snippet: its lines may hold a secret.
pub fn parse(text: &[u8], name: &str) -> (Option<Manifest>, Vec<Finding>) {
    let (manifest, findings) = read(text, name);
    (manifest.filter(|_| !findings.iter().any(Finding::is_error)), findings)
}

/// Parses as [`parse`] does, and also returns what could be read of a manifest that has errors: enough to check its art
/// too, and to report everything together.
pub fn read(text: &[u8], name: &str) -> (Option<Manifest>, Vec<Finding>) {
    let mut collector = Collector::new(name);
    let Some(text) = text::decode(text, &mut collector) else {
        return (None, collector.finish(""));
    };
    text::find_secrets(text, &mut collector);
    let manifest = yaml::read(text, &YAML, &mut |finding| collector.push(finding))
        .and_then(|root| Reader { collector: &mut collector }.manifest(&root));
    (manifest, collector.finish(text))
}

impl Reader<'_, '_> {
    fn manifest(&mut self, root: &Node) -> Option<Manifest> {
        let pairs = match root.shape() {
            Shape::Map([]) | Shape::Null => {
                self.push(YAML.nothing("is empty").at(root.place.clone()));
                return None;
            }
            Shape::Map(pairs) => pairs,
            Shape::Broken => return None,
            other => {
                let what = format!("expected a mapping with `version` and `owns`, found {}", other.name());
                let help = "a manifest begins with `version: 1` and `owns: [\"acme-*\"]`";
                self.push(Finding::error(checks::WRONG_TYPE, what).at(root.place.clone()).help(help));
                return None;
            }
        };
        // A manifest of another version has other keys: further findings about it would mislead.
        let version = pairs.iter().find(|pair| pair.key == "version");
        if !self.version(root, version) {
            return None;
        }
        let fields = self.fields(pairs, TOP_KEYS, "a manifest");
        let portals = fields.get("portal").map(|pair| self.portals(pair)).unwrap_or_default();
        let owns = self.owns(root, fields.get("owns").copied());
        let ignore = fields.get("ignore").map(|pair| self.scope(pair).0).unwrap_or_default();
        let protect = fields.get("protect").map(|pair| self.scope(pair).0).unwrap_or_default();
        let rules = fields.get("rules").map(|pair| self.rules(pair)).unwrap_or_default();
        let everything = owns.as_ref().and_then(|(_, everything)| everything.as_ref());
        let policy = self.policy(fields.get("policy").copied(), everything);
        let owns = owns.map(|(scope, _)| scope);
        let codes = CodeChecks { owns: owns.as_ref(), ignore: &ignore, style: rules.get(CODE_STYLE.id).copied() };
        let icons = fields.get("icons").and_then(|pair| self.section(Kind::Icon, pair, &codes));
        let logos = fields.get("logos").and_then(|pair| self.section(Kind::Logo, pair, &codes));
        Some(Manifest { portals, owns: owns?, ignore, protect, policy, rules, icons, logos })
    }

    /// Whether the rest is worth reading.
    fn version(&mut self, root: &Node, pair: Option<&MapEntry>) -> bool {
        const HELP: &str = "write `version: 1`";
        let Some(pair) = pair else {
            self.push(Finding::error(checks::VERSION, "`version` is missing").at(root.place.clone()).help(HELP));
            return true;
        };
        let place = pair.value.place.clone();
        match pair.value.shape() {
            Shape::Number(text) if text == VERSION.to_string() => {}
            Shape::Number(text) if text.parse::<u64>().is_ok_and(|version| version > u64::from(VERSION)) => {
                let what = format!("the manifest has version {text}, which needs a newer brandctl");
                let help = "update brandctl: this one reads version 1";
                self.push(Finding::error(checks::VERSION, what).at(place).help(help));
                return false;
            }
            Shape::Number(text) => {
                let what = format!("there is no version {} of the manifest", quoted(text));
                self.push(Finding::error(checks::VERSION, what).at(place).help(HELP));
            }
            _ => self.wrong_type("`version`", "the number 1", &pair.value, &pair.place, Some(HELP.to_owned())),
        }
        true
    }

    fn portals(&mut self, pair: &MapEntry) -> Vec<String> {
        let one = std::slice::from_ref(&pair.value);
        let hosts = match pair.value.shape() {
            Shape::Text(_) => one,
            Shape::List([]) => {
                let what = "`portal` is an empty list";
                let help = "name a host, or remove the key to allow any portal";
                self.push(Finding::error(checks::BAD_VALUE, what).at(pair.value.place.clone()).help(help));
                return Vec::new();
            }
            Shape::List(items) => items,
            _ => {
                self.wrong_type("`portal`", "a host or a list of hosts", &pair.value, &pair.place, None);
                return Vec::new();
            }
        };
        let (mut portals, mut known) = (Vec::new(), BTreeSet::new());
        for item in hosts {
            match item.shape() {
                Shape::Text(text) => match values::host(text) {
                    Ok(host) if !known.insert(host.clone()) => {}
                    Ok(host) => portals.push(host),
                    Err(problem) => {
                        let mut place = item.place.clone();
                        if values::is_more_than_a_host(text) {
                            place.bytes.end = place.bytes.start;
                        }
                        self.push(problem.error_at(checks::BAD_VALUE, place));
                    }
                },
                _ => self.wrong_type("`portal`", "a host", item, &pair.place, None),
            }
        }
        portals
    }

    /// Reads `owns`, and where it matches everything.
    fn owns(&mut self, root: &Node, pair: Option<&MapEntry>) -> Option<(Scope, Option<Place>)> {
        let Some(pair) = pair else {
            self.push(Finding::error(checks::MISSING_KEY, "`owns` is missing").at(root.place.clone()).help(OWNS_HELP));
            return None;
        };
        if matches!(pair.value.shape(), Shape::List([])) {
            let what = "`owns` is empty, so the manifest owns no codes";
            self.push(Finding::error(checks::BAD_VALUE, what).at(pair.value.place.clone()).help(OWNS_HELP));
            return None;
        }
        let (scope, everything) = self.scope(pair);
        // Without that pattern, codes that it matches would be reported as outside `owns`.
        let complete = matches!(pair.value.shape(), Shape::List(items) if items.len() == scope.patterns().len());
        complete.then_some((scope, everything))
    }

    /// A list of patterns, and where one of them matches everything.
    fn scope(&mut self, pair: &MapEntry) -> (Scope, Option<Place>) {
        let Shape::List(items) = pair.value.shape() else {
            let what = format!("`{}`", pair.key);
            self.wrong_type(&what, "a list of patterns", &pair.value, &pair.place, how_to_list(pair));
            return (Scope::default(), None);
        };
        if items.len() > MAX_PATTERNS {
            let what = format!("`{}` has {} patterns, but at most {MAX_PATTERNS} are allowed", pair.key, items.len());
            let help = "a pattern such as `acme-*` matches all codes with that prefix";
            self.push(Finding::error(checks::BAD_VALUE, what).at(pair.place.clone()).help(help));
            return (Scope::default(), None);
        }
        let mut patterns = Vec::new();
        let mut everything = None;
        for item in items {
            let Shape::Text(text) = item.shape() else {
                self.wrong_type(&format!("`{}`", pair.key), "a pattern", item, &pair.place, None);
                continue;
            };
            match Pattern::parse(text) {
                Ok(pattern) => {
                    if everything.is_none() && pattern.is_everything() {
                        everything = Some(item.place.clone());
                    }
                    patterns.push(pattern);
                }
                Err(error) => self.bad_pattern(text, &error, &item.place),
            }
        }
        match Scope::new(patterns) {
            Ok(scope) => (scope, everything),
            Err(error) => {
                self.bad_pattern(&pair.key, &error, &pair.place);
                (Scope::default(), everything)
            }
        }
    }

    fn bad_pattern(&mut self, text: &str, error: &PatternError, place: &Place) {
        let message = format!("{} is not a pattern: {}", quoted(text), error.reason());
        self.push(Problem { message, help: error.help() }.error_at(checks::BAD_PATTERN, place.clone()));
    }
}

/// How to write a list where `pair` has something else.
fn how_to_list(pair: &MapEntry) -> Option<String> {
    match pair.value.shape() {
        Shape::Text(text) | Shape::Number(text) => {
            Some(format!("write a list: `{}: [\"{}\"]`", pair.key, quoted(text).trim_matches('`')))
        }
        Shape::Null if pair.key == "owns" => Some(OWNS_HELP.to_owned()),
        Shape::Null => Some("write `[]` for an empty list, or remove the key".to_owned()),
        _ => None,
    }
}
