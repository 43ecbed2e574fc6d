//! The questions that `init` asks on a terminal, on standard error: each is asked again until its answer can be meant.
//!
//! They are plain lines, as the question of `apply` is: the terminal itself edits them, and Ctrl-C is its signal at any
//! moment, which it is not where keys are read one by one.

use std::io;

use clap::ValueEnum as _;

use crate::domain::finding::Finding;
use crate::domain::scaffold::{Owned, Portal};

use super::super::output;
use super::{Ci, Failure, Given};

/// Asks for what is not given yet.
pub(super) fn ask(given: Given) -> Result<(Owned, Option<Portal>, Ci), Failure> {
    let owns = given.owns.map_or_else(
        || answer("Which codes does this repository own? A prefix of yours and a star, such as acme-*: ", Owned::parse),
        Ok,
    )?;
    let portal = given.portal.map_or_else(
        || answer("Which portal is it for? Its host, such as acme.bitrix24.com [any]: ", portal),
        |portal| Ok(Some(portal)),
    )?;
    let ci = given.ci.map_or_else(|| answer("Which CI system runs it: github, gitlab or none? [github]: ", ci), Ok)?;
    Ok((owns, portal, ci))
}

fn portal(text: &str) -> Result<Option<Portal>, String> {
    if text.is_empty() { Ok(None) } else { Portal::parse(text).map(Some) }
}

fn ci(text: &str) -> Result<Ci, String> {
    if text.is_empty() {
        return Ok(Ci::Github);
    }
    Ci::from_str(text, true).map_err(|_| "write github, gitlab or none".to_owned())
}

/// Asks until `read` understands the answer.
fn answer<T>(question: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<T, Failure> {
    let ended = |why: String| Failure::from(Finding::error("usage", format!("{why}: nothing was written")));
    loop {
        output::diagnostic(question);
        let mut text = String::new();
        match io::stdin().read_line(&mut text) {
            Ok(0) => {
                output::diagnostic("\n");
                return Err(ended("the input ended before the questions".to_owned()));
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
