#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::domain::diff::{Unbacked, diff};
use crate::domain::manifest::{Manifest, Section};
use crate::domain::png::testing;
use crate::domain::rules::{self, Aim, Art, Piece};
use crate::domain::state::{Content, DesiredState, Listed, ObservedEntry};

/// What a portal can hold of an image, from sound to strange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DrawnEntry {
    Sound,
    Opaque,
    Truncated,
    WrongSize,
    Blank,
    Text,
    Unfetched,
}

fn bytes(kind: Kind, drawn: DrawnEntry, mark: u8) -> Option<Vec<u8>> {
    let side = kind.side();
    let line = move |x, y| if x == y { [mark, 20, 30, 255] } else { [0; 4] };
    Some(match drawn {
        DrawnEntry::Sound => testing::rgba(side, side, line),
        DrawnEntry::Opaque => testing::rgba(side, side, |x, _| [mark, u8::try_from(x).unwrap(), 30, 255]),
        DrawnEntry::Truncated => {
            let mut bytes = testing::rgba(side, side, line);
            bytes.truncate(bytes.len() - 20);
            bytes
        }
        DrawnEntry::WrongSize => testing::rgba(side + 1, side, line),
        DrawnEntry::Blank => testing::rgba(side, side, |_, _| [0; 4]),
        DrawnEntry::Text => b"<html>no image</html>".to_vec(),
        DrawnEntry::Unfetched => return None,
    })
}

/// A portal and its bytes.
fn portal(entries: &[(Kind, String, DrawnEntry)], choice: &ExportChoice) -> (ObservedState, Contents) {
    let mut contents = Contents::new();
    let entries = entries.iter().zip(0_u8..).map(|((kind, code, drawn), mark)| {
        let address = Address::new(*kind, Code::new(code.clone()));
        let asked = choice.admits(&address);
        let listed = Listed { address, system: false, file_uri: format!("/upload/{mark}") };
        let reading = match bytes(*kind, *drawn, mark) {
            _ if !asked => Reading::NotNeeded,
            None => Reading::Failed("the portal answered 404".to_owned()),
            Some(bytes) => {
                let content = Content::of(&bytes);
                contents.insert(content.sha256, bytes.into());
                Reading::Known(content)
            }
        };
        ObservedEntry { listed, reading }
    });
    let mut observed = ObservedState { entries: entries.collect() };
    for (kind, code) in [(Kind::Icon, "info"), (Kind::Logo, "bizproc")] {
        let listed = Listed { address: Address::new(kind, Code::new(code)), system: true, file_uri: String::new() };
        observed.entries.push(ObservedEntry { listed, reading: Reading::NotNeeded });
    }
    (observed, contents)
}

fn source() -> ExportSource {
    ExportSource { portal: "acme.bitrix24.com".to_owned(), sandbox: false }
}

fn file<'a>(export: &'a Export, path: &str) -> &'a [u8] {
    &export.files.iter().find(|(file, _)| file == path).unwrap_or_else(|| panic!("no {path}")).1
}

/// What an export declares, by the manifest and the files that it wrote.
fn desired(export: &Export) -> (Manifest, DesiredState) {
    let (manifest, findings) = manifests::parse(file(export, MANIFEST), MANIFEST);
    let manifest = manifest.unwrap_or_else(|| panic!("{findings:?}"));
    let mut pieces = Vec::new();
    for kind in Kind::ALL {
        let Some(Section::Entries(entries)) = manifest.section(kind) else { continue };
        for (code, entry) in entries {
            let bytes: Arc<[u8]> = file(export, &entry.path).into();
            let address = Address::new(kind, code.clone());
            let (size, place) = (bytes.len() as u64, entry.place.clone());
            pieces.push(Piece { address, file: entry.path.clone(), place, size, bytes: Some(bytes) });
        }
    }
    let checked = rules::check(&manifest, MANIFEST, &Art { pieces, ..Art::default() }, findings, Aim::DesiredState);
    let desired = checked.desired.unwrap_or_else(|| panic!("{:?}", checked.findings));
    (manifest, desired)
}

