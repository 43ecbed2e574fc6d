//! The JSON of a command without a result: after a usage error, and if a signal ends it at once.

use std::ffi::OsString;

use crate::domain::doctor::DoctorCheck;
use crate::domain::finding::Finding;
use crate::domain::init::InitReport;
use crate::domain::list::ListReport;
use crate::domain::logmessage::LogReport;
use crate::domain::report::{ExportReport, RecordedRun, Report, Validation};
use crate::domain::rules::ArtRule;
use crate::domain::usage::UsageReport;
use crate::render::json::{
    self, DoctorDocument, ErrorDocument, ExportDocument, HistoryDocument, InitDocument, Invoked, ListDocument,
    LogDocument, PlanDocument, RulesDocument, SandboxDocument, SchemasDocument, UsageDocument,
};

use super::exit::Exit;
use super::invocation::Invocation;

/// What is printed if a command ends at once.
#[derive(Debug, Clone, Copy)]
pub(super) enum LastWords {
    /// Nothing: the command has printed everything.
    None,
    /// A document of the command, without its results.
    Json(Invocation),
}

impl LastWords {
    /// The document of a command that a signal ends, if it prints one.
    pub(super) fn interrupted(self) -> Option<serde_json::Result<String>> {
        let Self::Json(invocation) = self else { return None };
        let finding =
            Finding::error("interrupted", "stopped at once: this document does not show what was found or done")
                .help("run it again; after an apply, the next plan or apply finds out what was written");
        Some(document(&invocation.header(Exit::Interrupted), finding))
    }
}

/// The document of a command line that `program` cannot run, if it asks for JSON. `began` is the start of the process.
pub(super) fn usage(
    program: clap::Command,
    arguments: &[OsString],
    error: &clap::Error,
    began: &Invocation,
) -> Option<serde_json::Result<String>> {
    if !error.use_stderr() || !asks_for_json(arguments) {
        return None;
    }
    let header = Invoked { command: command(program, arguments), ..began.header(Exit::Error) };
    Some(document(&header, finding(&error.render().to_string())))
}

/// Whether `--format json` stands anywhere among the options of a command line.
fn asks_for_json(arguments: &[OsString]) -> bool {
    let mut options = arguments.iter().skip(1).take_while(|word| *word != "--");
    let mut follows = false;
    options.any(|word| {
        let asks = *word == "--format=json" || (follows && *word == "json");
        follows = *word == "--format";
        asks
    })
}

/// The command that a line names, as far as it can be parsed.
fn command(program: clap::Command, arguments: &[OsString]) -> Option<String> {
    let lenient = program.ignore_errors(true).disable_help_flag(true).disable_version_flag(true);
    let matches = lenient.try_get_matches_from(arguments).ok()?;
    let (name, matches) = matches.subcommand()?;
    Some(match matches.subcommand() {
        Some((action, _)) => format!("{name} {action}"),
        None => name.to_owned(),
    })
}

/// The finding of a usage error, in clap's words.
fn finding(text: &str) -> Finding {
    let mut paragraphs = text.split("\n\n");
    let message = paragraphs.next().unwrap_or_default();
    let message = one_line(message.strip_prefix("error: ").unwrap_or(message));
    let help: Vec<_> = paragraphs
        .flat_map(str::lines)
        .map(|line| line.trim().trim_start_matches("tip: "))
        .filter(|line| !line.is_empty())
        .collect();
    let finding = Finding::error("usage", message);
    if help.is_empty() { finding } else { finding.help(help.join("; ")) }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The document of a command whose only finding is `finding`.
fn document(header: &Invoked, finding: Finding) -> serde_json::Result<String> {
    let findings = &[finding][..];
    let name = header.command.as_deref().unwrap_or_default();
    match name.split(' ').next().unwrap_or_default() {
        "plan" | "apply" | "drift" | "show" | "restore" => {
            json::print::<PlanDocument>(header, None, &Report::default(), findings)
        }
        "validate" => {
            let validation = Validation { findings: findings.to_vec(), ..Validation::default() };
            json::print_validation(header, &validation)
        }
        "list" => json::print::<ListDocument>(header, None, &ListReport::default(), findings),
        "usage" => json::print::<UsageDocument>(header, None, &UsageReport::default(), findings),
        "export" => json::print::<ExportDocument>(header, None, &ExportReport::default(), findings),
        "log" => json::print::<LogDocument>(header, None, &LogReport::default(), findings),
        "doctor" => json::print::<DoctorDocument>(header, None, &[] as &[DoctorCheck], findings),
        "init" => json::print::<InitDocument>(header, None, &InitReport::default(), findings),
        "history" => json::print::<HistoryDocument>(header, None, &[] as &[RecordedRun], findings),
        "rules" => json::print::<RulesDocument>(header, None, &[] as &[&ArtRule], findings),
        "sandbox" => json::print::<SandboxDocument>(header, None, SandboxDocument::default(), findings),
        "schema" => json::print::<SchemasDocument>(header, None, SchemasDocument::default(), findings),
        _ => json::print::<ErrorDocument>(header, None, ErrorDocument {}, findings),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn json_is_asked_for_anywhere_on_the_line() {
        for line in
            ["b --format json plan", "b plan --format json", "b plan --format=json --nope", "b --format --format json"]
        {
            assert!(asks_for_json(&words(line)), "{line}");
        }
        for line in ["b plan", "b plan json", "b plan -- --format json", "b --format human json", "--format json"] {
            assert!(!asks_for_json(&words(line)), "{line}");
        }
    }

    #[test]
    fn the_command_is_known_although_the_line_is_wrong() {
        for (line, name) in [
            ("b plan --nope", Some("plan")),
            ("b --nope plan", None),
            ("b --format json plan --timeout x", Some("plan")),
            ("b log add --title", Some("log add")),
            ("b nope", None),
            ("b", None),
        ] {
            assert_eq!(command(Cli::command(), &words(line)).as_deref(), name, "{line}");
        }
    }

    #[test]
    fn a_usage_error_is_a_message_and_a_help() {
        let finding =
            finding("error: a b\n  [c]\n\n  tip: d\n  tip: e\n\nUsage: f\n\nFor more information, try '--help'.\n");
        assert_eq!(finding.message, "a b [c]");
        assert_eq!(finding.help.as_deref(), Some("d; e; Usage: f; For more information, try '--help'."));
    }
}
