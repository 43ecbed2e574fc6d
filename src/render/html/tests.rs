//! What a browser is not needed for: tests/external/browser has the rest.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::domain::asset::{Address, Code, Kind};
use crate::domain::diff::{Action, After, Before, Change, Diff, Reason};
use crate::domain::finding::Finding;
use crate::domain::origin::LastCommit;
use crate::domain::plan::{Contents, Plan};
use crate::domain::png::testing::rgba;
use crate::domain::report::{Heading, NextCommands, Run};
use crate::domain::state::Content;
use crate::domain::step::{StepOutcome, StepResult};

/// A square that differs from another only in its colour.
fn square(shade: u8) -> Arc<[u8]> {
    rgba(24, 24, |x, y| if x.min(y) > 3 { [shade, 80, 160, 255] } else { [0; 4] }).into()
}

fn address(code: &str) -> Address {
    Address::new(Kind::Icon, Code::new(code))
}

/// A code, its image before and its image after.
type Replaced<'a> = (&'a str, Arc<[u8]>, Arc<[u8]>);

/// A report whose plan replaces, per code, the first image by the second.
fn replacing(changes: &[Replaced<'_>]) -> Report {
    let mut contents = Contents::new();
    let mut content = |bytes: &Arc<[u8]>| {
        let content = Content::of(bytes);
        contents.insert(content.sha256, bytes.clone());
        content
    };
    let changes = changes
        .iter()
        .map(|(code, before, after)| {
            let before = Before { code: Code::new(*code), file_uri: String::new(), content: Some(content(before)) };
            let after = After { file: String::new(), content: content(after) };
            let action = Action::Replace(before, after);
            Change { address: address(code), action, reason: Reason::LooksDifferent, rename: None }
        })
        .collect();
    let plan = Plan::new("acme.bitrix24.com".to_owned(), Diff { changes, ..Diff::default() }, contents);
    Report { manifest: "brand.yaml".to_owned(), plan: Some(plan), ..Report::default() }
}

fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    page.split_once(start).and_then(|(_, rest)| rest.split_once(end)).map(|(inside, _)| inside).unwrap()
}

#[test]
fn the_policy_knows_the_style_sheet_and_the_script_by_their_hashes() {
    let page = report(&replacing(&[("acme-call", square(1), square(9))]), "plan");
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\"");
    for (kind, start, end) in [("style", "<style>", "</style>"), ("script", "<script>", "</script>")] {
        assert_eq!(page.matches(start).count(), 1, "one {kind} only");
        let hash = STANDARD.encode(Sha256::digest(between(&page, start, end)));
        assert!(policy.contains(&format!("{kind}-src 'sha256-{hash}'")), "{kind}: {policy}");
    }
    assert!(policy.starts_with("default-src 'none'; img-src data:; ") && !policy.contains("unsafe"), "{policy}");
    assert!(!page.contains("http:") && !page.contains("https:"), "something is fetched");
}

#[test]
fn every_distinct_image_is_there_once() {
    let (old, new) = (square(1), square(200));
    let page =
        report(&replacing(&[("acme-a", old.clone(), new.clone()), ("acme-b", new.clone(), old.clone())]), "plan");
    for image in [&old, &new] {
        assert_eq!(page.matches(&STANDARD.encode(image)).count(), 1);
    }
    // Both change the same pixels: the picture of that is shared too.
    assert_eq!(page.matches("data:image/png;base64,").count(), 3);
    assert_eq!(page.matches("400 px").count(), 2);
}

