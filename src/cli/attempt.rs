//! The results of a command so far. Its report is built from them, even if a step fails.

use std::path::PathBuf;

use crate::domain::asset::Digest;
use crate::domain::finding::Finding;
use crate::domain::guard::{self, Allowances, Evaluated, Verdict};
use crate::domain::manifest::{self, Manifest};
use crate::domain::origin::{ChangedBy, Origins};
use crate::domain::ownership::Ownership;
use crate::domain::plan::Plan;
use crate::domain::report::{Against, DriftScope, Heading, Report, Run, Subject};
use crate::domain::rules::{Aim, Piece};
use crate::domain::state::DesiredState;
use crate::format::Published;
use crate::ops;
use crate::ops::plan::{Planned, Purpose};
use crate::ops::ports::ReadArt as _;

use super::connection::Connection;
use super::context::Context;
use super::error::Failure;

/// The results of the steps so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Attempt {
    /// The manifest's text, for snippets.
    source: String,
    /// The declared images, for renderers that draw them.
    art: Vec<Piece>,
    /// The portal's identity, once it is known to be the right one.
    pub(super) portal: Option<String>,
    /// What takes the place of the portal, if the portal itself is not read.
    pub(super) against: Option<Against>,
    pub(super) plan: Option<Plan>,
    pub(super) plan_sha256: Option<Digest>,
    guards: Vec<Verdict>,
    origins: Origins,
    changed_by: ChangedBy,
    pub(super) findings: Vec<Finding>,
    pub(super) run: Option<Run>,
    /// How many findings were already printed with the plan; `None` before the plan is printed.
    pub(super) shown: Option<usize>,
}

impl Attempt {
    /// Reads and checks the manifest and its art.
    pub(super) fn check(&mut self, context: &Context<'_>) -> Result<(Manifest, DesiredState), Failure> {
        let name = context.repository.name();
        let validated =
            ops::validate::validate(name, &context.repository, Aim::DesiredState, context.progress.as_ref());
        self.source = validated.source;
        self.art = validated.art;
        context.spare(self.art.iter().map(|piece| PathBuf::from(&piece.file)))?;
        let findings = ops::validate::in_brief(validated.checked.findings, &context.globals.typed("validate"));
        match (validated.manifest, validated.checked.desired) {
            (Some(manifest), Some(desired)) => {
                self.findings.extend(findings);
                Ok((manifest, desired))
            }
            _ => Err(Failure::invalid(findings)),
        }
    }

    /// Reads the manifest without its art, for saved plans and restores, which have their own images.
    pub(super) fn parse(&mut self, context: &Context<'_>) -> Result<Manifest, Failure> {
        let text = context.repository.manifest()?;
        let (manifest, findings) = manifest::parse(&text, context.repository.name());
        self.source = String::from_utf8_lossy(&text).into_owned();
        let Some(manifest) = manifest else { return Err(Failure::invalid(findings)) };
        self.findings.extend(findings);
        context.spare(context.repository.declared_files(&manifest))?;
        Ok(manifest)
    }

    /// Reads the manifest for a command that does not need one: `None` if the default file does not exist. Its warnings
    /// are dropped.
    pub(super) fn parse_if_any(&mut self, context: &Context<'_>) -> Result<Option<Manifest>, Failure> {
        if !context.globals.names_manifest() && context.repository.is_absent() {
            return Ok(None);
        }
        let parsed = self.parse(context);
        self.findings.retain(Finding::is_error);
        parsed.map(Some).map_err(|mut failure| {
            failure.findings.retain(Finding::is_error);
            failure
        })
    }

    /// Connects to the portal, and keeps its identity.
    pub(super) fn connect(
        &mut self,
        context: &Context<'_>,
        manifest: Option<&Manifest>,
        purpose: Purpose,
    ) -> Result<Connection, Failure> {
        let connection = Connection::open(context, manifest, purpose)?;
        self.portal = Some(connection.identity.clone());
        self.findings.extend(connection.unread_state());
        Ok(connection)
    }

    /// Lets the guards evaluate a plan that was just made, and publishes it.
    pub(super) fn evaluate(
        &mut self,
        planned: Planned,
        ownership: &Ownership,
        allowances: Allowances,
    ) -> Result<Published<Evaluated>, Failure> {
        let Planned { plan, origins, changed_by, findings, counts_by_kind, .. } = planned;
        self.findings.extend(findings);
        self.origins = origins;
        self.changed_by = changed_by;
        let evaluated = guard::evaluate(plan, ownership, &counts_by_kind, allowances);
        let published = Published::new(evaluated, self.against, &self.origins, &self.findings)
            .map_err(|error| Failure::unpublished(&error))?;
        self.evaluated(&published);
        Ok(published)
    }

    /// Keeps the guards' verdicts on a plan.
    pub(super) fn evaluated(&mut self, published: &Published<Evaluated>) {
        self.plan = Some(published.plan().plan().clone());
        self.guards = published.plan().verdicts().to_vec();
        self.plan_sha256 = Some(published.digest());
    }

    /// The result of a command (the default value if it failed), and its report.
    pub(super) fn finish<T: Default>(self, context: &Context<'_>, found: Result<T, Failure>) -> (T, Report) {
        match found {
            Ok(found) => (found, self.into_report(context, None)),
            Err(failure) => (T::default(), self.into_report(context, Some(failure))),
        }
    }

    /// The report. `failure` is why the command did not finish, if it did not.
    pub(super) fn into_report(self, context: &Context<'_>, failure: Option<Failure>) -> Report {
        let Self { source, art, portal, against, plan, plan_sha256, guards, origins, changed_by, .. } = self;
        let (mut findings, run) = (self.findings, self.run);
        let failure = failure.map(|Failure { kind, findings: last }| {
            findings.extend(last);
            kind
        });
        findings.extend(context.failed());
        Report {
            subject: Subject::default(),
            heading: Heading::default(),
            manifest: context.repository.name().to_owned(),
            source,
            portal,
            against,
            plan,
            origins,
            changed_by,
            drift_scope: DriftScope::Everything,
            plan_sha256,
            guards,
            findings,
            art,
            failure,
            run,
        }
    }
}
