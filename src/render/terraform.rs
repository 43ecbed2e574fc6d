//! The counts that GitLab shows of a plan, as it reads them for Terraform (`artifacts:reports:terraform`).

use serde::Serialize;

use crate::domain::finding::Finding;
use crate::domain::report::Report;

use super::json::pretty;

/// The number of changes of each sort. A rename is one update.
#[derive(Serialize)]
struct PlannedCounts {
    create: usize,
    update: usize,
    delete: usize,
}

/// The counts; `{}` if it is not known what would be done. GitLab then shows that the report is incomplete, and no
/// number that is wrong.
pub fn report(report: &Report) -> serde_json::Result<String> {
    let plan = report.plan.as_ref().filter(|_| !report.findings.iter().any(Finding::is_error));
    match plan.map(|plan| plan.counts()) {
        Some(counts) => pretty(&PlannedCounts {
            create: counts.create,
            update: counts.replace + counts.rename,
            delete: counts.delete,
        }),
        None => pretty(&serde_json::Map::new()),
    }
}
