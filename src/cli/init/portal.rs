//! Starts with what a portal holds: an export whose files are not written yet.

use crate::domain::export::{Export, ExportChoice, ExportSource, MANIFEST};
use crate::domain::finding::Finding;
use crate::domain::init::{Brand, PinnedPortal};
use crate::domain::report::{ExportReport, FailureKind};
use crate::domain::scope::{Pattern, Scope};
use crate::domain::state::Selection;
use crate::ops::export;
use crate::ops::plan::Purpose;

use super::super::connection::{self, Connection};
use super::super::context::Context;
use super::super::error::Failure;

/// Reads the portal of the credentials, which must be `portal` if one is named, and lays out what it holds. A returned
/// portal of `None` means a sandbox: the repository is not pinned to it.
pub(super) fn read(
    context: &Context<'_>,
    owns: Option<Pattern>,
    portal: Option<PinnedPortal>,
) -> Result<(Brand, Option<PinnedPortal>, ExportReport), Failure> {
    let sandbox = context.globals.sandbox.is_some();
    if let Some(portal) = portal.as_ref().filter(|_| sandbox) {
        let finding =
            Finding::error("usage", format!("--portal names {}, but --sandbox is another portal", portal.host()));
        return Err(Failure::new(FailureKind::Usage, finding.help("leave one of them out")));
    }
    let owns = owns.map(|pattern| Scope::new(vec![pattern])).transpose();
    let owns = owns.map_err(|error| Failure::usage(format!("--owns: {error}")))?;
    let connection = Connection::open(context, None, Purpose::Read)?;
    let identity = connection.identity.clone();
    // Nothing was sent yet.
    if let Some(portal) = portal.as_ref().filter(|portal| portal.host() != identity) {
        return Err(connection::wrong_portal(
            &format!("the credentials are for {identity}"),
            &format!("--portal names {}", portal.host()),
            "use the credentials of that portal, or leave --portal out: the manifest names the portal it came from",
        ));
    }
    let choice = ExportChoice { only: Selection::All, owns };
    let source = ExportSource { portal: identity.clone(), sandbox };
    let reader = connection.reader_without_cache(context);
    let read = context.wait(export::read(&choice, &source, &reader));
    context.progress.clear();
    let read = read.and_then(|read| read.map_err(Failure::from)).map_err(|mut failure| {
        failure.findings.extend(context.failed());
        failure
    });
    let Export { items, files, mut findings } = read?;
    if !files.iter().any(|(path, _)| path == MANIFEST) {
        if findings.is_empty() {
            let help = "begin with samples: --owns 'acme-*' without --from-portal";
            findings.push(Finding::error("init", format!("{identity} has no custom entries to start with")).help(help));
        }
        return Err(Failure::invalid(findings));
    }
    findings.extend(context.failed());
    let portal = if sandbox { None } else { PinnedPortal::parse(&identity).ok() };
    let report = ExportReport { portal: Some(identity), items, findings, ..ExportReport::default() };
    Ok((Brand::Exported(files), portal, report))
}
