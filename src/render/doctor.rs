//! What `doctor` saw, for people: a line a check, and what to do below it.

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
    let failed = checks.iter().filter(|check| check.health == Health::Failed).count();
    let _ = match failed {
        0 => writeln!(text, "\n{BOLD}Nothing stands in the way of apply.{BOLD:#}"),
        _ => writeln!(text, "\n{BOLD}Apply would fail:{BOLD:#} {}.", plural(failed, "check failed", "checks failed")),
    };
    text
}