#[test]
fn whatever_a_name_holds_is_text() {
    let hostile = "</script></style><img src=x onerror=alert(1)>\"'&\u{202e}\u{1b}[31m\n😀";
    let mut found = replacing(&[(hostile, square(1), square(9))]);
    found.portal = Some(hostile.to_owned());
    found.manifest = hostile.to_owned();
    found.findings.push(Finding::warning("low-contrast", hostile).about(address(hostile)).help(hostile));
    let last = LastCommit { commit: "3f60c40ab1".repeat(4), author: hostile.to_owned() };
    found.changed_by.insert(address(hostile), last);
    found.heading = Heading { started: Some(hostile.to_owned()), commit: Some(hostile.to_owned()) };
    let step = StepResult { outcome: StepOutcome::Failed, why: Some(hostile.to_owned()), wrote: false };
    found.run = Some(Run {
        id: hostile.to_owned(),
        folder: hostile.into(),
        steps: BTreeMap::from([(address(hostile), step)]),
        done_before: [].into(),
        missing: [address(hostile)].into(),
        live: BTreeMap::new(),
        not_read_back: [].into(),
        without_copy: BTreeMap::new(),
        next: NextCommands::default(),
    });
    let page = report(&found, "apply");
    assert!(!page.contains("<img") && !page.contains('\u{202e}') && !page.contains('\u{1b}'), "{page}");
    assert_eq!((page.matches("</script>").count(), page.matches("</style>").count()), (1, 1));
    assert!(page.contains("&lt;/script&gt;") && page.contains("\\u{202e}") && page.contains('😀'));
    assert!(page.contains("id=\"icon/%3C/script%3E"), "an id has no space and no quote");
}

#[test]
fn what_cannot_be_shown_is_said() {
    let broken: Arc<[u8]> = b"GIF89a".to_vec().into();
    let mut found = replacing(&[("acme-a", broken, square(9)), ("acme-b", square(1), square(9))]);
    let lost = Content::of(&square(1)).sha256;
    found.plan.as_mut().unwrap().contents.remove(&lost);
    let page = report(&found, "plan");
    assert!(page.contains("not a sound PNG") && page.contains("not available"), "{page}");
    assert_eq!(page.matches("data:image/png").count(), 1);
}

#[test]
fn every_finding_names_its_file_and_shows_code_as_code() {
    let mut found = replacing(&[("acme-a", square(1), square(9))]);
    found.findings = vec![
        Finding::warning("orphan-file", "the manifest does not declare this file").in_file("icons/b.png"),
        Finding::warning("low-contrast", "see `low-contrast`").in_file("icons/a.png").about(address("acme-a")),
    ];
    let page = report(&found, "plan");
    assert_eq!(page.matches(" in <bdi>icons/b.png</bdi>").count(), 1);
    assert_eq!(page.matches(" in <bdi>icons/a.png</bdi>").count(), 2, "at the top and beside its image");
    assert_eq!(page.matches("see <code>low-contrast</code>").count(), 2);
    let body = page.split_once("<body>").unwrap().1.split_once("<script>").unwrap().0;
    assert!(!body.contains('`'), "{body}");
}

#[test]
fn the_top_says_when_it_was_made_and_of_which_commit() {
    let mut found = replacing(&[("acme-a", square(1), square(9))]);
    let commit = "3f60c40ab1".repeat(4);
    found.heading = Heading { started: Some("2026-11-27T15:54:01Z".to_owned()), commit: Some(format!("{commit}+")) };
    found.changed_by.insert(address("acme-a"), LastCommit { commit: commit.clone(), author: "Ada Painter".to_owned() });
    let page = report(&found, "plan");
    let top = between(&page, "<p class=\"ran\">", "</p>");
    assert!(top.contains("<time datetime=\"2026-11-27T15:54:01Z\">27 November 2026, 15:54 UTC</time>"), "{top}");
    assert!(top.contains("commit <code>3f60c40ab1+</code>") && top.contains(env!("CARGO_PKG_VERSION")), "{top}");
    assert!(
        page.contains("declared file last changed by <bdi>Ada Painter</bdi> in <code>3f60c40ab1</code>")
            && !page.contains(&commit)
    );
}

