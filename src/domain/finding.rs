//! Findings: what checks report. One type for the manifest, the art and the portal, and for every format.

use std::borrow::Cow;
use std::ops::Range;

use super::asset::Address;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is written until it is fixed.
    Error,
    /// Worth checking; it does not stop the command.
    Warning,
}

impl Severity {
    /// Its name in output and in formats.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A place in a text file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The bytes of the place, for the snippet.
    pub bytes: Range<usize>,
}

impl Place {
    /// The start of a file, without a snippet.
    pub const START: Self = Self { line: 1, column: 1, bytes: 0..0 };

    /// The column after the last character of the place, in characters from 1, or after its first line if it has
    /// several. `None` when the line must not be shown.
    pub(crate) fn end_column(&self, source: &str) -> Option<usize> {
        let meant = source.get(self.bytes.clone())?.lines().next()?;
        (!meant.is_empty()).then(|| self.column + meant.chars().count())
    }
}

/// A problem and its fix: a finding whose place and severity are not known, or a reason why something is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// What is wrong: one sentence, lower case, no full stop.
    pub(crate) message: String,
    /// How to fix it, in the same form.
    pub(crate) help: Option<String>,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The problem as an error of the check `rule` at a place.
    pub(in crate::domain) fn error_at(self, rule: &'static str, place: Place) -> Finding {
        Finding { help: self.help, ..Finding::error(rule, self.message).at(place) }
    }
}

/// A finding of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check: a rule id such as `png-size`, or a check of the manifest such as `unknown-key`.
    pub(crate) rule: Cow<'static, str>,
    /// Its severity.
    pub severity: Severity,
    /// The file it is about, as the user would name it: the manifest, or the PNG for a finding about art.
    pub(crate) path: Option<String>,
    /// Where in that file.
    pub place: Option<Place>,
    /// The entry it is about.
    pub address: Option<Address>,
    /// Where the manifest declares that entry on its own line, if the finding is about the entry's image.
    pub(crate) declared: Option<Place>,
    /// What is wrong: one sentence, lower case, no full stop.
    pub message: String,
    /// What to do about it, in the same form.
    pub help: Option<String>,
    /// Other places in the same file that matter, with what they are ("first declared here").
    pub related: Vec<(Place, String)>,
}

impl Finding {
    /// An error of the check `rule`; the rest is added with the methods below.
    pub fn error(rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            rule: Cow::Borrowed(rule),
            severity: Severity::Error,
            path: None,
            place: None,
            address: None,
            declared: None,
            message: message.into(),
            help: None,
            related: Vec::new(),
        }
    }

    /// A warning of the check `rule`.
    pub fn warning(rule: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(rule, message) }
    }

    /// Names the file.
    #[must_use]
    pub fn in_file(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    pub(crate) fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Names the entry.
    #[must_use]
    pub fn about(mut self, address: Address) -> Self {
        self.address = Some(address);
        self
    }

    /// Adds the fix.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Points at another place in the same file.
    pub(crate) fn related(mut self, place: Place, what: impl Into<String>) -> Self {
        self.related.push((place, what.into()));
        self
    }

    /// Whether nothing may be written until it is fixed.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
