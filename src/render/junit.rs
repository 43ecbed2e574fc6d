//! JUnit XML, as Jenkins and GitLab read it.
//!
//! For `validate`, every file that was checked is a test case, the manifest first. A test case that fails the check has
//! one failure, with everything that was found in the file. Other warnings are output of a test case that passed, since
//! JUnit has no word for them.
//!
//! For the commands that compare, every entry that differs is a test case that failed, and every entry of unknown content
//! is one with an error. One test case stands for all the rest: it fails if a guard refuses, and if not everything was
//! sent. The type of a failure names the planned action and, if it is known, who moved: `replace.drifted`. What `drift
//! --only-portal` excludes is skipped. Once `apply` wrote, a test case fails if its step did not end as planned; codes
//! that are missing on the portal come first. Of a stale plan, nothing is known of any entry.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::domain::diff::Change;
use crate::domain::finding::Finding;
use crate::domain::guard;
use crate::domain::plan::Plan;
use crate::domain::report::{Report, Run, Validation};
use crate::domain::step::StepOutcome;

use super::origin::ShownOrigins;
use super::outcome::{self, Headline};
use super::reason::{PlanRow, rows};
use super::{origin, reason};
use crate::text::escape;

/// The result of `validate`.
pub fn validation(validation: &Validation) -> String {
    let mut files: BTreeMap<&str, Vec<&Finding>> = validation.files().into_iter().map(|file| (file, vec![])).collect();
    // A finding about no file is one about what the manifest says.
    let mut manifest = Vec::new();
    for finding in &validation.findings {
        match finding.path.as_deref() {
            Some(path) if path != validation.manifest => files.entry(path).or_default().push(finding),
            _ => manifest.push(finding),
        }
    }
    let all = std::iter::once((validation.manifest.as_str(), manifest)).chain(files);
    suite("brandctl validate", &all.map(|(file, findings)| of_file(file, &findings, validation)).collect::<Vec<_>>())
}

/// The result of `command` (as the user typed it: `drift`).
pub fn report(report: &Report, command: &str) -> String {
    let mut cases = Vec::new();
    if let Some(plan) = &report.plan {
        let origins = ShownOrigins::of(report);
        // What is missing on the portal comes first.
        let is_missing =
            |change: &&Change| report.run.as_ref().is_some_and(|run| run.missing.contains(&change.address));
        let missing = plan.diff.changes.iter().filter(is_missing);
        cases.extend(missing.map(|change| of_missing(change, report)));
        let others = rows(plan).into_iter().filter(|row| !row.halves().any(|half| is_missing(&half)));
        cases.extend(others.map(|row| of_row(row, plan, report, origins)));
        cases.extend(plan.diff.unknown.iter().map(|unknown| Case {
            ending: Some(CaseResult::new(ResultElement::Error, "unknown", unknown.why.clone())),
            ..Case::named(unknown.address.to_string())
        }));
    }
    cases.push(the_rest(report, command));
    suite(&format!("brandctl {command}"), &cases)
}

/// A test case, as found: what it says is escaped when it is written.
#[derive(Default)]
struct Case {
    name: String,
    /// How it ended, if it did not pass.
    ending: Option<CaseResult>,
    /// Its output, in lines.
    output: Vec<String>,
}

struct CaseResult {
    word: ResultElement,
    /// The type of its ending, for programs.
    sort: String,
    message: String,
    lines: Vec<String>,
}

impl CaseResult {
    fn new(word: ResultElement, sort: &str, message: String) -> Self {
        Self { word, sort: sort.to_owned(), lines: vec![message.clone()], message }
    }

