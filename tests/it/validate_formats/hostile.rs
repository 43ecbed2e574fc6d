//! Text that would be a command in some format is shown in it, and does nothing.

use brandctl::domain::asset::{Address, Code, Kind};
use brandctl::domain::finding::Finding;
use brandctl::domain::report::Validation;
use brandctl::render::{self, picture::Pictures, screen::Screen};

use super::fixture::{MANIFEST, found};
use crate::shared::header;

const HOSTILE: [&str; 10] = [
    "<script>alert(1)</script>&amp;\"'",
    "\u{1b}[31mred\u{1b}]0;title\u{7}",
    "\u{202e}gnp.exe\u{2066}",
    "two\nlines\r\n::error::injected",
    "]]></failure><x>",
    "%0A::set-output name=a::b%25",
    "a:b,c=d::e",
    "nul\u{0}\u{8}\u{b}\u{9b}31m\u{fffe}\u{ffff}",
    "💥👩‍👩‍👧 é e\u{301}",
    "../#fragment?query %zz\\back",
];

/// Every text in every place that a finding has.
fn validation() -> Validation {
    let longest = "x".repeat(255);
    let findings = HOSTILE.iter().copied().chain([longest.as_str()]).map(|text| {
        Finding::error("png-size", format!("found {text}"))
            .in_file(format!("icons/{text}.png"))
            .about(Address::new(Kind::Icon, Code::new(text)))
            .help(format!("fix {text}"))
    });
    found(MANIFEST, findings.collect())
}

/// No character moves a cursor, hides or turns text; lines are those of the format.
fn is_inert(text: &str) {
    let moving = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}\u{200d}\u{fffe}\u{ffff}".contains(c);
    assert_eq!(text.chars().find(|c| moving(*c)), None, "{text:?}");
}

#[test]
fn people_see_it_and_nothing_happens() {
    let shown =
        anstream::adapter::strip_str(&render::human::validation(&validation(), &Pictures::new(), &Screen::default()))
            .to_string();
    is_inert(&shown);
    assert_eq!(shown.matches("error[png-size]").count(), HOSTILE.len() + 1);
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("hostile_human", shown) });
}

#[test]
fn github_sees_one_command_a_finding() {
    let shown = render::github::validation(&validation());
    is_inert(&shown);
    let commands: Vec<&str> = shown.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(commands.len(), HOSTILE.len() + 1);
    for command in commands {
        assert!(command.starts_with("::error file=icons/"), "{command}");
        let properties = command.strip_prefix("::error ").unwrap().split("::").next().unwrap();
        let keys: Vec<&str> = properties.split(',').map(|pair| pair.split('=').next().unwrap()).collect();
        assert_eq!(keys, ["file", "title"], "{command}");
    }
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("hostile_github", shown) });
}

#[test]
fn json_gives_every_text_back() {
    let validation = validation();
    for text in [
        render::json::print_validation(&header(), &validation).unwrap(),
        render::sarif::validation(&validation).unwrap(),
    ] {
        is_inert(&text);
    }
    let json: serde_json::Value =
        serde_json::from_str(&render::json::print_validation(&header(), &validation).unwrap()).unwrap();
    for (finding, text) in json["findings"].as_array().unwrap().iter().zip(HOSTILE) {
        assert_eq!(finding["message"], format!("found {text}"));
        assert_eq!(finding["path"], format!("icons/{text}.png"));
    }
}

#[test]
fn sarif_has_uris() {
    let log: serde_json::Value = serde_json::from_str(&render::sarif::validation(&validation()).unwrap()).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let uris: Vec<&str> = results
        .iter()
        .map(|result| result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap())
        .collect();
    for (uri, text) in uris.iter().zip(HOSTILE) {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~%".contains(c);
        assert!(uri.chars().all(plain), "{uri}");
        let decoded = percent_encoding::percent_decode_str(uri).decode_utf8().unwrap();
        assert_eq!(decoded, format!("icons/{text}.png"));
    }
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("hostile_uris", uris.join("\n")) });
}

#[test]
fn junit_is_well_formed_xml_that_says_the_same() {
    let text = render::junit::validation(&validation());
    is_inert(&text);
    let document = roxmltree::Document::parse(&text).unwrap();
    let failures: Vec<_> = document.descendants().filter(|node| node.has_tag_name("failure")).collect();
    assert_eq!(failures.len(), HOSTILE.len() + 1);
    assert!(failures.iter().any(|node| node.attribute("message") == Some(&format!("found {}", HOSTILE[0]))));
    assert!(failures.iter().any(|node| node.attribute("message") == Some(&format!("found {}", HOSTILE[4]))));
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("hostile_junit", text) });
}
