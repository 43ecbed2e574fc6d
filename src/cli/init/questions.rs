//! The questions that `init` asks on a terminal, on standard error: each is asked again until its answer is valid.
//!
//! They are plain lines, like the question of `apply`: the terminal itself edits them, and Ctrl-C is its signal at any
//! moment. It would not be if keys were read one by one.

use std::io;

use clap::ValueEnum as _;

use crate::domain::init::{self, Owned, PinnedPortal, Tool};
use crate::domain::scope::Pattern;

use super::super::error::Failure;
use super::super::settings::Globals;
use super::super::{credentials, output};
use super::given::{self, Answers, Ci, Complete, Source};

/// Asks for what is not given yet.
pub(super) fn ask(given: Answers, globals: &Globals) -> Result<Complete, Failure> {
    let source = given.source.map_or_else(|| source(globals.sandbox.is_some() || credentials::are_named()), Ok)?;
    let portal = match (&source, given.portal) {
        (_, Some(portal)) => Some(portal),
        // The portal is that of the credentials.
        (Source::Portal(_), None) => None,
        (Source::Samples(_), None) => {
            answer("Which portal is it for? Its host, such as acme.bitrix24.com [any]: ", portal)?
        }
    };
    let ci = given
        .ci
        .map_or_else(|| answer("Which CI system runs it: github, gitlab, shell or none? [github]: ", ci), Ok)?;
    let tool = match given.tool {
        Some(tool) => tool,
        None if ci == Ci::None => None,
        None => match Tool::of_release() {
            None => answer(
                "Where does it install brandctl from? The URL of an archive or repository [its machine has it]: ",
                tool,
            )?,
            release => release,
        },
    };
    Ok(Complete { source, portal, ci, tool })
}

/// The possible starts of a repository.
#[derive(Clone, Copy)]
enum Beginning {
    Portal,
    Empty,
}

/// Asks what to start with, and for the codes. A portal can be read only with credentials.
fn source(readable: bool) -> Result<Source, Failure> {
    let (name, default) = if readable { ("portal", Beginning::Portal) } else { ("empty", Beginning::Empty) };
    let question = format!("Start with the portal's entries, or empty, with sample art: portal or empty? [{name}]: ");
    let start = answer(&question, |text| match text.to_ascii_lowercase().as_str() {
        "" => Ok(default),
        "empty" => Ok(Beginning::Empty),
        "portal" if readable => Ok(Beginning::Portal),
        "portal" => {
            let none = credentials::none();
            let help = none.help.map(|help| format!(": {help}")).unwrap_or_default();
            Err(format!("{}{help}", none.message))
        }
        _ => Err("write portal or empty".to_owned()),
    })?;
    match start {
        Beginning::Empty => {
            answer("Which codes does this repository own? A prefix of yours and a star, such as acme-*: ", Owned::parse)
                .map(Source::Samples)
        }
        Beginning::Portal => answer(
            "Which of its codes does this repository own? A pattern, such as acme-* [each that it has now]: ",
            pattern,
        )
        .map(Source::Portal),
    }
}

fn pattern(text: &str) -> Result<Option<Pattern>, String> {
    if text.is_empty() { Ok(None) } else { init::pattern(text).map(Some) }
}

fn portal(text: &str) -> Result<Option<PinnedPortal>, String> {
    if text.is_empty() { Ok(None) } else { PinnedPortal::parse(text).map(Some) }
}

fn tool(text: &str) -> Result<Option<Tool>, String> {
    if text.is_empty() { Ok(None) } else { given::tool(text) }
}

fn ci(text: &str) -> Result<Ci, String> {
    if text.is_empty() {
        return Ok(Ci::Github);
    }
    Ci::from_str(text, true).map_err(|_| "write github, gitlab, shell or none".to_owned())
}

/// Asks until `read` accepts the answer.
fn answer<T>(question: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<T, Failure> {
    let ended = |why: String| Failure::usage(format!("{why}: nothing was written"));
    loop {
        output::diagnostic(question);
        let mut text = String::new();
        match io::stdin().read_line(&mut text) {
            Ok(0) => {
                output::diagnostic("\n");
                return Err(ended("the input ended before all questions were answered".to_owned()));
            }
            Ok(_) => {}
            Err(error) => return Err(ended(format!("the answer cannot be read: {error}"))),
        }
        match read(text.trim()) {
            Ok(answer) => return Ok(answer),
            Err(why) => output::complain(&why),
        }
    }
}
