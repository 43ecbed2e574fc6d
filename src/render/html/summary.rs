//! The top of the page: what ran where and how it ended, then what a reviewer must know before the images.

use maud::{Markup, html};

use super::card::{anchor, name, prose, said};
use super::entry::Card;
use crate::domain::asset::Address;
use crate::domain::finding::Finding;
use crate::domain::guard::{self, Verdict};
use crate::domain::plan::Plan;
use crate::domain::report::{Heading, Report, Run, Validation};
use crate::domain::step::StepOutcome;
use crate::render::outcome::{Headline, counts_below, restores};
use crate::render::reason::unmanaged;
use crate::render::{heading, origin, usage};
use crate::text::{escape, escaped};

/// The top of a page about a portal.
pub(super) fn of_report(report: &Report, command: &str, entries: &[Card<'_>]) -> Markup {
    html! {
        header.top {
            (ran(command, &report.heading, Some(&report.manifest)))
            h1 { bdi { (escape(report.portal.as_deref().unwrap_or("no portal was read"))) } }
            (outcome(&Headline::of_report(report, command)))
            dl.facts {
                @if let Some((what, counts)) = counts_below(report, command) { dt { (what) } dd { (counts) } }
                @if let Some(moved) = origin::summary(report) { dt { "History" } dd { (moved) } }
                @if let Some(evidence) = report.plan.as_ref().and_then(|plan| plan.evidence.as_ref()) {
                    dt { "Use" } dd { @for line in usage::coverage(&evidence.coverage).lines() { p { (line) } } }
                }
            }
            @if report.plan_sha256.is_some() || report.run.is_some() {
                details.more {
                    summary { "Details" }
                    dl.facts {
                        @if let Some(digest) = &report.plan_sha256 { dt { "Plan digest" } dd { code { (digest) } } }
                        @if let Some(run) = &report.run { dt { "Run" } dd { code { (escape(&run.id)) } } }
                    }
                }
            }
        }
        section.panels aria-label="What to know first" {
            (general_findings(&report.findings, entries))
            (guards(&report.guards))
            @if let Some(run) = &report.run { (steps(run, report.plan.as_ref())) }
            @if let Some(plan) = &report.plan { (left_alone(plan)) }
        }
    }
}

/// The top of a page about a manifest alone.
pub(super) fn of_validation(validation: &Validation, entries: &[Card<'_>]) -> Markup {
    html! {
        header.top {
            (ran("validate", &validation.heading, None))
            h1 { bdi { (escape(&validation.manifest)) } }
            (outcome(&Headline::of_validation(validation)))
        }
        section.panels aria-label="What to know first" { (general_findings(&validation.findings, entries)) }
    }
}

/// The line above the title: command, manifest, commit, time and version.
pub(super) fn ran(command: &str, when: &Heading, manifest: Option<&str>) -> Markup {
    html! {
        p.ran {
            span { "brandctl " b { (command) } }
            @if let Some(manifest) = manifest { " " span { bdi { (escape(manifest)) } } }
            @if let Some(commit) = heading::commit(when) { " " span { "commit " code { (commit) } } }
            @if let Some(time) = heading::began(when) { " " span { time datetime=(time.exact) { (time.short) } } }
            " " span { (heading::PROGRAM) }
        }
    }
}

pub(super) fn outcome(outcome: &Headline) -> Markup {
    html! { p class={ "outcome " (outcome.tone.name()) } { span { (prose(&outcome.text)) } } }
}

/// Every finding with its file, and a link to its card if there is one.
pub(super) fn general_findings(findings: &[Finding], entries: &[Card<'_>]) -> Markup {
    let has_card = |address: &Address| entries.iter().any(|entry| entry.address == address);
    let errors = findings.iter().any(Finding::is_error);
    let about = |finding: &Finding| {
        html! {
            @if let Some(address) = &finding.address {
                @if has_card(address) { a href={ "#" (anchor(address)) } { (name(address)) } } @else { (name(address)) }
                ": "
            }
        }
    };
    html! {
        @if !findings.is_empty() {
            details.panel open[errors] {
                summary { b { (findings.len()) } " " @if findings.len() == 1 { "finding" } @else { "findings" } }
                ul.findings {
                    @for finding in findings { li class=(finding.severity.name()) { (said(finding, &about(finding))) } }
                }
            }
        }
    }
}

fn guards(verdicts: &[Verdict]) -> Markup {
    let refused = verdicts.iter().filter(|verdict| verdict.outcome == guard::Outcome::Refused).count();
    html! {
        @if !verdicts.is_empty() {
            details.panel open[refused > 0] {
                summary { "Guards: " @if refused > 0 { b { (refused) " refused" } } @else { "nothing refused" } }
                ul.guards {
                    @for verdict in verdicts {
                        li class=(verdict.outcome.name()) {
                            b { (verdict.outcome.name()) } " " code { (verdict.guard.name()) } " " (prose(&verdict.message))
                            @if !verdict.addresses.is_empty() {
                                ": " @for (index, address) in verdict.addresses.iter().enumerate() {
                                    @if index > 0 { ", " } a href={ "#" (anchor(address)) } { (name(address)) }
                                }
                            }
                            @if let Some(help) = &verdict.help { small { (prose(help)) } }
                        }
                    }
                }
            }
        }
    }
}

/// The steps that did not end as planned, each linked to its card.
fn steps(run: &Run, plan: Option<&Plan>) -> Markup {
    let failed: Vec<_> = run.steps.iter().filter(|(_, step)| step.outcome != StepOutcome::Applied).collect();
    let restores = plan.map(|plan| restores(run, plan)).unwrap_or_default();
    let back = |address: &Address| restores.iter().find(|(restored, _)| *restored == address);
    html! {
        details.panel open[!failed.is_empty()] {
            summary { "Run: " (run.steps.len() - failed.len()) " applied" @if !failed.is_empty() { ", " b { (failed.len()) " not" } } }
            ul.guards {
                @for (address, step) in &failed {
                    li class=(step.outcome.name()) {
                        b { (step.outcome.name()) } " " a href={ "#" (anchor(address)) } { (name(address)) }
                        @if let Some(why) = &step.why { ": " (prose(why)) }
                        @if let Some((_, command)) = back(address) {
                            small { code { (command) } " puts the old image back" }
                        }
                    }
                }
            }
            @let has_copies = plan.is_some_and(|plan| plan.diff.changes.iter().any(|change| run.has_copy(change)));
            p { (if has_copies { "Old images and journal: " } else { "Journal: " }) code { (escaped(run.folder.display())) } }
        }
    }
}

fn left_alone(plan: &Plan) -> Markup {
    html! {
        @if !plan.diff.unmanaged.is_empty() {
            details.panel {
                summary { b { (plan.diff.unmanaged.len()) } " unmanaged, left alone" }
                ul { @for (address, why) in &plan.diff.unmanaged { li { (name(address)) " " span.at { (prose(&unmanaged(address.kind, *why))) } } } }
            }
        }
    }
}
