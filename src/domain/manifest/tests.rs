#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::Value;

use super::reader::{ENTRY_KEYS, POLICY_KEYS, TOP_KEYS};
use super::*;
use crate::domain::finding::Finding;
use crate::domain::rulebook::{self, FIXED_RULES, RULE_IDS};
use crate::text::escape;

const NAME: &str = "brand.yaml";

/// The findings as text, escaped as rendering does: rule, place, the bytes meant, message, related places, help.
fn shown(text: &[u8], findings: &[Finding]) -> String {
    let place = |place: &Place| {
        let bytes = text.get(place.bytes.clone()).map(String::from_utf8_lossy).unwrap();
        format!("{}:{} {bytes:?}", place.line, place.column)
    };
    let mut out = String::new();
    for finding in findings {
        assert_eq!(finding.path.as_deref(), Some(NAME));
        let severity = if finding.is_error() { "error" } else { "warning" };
        let at = finding.place.as_ref().map_or_else(|| "nowhere".to_owned(), place);
        let about = finding.address.as_ref().map(|address| format!(" ({})", escape(&address.to_string())));
        writeln!(out, "{severity} {} at {at}{}", finding.rule, about.unwrap_or_default()).unwrap();
        writeln!(out, "  {}", escape(&finding.message)).unwrap();
        for (related, what) in &finding.related {
            writeln!(out, "  - {} {what}", place(related)).unwrap();
        }
        if let Some(help) = &finding.help {
            writeln!(out, "  = {help}").unwrap();
        }
    }
    out
}

/// The expression would be a copy of the table.
macro_rules! snapshot {
    ($($arguments:tt)*) => {
        insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!($($arguments)*) })
    };
}

fn table(manifests: &[&[u8]]) -> String {
    let mut out = String::new();
    for text in manifests {
        let (manifest, findings) = parse(text, NAME);
        assert_eq!(manifest.is_none(), findings.iter().any(Finding::is_error), "{}", String::from_utf8_lossy(text));
        let printed = String::from_utf8_lossy(text).escape_debug().to_string();
        let lines = printed.replace("\\n", "\n    ").replace("\\'", "'").replace("\\\"", "\"");
        writeln!(out, "--- {}\n{}", lines.trim_end(), shown(text, &findings)).unwrap();
    }
    out
}

/// A manifest that is fine, and then some lines.
fn with(lines: &str) -> Vec<u8> {
    format!("version: 1\nowns: [\"acme-*\"]\n{lines}").into_bytes()
}

