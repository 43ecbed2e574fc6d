//! Finds out who moved: reads only as much history as the changes of a plan need. Writes nothing.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::ports::{History, NoHistory};
use crate::domain::finding::{Finding, Problem};
use crate::domain::origin::code_history::OldManifest;
use crate::domain::origin::past::{ObjectId, Past};
use crate::domain::origin::{ChangedBy, OriginEvidence, OriginKind, Origins, PastRun, committed, unknown};
use crate::domain::plan::Plan;
use crate::domain::state::{DesiredState, Selection};
use crate::text;

/// The record that origins are judged by.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    /// What Git knows.
    pub(crate) history: &'a dyn History,
    /// The runs of this portal in the state folder, the newest first.
    pub(crate) runs: &'a [PastRun],
}

impl std::fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record").field("runs", &self.runs).finish_non_exhaustive()
    }
}

/// What the record says of the changes of a plan.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    /// The origin of every change.
    pub(crate) origins: Origins,
    /// Who changed the declared files.
    pub(crate) changed_by: ChangedBy,
    /// The findings about what prevents knowing more.
    pub(crate) findings: Vec<Finding>,
}

impl Looked {
    fn unknown(plan: &Plan, why: &str) -> Self {
        Self { origins: unknown(plan, why), ..Self::default() }
    }
}

/// Looks up the origin of every change of a plan.
pub(crate) fn origins(record: &Record<'_>, plan: &Plan, desired: &DesiredState, only: &Selection) -> Looked {
    if plan.diff.changes.is_empty() {
        return Looked::default();
    }
    let past = match record.history.past() {
        Ok(past) if past.versions(past.manifest()).next().is_none() => {
            return Looked::unknown(plan, "the manifest is not committed");
        }
        Ok(past) => past,
        Err(NoHistory::Outside(why)) => return Looked::unknown(plan, &why),
        Err(NoHistory::Unreadable(Problem { message, help })) => {
            let looked = Looked::unknown(plan, &message);
            return Looked { findings: vec![Finding { help, ..Finding::warning("history", message) }], ..looked };
        }
    };
    let locate = |paths: &BTreeSet<String>| record.history.locate(paths);
    let mut evidence = OriginEvidence::new(&past, plan, desired, only, record.runs, &locate);
    read_history(record.history, &past, &mut evidence);
    let origins = evidence.judge();
    let findings = remarks(&past, evidence.uncommitted(), &origins);
    Looked { changed_by: evidence.changed_by(), origins, findings }
}

/// Reads the old manifests and images that are needed to judge the changes that are not settled.
fn read_history(history: &dyn History, past: &Past, evidence: &mut OriginEvidence<'_>) {
    let wanted = evidence.unsettled();
    if wanted.is_empty() {
        return;
    }
    let mut versions: Vec<(usize, &str, &ObjectId)> = past
        .manifests()
        .into_iter()
        .flat_map(|path| past.versions(path).map(move |(commit, id)| (commit, path, id)))
        .collect();
    versions.sort();
    let texts = history.blobs(&versions.iter().map(|(.., id)| (*id).clone()).collect::<Vec<_>>());
    let versions: Vec<_> = versions
        .into_iter()
        .map(|(commit, path, id)| OldManifest { commit, path, text: texts.get(id).map(AsRef::as_ref) })
        .collect();
    evidence.read_manifests(&wanted, &versions, &|paths| history.locate(paths));
    let unread: Vec<_> = evidence.unread().into_iter().collect();
    let images = history.blobs(&unread);
    let contents: BTreeMap<_, _> =
        unread.into_par_iter().map(|id| (id.clone(), images.get(&id).map(|bytes| committed(bytes)))).collect();
    evidence.read_contents(contents);
}

/// A shallow clone, if that matters, and images that are not committed.
fn remarks(past: &Past, uncommitted: usize, origins: &Origins) -> Vec<Finding> {
    let mut findings = Vec::new();
    if past.is_shallow() && origins.values().any(|origin| origin.kind == OriginKind::Unknown) {
        let message = "the clone is shallow: for some entries it is unknown whether the portal or the repository moved";
        let help =
            "fetch the whole history: `fetch-depth: 0` (GitHub), `GIT_DEPTH: 0` (GitLab), `git fetch --unshallow`";
        findings.push(Finding::warning("history-shallow", message).help(help));
    }
    if uncommitted > 0 {
        let images = text::plural(uncommitted, "declared image is", "declared images are");
        let message = format!("{images} not committed: differences because of that count as pending");
        findings.push(Finding::warning("history-uncommitted", message).help("commit what you want to apply"));
    }
    findings
}