/// Holds a manifest against the schema that lies beside it, read by another reader of YAML than brandctl's own.
fn is_valid_to_editors(text: &[u8]) {
    static SCHEMA: LazyLock<jsonschema::Validator> =
        LazyLock::new(|| jsonschema::draft7::new(&manifests::schema()).unwrap());
    let options = serde_saphyr::options! { strict_booleans: true };
    let text = std::str::from_utf8(text).unwrap();
    let json: serde_json::Value = serde_saphyr::from_str_with_options(text, options).unwrap();
    let wrong: Vec<_> = SCHEMA.iter_errors(&json).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{wrong:?}\n{text}");
}

fn choice(owns: &[&str], only: &[&str]) -> ExportChoice {
    let scope = |patterns: &[&str]| {
        let patterns: Vec<_> = patterns.iter().map(|pattern| Pattern::parse(pattern).unwrap()).collect();
        Scope::new(patterns).unwrap()
    };
    ExportChoice {
        only: if only.is_empty() { Selection::All } else { Selection::Matching(scope(only)) },
        owns: (!owns.is_empty()).then(|| scope(owns)),
    }
}

fn codes() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-c]{1,2}",
        2 => "[ -~]{1,12}",
        1 => "[A-Ca-c]",
        1 => "\\PC{1,8}",
        1 => "[\0-\u{2f}\u{7f}-\u{a0}\u{2028}]{1,4}",
        1 => "[a*?\\[\\]{}\\\\!]{1,6}",
        1 => "[ -~]{200,255}",
        1 => proptest::sample::select(vec![
            "yes", "1.0", "null", "~", "- a", "#x", "\"", "\n", "<<", "&a", "*a", "!t", "a: b", "? a", "%", "@", "|", ">",
            "Info", "INFO", "CON", "nul.png", "../../x", "a ", " a", "a.", "$", "icons/a", "logo/x", "x/rest/1/abcdefgh12345678",
            "\u{feff}", "'", "{}", "[]", "---", "...", "true", "0x1f", "1e3", ".inf",
        ]).prop_map(str::to_owned),
    ]
}

fn entries() -> impl Strategy<Value = Vec<(Kind, String, DrawnEntry)>> {
    use DrawnEntry::{Blank, Opaque, Sound, Text, Truncated, Unfetched, WrongSize};
    let kind = proptest::sample::select(Kind::ALL.to_vec());
    let drawn = proptest::sample::select(vec![
        Sound, Sound, Sound, Sound, Opaque, Truncated, WrongSize, Blank, Text, Unfetched,
    ]);
    proptest::collection::vec((kind, codes(), drawn), 1..12)
}

fn choices() -> impl Strategy<Value = ExportChoice> {
    proptest::sample::select(vec![
        choice(&[], &[]),
        choice(&["*"], &[]),
        choice(&["a*", "logo/*"], &[]),
        choice(&["[a-c]*", "logo/a*"], &["icon/*"]),
        choice(&["[a-c]*", "logo/[a-c]*"], &["a*"]),
        choice(&["*"], &["icon/*", "a*"]),
        choice(&[], &["[a-z]*"]),
    ])
}

