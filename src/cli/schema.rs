//! `brandctl schema`

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::render::json::schemas::{self, SCHEMAS};
use crate::render::json::{self, SchemasDocument};

use super::exit::Exit;
use super::output;
use super::settings::{Format, Globals};

/// Print a JSON schema
///
/// The schema is of the manifest, for editors, or of a command's JSON output. Without NAME, lists the schemas.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl schema\n  brandctl schema manifest > brand.schema.json\n  brandctl schema plan\n\nExit codes: 0 printed, 1 unknown schema."
)]
pub(super) struct Arguments {
    /// The schema to print
    #[arg(value_name = "NAME", value_parser = PossibleValuesParser::new(SCHEMAS.iter().map(|schema| schema.name)))]
    name: Option<String>,
}

pub(super) fn run(globals: &Globals, arguments: &Arguments) -> Exit {
    match (arguments.name.as_deref().and_then(schemas::of), globals.format) {
        (Some(schema), _) => output::json(schemas::text(&schema), Exit::Success),
        (None, Format::Json) => {
            let header = globals.invocation.header(Exit::Success);
            output::json(json::print::<SchemasDocument>(&header, None, SchemasDocument::default(), &[]), Exit::Success)
        }
        (None, Format::Human) => output::data(&schemas::list(), Exit::Success),
    }
}
