//! What all text for people shares: colours, and names that fit into a line.

use anstyle::{AnsiColor, Style};
use textwrap::core::display_width;

use crate::domain::asset::Address;
use crate::text::{cut, escape, plural};

pub(super) const CREATE: Style = AnsiColor::Green.on_default();
pub(super) const REPLACE: Style = AnsiColor::Yellow.on_default();
pub(super) const DELETE: Style = AnsiColor::Red.on_default();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const BOLD: Style = Style::new().bold();

/// An address for a line of text: escaped, and cut to fit a line.
pub(super) fn shown(address: &Address) -> String {
    brief(&address.to_string())
}

/// A text for a line that also holds other things: escaped, and cut to fit a line.
pub(super) fn brief(text: &str) -> String {
    const MAX_CHARS: usize = 80;
    cut(&escape(text), MAX_CHARS).into_owned()
}

/// The width in cells of the widest address, up to a limit.
pub(super) fn widest<'a>(addresses: impl Iterator<Item = &'a Address>) -> usize {
    const MAX_WIDTH: usize = 60;
    addresses.map(|address| display_width(&shown(address))).max().unwrap_or(0).min(MAX_WIDTH)
}

/// The number of changes, with the word.
pub(super) fn steps(count: usize) -> String {
    plural(count, "change", "changes")
}
