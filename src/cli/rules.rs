//! `brandctl rules`

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::domain::rules::{ArtRule, RULE_IDS, RULES};
use crate::render;
use crate::render::json::RulesDocument;

use super::exit::Exit;
use super::output;
use super::settings::{Format, Globals};

/// Explain the art rules
///
/// Without an ID one line a rule; with one its whole story: why it exists, how to mend what it finds, where the fact
/// comes from, how to set it. Needs no manifest.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl rules\n  brandctl rules low-contrast\n  brandctl rules --format json\n\nExit codes: 0 explained, 1 there is no such rule."
)]
pub(super) struct Arguments {
    /// The rule to explain
    #[arg(value_name = "ID", value_parser = PossibleValuesParser::new(RULE_IDS.iter().copied()), hide_possible_values = true)]
    id: Option<String>,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let asked = |rule: &&ArtRule| arguments.id.as_deref().is_none_or(|id| id == rule.id);
    let rules: Vec<&ArtRule> = RULES.iter().filter(asked).collect();
    match (globals.format, rules.as_slice()) {
        (Format::Json, rules) => {
            let heading = globals.invocation.heading(Exit::Success);
            output::json(render::json::print::<RulesDocument>(&heading, None, rules, &[]), Exit::Success)
        }
        (Format::Human, [rule]) => output::data(&render::rules::story(rule), Exit::Success),
        (Format::Human, rules) => output::data(&render::rules::list(rules), Exit::Success),
    }
}
