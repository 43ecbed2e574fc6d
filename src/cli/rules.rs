//! `brandctl rules`

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::domain::rules::{ArtRule, FINDING_IDS, OTHER_FINDINGS, RULES};
use crate::render;
use crate::render::json::RulesDocument;

use super::exit::Exit;
use super::output;
use super::settings::{Format, Globals};

/// Explain the art rules
///
/// Without an ID, prints a line for each rule. With the ID of a rule or of any other finding: why it exists, how to fix
/// what it finds, the source of the fact, and how to set it. Works without a manifest.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl rules\n  brandctl rules low-contrast\n  brandctl rules --format json\n\nExit codes: 0 explained, 1 unknown ID."
)]
pub(super) struct Arguments {
    /// The rule to explain, or the id of any finding, such as plan-stale
    #[arg(value_name = "ID", value_parser = PossibleValuesParser::new(FINDING_IDS.iter().copied()), hide_possible_values = true)]
    id: Option<String>,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    let rules: Vec<&ArtRule> = match arguments.id.as_deref() {
        None => RULES.iter().collect(),
        Some(id) => RULES.iter().chain(OTHER_FINDINGS).filter(|rule| rule.id == id).collect(),
    };
    match (globals.format, rules.as_slice()) {
        (Format::Json, rules) => {
            let header = globals.invocation.header(Exit::Success);
            output::json(render::json::print::<RulesDocument>(&header, None, rules, &[]), Exit::Success)
        }
        (Format::Human, [rule]) => output::data(&render::rules::story(rule), Exit::Success),
        (Format::Human, rules) => output::data(&render::rules::list(rules), Exit::Success),
    }
}
