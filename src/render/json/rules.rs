//! The published form of the art rules.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::manifest;
use crate::domain::rules::ArtRule;
use crate::format::printed;

/// The art rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "brandctl rules", deny_unknown_fields)]
pub(crate) struct RulesDocument {
    /// The rules, in the order in which findings about one image are listed.
    pub(crate) rules: Vec<RuleDocument>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct RuleDocument {
    /// Its id, as in findings and in the manifest's `rules`.
    pub(crate) id: &'static str,
    /// Its level unless the manifest sets another.
    pub(crate) default: LevelName,
    /// Whether the manifest may set another.
    pub(crate) adjustable: bool,
    /// Why it exists, in one sentence.
    pub(crate) why: &'static str,
    /// How to fix what it finds.
    pub(crate) fix: &'static str,
    /// Where the fact behind it comes from.
    pub(crate) source: &'static str,
}

printed! {
    /// How bad findings of a rule are.
    #[serde(rename_all = "lowercase")]
    LevelName = manifest::Level {
        /// Nothing is written until it is fixed.
        Error,
        /// Worth a look; nothing stops.
        Warn,
        /// Not looked for.
        Off,
    }
}

impl From<&[&ArtRule]> for RulesDocument {
    fn from(rules: &[&ArtRule]) -> Self {
        let rules = rules.iter().map(|rule| RuleDocument {
            id: rule.id,
            default: rule.default.into(),
            adjustable: rule.adjustable,
            why: rule.why,
            fix: rule.fix,
            source: rule.source,
        });
        Self { rules: rules.collect() }
    }
}
