//! Printing: data on standard output, diagnostics on standard error.

use std::io::{self, IsTerminal as _, Write as _};

use crate::domain::finding::Finding;
use crate::domain::report::Report;
use crate::render;

use super::exit::Exit;
use super::settings::{Format, Globals};

/// Prints `text` on standard output; what was decided stands unless it cannot be written.
pub(super) fn data(text: &str, exit: Exit) -> Exit {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // The reader of a pipe has seen enough: that is no error of ours.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("standard output cannot be written: {error}"));
            Exit::Error
        }
        _ => exit,
    }
}

/// Whether images can be drawn on standard output: on a terminal that is known to have all colours.
pub(super) fn draws() -> bool {
    let colours = std::env::var("COLORTERM").is_ok_and(|colours| matches!(colours.as_str(), "truecolor" | "24bit"));
    let out = io::stdout();
    colours && out.is_terminal() && anstream::AutoStream::choice(&out) != anstream::ColorChoice::Never
}

/// Prints a diagnostic on standard error.
pub(super) fn diagnostic(text: &str) {
    // Where diagnostics cannot be printed, there is nobody to tell.
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}

/// Prints one line of complaint on standard error.
pub(super) fn complain(message: &str) {
    let bold = anstyle::AnsiColor::Red.on_default().bold();
    diagnostic(&format!("{bold}error{bold:#}: {message}\n"));
}

/// Prints a remark on standard error, unless the user wants quiet.
pub(super) fn note(globals: &Globals, message: &str) {
    if !globals.quiet {
        diagnostic(&format!("{message}\n"));
    }
}

/// Prints findings on standard error; warnings only when the user does not want quiet.
pub(super) fn findings(globals: &Globals, findings: &[Finding], report: &Report) {
    let told: Vec<_> = findings.iter().filter(|finding| finding.is_error() || !globals.quiet).cloned().collect();
    diagnostic(&render::human::findings(&told, report));
}

/// Prints JSON on standard output.
pub(super) fn json(text: Result<String, serde_json::Error>, exit: Exit) -> Exit {
    match text {
        Ok(text) => data(&text, exit),
        Err(error) => {
            complain(&error.to_string());
            Exit::Error
        }
    }
}

/// Prints a report: in JSON whole on standard output, for people as `human` draws it with the findings on standard
/// error.
pub(super) fn report(globals: &Globals, report: &Report, exit: Exit, human: impl Fn(&Report) -> String) -> Exit {
    match globals.format {
        Format::Json => json(render::json::report(report), exit),
        Format::Human => {
            let exit = data(&human(report), exit);
            findings(globals, &report.findings, report);
            exit
        }
    }
}
