#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

use proptest::prelude::*;

use super::*;
use crate::domain::manifest;

fn answers(owns: &str) -> InitAnswers {
    InitAnswers {
        brand: Brand::Samples(Owned::parse(owns).unwrap()),
        portal: None,
        ci: None,
        tool: None,
        folder: FolderInGit::root(),
    }
}

fn text(answers: &InitAnswers, path: &str) -> String {
    match &files(answers)[path] {
        FileContent::New(bytes) => String::from_utf8(bytes.clone()).unwrap(),
        FileContent::Lines(lines) => lines.join("\n"),
    }
}

/// The manifest contains the answers, and it has no findings.
#[track_caller]
fn holds(answers: &InitAnswers) {
    let Brand::Samples(owns) = &answers.brand else { panic!("no samples") };
    let text = text(answers, MANIFEST);
    let (manifest, findings) = manifest::parse(text.as_bytes(), MANIFEST);
    assert_eq!(findings, [], "{text}");
    let manifest = manifest.unwrap();
    assert_eq!(manifest.owns.patterns(), [owns.pattern().clone()], "{text}");
    assert_eq!(manifest.portals, answers.portal.iter().map(|portal| portal.host().to_owned()).collect::<Vec<_>>());
    for address in owns.samples() {
        let place = crate::domain::finding::Place::START;
        let found = manifest::check_codes(&manifest, address.kind, [(&address.code, place)], MANIFEST);
        assert_eq!(found, [], "{text}");
        assert!(manifest.section(address.kind).is_some());
    }
}

#[test]
fn a_manifest_says_what_was_answered() {
    for owns in ["acme-*", "*", "icon/acme-*", "logo/acme-*", "icon/*", "Acme *", "acme-*{e,\"}", "a[!b]*"] {
        for portal in [None, Some("acme.bitrix24.com"), Some("[::1]:8024"), Some("бренд.рф")] {
            holds(&InitAnswers { portal: portal.map(|host| PinnedPortal::parse(host).unwrap()), ..answers(owns) });
        }
    }
    let narrowed = files(&answers("icon/acme-*"));
    assert!(narrowed.contains_key("icons/acme-sample.png") && !narrowed.keys().any(|path| path.starts_with("logos")));
}

#[test]
fn a_pattern_without_room_for_the_sample_is_refused() {
    for (owns, shown) in [
        ("", "write the prefix of your codes and `*`, for example `acme-*`"),
        ("icons/acme-*", "`icons/acme-*` is not a pattern: `icons/` is not a kind"),
        ("acme-[", "`acme-[` is not a pattern: unclosed character class"),
        ("acme", "`acme` does not match all codes with one prefix: write the prefix and `*`, for example `acme-*`"),
        ("acme-[0-9]", "`acme-[0-9]` does not match all"),
        ("https://acme.bitrix24.com/rest/1/abcdefgh12345678/", "`(hidden)` does not match all"),
        ("https://acme.bitrix24.com/rest/1/abcdefgh12345678/[", "`(hidden)` is not a pattern"),
        ("../*", "codes that match `../*` cannot be file names"),
        (".acme*", "codes that match `.acme*` cannot"),
        ("a\nb*", "`a\nb*` holds `\n`, which a code cannot hold"),
        ("acme-[!\u{7f}]*", "`acme-[!\u{7f}]*` holds `\u{7f}`, which"),
        ("a:b*", "codes that match `a:b*` cannot"),
        ("a$*", "codes that match `a$*` cannot"),
        ("ä*", "`ä*` holds `ä`, which"),
        (&format!("{}*", "a".repeat(250)), "codes that match"),
    ] {
        let error = Owned::parse(owns).unwrap_err();
        assert!(error.starts_with(shown), "{owns:?}: {error}");
    }
}

#[test]
fn a_folder_is_one_that_ci_files_can_name() {
    assert_eq!(FolderInGit::parse("").unwrap().prefix(), "");
    assert_eq!(FolderInGit::parse("a/brand-1.x").unwrap().prefix(), "a/brand-1.x/");
    for wrong in ["a b", "a*", "a'", "$(a)", "a\nb", "-a", "a\"", "${{ x }}", "!a"] {
        let error = FolderInGit::parse(wrong).unwrap_err();
        assert!(error.starts_with("a CI file cannot name the folder `"), "{error}");
    }
}

#[test]
fn nothing_of_a_template_is_left_open() {
    for system in CiSystem::ALL {
        for folder in if system.reads_root() { &["", "shop/brand"][..] } else { &[""] } {
            for (portal, tool) in [(None, None), (Some("[::1]:8024"), Some("https://example.com/owner/name"))] {
                let folder = FolderInGit::parse(folder).unwrap();
                let portal = portal.map(|host| PinnedPortal::parse(host).unwrap());
                let tool = tool.map(|url| Tool::parse(url).unwrap());
                let answers = InitAnswers { ci: Some(system), folder, portal, tool, ..answers("acme-*") };
                let text = text(&answers, system.path());
                let is_open = |word: &&str| {
                    word.split('@')
                        .skip(1)
                        .step_by(2)
                        .any(|name| name.len() < 20 && text.contains(&format!("@{name}@")))
                };
                assert_eq!(
                    text.split_whitespace().filter(|word| !word.contains("\"$@\"")).find(is_open),
                    None,
                    "{text}"
                );
                assert_eq!(text.contains("-f shop/brand/brand.yaml"), answers.folder != FolderInGit::root(), "{text}");
                assert_eq!(text.contains("https://example.com/owner/name"), answers.tool.is_some(), "{text}");
            }
        }
    }
    let group = |portal: Option<&str>, folder| {
        let portal = portal.map(|host| PinnedPortal::parse(host).unwrap());
        ci::group(&FolderInGit::parse(folder).unwrap(), portal.as_ref())
    };
    assert_eq!(group(None, ""), "brandctl");
    assert_eq!(group(None, "shop/brand"), "brandctl-shop-brand");
    assert_eq!(group(Some("acme.bitrix24.com"), "shop"), "brandctl-acme.bitrix24.com");
    assert_eq!(group(Some("[::1]:8024"), ""), "brandctl----1--8024");
}

proptest! {
    #[test]
    fn every_pattern_is_refused_or_comes_back(owns in "(icon/|logo/)?[ -~]{0,6}[*?{}\\[\\]a\"\\\\\n\u{7f}\u{85}\u{2028}é:#'-]{0,6}\\*?") {
        if let Ok(owns) = Owned::parse(&owns) {
            holds(&InitAnswers { brand: Brand::Samples(owns), portal: None, ci: None, tool: None, folder: FolderInGit::root() });
        }
    }
}
