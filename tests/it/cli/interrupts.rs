//! Ctrl-C and SIGTERM while a command reads: what was asked for is written all the same.
#![cfg(unix)]

use brandctl::render::json::schemas;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use brandctl::domain::asset::Kind;
use brandctl::sandbox::faults::{FaultAction, On, When};
use serde_json::Value;

use crate::common::{Brand, art, command, conforms, each, found};

/// Longer than any of these tests waits.
const FOREVER: Duration = Duration::from_secs(60);

/// A brand whose portal answers nothing in time.
fn brand() -> Brand {
    Brand::new().in_step(1).declares("icon/acme-new", 40).failing(On::Any, When::Every, FaultAction::Delay(FOREVER))
}

fn started(brand: &Brand, line: &str) -> Child {
    command(brand.folder.path())
        .args(line.split(' '))
        .env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn send(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap().success());
}

#[track_caller]
fn until(what: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(20);
    while !what() {
        assert!(Instant::now() < patience, "it did not come to that");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a signal once the command waits for the portal, and returns what it printed and how it ended.
fn interrupted(brand: &Brand, signal: &str, line: &str) -> (String, String) {
    let before = brand.seen(|_| true);
    let child = started(brand, line);
    until(|| brand.seen(|_| true) > before);
    let since = Instant::now();
    send(signal, &child);
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, told) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(130), "{line}: {told}");
    assert!(since.elapsed() < Duration::from_secs(10), "{line} took its time");
    (out, told)
}

#[test]
fn a_command_that_reads_writes_its_reports_and_its_json_when_it_is_stopped() {
    const ALL: &str = "--format json --report x.html --report x.json --report x.md --report x.xml";
    let lines = ["plan", "drift", "apply --yes"].into_iter().flat_map(|line| [(line, "INT"), (line, "TERM")]);
    each(lines, |(line, signal)| {
        let brand = brand();
        // What an older run left there must not be taken for this one's.
        fs::write(brand.path("x.xml"), "<testsuites failures=\"0\"/>").unwrap();
        let (out, _) = interrupted(&brand, signal, &format!("{line} {ALL}"));
        let json: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(found(&json, "error")[0]["rule"], "interrupted", "{json}");
        let validator = jsonschema::validator_for(&schemas::of("plan").unwrap()).unwrap();
        assert!(validator.is_valid(&json), "{json}");
        let read = |name| fs::read_to_string(brand.path(name)).unwrap();
        assert_eq!(found(&serde_json::from_str::<Value>(&read("x.json")).unwrap(), "error"), found(&json, "error"));
        assert!(read("x.html").contains("Interrupted: nothing was") && read("x.html").ends_with("</html>"));
        assert!(read("x.md").contains("**Interrupted: nothing was"), "{}", read("x.md"));
        assert!(
            read("x.xml").contains("<error type=\"interrupted\" message=\"interrupted before"),
            "{}",
            read("x.xml")
        );
        assert_eq!(brand.write_requests().len(), 0);
    });
}

#[test]
fn so_do_those_that_look_around() {
    let brand = brand();
    let (out, _) = interrupted(&brand, "INT", "list --format json --report x.html --report x.md");
    let json: Value = serde_json::from_str(&out).unwrap();
    assert!(out.contains("\"interrupted\""), "{json}");
    assert!(
        fs::read_to_string(brand.path("x.md")).unwrap().contains("interrupted before the portal was read completely")
    );
    let (out, told) = interrupted(&self::brand(), "TERM", "plan");
    assert!(out.is_empty() && told.contains("error[interrupted]: interrupted before"), "{out} {told}");
    interrupted(&self::brand(), "INT", "doctor");
    for line in
        ["doctor", "export out", "usage icon/acme-new --entity deal:1", "log get 7", "init new --from-portal --ci none"]
    {
        let (out, told) = interrupted(&self::brand(), "INT", &format!("{line} --format json"));
        let json: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{line}: {error}: {out} {told}"));
        conforms(&json);
        assert_eq!((&json["exit_code"], &json["ok"]), (&130.into(), &false.into()), "{line}");
        assert_eq!(found(&json, "error")[0]["rule"], "interrupted", "{line}: {json}");
    }
    let (_, told) = interrupted(&self::brand(), "INT", "log delete 7");
    assert!(told.contains("the entry may have been deleted"), "{told}");
}

