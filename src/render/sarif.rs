//! SARIF 2.1.0, for code scanning: the findings of `validate`, with the rules that they come from.
//!
//! These types are the part of the format that is used, frozen as GitHub reads it. Paths are relative to the folder that
//! brandctl ran in, which is `%SRCROOT%`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::finding::{Finding, Place};
use crate::domain::manifest::{CHECKS, Level};
use crate::domain::report::Validation;
use crate::domain::rules::{OTHER_FINDINGS, RULES};

use super::annotation::Fingerprints;
use super::json::pretty;
use crate::text::escaped;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The name under which relative paths are known.
const ROOT: &str = "%SRCROOT%";

/// The characters that are encoded in a path of a URI.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RuleObject {
    id: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    short_description: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<Value>,
    default_configuration: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultObject {
    rule_id: Cow<'static, str>,
    rule_index: usize,
    level: &'static str,
    message: Value,
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<usize>,
}

/// The result of `validate`.
pub fn validation(validation: &Validation) -> Result<String, serde_json::Error> {
    let rules = rules(&validation.findings);
    let index: BTreeMap<_, _> = rules.iter().enumerate().map(|(index, rule)| (rule.id.clone(), index)).collect();
    let mut prints = Fingerprints::default();
    let results = validation
        .findings
        .iter()
        .map(|finding| {
            let rule_index = index.get(&*finding.rule).copied().unwrap_or_default();
            result(finding, rule_index, prints.of_finding(finding), validation)
        })
        .collect::<Vec<_>>();
    pretty(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": { "name": "brandctl", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules },
            },
            // Columns are counted in characters.
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {
                ROOT: { "description": text("the folder in which brandctl ran: the root of the repository") },
            },
            // The check ran to its end, with or without findings.
            "invocations": [{ "executionSuccessful": true }],
            "results": results,
        }],
    }))
}

/// A message object.
fn text(text: &str) -> Value {
    json!({ "text": escaped(text) })
}

/// Every art rule and every check of the manifest; then the ids of other findings.
fn rules(findings: &[Finding]) -> Vec<RuleObject> {
    let art = RULES.iter().map(|rule| RuleObject {
        id: rule.id.into(),
        short_description: Some(text(rule.why)),
        help: Some(text(rule.fix)),
        default_configuration: json!({ "level": match rule.default {
            Level::Error => "error",
            Level::Warn => "warning",
            Level::Off => "none",
        } }),
    });
    let bare = |id: Cow<'static, str>, what: Option<&str>| RuleObject {
        id,
        short_description: what.map(text),
        help: None,
        default_configuration: json!({ "level": "error" }),
    };
    let others = OTHER_FINDINGS.iter().filter(|rule| CHECKS.contains(&rule.id));
    let mut rules: Vec<_> = art.chain(others.map(|rule| bare(rule.id.into(), Some(rule.why)))).collect();
    for finding in findings {
        if !rules.iter().any(|rule| rule.id == finding.rule) {
            rules.push(bare(finding.rule.clone(), None));
        }
    }
    rules
}

fn result(finding: &Finding, rule_index: usize, fingerprint: String, validation: &Validation) -> ResultObject {
    let help = finding.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    let in_manifest = |place: &Place, id, what: &str| Location {
        id: Some(id),
        message: Some(text(what)),
        ..location(&validation.manifest, Some(place), &validation.source)
    };
    let declared = finding.declared.iter().map(|place| (place, "declared here"));
    let related = finding.related.iter().map(|(place, what)| (place, what.as_str())).chain(declared);
    let mut locations: Vec<_> =
        finding.path.iter().map(|path| location(path, finding.place.as_ref(), &validation.source)).collect();
    if let (Some(location), Some(address)) = (locations.first_mut(), &finding.address) {
        location.logical_locations.push(json!({ "fullyQualifiedName": escaped(address) }));
    }
    ResultObject {
        rule_id: finding.rule.clone(),
        rule_index,
        level: finding.severity.name(),
        message: text(&format!("{}{help}", finding.message)),
        locations,
        related_locations: related.zip(1..).map(|((place, what), id)| in_manifest(place, id, what)).collect(),
        partial_fingerprints: json!({ "brandctl/v1": fingerprint }),
    }
}

/// A PNG has no lines, but GitHub requires one.
fn location(path: &str, place: Option<&Place>, source: &str) -> Location {
    let region = match place {
        Some(place) => {
            Region { start_line: place.line, start_column: Some(place.column), end_column: place.end_column(source) }
        }
        None => Region { start_line: 1, start_column: None, end_column: None },
    };
    Location {
        id: None,
        physical_location: json!({ "artifactLocation": artifact(path), "region": region }),
        logical_locations: Vec::new(),
        message: None,
    }
}

fn artifact(path: &str) -> Value {
    let path = crate::text::slashed(std::path::Path::new(path));
    let encoded = |path: &str| utf8_percent_encode(path, ENCODED).to_string();
    if path.starts_with('/') {
        json!({ "uri": format!("file://{}", encoded(&path)) })
    } else {
        json!({ "uri": encoded(path.trim_start_matches("./")), "uriBaseId": ROOT })
    }
}
