//! `init` where somebody answers.

use std::fs;
use std::path::Path;

use brandctl::domain::asset::Kind;

use super::{Shown, Terminal};
use crate::common::{Brand, art};

const SOURCE: &str = "portal or empty? [empty]: ";
const READABLE: &str = "portal or empty? [portal]: ";
const OWNS: &str = "such as acme-*: ";
const PORTAL: &str = "[any]: ";
const CI: &str = "[github]: ";
const TOOL: &str = "[its machine has it]: ";

const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";

/// Once brandctl is published, its releases are where it comes from.
const ASKS_FOR_TOOL: bool = env!("CARGO_PKG_REPOSITORY").is_empty();

fn init(folder: &Path, line: &str, script: &[(&str, &str)]) -> Shown {
    let asked: Vec<_> = script.iter().copied().filter(|(question, _)| *question != TOOL || ASKS_FOR_TOOL).collect();
    Terminal::of(100).converse(folder, None, line, &asked)
}

fn manifest(folder: &Path) -> String {
    fs::read_to_string(folder.join("brand.yaml")).unwrap()
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn a_few_questions_make_a_repository() {
    let folder = tempfile::tempdir().unwrap();
    let shown = init(
        folder.path(),
        "init",
        &[
            (SOURCE, "empty\r"),
            (OWNS, "shop-*\r"),
            (PORTAL, "Shop.bitrix24.com\r"),
            (CI, "gitlab\r"),
            (TOOL, "https://example.com/owner/name\r"),
        ],
    );
    assert_eq!(shown.code, 0, "{}", shown.words());
    assert!(shown.words().contains("Created a branding repository in "), "{}", shown.words());
    assert!(shown.words().contains("brandctl validate the samples pass"), "{}", shown.words());
    let text = manifest(folder.path());
    assert!(text.contains("\nowns: [\"shop-*\"]\n") && text.contains("\nportal: \"shop.bitrix24.com\" "), "{text}");
    let ci = fs::read_to_string(folder.path().join(".gitlab-ci.yml")).unwrap();
    let tool = "\n    BRANDCTL_TOOL: \"https://example.com/owner/name/releases/download/v";
    assert!(ci.contains(tool) || !ASKS_FOR_TOOL, "{ci}");
    assert!(folder.path().join("icons/shop-sample.png").is_file());
}

#[test]
fn enter_takes_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let shown =
        init(folder.path(), "init", &[(SOURCE, "\r"), (OWNS, "acme-*\r"), (PORTAL, "\r"), (CI, "\r"), (TOOL, "\r")]);
    assert_eq!(shown.code, 0, "{}", shown.words());
    assert!(manifest(folder.path()).contains("\n# portal: "), "any portal");
    assert!(folder.path().join(".github/workflows/brandctl.yml").is_file());
}

#[test]
fn an_answer_that_cannot_be_meant_is_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let shown = init(
        folder.path(),
        "init",
        &[
            (SOURCE, "both\r"),
            (SOURCE, "portal\r"),
            (SOURCE, "Empty\r"),
            (OWNS, "acme\r"),
            (OWNS, "acme-*\r"),
            (PORTAL, "two words\r"),
            (PORTAL, "https://acme.bitrix24.com/rest/1/abcdefgh12345678/\r"),
            (CI, "jenkins\r"),
            (CI, "Shell\r"),
            (TOOL, "http://example.com/x.tar.gz\r"),
            (TOOL, "https://example.com/x.tar.gz\r"),
        ],
    );
    assert_eq!(shown.code, 0, "{}", shown.words());
    let words = shown.words();
    assert!(words.contains("write portal or empty"), "{words}");
    assert!(words.contains("no credentials: none of the environment variables"), "{words}");
    assert!(words.contains("set BITRIX24_WEBHOOK_URL to the webhook's URL"), "{words}");
    assert!(words.contains("`acme` does not match all codes with one prefix"), "{words}");
    assert!(words.contains("write github, gitlab, shell or none"), "{words}");
    assert!(words.contains("the URL does not begin with https://") || !ASKS_FOR_TOOL, "{words}");
    // Once, as the terminal echoed it.
    assert_eq!(shown.raw().matches("abcdefgh12345678").count(), 1, "{words}");
    let text = manifest(folder.path());
    assert!(text.contains("\nportal: \"acme.bitrix24.com\" ") && !text.contains("abcdefgh12345678"), "{text}");
}

