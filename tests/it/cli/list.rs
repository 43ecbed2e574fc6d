//! `list`: what the portal holds, seen with a manifest and without.

use brandctl::domain::asset::{Digest, Kind};
use brandctl::sandbox::faults::{FaultAction, On, When};
use serde_json::Value;

use crate::common::{Brand, MANIFEST, Output, art};

fn entries(output: &Output) -> Vec<String> {
    let word = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
    let entries = output.json["entries"].as_array().unwrap();
    let custom = entries.iter().filter(|entry| entry["standing"] != "system");
    let with_address = custom.inspect(|entry| {
        assert_eq!(word(entry, "address"), format!("{}/{}", word(entry, "kind"), word(entry, "code")));
    });
    with_address.map(|entry| format!("{} {}", word(entry, "standing"), word(entry, "address"))).collect()
}

/// One entry of each management.
fn mixed() -> Brand {
    Brand::new()
        .with("ignore: [\"acme-lab-*\"]\nprotect: [acme-brand]")
        .portal_has("icon/acme-call", 1)
        .portal_has("icon/acme-lab-1", 2)
        .portal_has("icon/other", 3)
        .portal_has("logo/acme-brand", 4)
}

#[test]
fn every_entry_has_its_standing() {
    let brand = mixed().declares("icon/acme-paid", 5).portal_has("icon/acme-PAID", 6);
    let output = brand.writing_nothing(|| brand.both("list").ends_with(0));
    insta::assert_snapshot!(output.stdout, @"
    ADDRESS          STANDING      BYTES  SHA256
    icon/acme-PAID   managed         150  fed95d8e7e4d
    icon/acme-call   undeclared      149  2fb0a8d86922
    icon/acme-lab-1  ignored         146  ab3aaf7ea025
    icon/other       unmanaged       150  0c4feab8672a
    logo/acme-brand  protected       281  a8f453f80e1e

    1 managed, 1 undeclared, 1 protected, 1 ignored, 1 unmanaged, 90 system (--system lists them).
    ");
    assert_eq!(
        entries(&output),
        [
            "managed icon/acme-PAID",
            "undeclared icon/acme-call",
            "ignored icon/acme-lab-1",
            "unmanaged icon/other",
            "protected logo/acme-brand"
        ]
    );
    let call = &output.json["entries"][1];
    let png = art(Kind::Icon, 1);
    assert_eq!(
        (call["size"].as_u64(), call["sha256"].as_str()),
        (Some(png.len() as u64), Some(&*Digest::of(&png).to_string()))
    );
    assert_eq!(output.json["entries"].as_array().unwrap().len(), 5 + 90, "JSON has the system entries too");
    assert_eq!(output.json["summary"]["system"], 90);
    let all = brand.run(["list", "--system"]).stdout;
    assert!(all.lines().any(|line| line.starts_with("icon/info ") && line.ends_with(" system")), "{all}");
    assert!(all.ends_with(", 90 system.\n"), "{all}");
}

#[test]
fn without_a_manifest_entries_are_custom_or_system() {
    let brand = mixed();
    std::fs::remove_file(brand.path("brand.yaml")).unwrap();
    let output = brand.writing_nothing(|| brand.both("list").ends_with(0));
    assert!(entries(&output).iter().all(|entry| entry.starts_with("custom ")), "{output:?}");
    insta::assert_snapshot!(output.out(), @"
    ADDRESS          STANDING     BYTES  SHA256
    icon/acme-call   custom         149  SHA256
    icon/acme-lab-1  custom         146  SHA256
    icon/other       custom         150  SHA256
    logo/acme-brand  custom         281  SHA256

    4 custom, 90 system (--system lists them).
    ");
    assert_eq!(output.json["manifest"], Value::Null);
    // One that was named must be there.
    let output = brand.both("list -f brand.yaml").ends_with(1);
    assert_eq!(output.errors(), ["manifest-unreadable"]);
}

#[test]
fn a_broken_manifest_is_an_error_and_no_missing_one() {
    for text in ["", "version: 1\n", "version: 1\nowns: [\"acme-*\"]\nportal: other.example\n"] {
        let brand = mixed().manifest(text);
        let output = brand.both("list").ends_with(1);
        assert!(!output.errors().is_empty() && output.stdout.is_empty(), "{text:?}: {output:?}");
        assert!(brand.portal.requests().is_empty(), "{text:?}");
    }
}

#[test]
fn any_user_can_list_and_the_second_time_from_the_cache() {
    let brand = mixed().without_rights();
    brand.both("list").ends_with(0);
    assert_eq!(brand.downloads(), 4);
    brand.both("list --refresh").ends_with(0);
    assert_eq!(brand.downloads(), 12);
}

#[test]
fn only_bounds_what_is_shown_and_fetched() {
    let brand = mixed();
    let output = brand.both("list --only icon/acme-*").ends_with(0);
    assert_eq!(entries(&output), ["undeclared icon/acme-call", "ignored icon/acme-lab-1"]);
    assert_eq!(brand.downloads(), 2);
    let output = brand.both("list --only acme-cal").ends_with(1);
    assert_eq!(output.errors(), ["only-matches-nothing"]);
    brand.both("list --only info").ends_with(0);
}

#[test]
fn an_image_that_cannot_be_fetched_is_unknown() {
    let brand = mixed().failing(On::Download, When::Every, FaultAction::Html(404));
    let output = brand.writing_nothing(|| brand.both("list").ends_with(1));
    assert_eq!(output.json["summary"]["unknown"], 4);
    assert_eq!(output.json["entries"][0]["size"], Value::Null);
    assert!(output.json["entries"][0]["unknown"].as_str().unwrap().contains("404"), "{output:?}");
    insta::assert_snapshot!(output.out(), @"
    ADDRESS          STANDING      BYTES  SHA256
    icon/acme-call   undeclared        ?  ?
    icon/acme-lab-1  ignored           ?  ?
    icon/other       unmanaged         ?  ?
    logo/acme-brand  protected         ?  ?

    0 managed, 1 undeclared, 1 protected, 1 ignored, 1 unmanaged, 90 system (--system lists them), 4 unknown.
    ");
    insta::assert_snapshot!(output.err(), @"
    portal: PORTAL, with the webhook of BITRIX24_WEBHOOK_URL
    warning[unknown-content]: the image of icon/acme-call cannot be fetched: PORTAL answered 404 to a download

    warning[unknown-content]: the image of icon/acme-lab-1 cannot be fetched: PORTAL answered 404 to a download

    warning[unknown-content]: the image of icon/other cannot be fetched: PORTAL answered 404 to a download

    warning[unknown-content]: the image of logo/acme-brand cannot be fetched: PORTAL answered 404 to a download
    ");
}

#[test]
fn an_image_that_does_not_decode_is_named() {
    let brand = Brand::new().manifest(MANIFEST);
    brand.seed("icon/acme-call", &art(Kind::Icon, 1)[..60]);
    let output = brand.both("list").ends_with(1);
    assert!(output.stdout.contains("not a sound PNG") && output.stdout.contains("1 unknown"), "{}", output.stdout);
    assert!(output.stderr.contains("the image of icon/acme-call cannot be fetched: the download is not"), "{output:?}");
    let entry = &output.json["entries"][0];
    assert_eq!((&entry["look"], &entry["size"]), (&Value::Null, &Value::from(60)));
    assert!(entry["unknown"].is_string(), "{entry}");
}

#[test]
fn json_is_whole_when_the_portal_is_down() {
    let brand = Brand::new().with_webhook(Some("http://127.0.0.1:9/rest/1/abcdefgh12345678/"));
    let output = brand.both("list --timeout 1").ends_with(1);
    assert_eq!(output.errors(), ["portal"]);
    assert_eq!(output.json["portal"], "127.0.0.1:9");
    assert_eq!(output.json["entries"], serde_json::json!([]));
}

#[test]
fn with_prune_off_list_and_plan_leave_the_same_entries_alone() {
    let brand = Brand::new()
        .with("policy: {prune: false}\nprotect: [acme-brand]")
        .portal_has("icon/acme-call", 1)
        .portal_has("icon/acme-brand", 2);
    let list = brand.both("list").ends_with(0);
    assert_eq!(entries(&list), ["protected icon/acme-brand", "unmanaged icon/acme-call"]);
    let plan = brand.json("plan").ends_with(0).json;
    let why = |at: usize| (plan["unmanaged"][at]["address"].as_str(), plan["unmanaged"][at]["why"].as_str());
    assert_eq!(why(0), (Some("icon/acme-brand"), Some("protected")));
    assert_eq!(why(1), (Some("icon/acme-call"), Some("not-pruned")));
    let text = brand.run(["plan", "-v"]).ends_with(0).stdout;
    assert!(text.contains("icon/acme-brand  unmanaged: protected\n"), "{text}");
}