fn with_table(lines: &[&str]) -> String {
    let manifests: Vec<Vec<u8>> = lines.iter().map(|lines| with(lines)).collect();
    table(&manifests.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn good(text: &[u8]) -> Manifest {
    let (manifest, findings) = parse(text, NAME);
    assert_eq!(shown(text, &findings), "", "{}", String::from_utf8_lossy(text));
    manifest.unwrap()
}

const EXAMPLE: &str = r#"# yaml-language-server: $schema=../schema/manifest.schema.json
version: 1
portal: Acme.bitrix24.com
owns: ["acme-*"]
icons:
  acme-call: icons/call.png
  acme-fax: {file: icons/fax.png}
  acme-paid:
logos: logos/
protect: ["logo/acme-brand*"]
ignore: ["icon/acme-lab-*"]
policy:
  prune: true
  max_deletes: 10
rules: {transparent-background: warn, low-contrast: off}
"#;

#[test]
fn a_manifest_means_what_it_says() {
    insta::assert_debug_snapshot!(good(EXAMPLE.as_bytes()));
}

#[test]
fn a_byte_order_mark_and_line_ends_change_nothing_but_bytes() {
    let plain = good(EXAMPLE.as_bytes());
    let lines = |manifest: &Manifest| {
        let Some(Section::Entries(entries)) = manifest.section(Kind::Icon) else { panic!("no icons") };
        entries.values().map(|entry| (entry.place.line, entry.place.column)).collect::<Vec<_>>()
    };
    for text in
        [format!("\u{feff}{EXAMPLE}"), EXAMPLE.replace('\n', "\r\n"), format!("\u{feff}---\n{}\n...\n", &EXAMPLE[62..])]
    {
        let other = good(text.as_bytes());
        assert_eq!(lines(&other).len(), lines(&plain).len());
        if !text.contains("---") {
            assert_eq!(lines(&other), lines(&plain));
        }
        let Some(Section::Entries(entries)) = other.section(Kind::Icon) else { panic!("no icons") };
        for (code, entry) in entries {
            assert_eq!(&text[entry.place.bytes.clone()], code.as_str());
        }
    }
}

#[test]
fn what_is_no_yaml_says_where_and_why() {
    snapshot!(table(&[
        b"",
        b"\xef\xbb\xbf",
        b" \n\n",
        b"# nothing yet\n",
        b"null\n",
        b"---\n",
        b"~",
        b"{}",
        b"[1, 2]\n",
        b"just text\n",
        b"42",
        b"\x89PNG\r\n\x1a\n",
        b"version: 1\nowns: [\"a\xff\"]\n",
        b"version: 1\nowns: [a]\n# \0\n",
        b"\xff\xfev\0e\0",
        b"version: 1\nowns: [a]\n---\nversion: 1\n",
        b"version: 1\nowns: [a, b\n",
        b"version: 1\nowns: [a}\n",
        b"version: 1\nowns: [\"a]\n",
        b"version: 1\nowns: [a]\nicons:\n  a: {file: x.png",
        b"version: 1\nowns: [a]\nicons:\n  a: x.png\n  b",
        b"version: 1\nowns: [a]\nicons:\n\ta: x.png\n",
        b"version: 1\nowns: [a]\nicons:\n  a: x.png\n    b: y.png\n",
        b"version: 1\nowns: [a]\nicons:\n  a: x: y.png\n",
        b"version: 1\nowns: [*]\n",
        b"version: 1\nowns: [*-icon, a]\nicons: {b: *x}\n",
        b"version: 1\nowns: [@a]\n",
        b"version: 1\nowns: &a [*a]\n",
        b"version: 1\nowns: !include owns.yaml\n",
        b"version: 1\nowns: [a]\nicons: {<<: {a: b.png}, ? [x] : y}\n",
        b"version: 1\nversion: 1\nowns: [a]\n\"owns\": [b]\nicons: {a: x.png, 'a': y.png, a: z.png}\npolicy:\n  prune: true\n  prune: false\n",
    ]));
}

#[test]
fn keys_and_types_are_checked() {
    snapshot!(table(&[
        b"icons: {}\n",
        b"version: 2\nowners: 7\n",
        b"version: 0\nowns: [a]\n",
        b"version: \"1\"\nowns: [a]\n",
        b"version: 1.0\nowns: [a]\n",
        b"version:\nowns: [a]\n",
        b"version: 1\nowns: acme-*\n",
        b"version: 1\nowns: 7\n",
        b"version: 1\nowns: []\n",
        b"version: 1\nowns:\n",
        b"version: 1\nowns: [7, true, ~, [a], {b: c}, ok]\nicons: {no: x.png}\n",
        b"version: 1\nowns: [\"a[\", \"\", \"icons/a-*\", \"icon/\"]\n",
        b"version: 1\nowns: [a, icon/*]\n",
        b"version: 1\nowns: [\"*\"]\npolicy: {max_deletes: 3}\n",
    ]));
    snapshot!(
        "keys_and_types_below",
        with_table(&[
            "ownz: [a]\nIcons: {}\nzebra: 1\nmax-deletes: 3\nprune: true\nlow-contrast: off\nwebhook: x\n",
            "protect:\nignore: x\nrules:\npolicy:\nportal:\n",
            "policy: {max_deletes: -1, prunes: true, owns: [a]}\n",
            "policy: {max_deletes: 1e3}\n",
            "policy: {max_deletes: many, prune: yes}\n",
            "policy: {max_deletes: 99999999999}\n",
            "policy: [prune]\n",
            "rules: {low-contrst: warn, png-size: off, blank: warning, clipped: false, non-srgb: 3, low-contrast: \"off\"}\n",
            "rules: {code-reserved: warn, png-format: error}\n",
            "rules: [blank]\n",
            "icons:\n",
            "icons: 7\nlogos: [a.png]\n",
            "icons: {acme-a: 7, acme-b: true, acme-c: [x], acme-d: {}, acme-e: {path: x.png}, acme-f: {file: }, acme-g: {file: x.png, size: 3}}\n",
            "portal: []\n",
            "portal: 7\n",
            "portal: [a.b, [c], \"*.bitrix24.com\"]\n",
        ])
    );
}

#[test]
fn codes_and_paths_are_checked() {
    snapshot!(with_table(&[
        "icons: {\"\": a.png, \" acme-a\": a.png, \"acme-a \": a.png, acme-$b: a.png, acme-é: a.png, \"acme-\\e[31m\": a.png}\n",
        "icons: {Acme-Call: a.png, acme call: a.png, fax: a.png, acme-Fax: a.png}\n",
        "icons: {acme-call: a.png, acme-CALL: b.png, acme-Call: c.png}\nlogos: {acme-CALL: d.png}\nrules: {code-style: off}\n",
        "icons: {acme-lab: a.png}\nlogos: {acme-lab: a.png}\nignore: [icon/acme-l*]\n",
        "icons: {acme/a: , acme-b/../../x: }\n",
        "icons: {acme-a: /a.png, acme-b: ../a.png, acme-c: 'a\\b.png', acme-d: '', acme-e: icons/, acme-f: 'C:\\a.png', acme-g: \"a\\0.png\", acme-h: 'https://x.y/a.png'}\n",
        "icons: ../icons\nlogos: ''\n",
        "icons: {acme-A: a.png}\nrules: {code-style: error}\n",
    ]));
    snapshot!("other_kind", table(&[b"version: 1\nowns: [logo/a]\nicons: {a: , A: }\n"]));
}

#[test]
fn a_code_that_is_too_long_says_how_long() {
    let code = format!("acme-{}", "x".repeat(251));
    let (_, findings) = parse(&with(&format!("icons: {{{code}: a.png}}\n")), NAME);
    assert!(findings[0].message.ends_with("xxx…` has 256 characters"), "{}", findings[0].message);
    let code = format!("acme-{}", "x".repeat(250));
    good(&with(&format!("icons: {{{code}: a.png}}\n")));
}

#[test]
fn keys_are_codes_as_they_are_spelt() {
    let text = "version: 1\nowns: ['[a-z0-9~.]*', '[A-Z]*']\nrules: {code-style: off}\nicons: {on: a.png, 123: b.png, null: c.png, true: d.png, 1.50: e.png, ~: f.png, 0x1F: g.png, no: , 'Yes': }\n";
    let Some(Section::Entries(entries)) = good(text.as_bytes()).icons else { panic!("no icons") };
    let codes: Vec<&str> = entries.keys().map(Code::as_str).collect();
    assert_eq!(codes, ["0x1F", "1.50", "123", "Yes", "no", "null", "on", "true", "~"]);
    assert_eq!(entries[&Code::new("no")].path, "icons/no.png");
}

#[test]
fn what_is_absent_is_not_managed_and_what_is_empty_is_none() {
    let manifest = good(&with("icons: {}\n"));
    assert_eq!(manifest.section(Kind::Icon), Some(&Section::Entries(BTreeMap::new())));
    assert_eq!(manifest.section(Kind::Logo), None);
    assert_eq!(manifest.policy, Policy { prune: true, max_deletes: None });
    assert!(
        manifest.portals.is_empty() && manifest.protect.patterns().is_empty() && manifest.ignore.patterns().is_empty()
    );
    assert!(!good(&with("policy: {prune: false, max_deletes: 0}\n")).policy.prune);
    assert!(good(b"version: 1\nowns: ['*']\npolicy: {prune: true}\n").policy.prune);
}

#[test]
fn rules_are_levelled_unquoted_too() {
    let manifest = good(&with("rules: {low-contrast: off, blank: warn, png-size: error}\n"));
    assert_eq!(manifest.level("low-contrast"), Some(Level::Off));
    assert_eq!(manifest.level("blank"), Some(Level::Warn));
    assert_eq!(manifest.level("png-size"), Some(Level::Error));
    assert_eq!(manifest.level("clipped"), None);
}

#[test]
fn aliases_are_read() {
    let manifest = good(&with("icons: {acme-a: &p x.png, acme-b: *p, acme-c: {file: *p}}\n"));
    let Some(Section::Entries(entries)) = manifest.icons else { panic!("no icons") };
    assert!(entries.values().all(|entry| entry.path == "x.png"));
}

#[test]
fn codes_of_a_folder_are_checked_like_written_ones() {
    let manifest = good(&with("icons: icons\nignore: [acme-lab]\n"));
    let Some(Section::Folder { place, .. }) = manifest.section(Kind::Icon) else { panic!("no folder") };
    let codes = ["acme-a", "acme-A", "fax", "acme-lab", "acme-$", "acme-ü"].map(Code::new);
    let findings = check_codes(&manifest, Kind::Icon, codes.iter().map(|code| (code, place.clone())), NAME);
    snapshot!(shown(&with("icons: icons\n"), &findings));
}

/// However a webhook gets into a manifest, neither a message nor a snippet shows it.
#[test]
fn a_webhook_is_never_shown() {
    const TOKEN: &str = "s3cretT0ken12345";
    let url = format!("https://acme.bitrix24.com/rest/1/{TOKEN}/");
    for (index, lines) in [
        format!("portal: {url}\n"),
        format!("portal: [a.b, '{url}']\n"),
        format!("portal: acme.bitrix24.com/rest/1/{TOKEN}\n"),
        format!("webhook: {url}\n"),
        format!("? {url}\n: 1\n"),
        format!("icons: {url}\n"),
        format!("icons: {{acme-a: '{url}', bogus: x.png}}\n"),
        format!("icons:\n  '{url}': x.png\n"),
        format!("protect: '{url}['\n"),
        format!("protect: ['{url}[']\nzebra: 1\n"),
        format!("rules: {{'{url}': '{url}'}}\n"),
        format!("version: '{url}'\n"),
        format!("zebra: 1 # {url}\n"),
        format!("zebra: 1\n# {url}\nzebra: 2\n"),
        format!("policy: {{max_deletes: {url}, prune: {url}}}\n"),
        format!("icons: {{acme-a: '{url}'\n"),
        format!("icons: *{url}\n"),
        format!("icons: !{url} x\n"),
        format!("icons: {{acme-a: a.png,\r acme-a: '{url}'}}\n"),
    ]
    .iter()
    .enumerate()
    {
        let text = with(lines);
        let (manifest, findings) = parse(&text, NAME);
        assert!(manifest.is_none(), "{lines}");
        assert!(findings.iter().any(|finding| finding.rule == "manifest-secret"), "{lines}: {findings:?}");
        assert!(!format!("{findings:?}").contains(TOKEN), "{index}: {findings:?}");
        let all = std::str::from_utf8(&text).unwrap();
        for place in findings
            .iter()
            .flat_map(|finding| finding.place.iter().chain(finding.related.iter().map(|(place, _)| place)))
        {
            let line = crate::domain::yaml::lines(all).nth(place.line - 1).unwrap_or_default();
            assert!(place.bytes.is_empty() || !line.contains(TOKEN), "{index}: {place:?}");
        }
    }
    for lines in [
        "portal: [https://me:s3cret@a.b, '*.c']\n",
        "portal: a.b/rest/s3cret\n",
        "portal: 'a.b?s3cret'\n",
        "portal: https://a.b/crm/?auth=s3cret\nzebra: 1\n",
    ] {
        let findings = parse(&with(lines), NAME).1;
        assert!(findings.iter().all(|finding| finding.place.as_ref().unwrap().bytes.is_empty()), "{findings:?}");
        assert!(!format!("{findings:?}").contains("s3cret"), "{findings:?}");
    }
}

#[test]
fn hostile_text_ends_soon_in_a_finding() {
    let many = |open: &str, count: usize| with(&format!("icons: {}", open.repeat(count)));
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    let mut chain = String::from("a0: &a0 [x]\n");
    for index in 1..100_000 {
        let (last, next) = (index - 1, format!("*a{}", index - 1));
        if index < 30 {
            let _ = writeln!(bomb, "a{index}: &a{index} [{}]", [next.as_str(); 10].join(", "));
        }
        let _ = writeln!(chain, "a{index}: &a{index} [*a{last}]");
    }
    let wide: String = (0..10_000).map(|index| format!("k{index}: 1, ")).collect();
    let uses: String = (0..10_000).map(|index| format!("  acme-{index}: *w\n")).collect();
    for text in [
        many("[", 100_000),
        many("{a: ", 100_000),
        many("\n- ", 100_000),
        many("- ", 100_000),
        many("? ", 100_000),
        many("!", 100_000),
        many("&a ", 100_000),
        many("\"", 100_001),
        many("[{", 50_000),
        with(&bomb),
        with(&chain),
        with(&format!("zebra: &w {{{wide}}}\nicons:\n{uses}")),
        with(&(0..100_000).map(|index| format!("key-{index}: 1\n")).collect::<String>()),
        with(&format!("rules: {{{}}}", (0..100_000).map(|index| format!("rule-{index}: 1, ")).collect::<String>())),
        vec![b'a'; text::MAX_BYTES + 1],
    ] {
        let (manifest, findings) = parse(&text, NAME);
        let is_bomb = text.windows(2).any(|window| window == b"*a" || window == b"*w");
        assert_eq!(
            is_bomb,
            findings.iter().any(|finding| finding.help.as_ref().is_some_and(|help| help.contains("nor aliases")))
        );
        assert!(manifest.is_none() && !findings.is_empty() && findings.len() < 2100);
    }
}

#[test]
fn very_many_findings_are_counted() {
    let entries: String = (0..1500).map(|index| format!("  other-{index}: x.png\n")).collect();
    let (_, findings) = parse(&with(&format!("icons:\n{entries}")), NAME);
    assert_eq!(findings.len(), 1001);
    assert_eq!(findings.last().unwrap().message, "500 more findings are not listed");
}

#[test]
fn ten_thousand_entries_are_read() {
    let entries: String = (0..10_000).map(|index| format!("  acme-{index}: icons/call-{index}.png\n")).collect();
    let text = with(&format!("icons:\n{entries}"));
    let Some(Section::Entries(entries)) = good(&text).icons else { panic!("no icons") };
    assert_eq!(entries.len(), 10_000);
}

#[test]
fn every_finding_is_a_known_check_in_one_voice() {
    let known = |rule: &str| rule == rulebook::CODE_STYLE.id || CHECKS.contains(&rule);
    for id in CHECKS {
        assert!(!RULE_IDS.contains(id) && rulebook::OTHER_FINDINGS.iter().any(|other| other.id == *id), "{id}");
    }
    assert!(FIXED_RULES.iter().all(|id| RULE_IDS.contains(id)));
    for text in [
        "",
        "a: 1",
        "version: 1\nowns: [a]\nicons: {B: ../x}\nrules: {x: y}\npolicy: {z: 1}",
        "version: 1\nowns: ['*']",
    ] {
        for finding in parse(text.as_bytes(), NAME).1 {
            assert!(known(&finding.rule), "{}", finding.rule);
            for sentence in [Some(&finding.message), finding.help.as_ref()].into_iter().flatten() {
                assert!(!sentence.ends_with('.') && !sentence.contains('\n'), "{sentence}");
            }
        }
    }
}

mod schema_file {
    use super::*;

    #[test]
    fn the_schema_offers_nothing_that_the_parser_refuses() {
        assert!(!schema().to_string().contains("\"default\":null"));
        assert!(!schema().to_string().contains("\\n"), "descriptions are one line");
    }

    const STALE: &str = "schema/manifest.schema.json is stale: run `UPDATE_SCHEMA=1 cargo test --lib domain::manifest`";

    #[test]
    fn the_published_schema_is_the_one_of_the_types() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/manifest.schema.json");
        let current = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(path, &current).unwrap();
        }
        assert!(std::fs::read_to_string(path).unwrap_or_default() == current, "{STALE}");
    }

    fn keys(schema: &Value, pointer: &str) -> Vec<String> {
        let object = schema.pointer(pointer).unwrap_or_else(|| panic!("the schema has no {pointer}"));
        let mut keys: Vec<String> = object.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    }

    fn sorted(names: &[&str]) -> Vec<String> {
        let mut names: Vec<String> = names.iter().map(ToString::to_string).collect();
        names.sort();
        names
    }

    #[test]
    fn schema_and_parser_know_the_same_keys() {
        let schema = schema();
        let entry = "/oneOf/0/additionalProperties/oneOf/1";
        assert_eq!(keys(&schema, "/properties"), sorted(TOP_KEYS));
        assert_eq!(keys(&schema, "/properties/policy/properties"), sorted(POLICY_KEYS));
        assert_eq!(keys(&schema, "/properties/rules/properties"), sorted(&RULE_IDS));
        for kind in Kind::ALL {
            assert_eq!(keys(&schema, &format!("/properties/{}{entry}/properties", kind.plural())), sorted(ENTRY_KEYS));
        }
        assert_eq!(schema["required"], serde_json::json!(["version", "owns"]));
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    }

    /// Nothing here depends on what a schema cannot say: `owns` holding every code, duplicates, globs, case twins.
    #[test]
    fn schema_and_parser_agree() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let options = serde_saphyr::options! { strict_booleans: true };
        let mut read = (0, 0);
        for (valid, text) in [
            (true, EXAMPLE.to_owned()),
            (true, "version: 1\nowns: [a]\n".to_owned()),
            (true, "version: 1\nowns: ['icon/a*', b]\nportal: [a.bitrix24.com, b.example:8443]\n".to_owned()),
            (true, with_text("icons: {}\nlogos: {}\n")),
            (true, with_text("icons: icons\n")),
            (true, with_text("icons: ./icons/\n")),
            (true, with_text("icons: {acme-a: , acme-b: b.png, acme-c: {file: ./c.png}}\n")),
            (true, with_text("ignore: []\nprotect: []\nrules: {}\npolicy: {}\n")),
            (true, with_text("rules: {low-contrast: off, png-size: error}\n")),
            (true, with_text("policy: {prune: false, max_deletes: 0}\n")),
            (false, "owns: [a]\n".to_owned()),
            (false, "version: 2\nowns: [a]\n".to_owned()),
            (false, "version: '1'\nowns: [a]\n".to_owned()),
            (false, "version: 1\n".to_owned()),
            (false, "version: 1\nowns: []\n".to_owned()),
            (false, "version: 1\nowns: a\n".to_owned()),
            (false, "version: 1\nowns: [7]\n".to_owned()),
            (false, "version: 1\nowns: ['']\n".to_owned()),
            (false, "version: 1\nowns: ['icons/a']\n".to_owned()),
            (false, "version: 1\nowns: ['Icon/a']\n".to_owned()),
            (false, "version: 1\nowns: ['logo/']\n".to_owned()),
            (true, "version: 1\nowns: ['icon/Logo/a', 'iconic/a', 'logo']\n".to_owned()),
            (false, with_text("protect: ['LOGOS/a']\n")),
            (false, with_text("zebra: 1\n")),
            (false, with_text("portal: []\n")),
            (false, with_text("portal: https://a.bitrix24.com\n")),
            (false, with_text("portal: ''\n")),
            (false, with_text("portal: '*.bitrix24.com'\n")),
            (false, with_text("icons:\n")),
            (false, with_text("icons: [a]\n")),
            (false, with_text("icons: ''\n")),
            (false, with_text("icons: /icons\n")),
            (true, with_text("icons: ../icons\n")),
            (true, with_text("icons: {acme-a: ../../shared/a.png}\n")),
            (false, with_text("icons: {acme-a: ..}\n")),
            (false, with_text("icons: {acme-a: 7}\n")),
            (false, with_text("icons: {acme-a: /a.png}\n")),
            (false, with_text("icons: {acme-a: 'a\\b.png'}\n")),
            (false, with_text("icons: {acme-a: 'C:/b.png'}\n")),
            (false, with_text("icons: {acme-a: icons/}\n")),
            (false, with_text("icons: {acme-a: {}}\n")),
            (false, with_text("icons: {acme-a: {file: a.png, size: 1}}\n")),
            (false, with_text("icons: {acme-a: {file: }}\n")),
            (false, with_text("icons: {acme-$: a.png}\n")),
            (false, with_text("icons: {'acme-a ': a.png}\n")),
            (false, with_text("icons: {acme-ü: a.png}\n")),
            (false, with_text("policy:\n")),
            (false, with_text("policy: {prune: 'yes'}\n")),
            (false, with_text("policy: {max_deletes: -1}\n")),
            (false, with_text("policy: {max_deletes: 5000000000}\n")),
            (false, with_text("policy: {max: 1}\n")),
            (false, with_text("rules: {zebra: off}\n")),
            (false, with_text("rules: {blank: warning}\n")),
            (false, with_text("rules: {png-size: warn}\n")),
            (false, with_text("protect: logo/a\n")),
            (false, with_text("ignore: [true]\n")),
            (false, "[]\n".to_owned()),
        ] {
            let json: Value = serde_saphyr::from_str_with_options(&text, options.clone()).unwrap();
            assert_eq!(parse(text.as_bytes(), NAME).0.is_some(), valid, "the parser: {text}");
            assert_eq!(validator.is_valid(&json), valid, "the schema: {text}");
            if valid { read.0 += 1 } else { read.1 += 1 }
        }
        assert!(read.0 >= 10 && read.1 >= 30);
    }

    /// What an editor shows on hovering over a key or completing it.
    #[test]
    fn every_key_has_a_title_and_a_description() {
        fn look(schema: &Value, at: &str, seen: &mut usize) {
            let Some(object) = schema.as_object() else { return };
            for (key, property) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
                let text = |name: &str| property[name].as_str().unwrap_or_else(|| panic!("{at}/{key} has no {name}"));
                assert!(text("title").len() > 2 && text("description").ends_with('.'), "{at}/{key}");
                assert_eq!(text("description"), text("markdownDescription"));
                *seen += 1;
            }
            for (key, inner) in object {
                look(inner, &format!("{at}/{key}"), seen);
                for (index, item) in inner.as_array().into_iter().flatten().enumerate() {
                    look(item, &format!("{at}/{key}/{index}"), seen);
                }
            }
            if let Some(names) = object.get("enum").and_then(Value::as_array) {
                assert_eq!(object["enumDescriptions"].as_array().map(Vec::len), Some(names.len()), "{at}");
            }
            // What a regular expression wants is said in words too.
            assert_eq!(
                object.get("pattern").is_some_and(Value::is_string),
                object.contains_key("patternErrorMessage"),
                "{at}"
            );
        }
        let mut seen = 0;
        look(&schema(), "", &mut seen);
        assert_eq!(seen, TOP_KEYS.len() + POLICY_KEYS.len() + 2 * ENTRY_KEYS.len() + RULE_IDS.len());
    }

    fn with_text(lines: &str) -> String {
        String::from_utf8(with(lines)).unwrap()
    }
}