#[test]
fn what_options_answer_is_not_asked() {
    let folder = tempfile::tempdir().unwrap();
    let shown = init(folder.path(), "init --owns acme-* --ci none", &[]);
    assert_eq!(shown.code, 0, "{}", shown.words());
    let shown = init(folder.path(), "init new --owns acme-* --portal a.example", &[(CI, "\r"), (TOOL, "\r")]);
    assert_eq!(shown.code, 0, "{}", shown.words());
    assert!(!shown.words().contains("Which codes") && !shown.words().contains("Which portal"), "{}", shown.words());
}

#[test]
fn whoever_leaves_leaves_nothing_behind() {
    for (key, code, told) in
        [(CTRL_C, 130, ""), (CTRL_D, 1, "the input ended before all questions were answered: nothing was written")]
    {
        for script in [
            &[(SOURCE, key)][..],
            &[(SOURCE, "\r"), (OWNS, key)],
            &[(SOURCE, "\r"), (OWNS, "acme-*\r"), (PORTAL, key)],
            &[(SOURCE, "\r"), (OWNS, "acme-*\r"), (PORTAL, "\r"), (CI, key)],
        ] {
            let folder = tempfile::tempdir().unwrap();
            let shown = init(folder.path(), "init", script);
            assert_eq!(shown.code, code, "{script:?}: {}", shown.words());
            assert!(shown.words().contains(told), "{}", shown.words());
            assert!(is_empty(folder.path()), "{script:?}");
        }
    }
}

#[test]
fn the_answers_of_options_are_checked_before_anything_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let shown = init(folder.path(), "init --tool http://example.com/abcdefgh12345678", &[]);
    assert_eq!(shown.code, 1);
    assert!(!shown.raw().contains("abcdefgh12345678") && !shown.raw().contains("Which"), "{}", shown.raw());
    assert!(is_empty(folder.path()));
}

/// Where somebody answers who has credentials.
fn init_with_a_portal(brand: &Brand, line: &str, script: &[(&str, &str)]) -> Shown {
    Terminal::of(100).converse(brand.folder.path(), Some(&brand.portal.admin_webhook()), line, script)
}

#[test]
fn who_has_credentials_begins_with_the_portal() {
    let brand = Brand::new().portal_has("icon/acme-call", 1).portal_has("icon/other", 2);
    const EACH: &str = "[each that it has now]: ";
    let all = init_with_a_portal(&brand, "init all", &[(READABLE, "\r"), (EACH, "\r"), (CI, "none\r")]);
    assert_eq!(all.code, 0, "{}", all.words());
    assert!(!all.words().contains("Which portal is it for"), "{}", all.words());
    assert!(all.words().contains("Exported 2 custom entries of 127.0.0.1:"), "{}", all.words());
    assert_eq!(fs::read(brand.path("all/icons/other.png")).unwrap(), art(Kind::Icon, 2));
    let plan = brand.json("plan -f all/brand.yaml --detailed-exitcode").ends_with(0);
    assert_eq!(plan.json["summary"]["unchanged"], 2);

    let script = [(READABLE, "portal\r"), (EACH, "icons/acme\r"), (EACH, "acme-*\r"), (CI, "\r"), (TOOL, "\r")];
    let some = init_with_a_portal(&brand, "init some", &script);
    assert_eq!(some.code, 0, "{}", some.words());
    assert!(manifest(&brand.path("some")).contains("\nowns:\n  - \"acme-*\"\n"), "{}", some.words());
    assert!(!brand.path("some/icons/other.png").exists());

    let requests = brand.portal.requests().len();
    let script = [(READABLE, "empty\r"), (OWNS, "acme-*\r"), (PORTAL, "\r"), (CI, "none\r")];
    assert_eq!(init_with_a_portal(&brand, "init empty", &script).code, 0);
    assert!(brand.path("empty/icons/acme-sample.png").is_file());
    assert_eq!(brand.portal.requests().len(), requests, "samples need no portal");
    // The options have the answers.
    assert_eq!(init_with_a_portal(&brand, "init options --from-portal --ci none", &[]).code, 0);
}
