//! The formats on one broken brand: whole, alike in what they say, and as their readers want them.

use brandctl::domain::finding::Severity;
use brandctl::domain::report::Warnings;
use brandctl::render;
use serde_json::Value;

use super::fixture::{Brand, MANIFEST, found, png};

pub(crate) const FORMATS: [&str; 5] = ["human", "json", "github", "sarif", "junit"];

/// An icon that is too large, one that is damaged, and a logo with a warning.
fn broken() -> Brand {
    let brand = Brand::new();
    brand.write("icons/call.png", png(32, [20, 30, 140], false));
    brand.write("icons/fax.png", &png(24, [140, 30, 20], false)[..60]);
    brand.write("logos/acme-brand.png", png(60, [20, 30, 140], true));
    brand
}

/// A brand with nothing but a warning.
fn warned() -> Brand {
    let brand = Brand::new();
    brand.write("logos/acme-brand.png", png(60, [20, 30, 140], true));
    brand
}

fn conforms(text: &str) -> Value {
    let mut schema: Value = serde_json::from_str(include_str!("sarif-2.1.0.schema.json")).unwrap();
    // A stray bracket makes this one no regular expression; brandctl writes no language.
    for of in ["run", "toolComponent"] {
        let language = schema["definitions"][of]["properties"]["language"].as_object_mut().unwrap();
        assert!(language.remove("pattern").unwrap().as_str().unwrap().contains("]?$"));
    }
    let log: Value = serde_json::from_str(text).unwrap();
    let errors: Vec<_> = jsonschema::draft4::new(&schema)
        .unwrap()
        .iter_errors(&log)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    log
}

/// What Jenkins and GitLab rely on: the elements, their attributes, and counts that are right.
fn is_junit(text: &str) -> (usize, usize) {
    let document = roxmltree::Document::parse(text).unwrap();
    let count = |name| document.descendants().filter(|node| node.has_tag_name(name)).count();
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let (allowed, parent): (&[&str], _) = match node.tag_name().name() {
            "testsuites" => (&["name", "tests", "failures", "errors"], ""),
            "testsuite" => (&["name", "tests", "failures", "errors", "skipped"], "testsuites"),
            "testcase" => (&["classname", "name"], "testsuite"),
            "failure" => (&["type", "message"], "testcase"),
            "system-out" => (&[], "testcase"),
            other => panic!("{other} is no element of JUnit's"),
        };
        let attributes: Vec<_> = node.attributes().map(|attribute| attribute.name()).collect();
        assert_eq!(attributes, allowed, "{}", node.tag_name().name());
        assert_eq!(node.parent_element().map_or("", |parent| parent.tag_name().name()), parent);
        if attributes.contains(&"tests") {
            assert_eq!(node.attribute("tests"), Some(count("testcase").to_string().as_str()));
            assert_eq!(node.attribute("failures"), Some(count("failure").to_string().as_str()));
        }
    }
    (count("testcase"), count("failure"))
}

#[test]
fn every_format_tells_the_whole_with_the_same_exit_code() {
    let brand = broken();
    let outputs: Vec<String> = FORMATS
        .iter()
        .map(|format| {
            let (code, text) = brand.validate(&["--format", format]);
            assert_eq!(code, 1, "{format}");
            for rule in ["png-size", "png-format", "transparent-background"] {
                assert!(text.contains(rule), "{format} does not tell of {rule}:\n{text}");
            }
            text
        })
        .collect();
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!("human", outputs[0]);
        insta::assert_snapshot!("github", outputs[2]);
        insta::assert_snapshot!("junit", outputs[4]);
        let log = conforms(&outputs[3]);
        insta::assert_snapshot!("sarif_results", serde_json::to_string_pretty(&log["runs"][0]["results"]).unwrap());
    });
    assert_eq!(is_junit(&outputs[4]), (4, 2));
}

#[test]
fn a_sound_brand_passes_in_every_format() {
    let brand = Brand::new();
    for format in FORMATS {
        assert_eq!(brand.validate(&["--format", format, "--deny-warnings"]).0, 0, "{format}");
    }
    assert_eq!(conforms(&brand.validate(&["--format", "sarif"]).1)["runs"][0]["results"], serde_json::json!([]));
    assert_eq!(is_junit(&brand.validate(&["--format", "junit"]).1), (4, 0));
    assert_eq!(brand.validate(&["--format", "github"]).1, "Valid: 3 images.\n");
}

#[test]
fn denied_warnings_fail_in_every_format_and_say_so() {
    let brand = warned();
    for format in FORMATS {
        assert_eq!(brand.validate(&["--format", format]).0, 0, "{format}");
        assert_eq!(brand.validate(&["--format", format, "--deny-warnings"]).0, 1, "{format}");
    }
    let said = brand.validate(&["--deny-warnings"]).1;
    assert!(said.contains("Not valid: 3 images, 1 warning in 1 file. Warnings are denied.\n"), "{said}");
    for (arguments, passed, failures) in [(&[][..], true, 0), (&["--deny-warnings"][..], false, 1)] {
        let json: Value =
            serde_json::from_str(&brand.validate(&[arguments, &["--format", "json"]].concat()).1).unwrap();
        assert_eq!(json["summary"]["passed"], passed);
        assert_eq!(is_junit(&brand.validate(&[arguments, &["--format", "junit"]].concat()).1), (4, failures));
    }
}

