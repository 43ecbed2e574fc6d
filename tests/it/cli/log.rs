//! `log`: timeline log entries, read and written.

use brandctl::sandbox::faults::{FaultAction, On, When};
use brandctl::sandbox::{Faults, LogList};
use serde_json::Value;

use crate::common::{Brand, Output, each, found};

const ADD: [&str; 9] = ["log", "add", "--entity", "deal:12", "--icon", "info", "--text", "On its way", "--title"];

fn add(brand: &Brand, title: &str) -> Output {
    brand.run(ADD.into_iter().chain([title, "--format", "json"]))
}

/// A portal that lists in that way, with that many entries of deal 12.
fn with_entries(shape: LogList, count: usize) -> Brand {
    let brand = Brand::on(|options| options.log_list = shape);
    for number in 1..=count {
        add(&brand, &format!("entry {number}")).ends_with(0);
    }
    brand
}

fn titles(output: &Output) -> Vec<&str> {
    output.json["entries"].as_array().unwrap().iter().map(|entry| entry["title"].as_str().unwrap()).collect()
}

fn warnings(output: &Output) -> Vec<&str> {
    found(&output.json, "warning").into_iter().map(|warning| warning["rule"].as_str().unwrap()).collect()
}

#[test]
fn an_entry_is_added_listed_and_got() {
    let brand = Brand::new();
    let output = brand.run(ADD.into_iter().chain(["Parcel"])).ends_with(0);
    assert_eq!(output.stdout, "Added log entry 1 to deal:12.\n");
    let output = add(&brand, "Invoice").ends_with(0);
    assert_eq!((&output.json["outcome"], warnings(&output)), (&Value::from("done"), vec![]));
    assert_eq!((&output.json["entries"][0]["id"], titles(&output)), (&Value::from(2), vec!["Invoice"]));
    brand.writing_nothing(|| {
        let listed = brand.both("log list --entity deal:12").ends_with(0);
        assert_eq!(titles(&listed), ["Invoice", "Parcel"]);
        insta::assert_snapshot!(listed.out(), @"
        ID  CREATED                    AUTHOR  ICON  TITLE
         2  TIME  user 1  info  Invoice
         1  TIME  user 1  info  Parcel

        2 log entries of deal:12.
        ");
        assert_eq!(titles(&brand.both("log list --entity 2:12 --order asc").ends_with(0)), ["Parcel", "Invoice"]);
        assert_eq!(titles(&brand.both("log list --entity deal:13").ends_with(0)), [""; 0]);
        let got = brand.both("log get 1").ends_with(0);
        insta::assert_snapshot!(got.out(), @"
        id       1
        created  TIME
        author   user 1
        icon     info
        title    Parcel
        text     On its way
        ");
        let absent = brand.both("log get 99").ends_with(1);
        assert!(absent.stdout.is_empty(), "{absent:?}");
        insta::assert_snapshot!(absent.err(), @"
        portal: PORTAL, with the webhook of BITRIX24_WEBHOOK_URL
        error[portal]: PORTAL answered 400 and error NOT_FOUND: Timeline logmessage not found for id `99`
        ");
        assert_eq!(absent.json["outcome"], "failed");
    });
}

#[test]
fn a_list_is_whole_in_both_shapes() {
    each([LogList::Object, LogList::Pages], |shape| {
        let brand = with_entries(shape, 23);
        let listed = brand.json("log list --entity deal:12").ends_with(0);
        let mut expected: Vec<_> = (1..=23).map(|number| format!("entry {number}")).collect();
        expected.reverse();
        assert_eq!(titles(&listed), expected, "{shape:?}");
        assert_eq!(titles(&brand.json("log list --entity deal:12 --limit 12").ends_with(0)), expected[..12]);
    });
}

#[test]
fn a_portal_that_gives_less_than_it_counts_is_told() {
    let entry = |id: u32| format!("{{\"id\":{id},\"title\":\"t\"}}");
    let page: Vec<_> = (1..=10).map(entry).collect();
    let body = format!("{{\"result\":[{}],\"total\":25}}", page.join(","));
    let same_page = FaultAction::Status { code: 200, body, content_type: "application/json".to_owned() };
    let brand = Brand::new().failing(On::Method("*.list".to_owned()), When::Every, same_page);
    let output = brand.both("log list --entity deal:12").ends_with(1);
    assert_eq!((output.errors(), titles(&output).len()), (vec!["incomplete".to_owned()], 10));
    brand.both("log list --entity deal:12 --limit 10").ends_with(0);
}

#[test]
fn an_entry_with_an_icon_that_the_portal_does_not_have_is_added_only_on_request() {
    let brand = Brand::new().portal_has("icon/acme-parcel", 1);
    let add = |icon: &str| brand.json(&format!("log add --entity deal:12 --title Sent --text here --icon {icon}"));
    assert_eq!(warnings(&add("acme-parcel").ends_with(0)), [""; 0]);
    let refused = brand.writing_nothing(|| add("acme-parcle").ends_with(1));
    assert_eq!(refused.errors(), ["unknown-icon"]);
    add("acme-parcle --allow-unknown-icon").ends_with(0);
    assert_eq!(titles(&brand.both("log list --entity deal:12").ends_with(0)).len(), 2);
}

#[test]
fn a_webhook_is_told_why_it_can_delete_nothing() {
    let brand = with_entries(LogList::Object, 1);
    let output = brand.both("log delete 1").ends_with(1);
    insta::assert_snapshot!(output.err(), @"
    portal: PORTAL, with the webhook of BITRIX24_WEBHOOK_URL
    error[portal]: PORTAL answered 400 and error REMOVING_DISABLED: Only the application that added a log message can delete it
      = help: only the application that added an entry can delete it; a webhook is not an application: it cannot delete any entry, and no one can delete an entry that it added
    ");
    assert_eq!((&output.json["outcome"], &output.json["deleted"]), (&Value::from("failed"), &Value::Null));
    brand.json("log get 1").ends_with(0);
}

#[test]
fn a_write_whose_answer_is_lost_is_not_sent_again() {
    let brand = Brand::new().failing(On::Write, When::Every, FaultAction::DropAfter);
    let output = add(&brand, "once").ends_with(1);
    assert_eq!(output.json["outcome"], "unknown");
    assert!(found(&output.json, "error")[0]["message"].as_str().unwrap().contains("may have been added"), "{output:?}");
    assert!(found(&output.json, "error")[0]["help"].as_str().unwrap().contains("brandctl log list --entity deal:12"));
    assert_eq!(brand.write_requests().len(), 1);
    brand.fail(Faults::none());
    assert_eq!(titles(&brand.json("log list --entity deal:12").ends_with(0)), ["once"]);
    // What had no effect is sent again.
    brand.fail(Faults::one(On::Write, When::Every, FaultAction::RateLimited(1)));
    add(&brand, "twice").ends_with(0);
    assert_eq!(titles(&brand.json("log list --entity deal:12").ends_with(0)), ["twice", "once"]);
    brand.fail(Faults::one(On::Write, When::Every, FaultAction::Html(502)));
    let output = brand.both("log delete 1").ends_with(1);
    assert_eq!(output.json["outcome"], "unknown");
    insta::assert_snapshot!(output.err(), @"
    portal: PORTAL, with the webhook of BITRIX24_WEBHOOK_URL
    error[portal]: PORTAL answered 502 with no JSON: <html>; the entry may have been deleted
      = help: `brandctl log get 1` shows whether it is still there
    ");
}

#[test]
fn what_the_portal_refuses_says_what_to_do() {
    let brand = Brand::new();
    let output = brand.both("log add --entity 99:12 --title a --text b --icon info").ends_with(1);
    insta::assert_snapshot!(output.err(), @"
    portal: PORTAL, with the webhook of BITRIX24_WEBHOOK_URL
    error[portal]: PORTAL answered 400 and error OWNER_NOT_FOUND: Owner was not found
      = help: the portal has no such item: check the type and the number in --entity
    ");
    let brand = brand.without_rights();
    let output = brand.both("log add --entity deal:12 --title a --text b --icon info").ends_with(1);
    insta::assert_snapshot!(output.err(), @"
    portal: PORTAL, with the webhook of BITRIX24_WEBHOOK_URL
    error[portal]: PORTAL answered 400 and error ACCESS_DENIED: Access denied
      = help: the webhook's user must be an administrator, and the portal's plan must include REST (a commercial plan)
    ");
    brand.both("log list --entity deal:12").ends_with(0);
}

#[test]
fn mistyped_flags_send_nothing() {
    let brand = Brand::new();
    for (line, told) in [
        ("log list --entity dael:12", "did you mean `deal`"),
        ("log list --entity deal", "deal:12"),
        ("log list --entity deal:0", "whole number"),
        ("log list --entity deal:12 --limit 0", "--limit"),
        ("log list --entity deal:12 --order newest", "asc"),
        ("log list", "--entity"),
        ("log get 0", "0"),
        ("log get first", "first"),
        ("log delete", "<ID>"),
        ("log add --entity deal:12 --title a --text b", "--icon"),
        ("log add --entity deal:12 --text b --icon info --title=", "--title"),
        ("log", "Usage"),
    ] {
        let output = brand.run(line.split_whitespace()).ends_with(1);
        assert!(output.stdout.is_empty() && output.stderr.contains(told), "{line}: {output:?}");
    }
    assert!(brand.portal.requests().is_empty());
}

#[test]
fn the_pin_of_a_manifest_holds_here_too() {
    let brand = Brand::new().manifest("version: 1\nowns: [\"acme-*\"]\nportal: other.example\n");
    assert_eq!(add(&brand, "astray").ends_with(1).errors(), ["portal-pin"]);
    assert!(brand.portal.requests().is_empty());
    std::fs::remove_file(brand.path("brand.yaml")).unwrap();
    add(&brand, "no manifest").ends_with(0);
}

#[test]
fn hostile_texts_are_inert() {
    let brand = Brand::new();
    let hostile = "\u{1b}[2Jred\u{202e}\u{9b}31m\u{ad}\u{e0041}";
    let line =
        ["log", "add", "--allow-unknown-icon", "--entity", "deal:12", "--icon", hostile, "--title", hostile, "--text"];
    let added = brand.run(line.into_iter().chain(["one\n\u{1b}]0;title\u{7}\r\ntwo"])).ends_with(0);
    let secret = brand.portal.admin_webhook();
    // The secret in a text that somebody else wrote is in no output: `run` looks for it.
    brand.run(line.into_iter().chain([secret.as_str(), "--format", "json"])).ends_with(0);
    for line in ["log list --entity deal:12", "log get 1", "log get 2"] {
        let output = brand.both(line).ends_with(0);
        let text = format!("{}{}{}", added.text(), output.text(), brand.json(line).stdout);
        assert!(
            !text.chars().any(|c| (c.is_control() && c != '\n') || ['\u{202e}', '\u{ad}', '\u{e0041}'].contains(&c)),
            "{line}: {text:?}"
        );
    }
}

#[test]
fn a_long_title_is_cut_in_a_list_and_whole_alone() {
    let brand = Brand::new();
    let title = format!("{}end", "T".repeat(5000));
    add(&brand, &title).ends_with(0);
    let listed = brand.both("log list --entity deal:12").ends_with(0);
    assert_eq!(titles(&listed), [title.as_str()]);
    assert!(listed.stdout.contains("TTT…\n") && listed.stdout.lines().all(|line| line.len() < 200), "{listed:?}");
    assert!(brand.run(["log", "get", "1"]).ends_with(0).stdout.contains(&title));
}
