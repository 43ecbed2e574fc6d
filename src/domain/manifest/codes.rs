//! The checks of codes, the same for codes that are written in the manifest and for those that are file names.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::domain::asset::{Address, Code, FoldedCode, Kind};
use crate::domain::finding::{Finding, Place};
use crate::domain::rulebook::CODE_STYLE;
use crate::domain::scope::Scope;

use super::checks;
use super::{Level, Manifest};
use crate::domain::quote::quoted;

/// Checks the codes of one kind that a folder declares: the manifest only names the folder, so it was not checked when
/// it was read. `place` is where the manifest names the code, `name` is the user's name for the manifest.
///
/// Reports codes that cannot be kept (`code-syntax`), that are outside `owns`, ignored, or differ only by case, all
/// errors, and `code-style` at the level that the manifest gives it.
pub(crate) fn check_codes<'a>(
    manifest: &Manifest,
    kind: Kind,
    codes: impl IntoIterator<Item = (&'a Code, Place)>,
    name: &str,
) -> Vec<Finding> {
    let checks =
        CodeChecks { owns: Some(&manifest.owns), ignore: &manifest.ignore, style: manifest.level(CODE_STYLE.id) };
    let mut findings = Vec::new();
    checks.check(kind, codes, |finding| findings.push(finding.in_file(name)));
    findings
}

/// The checks of codes, and what they compare with.
pub(super) struct CodeChecks<'a> {
    /// `None` when it could not be read.
    pub(super) owns: Option<&'a Scope>,
    pub(super) ignore: &'a Scope,
    pub(super) style: Option<Level>,
}

impl CodeChecks<'_> {
    pub(super) fn check<'a>(
        &self,
        kind: Kind,
        codes: impl IntoIterator<Item = (&'a Code, Place)>,
        mut report: impl FnMut(Finding),
    ) {
        let codes = codes.into_iter();
        let mut seen: HashMap<FoldedCode, (&Code, Place)> = HashMap::with_capacity(codes.size_hint().1.unwrap_or(0));
        for (code, place) in codes {
            let address = Address::new(kind, code.clone());
            let mut report = |finding: Finding| report(finding.at(place.clone()).about(address.clone()));
            if let Some(fault) = fault(code.as_str()) {
                report(
                    Finding::error(checks::CODE_SYNTAX, format!("the code {} {fault}", quoted(code.as_str())))
                        .help("brandctl handles codes of 1 to 255 printable ASCII characters, without `$` and without a space at either end"),
                );
                continue;
            }
            CODE_STYLE.of_code(code, self.style).into_iter().for_each(&mut report);
            self.outside(&address).into_iter().for_each(&mut report);
            self.ignored(&address).into_iter().for_each(&mut report);
            match seen.entry(code.folded()) {
                Entry::Occupied(twin) => report(case_twins(code, twin.get())),
                Entry::Vacant(free) => {
                    free.insert((code, place.clone()));
                }
            }
        }
    }

    fn ignored(&self, address: &Address) -> Option<Finding> {
        let pattern = quoted(self.ignore.matching(address).next()?.as_str());
        let what = format!("{} is declared, but `ignore` matches it by {pattern}", quoted(address.code.as_str()));
        Some(Finding::error(checks::CODE_IGNORED, what).help("remove the declaration, or the pattern"))
    }

    fn outside(&self, address: &Address) -> Option<Finding> {
        let owns = self.owns?;
        if owns.matches(address) {
            return None;
        }
        let named = quoted(address.code.as_str());
        let finding =
            Finding::error(checks::CODE_OUTSIDE_OWNS, format!("{named} is declared, but `owns` does not match it"));
        let other = Kind::ALL.into_iter().find(|kind| owns.matches(&Address::new(*kind, address.code.clone())));
        let folded = Address::new(address.kind, Code::new(address.code.as_str().to_lowercase()));
        Some(if let Some(other) = other {
            finding.help(format!(
                "`owns` matches it only for {}: add a pattern for {}",
                other.plural(),
                address.kind.plural()
            ))
        } else if owns.matches(&folded) {
            finding.help("patterns are case-sensitive: spell the code in lower case, or add a pattern")
        } else {
            finding.help("add a pattern that matches it to `owns`, or correct the code")
        })
    }
}

fn case_twins(code: &Code, (first, first_place): &(&Code, Place)) -> Finding {
    let (code, first) = (quoted(code.as_str()), quoted(first.as_str()));
    let what = format!("{code} and {first} differ only by case, which the portal ignores");
    Finding::error(checks::CODE_CASE_TWINS, what)
        .related(first_place.clone(), format!("{first} is here"))
        .help("keep one of them")
}

/// The reason why neither the portal nor brandctl could keep such a code.
fn fault(code: &str) -> Option<String> {
    let length = code.chars().count();
    if length == 0 {
        return Some("is empty".to_owned());
    }
    if let Some(odd) = code.chars().find(|c| !Code::can_hold(*c)) {
        return Some(format!("holds {}", quoted(&odd.to_string())));
    }
    if length > Code::MAX_CHARS {
        return Some(format!("has {length} characters"));
    }
    if code.contains('$') {
        return Some("holds `$`, which the portal replaces in batches".to_owned());
    }
    (code.starts_with(' ') || code.ends_with(' ')).then(|| "begins or ends with a space".to_owned())
}
