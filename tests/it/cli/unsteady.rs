//! A portal, or a proxy before it, that does not answer as it should.

use std::time::Duration;

use brandctl::domain::asset::Kind;
use brandctl::sandbox::Faults;
use brandctl::sandbox::faults::{FaultAction, On, When};

use crate::common::{Brand, art, each, found};

fn says(code: u16, body: &str) -> FaultAction {
    FaultAction::Status { code, body: body.to_owned(), content_type: "application/json".to_owned() }
}

/// One create, one replace, one delete.
fn work() -> Brand {
    let brand = Brand::new().in_step(3).declares("icon/acme-new", 9);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.undeclare("icon/acme-01");
    brand
}

fn done(brand: &Brand) {
    brand.fail(Faults::none());
    // What was not answered may be carried out for so long.
    std::thread::sleep(Duration::from_millis(150));
    assert_eq!(brand.codes(), ["icon/acme-00", "icon/acme-02", "icon/acme-new"]);
    assert_eq!(brand.image("icon/acme-00").unwrap(), art(Kind::Icon, 99));
    assert!(brand.plan().ends_with(0).changes().is_empty());
}

#[test]
fn a_portal_that_stays_busy_is_named_as_what_used_up_the_time() {
    each(["list --timeout 2", "plan --timeout 2", "log list --entity deal:12 --timeout 2"], |line| {
        let brand = Brand::new().failing(On::Any, When::Every, FaultAction::RateLimited(1000));
        let output = brand.both(line).ends_with(1);
        let told = "error QUERY_LIMIT_EXCEEDED: Too many requests, and --timeout leaves no time to wait";
        assert!(output.stderr.contains(told) && output.stderr.contains("--rps"), "{output:?}");
    });
}

#[test]
fn what_used_up_the_time_is_named_although_the_last_answer_never_came() {
    let brand = Brand::new();
    brand.fail("any 1 rate-limited 1; any 2+ delay 30s".parse().unwrap());
    let output = brand.run(["list", "--timeout", "3"]).ends_with(1);
    let told = "error QUERY_LIMIT_EXCEEDED: Too many requests, and --timeout leaves no time to wait";
    assert!(output.stderr.contains(told), "{output:?}");
}

#[test]
fn dnscontrol_a_list_that_is_no_json_is_a_clear_error() {
    let answers = [
        ("html", FaultAction::Html(200)),
        ("html 404", FaultAction::Html(404)),
        ("empty", FaultAction::EmptyBody),
        ("truncated", FaultAction::TruncateBody(100)),
        ("no object", says(200, "[]")),
        ("no result", says(200, "{}")),
        ("another result", says(200, "{\"result\":true}")),
        ("an odd list", says(200, "{\"result\":{\"result\":{\"a\":{\"icons\":\"many\"}},\"result_error\":[]}}")),
    ];
    each(answers, |(what, action)| {
        let brand = work().failing(On::Method("*.list".to_owned()), When::Every, action);
        brand.writing_nothing(|| {
            for line in ["plan --timeout 1", "apply --yes --timeout 1"] {
                let output = brand.both(line);
                assert_eq!((output.code, output.errors()), (1, vec!["portal".to_owned()]), "{what}: {output:?}");
                let message = found(&output.json, "error")[0]["message"].as_str().unwrap();
                assert!(message.contains(&"PORTAL".to_owned()), "{what}: {message}");
                assert!(output.changes().is_empty());
            }
        });
    });
}

#[test]
fn slack_emoji_200_with_an_error_in_it_is_a_failure() {
    for error in ["\"0\"", "0", "\"\"", "\"ACCESS_DENIED\""] {
        let body = format!("{{\"error\":{error},\"error_description\":\"no\"}}");
        let brand = work().failing(On::Method("*.list".to_owned()), When::Every, says(200, &body));
        let output = brand.writing_nothing(|| brand.both("apply --yes").ends_with(1));
        assert_eq!(output.errors(), ["portal"], "{error}");
        // Inside a batch.
        for code in ["0", ""] {
            let brand = Brand::new().declares("icon/acme-new", 9).failing(
                On::Inner("*.add".to_owned()),
                When::Nth(1),
                FaultAction::RefuseCommand {
                    method: "*.add".to_owned(),
                    code: code.to_owned(),
                    description: "Code must be unique".to_owned(),
                    status: 400,
                },
            );
            let output = brand.apply().ends_with(1);
            assert_eq!(output.fates(), ["failed icon/acme-new"], "{code:?}");
        }
    }
}

