//! Requests of which no answer came: a portal may carry them out late. Nothing is judged, sent again or closed before that is over.

use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

use brandctl::domain::asset::Kind;
use brandctl::sandbox::Faults;
use serde_json::Value;

use crate::common::{Brand, art, command, each, found};

/// How late the portal carries out what nobody waits for any more.
const LATE: Duration = Duration::from_millis(900);

/// The next write is carried out late, and its connection is closed at once.
const LATELY: &str = "write 1 delay 900ms; write 1 drop-during";

/// One create, one replace, one delete.
fn work() -> Brand {
    let brand = Brand::new().in_step(3).declares("icon/acme-new", 9);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.undeclare("icon/acme-01");
    brand
}

fn faults(text: &str) -> Faults {
    text.parse().unwrap()
}

fn done(brand: &Brand) {
    brand.fail(Faults::none());
    assert_eq!(brand.codes(), ["icon/acme-00", "icon/acme-02", "icon/acme-new"]);
    assert_eq!(brand.image("icon/acme-00").unwrap(), art(Kind::Icon, 99));
    assert_eq!(brand.portal.orphans(), 0, "an add was sent twice");
}

fn journal(brand: &Brand) -> std::path::PathBuf {
    let portal = std::fs::read_dir(brand.path(".brandctl")).unwrap().map(|entry| entry.unwrap().path());
    let runs = portal.filter(|path| path.is_dir()).map(|portal| portal.join("runs")).next().unwrap();
    std::fs::read_dir(runs).unwrap().next().unwrap().unwrap().path().join("journal.jsonl")
}

fn lines(brand: &Brand, entry: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(journal(brand)).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["entry"] == entry).collect()
}

