//! Makes a plan: reads the portal, compares, gathers the bytes, asks the guards. Writes nothing.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};
use tokio::time::Instant;

use crate::domain::asset::Kind;
use crate::domain::diff::{self, Unbacked};
use crate::domain::finding::Finding;
use crate::domain::guard::{self, Allowances, CountsByKind, KindCounts};
use crate::domain::ownership::Ownership;
use crate::domain::plan::{Contents, Plan};
use crate::domain::report::Report;
use crate::domain::scope;
use crate::domain::state::{DesiredState, Listed, Listing, Selection};
use crate::format::Document;

use super::events::{Event, Stage};
use super::observe::{self, Freshness, Reader};
use super::origin::{self, Record};
use super::ports::{DOWNLOADS, PortalError, ReadPortal};

/// What a plan is made of, beside the portal.
#[derive(Debug)]
pub struct Request<'a> {
    /// The portal's identity.
    pub portal: &'a str,
    /// How the user names the manifest.
    pub manifest: &'a str,
    /// What the portal should hold.
    pub desired: &'a DesiredState,
    /// What the command is limited to.
    pub only: &'a Selection,
    /// What the user allows.
    pub allowances: Allowances,
    /// Whether the cache is believed.
    pub freshness: Freshness,
    /// What the plan is for.
    pub purpose: Purpose,
    /// By what it is told who moved; `None` where that is not asked.
    pub record: Option<Record<'a>>,
}

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be looked at.
    Show,
    /// To be applied: whether the caller may write is asked with the lists.
    Apply,
}

/// What was seen of the portal when a plan was made that is to be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// When it was asked.
    pub at: Instant,
    /// Whether the caller may write.
    pub may_write: bool,
}

/// A plan as it was made.
#[derive(Debug)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// What the guards weighed it against.
    pub counts_by_kind: CountsByKind,
    /// Every `fileUri` of the listing, for the cache to forget the others.
    pub listing: Listing,
    /// What else was seen, of a plan that is to be applied.
    pub seen: Option<Seen>,
}

/// Reads the portal and makes a plan, with the verdicts of the guards and its digest in `report`.
///
/// # Errors
/// When the portal cannot be read.
pub async fn plan(
    request: &Request<'_>,
    eyes: &Reader<'_, impl ReadPortal>,
    report: &mut Report,
) -> Result<Planned, PortalError> {
    let Request { portal: identity, manifest, desired, only, allowances, freshness, purpose, record } = request;
    eyes.observer.observe(Event::Stage { stage: Stage::Listing, total: None });
    let at = Instant::now();
    let (listing, seen) = match purpose {
        Purpose::Show => (eyes.portal.list().await?, None),
        Purpose::Apply => {
            let (listing, may_write) = eyes.portal.list_to_write().await?;
            (listing, Some(Seen { at, may_write }))
        }
    };
    let wanted = desired.needed(&listing, only);
    let looks: BTreeMap<_, _> =
        desired.entries().iter().map(|(address, entry)| (address.folded(), &entry.content)).collect();
    let (readings, mut old) = observe::contents(eyes, wanted, *freshness, |listed, content| {
        looks.get(&listed.address.folded()).is_none_or(|desired| !content.same_appearance(desired))
    })
    .await;
    let observed = observe::observed(&listing, readings);
    let diff = diff::diff(desired, &observed, only, allowances.unbacked, manifest);
    gather_old(&diff, eyes, &mut old).await;
    let contents = gather(&diff, desired, &old);
    report.findings.extend(unmatched(only, desired, &listing));
    report.findings.extend(diff.conflicts.iter().cloned());
    let plan = Plan::new((*identity).to_owned(), diff, contents);
    let declared = Kind::ALL
        .into_iter()
        .map(|kind| (kind, desired.entries().keys().filter(|address| address.kind == kind).count()))
        .collect();
    let counts_by_kind = counts_by_kind(desired.ownership(), &listing, &declared);
    if let Some(record) = record {
        let (origins, remarks) = origin::origins(record, &plan, desired, only);
        report.origins = origins;
        report.findings.extend(remarks);
    }
    weigh(&plan, desired.ownership(), &counts_by_kind, *allowances, report);
    Ok(Planned { plan, counts_by_kind, listing, seen })
}

/// Asks the guards about a plan, and notes it in the report with their verdicts and its digest.
pub(super) fn weigh(
    plan: &Plan,
    ownership: &Ownership,
    counts_by_kind: &CountsByKind,
    allowances: Allowances,
    report: &mut Report,
) {
    report.portal = Some(plan.portal.clone());
    report.guards = guard::judge(plan, ownership, counts_by_kind, allowances);
    report.plan = Some(plan.clone());
    report.plan_sha256 = Document::from(&*report).digest().ok();
}

/// Counts what the guards weigh a plan against.
#[must_use]
pub fn counts_by_kind(ownership: &Ownership, listing: &Listing, declared: &BTreeMap<Kind, usize>) -> CountsByKind {
    ownership
        .kinds
        .iter()
        .map(|kind| {
            let declared = declared.get(kind).copied().unwrap_or_default();
            (*kind, KindCounts { owned: listing.owned(ownership, *kind), declared })
        })
        .collect()
}

/// Fetches the old bytes of changes whose content was known from the cache.
async fn gather_old(diff: &diff::Diff, eyes: &Reader<'_, impl ReadPortal>, old: &mut Contents) {
    let missing: Vec<_> = diff
        .changes
        .iter()
        .filter_map(|change| change.action.before())
        .filter_map(|before| Some((before.file_uri.as_str(), before.content.as_ref()?.sha256)))
        .filter(|(_, digest)| !old.contains_key(digest))
        .collect();
    let mut fetched = stream::iter(missing)
        .map(|(uri, digest)| async move { (digest, observe::bytes(eyes, uri, digest).await) })
        .buffer_unordered(DOWNLOADS);
    while let Some((digest, bytes)) = fetched.next().await {
        if let Some(bytes) = bytes {
            old.insert(digest, bytes);
        }
    }
}

/// The bytes that the changes speak of.
fn gather(diff: &diff::Diff, desired: &DesiredState, old: &Contents) -> Contents {
    let mut contents = Contents::new();
    for change in &diff.changes {
        if let Some(content) = change.action.before().and_then(|before| before.content.as_ref())
            && let Some(bytes) = old.get(&content.sha256)
        {
            contents.insert(content.sha256, bytes.clone());
        }
        if change.action.after().is_some()
            && let Some(entry) = desired.entries().get(&change.address)
        {
            contents.insert(entry.content.sha256, entry.png.clone());
        }
    }
    contents
}

/// `--only` patterns that match nothing declared and nothing owned: more likely a typing error than a wish.
fn unmatched(only: &Selection, desired: &DesiredState, listing: &Listing) -> Vec<Finding> {
    let is_owned = |listed: &&Listed| !listed.system && desired.ownership().of(&listed.address).is_ok();
    let owned = listing.entries.iter().filter(is_owned).map(|listed| &listed.address);
    scope::unmatched(
        "--only",
        only.patterns(),
        desired.entries().keys().chain(owned),
        "declared and no owned entry",
        "patterns match codes as the manifest spells them, such as `acme-*` or `icon/acme-*`",
    )
}

/// Whether entries of unknown content are changed all the same.
#[must_use]
pub const fn unbacked(allow: bool) -> Unbacked {
    if allow { Unbacked::Change } else { Unbacked::Keep }
}