/// A manifest that cannot be read is reported in every format too.
#[test]
fn a_missing_manifest_fails_in_every_format() {
    let brand = Brand::new();
    for format in FORMATS {
        let (code, text) = brand.validate(&["-f", "nowhere.yaml", "--format", format]);
        assert_eq!(code, 1, "{format}");
        assert!(text.contains("nowhere.yaml"), "{format}: {text}");
    }
    conforms(&brand.validate(&["-f", "nowhere.yaml", "--format", "sarif"]).1);
    assert_eq!(is_junit(&brand.validate(&["-f", "nowhere.yaml", "--format", "junit"]).1), (1, 1));
}

#[test]
fn rules_and_results_of_sarif_point_at_each_other() {
    let log = conforms(&broken().validate(&["--format", "sarif"]).1);
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
}

/// Alerts are recognised again when lines above them come and go, and distinguished when they are alike.
#[test]
fn fingerprints_outlive_the_lines() {
    let prints = |source: &str| -> Vec<String> {
        let log: Value = serde_json::from_str(&render::sarif::validation(&found(source, Vec::new())).unwrap()).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        results.iter().map(|result| result["partialFingerprints"]["brandctl/v1"].as_str().unwrap().to_owned()).collect()
    };
    let source = format!("{MANIFEST}zebra: 1\npolicy: {{max: 1}}\nprotect: [7, 7]\n");
    let before = prints(&source);
    assert_eq!(before.len(), 4);
    assert_eq!(before, prints(&format!("# a line\n\n{source}")));
    assert_eq!(before.iter().collect::<std::collections::BTreeSet<_>>().len(), 4, "{before:?}");
}

/// Where a place is: its columns are characters, after any bytes.
#[test]
fn columns_are_characters() {
    let source = format!("{MANIFEST}policy: {{\"ключ💥\": 1, prunes: 2}}\n");
    let log: Value = serde_json::from_str(&render::sarif::validation(&found(&source, Vec::new())).unwrap()).unwrap();
    let region = &log["runs"][0]["results"][1]["locations"][0]["physicalLocation"]["region"];
    assert_eq!(*region, serde_json::json!({"startLine": 8, "startColumn": 22, "endColumn": 28}));
    let github = render::github::validation(&found(&source, Vec::new()));
    assert!(github.contains("line=8,col=22,endLine=8,endColumn=28,"), "{github}");
}

#[test]
fn a_format_of_another_command_is_refused() {
    let brand = Brand::new();
    for (line, format) in [(&["plan"][..], "sarif"), (&["drift"], "junit"), (&["history"], "junit")] {
        let output = brand.run(&[line, &["--format", format]].concat());
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains(&format!("`--format {format}` is for `validate` only")), "{errors}");
        assert!(errors.contains("this command has `human`") && output.stdout.is_empty(), "{errors}");
    }
}

#[test]
fn what_fails_is_what_the_summary_counts() {
    let mut validation = found(&format!("{MANIFEST}zebra: 1\n"), Vec::new());
    assert_eq!((validation.count(Severity::Error), validation.count(Severity::Warning)), (1, 0));
    validation.findings[0].severity = Severity::Warning;
    assert!(validation.passed());
    validation.warnings = Warnings::Denied;
    assert!(!validation.passed());
}

/// Both places of a duplicate are marked: in one snippet when they are on one line.
#[test]
fn a_duplicate_is_shown_where_it_is_twice() {
    let shown = |lines: &str| {
        let text = render::human::validation(
            &found(&format!("{MANIFEST}{lines}"), Vec::new()),
            &Default::default(),
            &Default::default(),
        );
        anstream::adapter::strip_str(&text).to_string()
    };
    let beside = shown("policy: {prune: true, prune: false}\n");
    assert!(beside.contains("         -----        ^^^^^\n") && beside.contains("first here"), "{beside}");
    assert_eq!(beside.matches("policy:").count(), 1, "{beside}");
    let apart = shown("policy:\n  prune: true\n  prune: false\n");
    assert!(apart.contains("brand.yaml:10:3") && apart.contains("brand.yaml:9:3"), "{apart}");
}

/// A Windows line ending is not part of what is shown.
#[test]
fn lines_that_end_as_on_windows_are_shown_as_others() {
    let shown = |source: &str| {
        let text = render::human::validation(&found(source, Vec::new()), &Default::default(), &Default::default());
        anstream::adapter::strip_str(&text).to_string()
    };
    let source = format!("{MANIFEST}zebra: 1\n");
    assert_eq!(shown(&source.replace('\n', "\r\n")), shown(&source));
}
