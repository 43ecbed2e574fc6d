//! The questions that `init` asks on a terminal, on standard error: each is asked again until its answer can be meant.

use std::io;

use clap::ValueEnum as _;
use dialoguer::console::Term;
use dialoguer::{Input, Select};

use crate::domain::finding::Finding;
use crate::domain::scaffold::{Owned, Portal};

use super::super::signals::Signals;
use super::{Ci, Failure, Given};

/// Asks for what is not given yet.
pub(super) fn ask(given: Given) -> Result<(Owned, Option<Portal>, Ci), Failure> {
    let terminal = Term::stderr();
    let answered = ending_on_signals(|| {
        let owns = given.owns.map_or_else(|| owns(&terminal), Ok)?;
        let portal = given.portal.map_or_else(|| portal(&terminal), |portal| Ok(Some(portal)))?;
        let ci = given.ci.map_or_else(|| ci(&terminal), Ok)?;
        Ok((owns, portal, ci))
    });
    answered.map_err(|error| {
        // It was hidden while a list was shown.
        let _ = terminal.show_cursor();
        let _ = terminal.write_line("");
        match error.kind() {
            io::ErrorKind::Interrupted => Failure::Interrupted,
            _ => Failure::Found(vec![Finding::error("usage", format!("the questions cannot be asked: {error}"))]),
        }
    })
}

/// Ctrl-C is read as a key, and then sent to this process as a signal: caught, both end the question with an error
/// instead of the process, which would leave the terminal without a cursor.
fn ending_on_signals<T>(ask: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _entered = runtime.enter();
    let _caught = Signals::catch()?;
    ask()
}

fn owns(terminal: &Term) -> io::Result<Owned> {
    let text = Input::<String>::new()
        .with_prompt("Which codes does this repository own? A prefix of yours and a star, such as acme-*")
        .validate_with(|text: &String| Owned::parse(text).map(drop))
        .interact_text_on(terminal)?;
    Owned::parse(&text).map_err(io::Error::other)
}

fn portal(terminal: &Term) -> io::Result<Option<Portal>> {
    let parse = |text: &str| if text.is_empty() { Ok(None) } else { Portal::parse(text).map(Some) };
    let text = Input::<String>::new()
        .with_prompt("Which portal is it for? Its host, such as acme.bitrix24.com; empty: any")
        .allow_empty(true)
        .validate_with(|text: &String| parse(text).map(drop))
        .interact_text_on(terminal)?;
    parse(&text).map_err(io::Error::other)
}

fn ci(terminal: &Term) -> io::Result<Ci> {
    let systems = Ci::value_variants();
    let told = systems.iter().filter_map(|system| {
        let value = system.to_possible_value()?;
        Some(value.get_help().map(ToString::to_string).unwrap_or_default())
    });
    let chosen = Select::new()
        .with_prompt("Which CI system runs it?")
        .items(told)
        .default(0)
        .interact_on_opt(terminal)?
        .and_then(|index| systems.get(index));
    chosen.copied().ok_or_else(|| io::ErrorKind::Interrupted.into())
}
