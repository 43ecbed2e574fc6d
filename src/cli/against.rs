//! `plan --against`: an export stands for the portal. No credentials are looked for, no state folder is written, and no run
//! is settled. What comes of it is no [`super::plan::Made`], so nothing can go on to apply it.

use std::path::Path;

use crate::domain::finding::Finding;
use crate::domain::manifest::Manifest;
use crate::domain::report::Against;
use crate::ops::observe::{NoCache, Reader};
use crate::ops::origin::Record;
use crate::ops::plan::{self as planning, Request};
use crate::store::exported::ExportedPortal;
use crate::store::git::Git;

use super::plan;
use super::session::Session;
use super::settings::PlanArgs;

/// Checks the repository and compares it with the export in `folder`; what was found is in the report. `None` when it did
/// not come to a plan.
pub(super) fn make(session: &mut Session<'_>, comparing: &PlanArgs, folder: &Path) -> Option<()> {
    session.report.against = Some(Against::Export);
    let only = plan::selection(session, &comparing.looking)?;
    let validated = session.validate();
    let (manifest, desired) = (validated.manifest.as_ref()?, validated.checked.desired.as_ref()?);
    let exported = match ExportedPortal::open(folder) {
        Ok(exported) => exported,
        Err(findings) => {
            session.report.findings.extend(findings);
            return None;
        }
    };
    session.report.portal = Some(exported.source().portal.clone());
    if let Some(finding) = elsewhere(manifest, &exported) {
        session.report.findings.push(finding);
        return None;
    }
    let history = Git::of(session.globals.manifest());
    let name = session.repository.name().to_owned();
    let request = Request {
        portal: &exported.source().portal,
        manifest: &name,
        desired,
        only: &only,
        allowances: comparing.allowances(&manifest.policy),
        freshness: comparing.looking.freshness(),
        purpose: planning::Purpose::Show,
        // An export remembers no runs.
        record: Some(Record { history: &history, runs: &[] }),
    };
    let mut report = std::mem::take(&mut session.report);
    let eyes = Reader { portal: &exported, cache: &NoCache, observer: session.progress.as_ref() };
    let planned = session.read(planning::plan(&request, &eyes, &mut report));
    session.report = report;
    session.took(planned).map(drop)
}

/// Refuses an export of a portal that the manifest does not name.
fn elsewhere(manifest: &Manifest, exported: &ExportedPortal) -> Option<Finding> {
    let source = exported.source();
    if source.sandbox || manifest.portals.is_empty() || manifest.portals.contains(&source.portal) {
        return None;
    }
    let (portal, pins) = (&source.portal, manifest.portals.join(", "));
    let finding =
        Finding::error("portal-pin", format!("the export is of {portal}, and the manifest is for {pins} only"));
    Some(finding.help("name an export of that portal, or add this one to `portal`"))
}