#[test]
fn kubernetes_ingress_503_and_429_are_waited_out() {
    let brand = work().failing(On::Any, When::Every, FaultAction::RateLimited(2));
    brand.apply().ends_with(0);
    done(&brand);
    // The portal names a moment ten minutes away: too late for this run, which ends in time and has written nothing.
    let body =
        "{\"error\":\"OPERATION_TIME_LIMIT\",\"error_description\":\"Method is blocked due to operation time limit.\"}";
    let brand = work().failing(On::Write, When::Nth(1), says(429, body));
    let live = brand.live();
    let output = brand.apply_with("--timeout 2").ends_with(1);
    assert_eq!((brand.live(), output.count("applied")), (live, 0), "{output:?}");
    brand.fail(Faults::none());
    brand.apply().ends_with(0);
    done(&brand);
}

#[test]
fn kubernetes_ingress_waiting_ends_at_the_deadline() {
    let brand = work().failing(On::Any, When::Every, FaultAction::RateLimited(1000));
    let output = brand.writing_nothing(|| brand.json("apply --yes --timeout 2").ends_with(1));
    assert_eq!(output.errors(), ["portal"]);
}

#[test]
fn waits_over_a_second_are_told() {
    let brand = work().failing(On::Any, When::Every, FaultAction::RateLimited(2));
    let output = brand.run(["plan"]).ends_with(0);
    assert!(output.stderr.contains("waiting: the portal asked to slow down, 2 s\n"), "{}", output.stderr);
    let output = brand.run(["plan", "-q"]).ends_with(0);
    assert!(!output.stderr.contains("waiting"), "{}", output.stderr);
}

#[test]
fn blocked_credentials_are_not_tried_again() {
    for (status, error) in
        [(401, "INVALID_CREDENTIALS"), (401, "insufficient_scope"), (503, "OVERLOAD_LIMIT"), (403, "PORTAL_DELETED")]
    {
        let body = format!("{{\"error\":\"{error}\",\"error_description\":\"no\"}}");
        let brand = work().failing(On::Any, When::Every, says(status, &body));
        let output = brand.json("plan").ends_with(1);
        assert_eq!(brand.portal.requests().len(), 1, "{error}");
        let finding = &found(&output.json, "error")[0];
        assert!(finding["help"].is_string() && finding["message"].as_str().unwrap().contains(error), "{finding}");
    }
}

#[test]
fn a_lost_answer_to_a_write_is_found_out_and_never_repeated_blindly() {
    let actions = [
        ("dropped after", FaultAction::DropAfter),
        ("dropped during", FaultAction::DropDuring),
        ("dropped before", FaultAction::DropBefore),
        ("torn", FaultAction::TearBody(50)),
        ("truncated", FaultAction::TruncateBody(50)),
        ("empty", FaultAction::EmptyBody),
        ("html after", FaultAction::HtmlAfter(502)),
        ("html instead", FaultAction::Html(502)),
    ];
    each(actions, |(what, action)| {
        for nth in 1..=3 {
            let brand = work().failing(On::Write, When::Nth(nth), action.clone());
            let output = brand.apply();
            assert_eq!((output.code, output.count("applied")), (0, 3), "{what}, write {nth}: {output:?}");
            assert_eq!(brand.portal.orphans(), 0, "{what}, write {nth}: an add was repeated");
            done(&brand);
        }
    });
}

#[test]
fn a_portal_that_is_slow_is_waited_for_until_the_deadline() {
    let brand = work().failing(On::Any, When::Every, FaultAction::Delay(Duration::from_secs(30)));
    let before = std::time::Instant::now();
    let output = brand.json("plan --timeout 1").ends_with(1);
    assert!(before.elapsed() < Duration::from_secs(20));
    assert!(found(&output.json, "error")[0]["help"].is_string(), "{output:?}");
    let brand = work().failing(On::Any, When::Every, FaultAction::Delay(Duration::from_millis(100)));
    brand.plan().ends_with(0);
}

#[test]
fn a_list_that_is_shorter_than_its_total_is_not_believed() {
    let body = "{\"result\":{\"result\":{\"0\":{\"icons\":[]},\"1\":{\"logos\":[]}},\"result_error\":[],\"result_total\":{\"0\":52,\"1\":38},\"result_next\":[],\"result_time\":[]}}";
    let brand = work().failing(On::Method("*.list".to_owned()), When::Every, says(200, body));
    brand.writing_nothing(|| assert_eq!(brand.both("apply --yes --timeout 1").ends_with(1).errors(), ["portal"]));
}
