//! The sections `policy` and `rules`: limits for a run, and levels of findings.

use std::collections::BTreeMap;

use crate::domain::finding::{Finding, Place};

use super::checks;
use super::reader::{POLICY_KEYS, Reader};
use super::{Level, Policy};
use crate::domain::quote::quoted;
use crate::domain::rulebook::{FIXED_RULES, RULE_IDS};
use crate::domain::yaml::{MapEntry, Shape};
use crate::text::{listed, nearest};

impl Reader<'_, '_> {
    /// The levels that the manifest gives to rules.
    pub(super) fn rules(&mut self, pair: &MapEntry) -> BTreeMap<String, Level> {
        let mut rules = BTreeMap::new();
        for rule in self.map(pair, "a mapping from rule to `error`, `warn` or `off`").unwrap_or_default() {
            if !RULE_IDS.contains(&rule.key.as_str()) {
                let what = format!("there is no rule {}", quoted(&rule.key));
                let near = if self.collector.is_full() { None } else { nearest(&rule.key, &RULE_IDS) };
                let help = near.map_or_else(
                    || format!("the rules are {}", listed(&RULE_IDS, "and")),
                    |id| format!("did you mean `{id}`?"),
                );
                self.push(Finding::error(checks::UNKNOWN_RULE, what).at(rule.place.clone()).help(help));
            }
            if let Some(level) = self.level(rule) {
                if level != Level::Error && FIXED_RULES.contains(&rule.key.as_str()) {
                    let what = format!("the rule `{}` cannot be lowered: the portal itself enforces it", rule.key);
                    let place = rule.value.place.clone();
                    self.push(Finding::error(checks::FIXED_RULE, what).at(place).help("remove this line"));
                }
                rules.insert(rule.key.clone(), level);
            }
        }
        rules
    }

    fn level(&mut self, rule: &MapEntry) -> Option<Level> {
        const HELP: &str = "write `error`, `warn` or `off`";
        let Shape::Text(text) = rule.value.shape() else {
            let help = if matches!(rule.value.shape(), Shape::Bool(false)) { "write `off`" } else { HELP }.to_owned();
            let what = quoted(&format!("rules.{}", rule.key));
            self.wrong_type(&what, "`error`, `warn` or `off`", &rule.value, &rule.place, Some(help));
            return None;
        };
        let level = Level::ALL.into_iter().find(|level| level.name() == text);
        if level.is_none() {
            let names = Level::ALL.map(Level::name);
            let help = nearest(text, &names).map_or_else(|| HELP.to_owned(), |name| format!("did you mean `{name}`?"));
            let what = format!("{} is not a level", quoted(text));
            self.push(Finding::error(checks::BAD_VALUE, what).at(rule.value.place.clone()).help(help));
        }
        level
    }

    /// The policy; `everything` is where `owns` matches every code.
    pub(super) fn policy(&mut self, pair: Option<&MapEntry>, everything: Option<&Place>) -> Policy {
        let pairs = pair.and_then(|pair| self.map(pair, "a mapping"));
        let fields = self.fields(pairs.unwrap_or_default(), POLICY_KEYS, "`policy`");
        if let (None, Some(place)) = (fields.get("prune"), everything) {
            let what = "`owns` matches every code, so `prune` must be set explicitly";
            self.push(Finding::error(checks::PRUNE_UNSTATED, what).at(place.clone()).help(
                "write `policy: {prune: false}` to keep entries that are not declared, or `prune: true` to delete them",
            ));
        }
        let prune = fields.get("prune").and_then(|pair| self.prune(pair));
        let max_deletes = fields.get("max_deletes").and_then(|pair| self.max_deletes(pair));
        Policy { prune: prune.unwrap_or(Policy::default().prune), max_deletes }
    }

    fn prune(&mut self, pair: &MapEntry) -> Option<bool> {
        let help = match pair.value.shape() {
            Shape::Bool(value) => return Some(value),
            Shape::Text("yes" | "Yes" | "YES" | "on" | "On" | "ON") => Some("write `true`".to_owned()),
            Shape::Text("no" | "No" | "NO" | "off" | "Off" | "OFF") => Some("write `false`".to_owned()),
            Shape::Text(_) | Shape::Number(_) => Some("write `true` or `false`".to_owned()),
            _ => None,
        };
        self.wrong_type("`policy.prune`", "`true` or `false`", &pair.value, &pair.place, help);
        None
    }

    fn max_deletes(&mut self, pair: &MapEntry) -> Option<u32> {
        let expected = format!("a whole number from 0 to {}", u32::MAX);
        match pair.value.shape() {
            Shape::Number(text) => {
                let number = whole(text);
                if number.is_none() {
                    let what = format!("`policy.max_deletes`: expected {expected}, found {}", quoted(text));
                    self.push(Finding::error(checks::BAD_VALUE, what).at(pair.value.place.clone()));
                }
                number
            }
            shape => {
                let quoted = matches!(shape, Shape::Text(text) if whole(text).is_some());
                let help = quoted.then(|| "write it without quotes".to_owned());
                self.wrong_type("`policy.max_deletes`", &expected, &pair.value, &pair.place, help);
                None
            }
        }
    }
}

/// A number without sign, point or exponent.
fn whole(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}
