//! `usage`, and `--check-usage` with its guard: what log entries say of codes, and what they do not.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use brandctl::domain::asset::Kind;
use brandctl::sandbox::faults::{FaultAction, On, When};
use brandctl::sandbox::{Faults, LogList};
use serde_json::{Value, json};

use crate::common::{Brand, Output, art, each, found, reencoded};

const LIST: &str = "crm.timeline.logmessage.list";

impl Brand {
    /// The portal has a log entry of deal `id` that names `icon`.
    fn logs(self, id: u64, icon: &str, title: &str) -> Self {
        self.log(2, id, icon, title);
        self
    }

    fn log(&self, type_id: u32, id: u64, icon: &str, title: &str) {
        let fields = json!({"entityTypeId": type_id, "entityId": id, "title": title, "text": "t", "iconCode": icon});
        let body = json!({ "fields": fields }).to_string();
        let webhook = self.portal.admin_webhook();
        let path = webhook.split_once("//").unwrap().1.split_once('/').unwrap().1;
        let mut stream = TcpStream::connect(self.portal.address()).unwrap();
        let length = body.len();
        write!(
            stream,
            "POST /{path}crm.timeline.logmessage.add HTTP/1.1\r\nHost: portal\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Requests that ask for log entries, and how many pages these are.
    fn reads(&self) -> (usize, usize) {
        let requests = self.portal.requests();
        let pages = |request: &brandctl::sandbox::Recorded| {
            request.commands.iter().filter(|command| command.method == LIST).count()
        };
        (requests.iter().filter(|request| pages(request) > 0).count(), requests.iter().map(pages).sum())
    }
}

/// `used icon/acme-call` and so on.
fn verdicts(output: &Output) -> Vec<String> {
    let list = |key: &str| output.json[key].as_array().cloned().unwrap_or_default();
    list("codes")
        .iter()
        .chain(&list("changes"))
        .filter(|code| code["usage"].is_object())
        .map(|code| format!("{} {}", code["usage"]["verdict"].as_str().unwrap(), code["address"].as_str().unwrap()))
        .collect()
}

/// How many items were read to the end, in part, not at all because the portal refused, and not at all.
fn coverage(output: &Output) -> [u64; 4] {
    let key = if output.json["coverage"].is_object() { "coverage" } else { "usage_coverage" };
    ["read", "cut", "unreadable", "not_reached"].map(|field| output.json[key][field].as_u64().unwrap())
}

fn status(code: u16, error: &str) -> FaultAction {
    let body = json!({"error": error, "error_description": "Words"}).to_string();
    FaultAction::Status { code, body, content_type: "application/json".to_owned() }
}

/// The n-th batch has this answer: that many items without a log entry, some of them refused.
fn refusing(batch: When, items: usize, refused: &[(usize, &str)]) -> Faults {
    let (mut result, mut errors, mut totals) = (json!({}), json!({}), json!({}));
    for index in 0..items {
        let key = format!("c{index}");
        match refused.iter().find(|(at, _)| *at == index) {
            Some((_, error)) => errors[&key] = json!({"error": error, "error_description": "Words"}),
            None => (result[&key], totals[&key]) = (json!({"logMessages": []}), json!(0)),
        }
    }
    let body = json!({"result": {"result": result, "result_error": errors, "result_total": totals}}).to_string();
    let action = FaultAction::Status { code: 200, body, content_type: "application/json".to_owned() };
    Faults::one(On::Inner(LIST.to_owned()), batch, action)
}

// ---- usage ----

#[test]
fn a_code_is_used_not_seen_or_unknown() {
    let brand = Brand::new().logs(12, "acme-call", "Parcel sent").logs(3, "ACME-Call", "Spelt otherwise");
    brand.log(1, 7, "acme-call ", "Of a lead");
    brand.log(1, 8, "acme-fax", "Of an item that is not asked for");
    std::fs::remove_file(brand.path("brand.yaml")).unwrap();
    brand.writing_nothing(|| {
        let output = brand.both("usage acme-call icon/acme-fax logo/acme-call --entity deal:1-20 --entity lead:7");
        insta::assert_snapshot!(output.ends_with(1).stdout, @"
        icon/acme-call  used      at least 3 log entries
          log entry 3 of lead:7  Of a lead
          log entry 2 of deal:3  Spelt otherwise
          log entry 1 of deal:12  Parcel sent
        icon/acme-fax   not seen
        logo/acme-call  unknown   log entries name only icons; logos are named by configurable activities, which cannot be read

        Searched lead:7, deal:1-20: 3 log entries; 21 of 21 items read completely.
        Only these items were searched: a code that is not seen there may be in use elsewhere.
        ");
        let output = brand.both("usage acme-call icon/acme-fax --entity deal:1-20 --entity lead:7").ends_with(0);
        assert_eq!(verdicts(&output), ["used icon/acme-call", "not-seen icon/acme-fax"]);
        let used = &output.json["codes"][0]["usage"];
        assert_eq!(used["log_entries"], 3);
        assert_eq!(used["samples"][0], json!({"id": 3, "item": "lead:7", "title": "Of a lead"}));
        assert_eq!(output.json["coverage"]["items"], json!(["lead:7", "deal:1-20"]));
        // A logo alone needs no reading at all.
        let before = brand.reads();
        let output = brand.both("usage logo/acme-call --entity deal:1-100000").ends_with(1);
        assert_eq!((verdicts(&output), brand.reads()), (vec!["unknown logo/acme-call".to_owned()], before));
        assert!(!output.text().contains("note: 100000 items"), "{output:?}");
    });
}

#[test]
fn fifty_items_go_into_a_request() {
    let brand = Brand::new().logs(500, "acme-call", "The last one");
    let output = brand.json("usage acme-call acme-fax --entity deal:1-500").ends_with(0);
    assert_eq!(verdicts(&output), ["used icon/acme-call", "not-seen icon/acme-fax"]);
    assert_eq!((brand.reads(), coverage(&output)), ((10, 500), [500, 0, 0, 0]));
    let output = brand.json("usage acme-call --entity deal:400-500 --entity 2:1-450 --entity DEAL:7").ends_with(0);
    assert_eq!((brand.reads(), &output.json["coverage"]["items"]), ((20, 1000), &json!(["deal:1-500"])));
}

#[test]
fn all_pages_of_an_item_are_read_whatever_the_portal_makes_of_them() {
    each([LogList::Object, LogList::Pages], |shape| {
        let brand = Brand::on(|options| options.log_list = shape);
        for number in 0..34 {
            brand.log(2, 7, if number == 0 { "acme-fax" } else { "acme-call" }, &number.to_string());
        }
        let output = brand.json("usage acme-call acme-fax --entity deal:1-60").ends_with(0);
        assert_eq!(verdicts(&output), ["used icon/acme-call", "used icon/acme-fax"], "{shape:?}");
        assert_eq!(output.json["codes"][0]["usage"]["log_entries"], 33);
        assert_eq!(output.json["codes"][0]["usage"]["samples"].as_array().unwrap().len(), 3);
        assert_eq!((&output.json["coverage"]["log_entries"], coverage(&output)), (&json!(34), [60, 0, 0, 0]));
        // The places of items that are done go to others: 60 first pages and 3 further ones.
        assert_eq!(brand.reads(), (4, 63), "{shape:?}");
    });
}

#[test]
fn a_portal_that_gives_less_than_it_counts_leaves_it_unknown() {
    let entry = |id: u32| json!({"id": id, "title": "t", "iconCode": "info"});
    let page = json!((1..=10).map(entry).collect::<Vec<_>>());
    let answer = json!({"result": {"result": {"c0": page}, "result_error": [], "result_total": {"c0": 25}}});
    let action =
        FaultAction::Status { code: 200, body: answer.to_string(), content_type: "application/json".to_owned() };
    let brand = Brand::new().failing(On::Inner(LIST.to_owned()), When::Every, action);
    let output = brand.both("usage acme-call info --entity deal:1").ends_with(1);
    assert_eq!(verdicts(&output), ["unknown icon/acme-call", "used icon/info"]);
    assert_eq!(coverage(&output), [0, 1, 0, 0]);
    assert!(output.stdout.contains("0 of 1 item read completely, 1 in part"), "{output:?}");
}

#[test]
fn a_portal_that_refuses_batches_is_read_item_by_item() {
    let brand = Brand::new().logs(3, "acme-call", "T");
    brand.fail(Faults::one(On::Method("batch".to_owned()), When::Every, status(405, "ERROR_BATCH_METHOD_NOT_ALLOWED")));
    let output = brand.json("usage acme-call acme-fax --entity deal:1-5").ends_with(0);
    assert_eq!(verdicts(&output), ["used icon/acme-call", "not-seen icon/acme-fax"]);
    brand.fail(
        Faults::one(On::Method("batch".to_owned()), When::Every, status(405, "ERROR_BATCH_METHOD_NOT_ALLOWED")).and(
            On::Method(LIST.to_owned()),
            When::Nth(2),
            status(400, "ACCESS_DENIED"),
        ),
    );
    let output = brand.json("usage acme-call acme-fax --entity deal:1-5").ends_with(1);
    assert_eq!(verdicts(&output), ["used icon/acme-call", "unknown icon/acme-fax"]);
    assert_eq!(coverage(&output), [4, 0, 1, 0]);
}

#[test]
fn a_busy_portal_is_waited_for() {
    let brand = Brand::new().logs(120, "acme-call", "T");
    brand.fail(Faults::one(On::Inner(LIST.to_owned()), When::Nth(2), FaultAction::RateLimited(2)).and(
        On::Inner(LIST.to_owned()),
        When::Nth(5),
        FaultAction::Html(502),
    ));
    let output = brand.both("usage acme-call acme-fax --entity deal:1-200").ends_with(0);
    assert_eq!(verdicts(&output), ["used icon/acme-call", "not-seen icon/acme-fax"]);
    assert_eq!(coverage(&output), [200, 0, 0, 0]);
}

#[test]
fn what_was_read_before_the_portal_failed_is_kept() {
    let brand = Brand::new().logs(20, "acme-call", "T").logs(190, "acme-fax", "T");
    let broken = [("status 403 \"\" text/html", "403"), ("error 401 insufficient_scope", "scope `crm`")];
    for (script, told) in broken {
        brand.fail(format!("inner:{LIST} 3+ {script}").parse().unwrap());
        let output = brand.json("usage acme-call acme-fax --entity deal:1-200").ends_with(1);
        assert_eq!(verdicts(&output), ["used icon/acme-call", "unknown icon/acme-fax"], "{script}");
        assert_eq!((output.errors(), coverage(&output)), (vec!["portal".to_owned()], [100, 0, 0, 100]));
        assert!(output.text().contains(told), "{output:?}");
    }
}

#[test]
fn what_was_read_before_the_time_was_up_is_kept() {
    let brand = Brand::on(|options| options.latency.per_request = Duration::from_millis(300));
    let brand = brand.logs(20, "acme-call", "T");
    let begun = Instant::now();
    let output = brand.both("usage acme-call acme-fax --entity deal:1-5000 --timeout 2").ends_with(1);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!(verdicts(&output), ["used icon/acme-call", "unknown icon/acme-fax"]);
    let [read, _, _, not_reached] = coverage(&output);
    assert!(read >= 50 && read + not_reached == 5000, "{output:?}");
    assert!(output.text().contains("--timeout"), "{output:?}");
}

#[test]
fn an_item_that_cannot_be_read_is_unknown_and_the_others_are_read() {
    let brand = Brand::new().logs(55, "acme-call", "T");
    let both = [(6, "ACCESS_DENIED"), (8, "OWNER_NOT_FOUND")];
    brand.fail(refusing(When::Nth(1), 50, &both));
    let output = brand.json("usage acme-call acme-fax --entity deal:1-60").ends_with(1);
    assert_eq!(verdicts(&output), ["used icon/acme-call", "unknown icon/acme-fax"]);
    assert_eq!((output.errors(), coverage(&output)), (vec![], [58, 0, 2, 0]));
    let troubles = output.json["coverage"]["troubles"].as_array().unwrap();
    assert_eq!((&troubles[0]["items"], &troubles[1]["items"]), (&json!(["deal:7"]), &json!(["deal:9"])));
    assert!(troubles[0]["why"].as_str().unwrap().contains("ACCESS_DENIED"), "{troubles:?}");
    // What is used is determined, even if the rest could not be read.
    brand.fail(refusing(When::Nth(1), 50, &both));
    brand.json("usage acme-call --entity deal:1-60").ends_with(0);
    let refuse = FaultAction::RefuseCommand {
        method: LIST.to_owned(),
        code: "ACCESS_DENIED".to_owned(),
        description: "Access denied".to_owned(),
        status: 403,
    };
    brand.fail(Faults::one(On::Any, When::Every, refuse));
    let output = brand.both("usage acme-call --entity deal:1-500").ends_with(1);
    assert_eq!(coverage(&output), [0, 0, 500, 0]);
    // The reasons are shown once.
    insta::assert_snapshot!(output.out(), @"
    icon/acme-call  unknown   not seen, but 500 of 500 items could not be read completely

    Searched deal:1-500: 0 log entries; 0 of 500 items read completely, 500 unreadable.
      unreadable: deal:1, deal:2, deal:3, deal:4, deal:5, deal:6, deal:7, deal:8, deal:9, deal:10 and others: PORTAL answered error ACCESS_DENIED: Access denied
    ");
}

#[test]
fn an_item_that_fails_in_passing_is_asked_for_again() {
    let brand = Brand::new().logs(54, "acme-call", "T");
    brand.fail(refusing(When::Nth(1), 50, &[(3, "INTERNAL_SERVER_ERROR")]));
    let output = brand.json("usage acme-call acme-fax --entity deal:1-55").ends_with(0);
    assert_eq!((verdicts(&output).len(), coverage(&output), brand.reads()), (2, [55, 0, 0, 0], (2, 56)));
    brand.fail(refusing(When::Every, 2, &[(0, "INTERNAL_SERVER_ERROR"), (1, "INTERNAL_SERVER_ERROR")]));
    let output = brand.json("usage acme-call --entity deal:1-2").ends_with(1);
    assert_eq!((coverage(&output), brand.reads()), ([0, 0, 2, 0], (5, 62)), "three times, and no more");
}

#[test]
fn a_code_that_the_portal_does_not_have_is_a_warning() {
    let brand = Brand::new().portal_has("icon/acme-call", 1);
    let warned = |code: &str| {
        let output = brand.json(&format!("usage {code} --entity deal:1"));
        let warnings = found(&output.json, "warning");
        warnings.iter().map(|warning| warning["rule"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!([warned("acme-call"), warned("ACME-call"), warned("info")].concat(), [""; 0]);
    assert_eq!(warned("acme-cal"), ["unknown-code"]);
    assert_eq!(warned("logo/acme-call"), ["unknown-code"]);
}

#[test]
fn the_rate_of_the_portal_is_kept() {
    let limits = brandctl::sandbox::RateLimit { rate_per_second: 20.0, burst: 50 };
    let brand = Brand::on(|options| options.limits = Some(limits)).portal_has("icon/acme-call", 1);
    let begun = Instant::now();
    let output = brand.json("usage acme-call --entity deal:1-3500 --rps 20").ends_with(0);
    assert_eq!(coverage(&output), [3500, 0, 0, 0]);
    // Requests are on their way for longer or shorter, so at the very edge one can come too early.
    let early = brand.seen(|request| request.status == Some(503));
    assert!(early <= 3 && brand.reads().0 == 70 + early, "{early} were refused");
    assert!(begun.elapsed() > Duration::from_millis(900), "21 requests past the burst, 20 a second");
}

#[test]
fn many_items_are_told_before_they_are_read() {
    let brand = Brand::new();
    let told = |line: &str| brand.run(line.split_whitespace()).stderr;
    assert!(!told("usage acme-call --entity deal:1-1000").contains("note: 1000"));
    let text = told("usage acme-call --entity deal:1-5000 --rps 10");
    assert!(text.contains("note: 5000 items take at least 100 requests and 5 s\n"), "{text}");
    let text = told("usage acme-call --entity deal:1-100000 --timeout 0.5");
    assert!(text.contains("note: 100000 items take at least 2000 requests and 975 s, which is more"), "{text}");
}

#[test]
fn without_codes_those_of_the_plan_are_looked_for() {
    let brand = Brand::new().in_step(3).logs(1, "acme-02", "T");
    let output = brand.both("usage --entity deal:1").ends_with(0);
    assert_eq!(output.stdout, "Nothing would be deleted or replaced: there is no code to check.\n");
    assert_eq!(brand.reads().0, 0);
    brand.undeclare("icon/acme-02");
    brand.draw("icon/acme-01", &art(Kind::Icon, 99));
    let brand = brand.portal_has("logo/acme-old", 1);
    let output = brand.writing_nothing(|| brand.both("usage --entity deal:1-3").ends_with(1));
    assert_eq!(verdicts(&output), ["not-seen icon/acme-01", "used icon/acme-02", "unknown logo/acme-old"]);
    let output = brand.both("usage --only icon/* --entity deal:1-3").ends_with(0);
    assert_eq!(verdicts(&output), ["not-seen icon/acme-01", "used icon/acme-02"]);
    brand.rewrite("version: 1\nowns: [");
    assert_eq!(brand.both("usage --entity deal:1").ends_with(1).errors().len(), 1);
}

#[test]
fn mistyped_flags_send_nothing() {
    let brand = Brand::new().in_step(1);
    brand.undeclare("icon/acme-00");
    for (line, told) in [
        ("usage acme-call", "--entity"),
        ("usage acme-call --entity deal:5-1", "did you mean 1-5"),
        ("usage acme-call --entity deal:0-3", "whole number from 1"),
        ("usage acme-call --entity deal:", "whole number from 1"),
        ("usage acme-call --entity deal:1-", "whole number from 1"),
        ("usage acme-call --entity dael:1-3", "did you mean `deal`"),
        ("usage acme-call --entity deal:1-99999999999999999999", "whole number from 1"),
        (
            "usage acme-call --entity deal:1-18446744073709551615",
            "names 18446744073709551615 items, but one run reads at most 100000",
        ),
        ("usage --entity deal:1-100001", "names 100001 items"),
        ("usage Icon/acme-call --entity deal:1", "begins with `icon/`"),
        ("usage logos/acme-call --entity deal:1", "begins with `logo/`"),
        ("usage icon/ --entity deal:1", "code is missing"),
        ("usage acme-call --only acme-* --entity deal:1", "--only"),
        ("plan --check-usage", "--entity"),
        ("plan --entity deal:1", "--check-usage"),
        ("plan --check-usage --entity deal:1-100001", "names 100001 items"),
        ("drift --check-usage", "--entity"),
        ("apply --yes --check-usage --entity deal:5-1", "did you mean 1-5"),
        ("apply plan.json --check-usage --entity deal:1", "--check-usage"),
    ] {
        let output = brand.run(line.split_whitespace()).ends_with(1);
        assert!(output.stdout.is_empty() && output.stderr.contains(told), "{line}: {output:?}");
    }
    assert!(brand.portal.requests().is_empty());
}

#[test]
fn hostile_texts_are_inert_and_short() {
    let hostile = format!("\u{1b}[2J<script>\u{202e}`|{}", "x".repeat(5000));
    let brand = Brand::new().logs(1, "acme-call", &hostile);
    let secret = brand.portal.admin_webhook();
    // The secret in a text that somebody else wrote is in no output: `run` looks for it.
    let brand = brand.logs(1, "acme-call", &secret);
    let output = brand.both("usage acme-call --entity deal:1").ends_with(0);
    for text in [output.text(), brand.json("usage acme-call --entity deal:1").stdout] {
        assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
        assert!(text.len() < 2000 && text.contains("<script>"), "{text}");
    }
}

// ---- plan, apply, drift ----

/// One icon that is used goes, another that is not goes, one that is used is replaced, and a logo goes.
fn changing() -> Brand {
    let brand = Brand::new().in_step(6).declares("logo/acme-kept", 2).portal_has("logo/acme-kept", 2);
    let brand = brand.portal_has("logo/acme-old", 1).logs(2, "acme-00", "Sent").logs(3, "Acme-02", "Paid");
    brand.undeclare("icon/acme-00");
    brand.undeclare("icon/acme-01");
    brand.draw("icon/acme-02", &art(Kind::Icon, 99));
    brand.with("policy: {max_deletes: 5}")
}

const CHECK: &str = "--check-usage --entity deal:1-10";

#[test]
fn an_icon_in_use_is_not_deleted_without_leave() {
    let brand = changing();
    let output = brand.writing_nothing(|| {
        brand.both(&format!("drift {CHECK} --report drift.md")).ends_with(2);
        brand.both(&format!("plan {CHECK}")).ends_with(4)
    });
    let all = ["used icon/acme-00", "not-seen icon/acme-01", "used icon/acme-02", "unknown logo/acme-old"];
    assert_eq!((verdicts(&output), output.refused()), (all.map(str::to_owned).to_vec(), vec!["in_use".to_owned()]));
    assert_eq!(output.json["guards"].as_array().unwrap().last().unwrap()["addresses"], json!(["icon/acme-00"]));
    insta::assert_snapshot!(output.stdout, @"
      -/+ replace   - delete

      - icon/acme-00   owned, not declared; in use: at least 1 log entry, such as 1 of `deal:2`
      - icon/acme-01   owned, not declared; not seen in use
    -/+ icon/acme-02   looks different (208 of 576 pixels); in use: at least 1 log entry, such as 2 of `deal:3`
      - logo/acme-old  owned, not declared; use unknown

    Searched deal:1-10: 2 log entries; 10 of 10 items read completely.

    guard in_use: refused: log entries name 1 icon that would be deleted
        icon/acme-00
      help: keep the code declared, or pass --allow-in-use: the log entries will be shown without their icon

    Plan: 0 to create, 1 to replace, 3 to delete.
          4 unchanged, 0 unmanaged, 90 system.
    ");
    let unknown = |warning: &&Value| warning["rule"] == "usage-unknown";
    let told: Vec<_> = found(&output.json, "warning").into_iter().filter(unknown).collect();
    assert_eq!((told.len(), &told[0]["address"]), (1, &json!("logo/acme-old")));

    brand.writing_nothing(|| brand.apply_with(CHECK).ends_with(4));
    let allowed = brand.json(&format!("plan {CHECK} --allow-in-use")).ends_with(0);
    assert_eq!(allowed.json["guards"].as_array().unwrap().last().unwrap()["outcome"], "allowed");
    // A plan that was not asked to look says nothing of use.
    let plain = brand.plan().ends_with(0);
    assert!(verdicts(&plain).is_empty() && plain.json.get("usage_coverage").is_none());
    assert_ne!(plain.json["plan_sha256"], allowed.json["plan_sha256"]);
    brand.apply_with(&format!("{CHECK} --allow-in-use")).ends_with(0);
    assert!(!brand.codes().contains(&"icon/acme-00".to_owned()));
}

#[test]
fn a_saved_plan_keeps_what_was_seen_and_the_guard_is_asked_again() {
    let brand = changing();
    let allowed = brand.run(format!("plan {CHECK} --allow-in-use -o plan.json").split(' ')).ends_with(0);
    assert!(allowed.stdout.contains("guard in_use: allowed"), "{allowed:?}");
    let refused = brand.writing_nothing(|| brand.apply_saved("plan.json").ends_with(4));
    assert_eq!(refused.refused(), ["in_use"]);
    assert_eq!(verdicts(&refused).len(), 4);
    let shown = brand.both("show plan.json").ends_with(0);
    insta::assert_snapshot!(shown.out(), @"
    warning[low-contrast]: 4 findings of this rule
    warning[usage-unknown]: whether logo/acme-old is in use is unknown: log entries name only icons; logos are named by configurable activities, which cannot be read
      -/+ replace   - delete

      - icon/acme-00   owned, not declared; in use: at least 1 log entry, such as 1 of `deal:2`
      - icon/acme-01   owned, not declared; not seen in use
    -/+ icon/acme-02   looks different (208 of 576 pixels); in use: at least 1 log entry, such as 2 of `deal:3`
      - logo/acme-old  owned, not declared; use unknown

    Searched deal:1-10: 2 log entries; 10 of 10 items read completely.

    guard in_use: allowed: log entries name 1 icon that would be deleted
        icon/acme-00

    Plan: 0 to create, 1 to replace, 3 to delete.
          4 unchanged, 0 unmanaged, 90 system.

    Next:
      brandctl apply plan.json  make exactly these changes
      The guards allow this only with the options that the plan was made with.
    ");

    let saved: Value = serde_json::from_slice(&std::fs::read(brand.path("plan.json")).unwrap()).unwrap();
    let forget: [fn(&mut Value); 3] = [
        |plan| drop(plan.as_object_mut().unwrap().remove("usage_coverage")),
        |plan| drop(plan["changes"][0].as_object_mut().unwrap().remove("usage")),
        |plan| plan["changes"][0]["usage"] = json!({"verdict": "not-seen"}),
    ];
    for change in forget {
        let mut plan = saved.clone();
        change(&mut plan);
        std::fs::write(brand.path("altered.json"), plan.to_string()).unwrap();
        let output = brand.writing_nothing(|| brand.apply_saved("altered.json --allow-in-use").ends_with(1));
        assert!(output.text().contains("altered"), "{output:?}");
    }
    brand.apply_saved("plan.json --allow-in-use").ends_with(0);
    assert!(!brand.codes().contains(&"icon/acme-00".to_owned()));
}

#[test]
fn an_icon_of_unknown_use_is_not_deleted_without_leave_and_a_logo_is() {
    let brand = Brand::new().in_step(4).declares("logo/acme-kept", 2).portal_has("logo/acme-kept", 2);
    let brand = brand.portal_has("logo/acme-old", 1);
    brand.undeclare("icon/acme-00");
    brand.fail(refusing(When::Nth(1), 10, &[(2, "ACCESS_DENIED")]));
    let output = brand.json(&format!("plan {CHECK}")).ends_with(4);
    assert_eq!(verdicts(&output), ["unknown icon/acme-00", "unknown logo/acme-old"]);
    let guard = output.json["guards"].as_array().unwrap().last().unwrap();
    assert_eq!((&guard["guard"], &guard["addresses"]), (&json!("in_use"), &json!(["icon/acme-00"])));
    assert!(guard["message"].as_str().unwrap().contains("could not be determined"), "{guard}");
    brand.fail(refusing(When::Nth(1), 10, &[(2, "ACCESS_DENIED")]));
    brand.json(&format!("plan {CHECK} --allow-in-use")).ends_with(0);
    // A portal that fails in the middle: the plan stands, and says what it does not know.
    brand.fail(Faults::one(On::Method("batch".to_owned()), When::From(2), status(403, "user_access_error")));
    let output = brand.json(&format!("plan {CHECK} -o plan.json")).ends_with(4);
    assert_eq!((output.refused().len(), coverage(&output)), (1, [0, 0, 0, 10]));
    assert!(output.text().contains("not all log entries were read"), "{output:?}");

    brand.fail(Faults::none());
    let output = brand.json(&format!("plan {CHECK}")).ends_with(0);
    assert_eq!(verdicts(&output), ["not-seen icon/acme-00", "unknown logo/acme-old"]);
    assert_eq!(output.json["guards"].as_array().unwrap().last().unwrap()["outcome"], "passed");
    brand.apply_with(CHECK).ends_with(0);
    assert_eq!(brand.codes(), ["icon/acme-01", "icon/acme-02", "icon/acme-03", "logo/acme-kept"]);
}

#[test]
fn the_old_name_of_a_rename_is_a_delete() {
    let brand = Brand::new().in_step(3).logs(1, "acme-00", "T").declares("icon/acme-new", 0);
    brand.undeclare("icon/acme-00");
    let output =
        brand.json(&format!("plan {CHECK} --report plan.html --report plan.md --report plan.xml")).ends_with(4);
    assert_eq!(
        (verdicts(&output), output.refused()),
        (vec!["used icon/acme-00".to_owned()], vec!["in_use".to_owned()])
    );
    assert!(output.changes().contains(&"create icon/acme-new".to_owned()));
    for name in ["plan.html", "plan.md", "plan.xml"] {
        let text = std::fs::read_to_string(brand.path(name)).unwrap();
        assert!(text.contains("in use: at least 1 log entry, such as 1 of"), "{name}: {text}");
        assert!(text.contains("deal:1"), "{name}");
    }
}

#[test]
fn a_code_that_stays_is_told_and_not_refused() {
    let brand = Brand::new().logs(1, "acme-call", "T").declares("icon/acme-call", 1);
    brand.seed("icon/ACME-call", &reencoded(Kind::Icon, 1));
    let brand = brand.manifest("version: 1\nowns: [\"acme-*\", \"ACME-*\"]\nicons: icons/\n");
    let output = brand.both(&format!("plan {CHECK}")).ends_with(0);
    assert_eq!(
        (output.changes(), verdicts(&output)),
        (vec!["replace icon/acme-call".to_owned()], vec!["used icon/acme-call".to_owned()])
    );
    let created = Brand::new().declares("icon/acme-call", 1).logs(1, "acme-call", "T");
    let output = created.json(&format!("plan {CHECK}")).ends_with(0);
    assert_eq!((verdicts(&output).len(), created.reads().0), (0, 0), "what is new is not looked for");
}