proptest! {
    #[test]
    fn whatever_a_portal_holds_the_first_plan_is_empty(entries in entries(), choice in choices()) {
        let (observed, contents) = portal(&entries, &choice);
        let export = build(&observed, &contents, &choice, &source());
        for finding in &export.findings {
            prop_assert_eq!(&finding.rule, "unknown-content");
        }
        if !export.files.iter().any(|(file, _)| file == MANIFEST) {
            prop_assert!(export.items.iter().all(|item| item.outcome == ExportOutcome::LeftOut));
            return Ok(());
        }
        is_valid_to_editors(file(&export, MANIFEST));
        let (manifest, desired) = desired(&export);
        prop_assert_eq!(&manifest.portals, &["acme.bitrix24.com".to_owned()]);
        // What is declared is what was found fit to be, under the very codes of the portal.
        let declared: Vec<_> =
            export.items.iter().filter(|item| matches!(item.outcome, ExportOutcome::Declared(_))).map(|item| &item.address).collect();
        prop_assert_eq!(desired.entries().keys().collect::<Vec<_>>(), declared);
        // The plan may read everything that it asks for.
        let mut observed = observed;
        let listing = Listing { entries: observed.entries.iter().map(|entry| entry.listed.clone()).collect() };
        let needed: Vec<_> = listing.entries.iter().filter(|listed| desired.needs(&Selection::All)(listed)).collect();
        prop_assert!(needed.len() <= desired.entries().len());
        observed.entries.retain(|ObservedEntry { listed, reading }| listed.system || !matches!(reading, Reading::Failed(_)) || !needed.contains(&listed));
        let diff = diff(&desired, &observed, &Selection::All, Unbacked::Keep, MANIFEST);
        prop_assert!(diff.changes.is_empty() && diff.conflicts.is_empty() && diff.unknown.is_empty(), "{diff:?}");
        prop_assert_eq!(diff.unchanged, desired.entries().len());
        // Every byte that was fetched is kept, and nothing else.
        for ObservedEntry { listed, reading } in &observed.entries {
            if let Reading::Known(content) = reading {
                let kept = export.files.iter().any(|(_, bytes)| Digest::of(bytes) == content.sha256);
                prop_assert!(kept, "{listed:?}");
            }
        }
    }

    #[test]
    fn no_file_leaves_the_folder_or_hides_another(entries in entries()) {
        let (observed, contents) = portal(&entries, &ExportChoice::default());
        let export = build(&observed, &contents, &ExportChoice::default(), &source());
        let mut seen = BTreeSet::new();
        for (file, _) in &export.files {
            prop_assert!(seen.insert(file.to_lowercase()), "{file} twice");
            let folders: Vec<_> = file.split('/').collect();
            prop_assert!(matches!(
                folders.as_slice(),
                [MANIFEST | SCHEMA] | ["icons" | "logos", _] | [SET_ASIDE, "icons" | "logos", _]
            ), "{file}");
            prop_assert!(folders.iter().all(|part| part.len() <= 255 && !part.starts_with('.')));
        }
        // What is read twice is written the same, in any order that the portal lists it.
        let mut shuffled = observed.clone();
        shuffled.entries.reverse();
        let again = build(&shuffled, &contents, &ExportChoice::default(), &source());
        prop_assert_eq!(again.files, export.files);
    }
}

#[test]
fn a_manifest_reads_well() {
    let choice = ExportChoice::default();
    let (observed, contents) = portal(
        &[
            (Kind::Icon, "acme-call".to_owned(), DrawnEntry::Sound),
            (Kind::Icon, "Acme Fax".to_owned(), DrawnEntry::Sound),
            (Kind::Icon, "yes".to_owned(), DrawnEntry::Opaque),
            (Kind::Icon, "INFO".to_owned(), DrawnEntry::Sound),
            (Kind::Icon, "a$b*".to_owned(), DrawnEntry::Sound),
            (Kind::Logo, "acme-brand".to_owned(), DrawnEntry::Truncated),
            (Kind::Logo, "gone".to_owned(), DrawnEntry::Unfetched),
        ],
        &choice,
    );
    let export = build(&observed, &contents, &choice, &source());
    insta::assert_snapshot!(String::from_utf8_lossy(file(&export, MANIFEST)));
}

#[test]
fn who_owns_everything_prunes_nothing_unasked() {
    let choice = choice(&["*"], &[]);
    let (observed, contents) = portal(&[(Kind::Icon, "a".to_owned(), DrawnEntry::Sound)], &choice);
    let (manifest, _) = desired(&build(&observed, &contents, &choice, &source()));
    assert!(!manifest.policy.prune && manifest.owns.patterns()[0].is_everything());
}

#[test]
fn a_code_that_is_listed_twice_is_set_aside_with_both_images() {
    let choice = ExportChoice::default();
    let twice = [(Kind::Icon, "a".to_owned(), DrawnEntry::Sound), (Kind::Icon, "a".to_owned(), DrawnEntry::Sound)];
    let (observed, contents) = portal(&twice, &choice);
    let export = build(&observed, &contents, &choice, &source());
    let images: Vec<_> =
        export.files.iter().map(|(file, _)| file.as_str()).filter(|file| file.ends_with("png")).collect();
    assert_eq!(images, ["ignored/icons/a%%2.png", "ignored/icons/a.png"]);
}

#[test]
fn an_empty_portal_has_a_snapshot_and_no_manifest() {
    let (observed, contents) = portal(&[], &ExportChoice::default());
    let mut export = build(&observed, &contents, &ExportChoice::default(), &source());
    export.add_snapshot(Ok("{}".to_owned()));
    assert_eq!(export.files.iter().map(|(file, _)| file.as_str()).collect::<Vec<_>>(), [SNAPSHOT, SCHEMA]);
}
