//! The screen that text is shown on: its width, and whether it can draw.

use textwrap::core::display_width;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

/// The abilities of a terminal. The default is a pipe: lines are not wrapped, and nothing is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Screen {
    /// Its width; `None` where there is none.
    pub(crate) columns: Option<usize>,
    /// The colours to draw images with; `None` if images are not drawn.
    pub(crate) colours: Option<Colours>,
    /// The verbosity.
    pub verbosity: Verbosity,
}

/// The verbosity of a text for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verbosity {
    /// Results only (`--quiet`).
    Results,
    /// Also the next steps.
    #[default]
    Usual,
    /// Also each entry that is left alone (`--verbose`).
    Everything,
}

/// The colours of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colours {
    /// All of them.
    True,
    /// The cube and the greys that xterm has.
    Indexed,
}

/// The minimum width in which lines can be read.
const NARROWEST: usize = 20;

impl Screen {
    /// A line as lines that fit, broken between words; those after the first begin in column `hanging`. A word that is
    /// longer than a line is left to the terminal, so that it can be copied completely. Styles take no room.
    pub(crate) fn wrapped(&self, line: &str, hanging: usize) -> String {
        let indent = " ".repeat(hanging);
        self.lines(line, 0, &indent) + "\n"
    }

    /// Text as lines that each leave room for `taken` columns beside it.
    pub(super) fn beside(&self, taken: usize, text: &str) -> String {
        self.lines(text, taken, "")
    }

    fn lines(&self, text: &str, taken: usize, indent: &str) -> String {
        let Some(columns) = self.columns else { return text.to_owned() };
        let options = Options::new(columns.saturating_sub(taken).max(NARROWEST))
            .subsequent_indent(indent)
            .break_words(false)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation)
            .wrap_algorithm(WrapAlgorithm::FirstFit);
        textwrap::wrap(text, options).join("\n")
    }

    /// Whether too little is left for a second column.
    pub(super) fn is_narrow(&self, lead: usize, width: usize) -> bool {
        /// The minimum width in which the second column is easy to read.
        const ENOUGH: usize = 24;
        self.columns.is_some_and(|columns| lead + width + 2 + ENOUGH > columns)
    }

    /// A line of two columns; the first is `width` wide and begins after `lead`. If that leaves too little of the screen
    /// for the second, it goes below the first.
    pub(super) fn row(&self, lead: usize, first: &str, width: usize, second: &str) -> String {
        let column = lead + width + 2;
        if self.is_narrow(lead, width) {
            let indent = " ".repeat(lead + 2);
            return self.wrapped(first, lead + 2) + &self.wrapped(&format!("{indent}{second}"), lead + 2);
        }
        self.wrapped(&format!("{}  {second}", padded(first, column - 2)), column)
    }
}

impl Screen {
    /// Short texts side by side, as many in a line as fit.
    pub(super) fn beside_each_other(&self, texts: &[String], indent: usize, gap: usize) -> String {
        let (mut lines, mut line, mut taken) = (String::new(), String::new(), 0);
        for text in texts {
            let width = display_width(text);
            if taken > 0 && self.columns.is_some_and(|columns| taken + gap + width > columns) {
                lines.push_str(&line);
                lines.push('\n');
                (line, taken) = (String::new(), 0);
            }
            let before = if taken == 0 { indent } else { gap };
            line.push_str(&" ".repeat(before));
            line.push_str(text);
            taken += before + width;
        }
        lines + &line + "\n"
    }
}

/// Text with spaces up to a width in cells; a wide character takes two and a combining one none.
pub(super) fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(display_width(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREEN: &str = "\u{1b}[32m";
    const RESET: &str = "\u{1b}[0m";

    fn row(columns: Option<usize>) -> String {
        let screen = Screen { columns, ..Screen::default() };
        let first = format!("{GREEN}  + icon/acme-call{RESET}");
        anstream::adapter::strip_str(&screen.row(4, &first, 20, "not on the portal (renamed from icon/acme-phone)"))
            .to_string()
    }

    #[test]
    fn a_row_is_one_line_two_columns_or_one_below_the_other() {
        assert_eq!(row(None), "  + icon/acme-call        not on the portal (renamed from icon/acme-phone)\n");
        assert_eq!(row(Some(200)), row(None));
        let hanging = " ".repeat(26);
        assert_eq!(
            row(Some(60)),
            format!("  + icon/acme-call        not on the portal (renamed from\n{hanging}icon/acme-phone)\n")
        );
        assert_eq!(
            row(Some(40)),
            "  + icon/acme-call\n      not on the portal (renamed from\n      icon/acme-phone)\n"
        );
    }
}
