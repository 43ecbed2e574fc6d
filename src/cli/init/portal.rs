//! Beginning with what a portal holds: an export, whose files are not written yet.

use crate::domain::export::{Export, ExportChoice, ExportSource, MANIFEST};
use crate::domain::finding::Finding;
use crate::domain::init::{Brand, PinnedPortal};
use crate::domain::report::ExportReport;
use crate::domain::scope::{Pattern, Scope};
use crate::domain::state::Selection;
use crate::ops::export;
use crate::ops::observe::{NoCache, Reader};

use super::super::session::{Purpose, Session};
use super::{Answered, Failure};

/// Reads the portal of the credentials, which must be `portal` if one is named, and lays out what it holds. `None` for the
/// portal that comes back means a sandbox, to which no repository is pinned.
pub(super) fn read(
    session: &mut Session<'_>,
    owns: Option<Pattern>,
    portal: Option<PinnedPortal>,
) -> Result<(Answered, ExportReport), Failure> {
    let sandbox = session.globals.sandbox.is_some();
    if let Some(portal) = portal.as_ref().filter(|_| sandbox) {
        let finding = Finding::error("usage", format!("--portal names {}, and --sandbox is another", portal.host()));
        return Err(finding.help("leave one of them out").into());
    }
    let owns = owns.map(|pattern| Scope::new(vec![pattern])).transpose();
    let owns = owns.map_err(|error| Finding::error("usage", format!("--owns: {error}")))?;
    let Some(connection) = session.connect(None, Purpose::Read) else { return Err(unread(session)) };
    let identity = connection.identity.clone();
    // Nothing was sent yet.
    if let Some(portal) = portal.as_ref().filter(|portal| portal.host() != identity) {
        let message = format!("the credentials are for {identity}, and --portal names {}", portal.host());
        let help =
            "use the credentials of that portal, or leave --portal out: the manifest names the portal it came from";
        return Err(Finding::error("portal-pin", message).help(help).into());
    }
    let choice = ExportChoice { only: Selection::All, owns };
    let source = ExportSource { portal: identity.clone(), sandbox };
    let eyes = Reader { portal: &connection.client, cache: &NoCache, observer: session.progress.as_ref() };
    let read = session.read(export::read(&choice, &source, &eyes));
    session.progress.clear();
    let Some(Export { items, files, mut findings }) = session.took(read) else { return Err(unread(session)) };
    if !files.iter().any(|(path, _)| path == MANIFEST) {
        if findings.is_empty() {
            let help = "begin with samples: --owns 'acme-*' without --from-portal";
            findings.push(Finding::error("init", format!("{identity} holds no custom entry to begin with")).help(help));
        }
        return Err(Failure(findings));
    }
    let portal = if sandbox { None } else { PinnedPortal::parse(&identity).ok() };
    let report = ExportReport { portal: Some(identity), items, findings, ..ExportReport::default() };
    Ok((Answered { brand: Brand::Exported(files), portal }, report))
}

fn unread(session: &mut Session<'_>) -> Failure {
    Failure(std::mem::take(&mut session.report.findings))
}
