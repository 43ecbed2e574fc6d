//! Printing: data on standard output, diagnostics on standard error.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::domain::finding::Finding;
use crate::domain::report::Report;
use crate::ops;
use crate::render;
use crate::render::json::PlanDocument;

use crate::render::screen::{Colours, Screen, Verbosity};
use crate::text;

use super::exit::Exit;
use super::in_repository;
use super::settings::{AnyFormat, Format, Globals, ShowArgs};

/// Prints `text` on standard output, without colours where they are not wanted. Returns `exit`, or an error if `text`
/// cannot be written.
pub(super) fn data(text: &str, exit: Exit) -> Exit {
    print(anstream::stdout().lock(), text, exit)
}

fn print(mut out: impl io::Write, text: &str, exit: Exit) -> Exit {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // A closed pipe is not an error: its reader needs no more.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("standard output cannot be written: {error}"));
            Exit::Error
        }
        _ => exit,
    }
}

/// The colours in which images can be drawn on standard output, or the reason for none.
pub(super) fn image_colours() -> Result<Colours, &'static str> {
    let out = io::stdout();
    if !out.is_terminal() {
        return Err("stdout is not a terminal");
    }
    let term = std::env::var("TERM");
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if anstream::AutoStream::choice(&out) == anstream::ColorChoice::Never {
        return Err(match anstream::ColorChoice::global() {
            anstream::ColorChoice::Never => "--color is `never`",
            _ if is_set("NO_COLOR") => "NO_COLOR is set",
            _ if term.as_deref() == Ok("dumb") => "TERM is `dumb`",
            _ => "the environment disables colours",
        });
    }
    match (std::env::var("COLORTERM").as_deref(), term.as_deref()) {
        (Ok("truecolor" | "24bit"), _) => Ok(Colours::True),
        (_, Ok(term)) if term.contains("256color") => Ok(Colours::Indexed),
        // Windows Terminal sets neither variable.
        _ if cfg!(windows) && is_set("WT_SESSION") => Ok(Colours::True),
        _ => Err("the terminal does not report 256 colours"),
    }
}

/// The screen of standard output, to show a plan there.
pub(super) fn screen_of_plan(globals: &Globals, show: ShowArgs) -> Screen {
    let drawing = if show.preview { Some(image_colours()) } else { None };
    if let Some(Err(why)) = drawing
        && io::stdout().is_terminal()
    {
        note(globals, &format!("note: --preview draws no images: {why}"));
    }
    Screen { colours: drawing.and_then(Result::ok), verbosity: verbosity(globals), ..screen() }
}

/// The verbosity that the options ask for.
pub(super) fn verbosity(globals: &Globals) -> Verbosity {
    match globals.verbose {
        _ if globals.quiet => Verbosity::Results,
        0 => Verbosity::Usual,
        _ => Verbosity::Everything,
    }
}

/// The screen of standard output.
pub(super) fn screen() -> Screen {
    let size = terminal_size::terminal_size_of(io::stdout());
    Screen { columns: size.map(|(width, _)| width.0.into()), ..Screen::default() }
}

/// The screen of diagnostics.
pub(super) fn error_screen() -> Screen {
    let size = terminal_size::terminal_size_of(io::stderr());
    Screen { columns: size.map(|(width, _)| width.0.into()), ..Screen::default() }
}

/// Prints a diagnostic on standard error.
pub(super) fn diagnostic(text: &str) {
    // Where diagnostics cannot be printed, nothing can be reported.
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}

/// Prints an error of one line on standard error, with everything escaped that a terminal would not show.
pub(super) fn complain(message: &str) {
    let bold = anstyle::AnsiColor::Red.on_default().bold();
    diagnostic(&error_screen().wrapped(&format!("{bold}error{bold:#}: {}", text::escape(message)), 2));
}

/// Prints a remark of one line on standard error, escaped in the same way, unless the user wants quiet.
pub(super) fn note(globals: &Globals, message: &str) {
    if !globals.quiet {
        remark(message);
    }
}

/// Prints a remark of one line on standard error, escaped in the same way.
pub(super) fn remark(message: &str) {
    diagnostic(&error_screen().wrapped(&text::escape(message), 2));
}

/// Prints findings on standard error; warnings only when the user does not want quiet.
pub(super) fn findings(globals: &Globals, findings: &[Finding], report: &Report) {
    let mut shown = ops::validate::in_brief(findings, &globals.typed("validate"));
    shown.retain(|finding| finding.is_error() || !globals.quiet);
    diagnostic(&render::human::findings(&shown, report, &error_screen()));
}

/// Whether JSON was printed: a process prints one document, and a signal may end it at any time.
static JSON_PRINTED: Mutex<bool> = Mutex::new(false);

/// Prints JSON on standard output.
pub(super) fn json(text: Result<String, serde_json::Error>, exit: Exit) -> Exit {
    // If a signal ends the process, its document is printed instead: this waits for the end.
    let mut printed = JSON_PRINTED.lock().unwrap_or_else(PoisonError::into_inner);
    *printed = true;
    match text {
        // JSON has no colours to strip.
        Ok(text) => print(io::stdout().lock(), &text, exit),
        Err(error) => {
            complain(&error.to_string());
            Exit::Error
        }
    }
}

/// Prints the JSON of a process that ends at once, unless another document was printed or is being printed. Nothing else
/// is printed while the guard is held.
pub(super) fn last_json(text: serde_json::Result<String>) -> Option<MutexGuard<'static, bool>> {
    let printed = JSON_PRINTED.try_lock().ok().filter(|printed| !**printed)?;
    print(io::stdout().lock(), &text.ok()?, Exit::Interrupted);
    Some(printed)
}

/// Prints a report: as JSON on standard output; or for people, the text of `human` there and the findings on standard
/// error. The annotations of a code host include the findings.
pub(super) fn report(globals: &Globals, report: &Report, exit: Exit, human: impl FnOnce(&Report) -> String) -> Exit {
    match globals.any_format {
        AnyFormat::Github => data(&human(report), exit),
        _ => result::<PlanDocument>(globals, report, exit, || human(report), &report.findings, report),
    }
}

/// The annotations of a report on GitHub. `command` is what the user typed, or the one that made what is shown.
pub(super) fn annotations(report: &Report, command: &str) -> String {
    render::github::report(&in_repository::report(report), command)
}

/// Prints what was found in the same way: in JSON as the document `D`. `report` has the portal, and the manifest that the
/// findings in `about` point at.
pub(super) fn result<D: Serialize>(
    globals: &Globals,
    found: impl Into<D>,
    exit: Exit,
    human: impl FnOnce() -> String,
    about: &[Finding],
    report: &Report,
) -> Exit {
    match globals.format {
        Format::Json => {
            let header = globals.invocation.header(exit);
            json(render::json::print::<D>(&header, report.portal.as_deref(), found, about), exit)
        }
        Format::Human => {
            let exit = data(&human(), exit);
            findings(globals, about, report);
            exit
        }
    }
}