#[test]
fn a_code_that_is_missing_is_said_first() {
    let mut found = replacing(&[("acme-a", square(1), square(9))]);
    let failed = StepResult { outcome: StepOutcome::Failed, why: Some("refused".to_owned()), wrote: true };
    found.run = Some(Run {
        id: "r1".to_owned(),
        folder: "runs/r1".into(),
        steps: BTreeMap::from([(address("acme-a"), failed)]),
        live: BTreeMap::new(),
        done_before: [].into(),
        missing: [address("acme-a")].into(),
        not_read_back: [].into(),
        without_copy: BTreeMap::new(),
        next: NextCommands::default(),
    });
    let page = report(&found, "apply");
    let said =
        "icon/acme-a is missing on the portal: <code>brandctl restore r1 icon/acme-a</code> puts the old image back";
    assert!(page.contains(&format!("<p class=\"outcome bad\"><span>{said}</span></p>")), "{page}");
}

#[test]
fn a_failed_run_is_told_at_the_top_and_at_its_card() {
    let mut found = replacing(&[("acme-a", square(1), square(9)), ("acme-b", square(1), square(9))]);
    let failed =
        StepResult { outcome: StepOutcome::Recovered, why: Some("the portal refused it".to_owned()), wrote: true };
    let applied = StepResult { outcome: StepOutcome::Applied, why: None, wrote: true };
    let steps = BTreeMap::from([(address("acme-a"), failed), (address("acme-b"), applied)]);
    found.run = Some(Run {
        id: "r1".to_owned(),
        folder: "runs/r1".into(),
        steps,
        done_before: [].into(),
        missing: [].into(),
        live: BTreeMap::new(),
        not_read_back: [].into(),
        without_copy: BTreeMap::new(),
        next: NextCommands::default(),
    });
    let page = report(&found, "apply");
    assert!(page.contains("Not everything was applied: 1 of 2"), "{page}");
    assert_eq!(page.matches("the portal refused it").count(), 2);
    assert_eq!(page.matches("fate applied").count(), 1);
}

#[test]
fn without_a_plan_nothing_is_called_unchanged() {
    let piece = crate::domain::rules::Piece {
        address: address("acme-a"),
        file: "icons/acme-a.png".to_owned(),
        place: crate::domain::finding::Place::START,
        size: 9,
        bytes: Some(square(1)),
    };
    let findings = vec![Finding::error("png-size", "it is 30 pixels wide").about(address("acme-a"))];
    let found = Report { art: vec![piece], findings, ..Report::default() };
    let page = report(&found, "plan");
    assert!(page.contains("card declared icon") && page.contains("1 error: nothing can be applied"), "{page}");
    assert!(!page.contains("Left as they are") && !page.contains("</b> unchanged"), "{page}");
    assert_eq!(page.matches("it is 30 pixels wide").count(), 2, "at the top and beside its image");
}

#[test]
fn shares_are_rounded_to_the_nearest_tenth_and_never_to_nothing_or_all() {
    // Of 576 pixels, the first `changed` differ.
    let share = |changed: u32| {
        let shade = |x: u32, y: u32| if y * 24 + x < changed { [200, 1, 1, 255] } else { [0, 80, 160, 255] };
        let (before, after) = (rgba(24, 24, |_, _| [0, 80, 160, 255]), rgba(24, 24, shade));
        let page = report(&replacing(&[("acme-a", before.into(), after.into())]), "plan");
        between(&page, &format!("<b>{changed} px</b> "), "<span>").to_owned()
    };
    for (changed, shown) in
        [(30, "5.2 %"), (31, "5.4 %"), (288, "50.0 %"), (575, "99.8 %"), (576, "100.0 %"), (1, "0.2 %")]
    {
        assert_eq!(share(changed), shown, "{changed} of 576");
    }
}

#[test]
fn a_change_of_case_is_not_called_a_change_of_the_image() {
    let mut found = replacing(&[("acme-a", square(1), square(1))]);
    let change = found.plan.as_mut().unwrap().diff.changes.first_mut().unwrap();
    change.reason = Reason::Respelt;
    if let Action::Replace(before, _) = &mut change.action {
        before.code = Code::new("ACME-a");
    }
    let page = report(&found, "plan");
    assert!(page.contains("spelt <code>ACME-a</code> on the portal; the image is the same, byte for byte"), "{page}");
    assert!(!page.contains("colour profile") && !page.contains("class=\"diff\""), "{page}");
}