#[test]
fn a_saved_plan_is_not_taken_up_after_a_signal() {
    let brand = Brand::new().declares("icon/acme-new", 40);
    brand.save_plan();
    brand.fail(brandctl::sandbox::Faults::one(On::Any, When::Every, FaultAction::Delay(FOREVER)));
    let (_, told) = interrupted(&brand, "INT", "apply plan.json --report x.xml");
    assert!(told.contains("error[interrupted]"), "{told}");
    assert!(fs::read_to_string(brand.path("x.xml")).unwrap().contains("type=\"interrupted\""));
    assert_eq!(brand.write_requests().len(), 0);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let brand = brand();
    assert!(Command::new("mkfifo").arg(brand.path("x.html")).status().unwrap().success());
    let mut child = started(&brand, "plan --report x.html --format json");
    until(|| brand.seen(|_| true) > 0);
    send("INT", &child);
    // It waits for a reader of the pipe, and there is none.
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(child.try_wait().unwrap(), None);
    send("INT", &child);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130));
    let json: Value = serde_json::from_slice(&ended.stdout).unwrap();
    conforms(&json);
    assert_eq!((&json["exit_code"], &json["findings"][0]["rule"]), (&130.into(), &"interrupted".into()));
}

/// Steps that were not sent are not a success.
#[test]
fn an_apply_that_was_stopped_is_no_success_in_any_report() {
    let brand = (0..8_u8).fold(Brand::new(), |brand, number| {
        let address = format!("icon/acme-{number:02}");
        brand.declares(&address, number).portal_has(&address, 200 - number)
    });
    brand.fail(brandctl::sandbox::Faults::one(On::Write, When::Nth(1), FaultAction::Delay(Duration::from_secs(2))));
    let child = started(&brand, "apply --yes --settle 0.1 --format json --report x.xml --report x.md");
    until(|| !brand.write_requests().is_empty());
    send("INT", &child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found(&json, "error")[0]["message"], "interrupted before 7 changes were sent", "{json}");
    let xml = fs::read_to_string(brand.path("x.xml")).unwrap();
    assert!(xml.contains("errors=\"1\" skipped=\"7\"") && xml.contains("type=\"interrupted\""), "{xml}");
    let md = fs::read_to_string(brand.path("x.md")).unwrap();
    assert!(md.contains("**Interrupted: 1 of 8 changes applied.**"), "{md}");
    // The run's own report, shown later.
    let run = brand.json("history").json["runs"][0]["run"].as_str().unwrap().to_owned();
    brand.run(["show", &run, "--report", "again.xml"]).ends_with(0);
    let again = fs::read_to_string(brand.path("again.xml")).unwrap();
    assert!(again.contains("message=\"Interrupted: 1 of 8 changes applied\""), "{again}");
    assert!(!again.contains("failures=\"0\" errors=\"0\""), "{again}");
}

/// What was done is told from what was not begun.
#[test]
fn an_apply_that_was_stopped_says_what_was_not_begun() {
    let brand = (0..8_u8).fold(Brand::new(), |brand, number| {
        let address = format!("icon/acme-{number:02}");
        brand.declares(&address, number).portal_has(&address, 200 - number)
    });
    brand.fail(brandctl::sandbox::Faults::one(On::Write, When::Nth(1), FaultAction::Delay(Duration::from_secs(2))));
    let child = started(&brand, "apply --yes --settle 0.1");
    until(|| !brand.write_requests().is_empty());
    send("INT", &child);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, told) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(130), "{told}");
    let said = "Interrupted: applied 1 of 8 changes; 7 were not begun. Run it again to continue.\n";
    assert!(out.contains(said) && !out.contains("Applied"), "{out}");
    assert!(told.contains("icon/acme-00: replaced (2."), "{told}");
    brand.apply().ends_with(0);
}

/// `last` may be another run by the time that the command is typed again.
#[test]
fn a_restore_that_was_stopped_names_the_run_that_it_restores() {
    let brand = Brand::new().in_step(8);
    (0..8_u8).for_each(|number| brand.draw(&format!("icon/acme-{number:02}"), &art(Kind::Icon, 200 - number)));
    brand.json("apply --yes --settle 0.1 --state-dir st").ends_with(0);
    let run = brand.json("history --state-dir st").json["runs"][0]["run"].as_str().unwrap().to_owned();
    brand.fail(brandctl::sandbox::Faults::one(On::Write, When::Nth(1), FaultAction::Delay(Duration::from_secs(2))));
    let before = brand.write_requests().len();
    let child = started(&brand, "restore last --yes --settle 0.1 --state-dir st --max-deletes 3");
    until(|| brand.write_requests().len() > before);
    send("INT", &child);
    let output = child.wait_with_output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(130), "{out}");
    let again = format!("restore {run} --max-deletes 3 --state-dir st");
    assert!(out.contains(&format!("were not begun. Run `brandctl {again}` to continue.\n")), "{out}");
    // Both continue it.
    brand.fail(brandctl::sandbox::Faults::none());
    brand.run("restore last icon/acme-07 --yes --settle 0.1 --state-dir st".split(' ')).ends_with(0);
    assert_eq!(brand.image("icon/acme-07").unwrap(), art(Kind::Icon, 7));
    brand.run(format!("{again} --yes --settle 0.1").split(' ')).ends_with(0);
    for number in 0..8 {
        assert_eq!(brand.image(&format!("icon/acme-{number:02}")).unwrap(), art(Kind::Icon, number));
    }
}
