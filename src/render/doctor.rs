//! The checks of `doctor`, for people: a line for each check, and how to fix it below.

use std::fmt::Write as _;

use crate::domain::doctor::{DoctorCheck, Health};

use super::style::{BOLD, CREATE, DELETE, DIM, REPLACE};
use crate::text::{escape, plural};

/// The checks, and a summary.
pub(crate) fn checks(checks: &[DoctorCheck]) -> String {
    let mut text = String::new();
    for check in checks {
        let style = match check.health {
            Health::Ok => CREATE,
            Health::Warning => REPLACE,
            Health::Failed => DELETE,
            Health::Skipped => DIM,
        };
        let (word, subject) = (check.health.name(), check.subject.name());
        let _ = writeln!(text, "{style}{word:7}{style:#}  {subject:11}  {}", escape(&check.message));
        if let Some(help) = &check.help {
            let _ = writeln!(text, "{:22}help: {}", "", escape(help));
        }
    }
    text.push_str(&last(checks));
    text
}

/// The result of all checks, and what to do next.
fn last(checks: &[DoctorCheck]) -> String {
    let failed: Vec<_> = checks.iter().filter(|check| check.health == Health::Failed).collect();
    let Some(first) = failed.first() else {
        return format!("\n{BOLD}Everything that apply needs works.{BOLD:#}\n");
    };
    let count = plural(failed.len(), "check failed", "checks failed");
    let next = first
        .help
        .as_deref()
        .map(|help| format!("Next: {}{}\n", escape(help), if help.ends_with('/') { "" } else { "." }))
        .unwrap_or_default();
    format!("\n{BOLD}Apply would fail:{BOLD:#} {count}.\n{next}")
}
