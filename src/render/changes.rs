//! The changes of a plan as lines: the legend, a line for each change, and its images if they are wanted.

use anstyle::Style;

use crate::domain::diff::Action;
use crate::domain::journal::RunCommand;
use crate::domain::plan::Plan;
use crate::text::escape;

use super::origin::GroupedOrigins;
use super::picture::{self, PicturePair};
use super::reason::{self, PlanRow, rows};
use super::screen::Screen;
use super::style::{CREATE, DELETE, DIM, REPLACE, shown};

/// The most changes whose images are drawn.
const MAX_DRAWN: usize = 50;

/// The width before an address, for its symbol.
pub(super) const LEAD: usize = 4;

/// The symbol of an entry that is left alone because its image is unknown.
pub(super) const UNKNOWN: &str = "  ?";

/// The type of a change, as people count changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Create,
    Replace,
    Rename,
    Delete,
}

impl Sort {
    const ALL: [Self; 4] = [Self::Create, Self::Replace, Self::Rename, Self::Delete];

    const fn of(row: &PlanRow<'_>) -> Self {
        match (row.old, &row.change.action) {
            (Some(_), _) => Self::Rename,
            (None, Action::Create(_)) => Self::Create,
            (None, Action::Replace(..)) => Self::Replace,
            (None, Action::Delete(_)) => Self::Delete,
        }
    }

    const fn style(self) -> Style {
        match self {
            Self::Create => CREATE,
            Self::Replace | Self::Rename => REPLACE,
            Self::Delete => DELETE,
        }
    }

    const fn symbol(self) -> &'static str {
        match self {
            Self::Create => "  +",
            Self::Replace => "-/+",
            Self::Rename => "  ~",
            Self::Delete => "  -",
        }
    }

    const fn word(self, command: RunCommand) -> &'static str {
        match (self, command) {
            (Self::Create, RunCommand::Restore) => "put back",
            (Self::Replace, RunCommand::Restore) => "replace with the old image",
            (Self::Create, _) => "create",
            (Self::Replace, _) => "replace",
            (Self::Rename, _) => "rename",
            (Self::Delete, _) => "delete",
        }
    }
}

/// The legend, a line for each change, and the images.
pub(super) fn changes(
    plan: &Plan,
    origins: &GroupedOrigins<'_>,
    command: RunCommand,
    width: usize,
    screen: &Screen,
) -> String {
    let rows = rows(plan);
    let mut text = legend(&rows, plan, command, screen);
    for row in &rows {
        text.push_str(&screen.row(LEAD, &title(row), width, &reason(row, plan, origins)));
    }
    if !rows.is_empty() {
        text.push('\n');
    }
    text + &images(&rows, plan, screen)
}

/// The legend of the symbols that are used.
fn legend(rows: &[PlanRow<'_>], plan: &Plan, command: RunCommand, screen: &Screen) -> String {
    /// The space between two symbols.
    const GAP: usize = 3;
    let used = |sort: &Sort| rows.iter().any(|row| Sort::of(row) == *sort);
    let item = |style: Style, symbol: &str, word: &str| format!("{style}{}{style:#} {word}", symbol.trim_start());
    let mut items: Vec<_> =
        Sort::ALL.into_iter().filter(used).map(|sort| item(sort.style(), sort.symbol(), sort.word(command))).collect();
    if !plan.diff.unknown.is_empty() {
        items.push(item(REPLACE, UNKNOWN, "unknown, left alone"));
    }
    if items.is_empty() { String::new() } else { screen.beside_each_other(&items, 2, GAP) + "\n" }
}

/// The symbol and the address.
fn title(row: &PlanRow<'_>) -> String {
    let sort = Sort::of(row);
    let style = sort.style();
    format!("{style}{} {}{style:#}", sort.symbol(), shown(&row.change.address))
}

fn reason(row: &PlanRow<'_>, plan: &Plan, origins: &GroupedOrigins<'_>) -> String {
    let quoted = |spelling: &str| format!("`{}`", escape(spelling));
    let why = reason::of_row(row, plan, quoted, shown);
    match origins.beside(row) {
        Some(moved) => format!("{why}; {moved}"),
        None => why,
    }
}

/// The images of the changes, before and after, as many side by side as fit.
pub(super) fn images(rows: &[PlanRow<'_>], plan: &Plan, screen: &Screen) -> String {
    let (Some(colours), Some(columns)) = (screen.colours, screen.columns) else { return String::new() };
    let pairs: Vec<_> = rows
        .iter()
        .take(MAX_DRAWN)
        .map(|row| {
            let [before, after] = reason::images(row.change, plan).map(|image| image.map(|image| image.pixels));
            PicturePair { title: title(row).replace("  ", ""), before, after }
        })
        .collect();
    let mut text = picture::grid(&pairs, columns, colours);
    if rows.len() > pairs.len() {
        let more = rows.len() - pairs.len();
        text.push_str(&screen.wrapped(&format!("{DIM}the images of {more} more changes are not drawn{DIM:#}"), 0));
        text.push('\n');
    }
    text
}