    /// The element of several findings. `None` when there are none.
    fn of(word: ResultElement, findings: &[&Finding]) -> Option<Self> {
        let (first, others) = findings.split_first()?;
        let more = if others.is_empty() { String::new() } else { format!(" (and {} more)", others.len()) };
        let message = format!("{}{more}", first.message);
        Some(Self { word, sort: first.rule.to_string(), message, lines: findings.iter().copied().map(line).collect() })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ResultElement {
    Failure,
    Error,
    Skipped,
}

impl ResultElement {
    const fn name(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Error => "error",
            Self::Skipped => "skipped",
        }
    }
}

impl Case {
    fn named(name: String) -> Self {
        Self { name, ..Self::default() }
    }
}

fn suite(name: &str, cases: &[Case]) -> String {
    let count =
        |word| cases.iter().filter(|case| case.ending.as_ref().is_some_and(|ending| ending.word == word)).count();
    let (tests, failures, errors) = (cases.len(), count(ResultElement::Failure), count(ResultElement::Error));
    let counts = format!(r#"tests="{tests}" failures="{failures}" errors="{errors}""#);
    let skipped = count(ResultElement::Skipped);
    let name = xml(name);
    let cases: String = cases.iter().map(|case| written(case, &name)).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{name}\" {counts}>\n  \
         <testsuite name=\"{name}\" {counts} skipped=\"{skipped}\">\n{cases}  </testsuite>\n</testsuites>\n"
    )
}

fn written(case: &Case, suite: &str) -> String {
    let Case { name, ending, output } = case;
    let mut text = format!("    <testcase classname=\"{suite}\" name=\"{}\"", xml(name));
    if ending.is_none() && output.is_empty() {
        return text + "/>\n";
    }
    text.push_str(">\n");
    if let Some(CaseResult { word, sort, message, lines }) = ending {
        let (word, sort, message) = (word.name(), xml(sort), xml(message));
        let lines = xml_lines(lines);
        let _ = writeln!(text, "      <{word} type=\"{sort}\" message=\"{message}\">{lines}</{word}>");
    }
    if !output.is_empty() {
        let _ = writeln!(text, "      <system-out>{}</system-out>", xml_lines(output));
    }
    text + "    </testcase>\n"
}

fn xml_lines(lines: &[String]) -> String {
    lines.iter().map(|line| xml(line)).collect::<Vec<_>>().join("\n")
}

fn of_file(file: &str, findings: &[&Finding], validation: &Validation) -> Case {
    let (failing, passing): (Vec<_>, Vec<_>) =
        findings.iter().copied().partition(|finding| validation.fails(finding.severity));
    Case {
        name: file.to_owned(),
        ending: CaseResult::of(ResultElement::Failure, &failing),
        output: passing.into_iter().map(line).collect(),
    }
}

/// A change that left its code without an image: what happened, and what brings it back.
fn of_missing(change: &Change, report: &Report) -> Case {
    let address = &change.address;
    let step = report.run.as_ref().and_then(|run| run.steps.get(address));
    let mut message = format!("{address} is missing on the portal");
    if let Some(why) = step.and_then(|step| step.why.as_ref()) {
        let _ = write!(message, ": {why}");
    }
    let about = |finding: &&Finding| finding.rule == "missing" && finding.address.as_ref() == Some(address);
    let ending = CaseResult::new(ResultElement::Failure, "missing", message);
    let lines = [ending.lines, report.findings.iter().filter(about).map(line).collect()].concat();
    Case { ending: Some(CaseResult { lines, ..ending }), ..Case::named(address.to_string()) }
}

/// A change that is not made yet is a difference; once apply wrote, a change is judged by its outcome. A rename is one.
fn of_row(row: PlanRow<'_>, plan: &Plan, report: &Report, origins: ShownOrigins<'_>) -> Case {
    let change = row.change;
    let why = reason::of_row(&row, plan, ToOwned::to_owned, ToString::to_string);
    let sort = row.action();
    let step = report.run.as_ref().and_then(|run| outcome::decided_of(run, row)).map(|(_, step)| step);
    let (sort, why) = match origins.get(&change.address) {
        Some(origin) => {
            (format!("{sort}.{}", origin.kind.name()), format!("{sort}: {why}; {}", origin::in_words(origin)))
        }
        None => (sort.to_owned(), format!("{sort}: {why}")),
    };
    let word = if row.halves().any(|half| report.concerns(&half.address)) {
        ResultElement::Failure
    } else {
        ResultElement::Skipped
    };
    let ending = match step.map(|step| (step.outcome, step.why.clone().unwrap_or_default())) {
        None if report.is_stale() => {
            let message = format!("{sort}: planned, and not sent because the plan is stale");
            Some(CaseResult::new(ResultElement::Skipped, "stale", message))
        }
        None => Some(CaseResult::new(word, &sort, why)),
        Some((StepOutcome::Applied, _)) => None,
        Some((StepOutcome::Failed, why)) => Some(CaseResult::new(ResultElement::Failure, "failed", why)),
        Some((StepOutcome::Recovered, why)) => Some(CaseResult::new(ResultElement::Failure, "recovered", why)),
        Some((StepOutcome::Unknown, why)) => Some(CaseResult::new(ResultElement::Error, "unknown", why)),
        Some((StepOutcome::Skipped, why)) => Some(CaseResult::new(ResultElement::Skipped, "skipped", why)),
    };
    Case { ending, ..Case::named(change.address.to_string()) }
}

/// The cases that are not about one entry that differs: how many do not differ, what the guards refuse, and the findings;
/// an error says that not everything could be found out.
fn the_rest(report: &Report, command: &str) -> Case {
    // The test cases of the changes show the changes that were not applied.
    let findings = report.findings.iter().filter(|finding| finding.rule != "not-applied");
    let (errors, warnings): (Vec<_>, Vec<_>) = findings.partition(|finding| finding.is_error());
    let sentence = Headline::of_report(report, command).text;
    let mut output = vec![sentence.clone()];
    output.extend(outcome::counts_of(report));
    output.extend(origin::summary(report));
    let refused = report.guards.iter().filter(|verdict| verdict.outcome == guard::Outcome::Refused);
    let refused: Vec<_> =
        refused.map(|verdict| format!("guard {}: refused: {}", verdict.guard.name(), verdict.message)).collect();
    output.extend(refused.iter().cloned());
    output.extend(warnings.into_iter().map(line));
    let ending = CaseResult::of(ResultElement::Error, &errors)
        // Guards do not concern `drift`, which writes nothing.
        .or_else(|| {
            let message = refused.first().filter(|_| command != "drift" && report.run.is_none())?;
            Some(CaseResult {
                lines: refused.clone(),
                ..CaseResult::new(ResultElement::Failure, "guard", message.clone())
            })
        })
        // If all other test cases were skipped, the suite would pass.
        .or_else(|| only_skipped(report).then(|| CaseResult::new(ResultElement::Failure, "partial", sentence)));
    Case { ending, output, ..Case::named("everything else".to_owned()) }
}

/// Whether the only problem of a run is that it did not do everything.
fn only_skipped(report: &Report) -> bool {
    let ended_well =
        |run: &Run| run.steps.values().all(|step| matches!(step.outcome, StepOutcome::Applied | StepOutcome::Skipped));
    report.has_failed_steps() && report.run.as_ref().is_some_and(ended_well)
}

/// A finding as a line, the way compilers write them.
fn line(finding: &Finding) -> String {
    let mut text = finding.path.clone().unwrap_or_default();
    if let Some(place) = &finding.place {
        let _ = write!(text, ":{}:{}", place.line, place.column);
    }
    let word = finding.severity.name();
    let separator = if text.is_empty() { "" } else { ": " };
    let _ = write!(text, "{separator}{word}[{}]: {}", finding.rule, finding.message);
    if let Some(address) = &finding.address {
        let _ = write!(text, " ({address})");
    }
    if let Some(help) = &finding.help {
        let _ = write!(text, "; help: {help}");
    }
    text
}

/// A text escaped for an element or a quoted attribute. What XML 1.0 cannot hold at all, most control characters and two
/// that are not characters, is spelt out by [`escape`].
fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in escape(text).chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            _ => safe.push(character),
        }
    }
    safe
}