fn rules(output: &Value, severity: &str) -> Vec<String> {
    found(output, severity).into_iter().map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_carried_out_late_is_waited_for_and_not_sent_again() {
    // The creates, the pair, the deletes: each in turn.
    each(1..=3, |nth| {
        let brand = work();
        brand.fail(faults(&LATELY.replace("write 1", &format!("write {nth}"))));
        let output = brand.json("apply --yes --settle 3").ends_with(0);
        assert!(
            output.stderr.contains("waiting: a request without an answer may still be carried out"),
            "{}",
            output.stderr
        );
        done(&brand);
    });
}

#[test]
fn a_code_turns_back_to_nothing_that_a_killed_run_sent() {
    let brand = work();
    brand.fail(faults("write 2 delay 900ms"));
    let mut run = apply(&brand, "3");
    let begun = std::time::Instant::now();
    while lines_or_none(&brand, "sent") < 2 && begun.elapsed() < Duration::from_secs(20) {
        sleep(Duration::from_millis(5));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    // The pair of version 1 is still to come. Version 2 is applied meanwhile.
    brand.draw("icon/acme-00", &art(Kind::Icon, 77));
    let output = brand.json("apply --yes --settle 3").ends_with(0);
    assert!(output.stderr.contains("may still be carried out"), "{}", output.stderr);
    sleep(LATE);
    assert_eq!(brand.image("icon/acme-00").unwrap(), art(Kind::Icon, 77));
}

fn apply(brand: &Brand, settle: &str) -> Child {
    let mut command = command(brand.folder.path());
    command.env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook());
    command.args(["apply", "--yes", "--settle", settle]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn lines_or_none(brand: &Brand, entry: &str) -> usize {
    let run = brand.path(".brandctl");
    let journals = walkdir::WalkDir::new(run).into_iter().flatten().filter(|file| file.file_name() == "journal.jsonl");
    let text = journals.filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect::<String>();
    text.matches(&format!("\"entry\":\"{entry}\"")).count()
}

#[test]
fn plan_drift_and_list_say_that_the_portal_may_still_change_and_wait_for_nothing() {
    let brand = work();
    brand.fail(faults(LATELY));
    let output = brand.json("apply --yes --settle 60 --timeout 3").ends_with(1);
    assert!(output.json.to_string().contains("--timeout leaves no time to wait"), "{}", output.json);
    brand.fail(Faults::none());
    for line in ["plan", "drift", "list", "plan --detailed-exitcode", "plan --settle 60"] {
        let output = brand.both(line).ends_with(1);
        assert!(rules(&output.json, "error").contains(&"may-change".to_owned()), "{line}: {}", output.json);
        assert!(output.stderr.contains("error[may-change]: the portal may still change: a request of the run "));
        assert!(output.stderr.contains("icon/acme-new"), "{}", output.stderr);
    }
    // With a window that has passed there is nothing to wait for.
    sleep(LATE);
    brand.json("list --settle 0.1").ends_with(0);
    assert_eq!(brand.json("plan --settle 0.1").ends_with(0).changes(), ["replace icon/acme-00", "delete icon/acme-01"]);
    brand.json("plan").ends_with(0);
    brand.json("apply --yes").ends_with(0);
    done(&brand);
}

/// Without time to wait, the end depends on what this run wrote.
#[test]
fn without_time_to_wait_it_ends_at_once() {
    each([(1, 1), (2, 3), (3, 3)], |(nth, code)| {
        let brand = work();
        brand.fail(faults(&format!("write {nth} delay 900ms; write {nth} drop-during")));
        let output = brand.json("apply --yes --settle 60 --timeout 20").ends_with(code);
        assert!(output.json.to_string().contains("it may still be carried out for"), "{}", output.json);
        let next = brand.json("apply --yes --settle 60 --timeout 20").ends_with(1);
        assert!(next.json.to_string().contains("--timeout leaves no time to wait for that"), "{}", next.json);
        sleep(LATE);
        brand.fail(Faults::none());
        brand.json("apply --yes --settle 0.1").ends_with(0);
        done(&brand);
    });
}

/// All is as planned, and a request that was not answered could still be carried out: the run stays open, and is closed later.
#[test]
fn a_run_whose_steps_are_seen_done_stays_open_until_the_window_has_passed() {
    let brand = work();
    brand.fail(faults("write 1 drop-after"));
    let output = brand.json("apply --yes --settle 30").ends_with(0);
    assert!(rules(&output.json, "warning").contains(&"run-open".to_owned()), "{}", output.json);
    assert_eq!(lines(&brand, "concluded").len(), 1);
    assert!(lines(&brand, "end").is_empty());
    let output = brand.json("plan --settle 30").ends_with(1);
    assert_eq!(rules(&output.json, "error"), ["may-change"]);
    assert!(output.changes().is_empty());
    sleep(Duration::from_millis(150));
    brand.json("plan --settle 0.1").ends_with(0);
    assert_eq!(lines(&brand, "end")[0]["how"], "finished");
    brand.json("plan").ends_with(0);
    done(&brand);
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_wait_and_the_run_stays_open() {
    let brand = work();
    brand.fail(faults(LATELY));
    let mut run = apply(&brand, "60");
    let begun = std::time::Instant::now();
    while lines_or_none(&brand, "outcome") < 1 && begun.elapsed() < Duration::from_secs(20) {
        sleep(Duration::from_millis(5));
    }
    sleep(Duration::from_millis(300));
    let kill = std::process::Command::new("kill").args(["-TERM", &run.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(run.wait().unwrap().code(), Some(130));
    assert!(lines(&brand, "end").is_empty());
    brand.json("plan").ends_with(1);
    sleep(LATE);
    brand.fail(Faults::none());
    brand.json("apply --yes --settle 0.1").ends_with(0);
    done(&brand);
}

/// Another command beside a run that waits.
#[test]
fn beside_a_run_that_waits_the_portal_may_still_change() {
    let brand = work();
    brand.fail(faults(LATELY));
    let mut run = apply(&brand, "3");
    let begun = std::time::Instant::now();
    while lines_or_none(&brand, "outcome") < 1 && begun.elapsed() < Duration::from_secs(20) {
        sleep(Duration::from_millis(5));
    }
    for line in ["plan --settle 3", "list --settle 3", "drift --settle 3"] {
        let output = brand.json(line).ends_with(1);
        assert!(rules(&output.json, "error").contains(&"may-change".to_owned()), "{line}: {}", output.json);
    }
    assert!(run.wait().unwrap().success());
}

/// A gateway's own words are not an answer of the portal, although they are JSON with an error.
#[test]
fn the_json_of_a_gateway_is_no_answer() {
    let brand = work();
    let spec = r#"write 1 status-after 503 "{\"error\":\"Service Unavailable\"}" application/json"#;
    brand.fail(faults(spec));
    brand.json("apply --yes --settle 0.5").ends_with(0);
    assert!(lines(&brand, "outcome")[0]["unanswered"].as_bool().unwrap());
}

/// Also where nothing else was left to do.
#[cfg(unix)]
#[test]
fn a_signal_in_the_wait_for_the_last_step_is_an_interruption() {
    let brand = Brand::new().declares("icon/acme-new", 9);
    brand.fail(faults(LATELY));
    let mut run = apply(&brand, "60");
    let begun = std::time::Instant::now();
    while lines_or_none(&brand, "outcome") < 1 && begun.elapsed() < Duration::from_secs(20) {
        sleep(Duration::from_millis(5));
    }
    sleep(Duration::from_millis(300));
    let kill = std::process::Command::new("kill").args(["-TERM", &run.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(run.wait().unwrap().code(), Some(130));
    assert!(lines(&brand, "end").is_empty() && lines(&brand, "concluded").is_empty());
}

/// What is written is the time at which a later command first looked.
#[test]
fn a_time_that_has_not_come_counts_as_now_and_is_noted() {
    let brand = work();
    brand.fail(faults(LATELY));
    brand.json("apply --yes --settle 60 --timeout 3").ends_with(1);
    brand.fail(Faults::none());
    sleep(LATE);
    let ahead = std::fs::read_to_string(journal(&brand)).unwrap().replace("\"at\":\"2", "\"at\":\"3");
    std::fs::write(journal(&brand), ahead).unwrap();
    let output = brand.json("plan --settle 0.5").ends_with(1);
    assert!(rules(&output.json, "error").contains(&"may-change".to_owned()), "{}", output.json);
    assert_eq!(lines(&brand, "seen").len(), 1);
    sleep(Duration::from_millis(600));
    brand.json("plan --settle 0.5").ends_with(0);
    assert_eq!(lines(&brand, "seen").len(), 1);
    brand.json("apply --yes --settle 0.1").ends_with(0);
    done(&brand);
}