/// Lines that look like a manifest, put together at random.
fn almost_a_manifest() -> impl Strategy<Value = String> {
    let parts = prop_oneof![
        Just("version: 1\n"),
        Just("owns: [\"a*\"]\n"),
        Just("icons:\n"),
        Just("  a-b: x.png\n"),
        Just("  a: {file: "),
        Just("}\n"),
        Just("logos: "),
        Just("*a "),
        Just("&a "),
        Just("rules: {blank: off}\n"),
        Just("policy:\n  prune: "),
        Just("true\n"),
        Just("\t"),
        Just("---\n"),
        Just("\r"),
        Just("? "),
        Just("- "),
        Just("\"é\": \n"),
        Just("!!str "),
        Just("\u{feff}"),
        Just("/rest/1/"),
        Just("| \n  x\n"),
    ];
    proptest::collection::vec(parts, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (manifest, findings) = parse(&bytes, NAME);
        prop_assert_eq!(manifest.is_none(), findings.iter().any(Finding::is_error));
    }

    #[test]
    fn no_text_panics_and_every_place_is_in_it(text in prop_oneof![almost_a_manifest(), "\\PC{0,60}", "[ -~\n\t]{0,60}"]) {
        let (manifest, findings) = parse(text.as_bytes(), NAME);
        prop_assert_eq!(manifest.is_none(), findings.iter().any(Finding::is_error));
        for place in findings.iter().flat_map(|finding| finding.place.iter().chain(finding.related.iter().map(|(place, _)| place))) {
            prop_assert!(text.get(place.bytes.clone()).is_some(), "{:?}", place);
            prop_assert!(place.line >= 1 && place.column >= 1);
        }
    }
}
