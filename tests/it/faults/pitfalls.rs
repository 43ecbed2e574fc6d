//! Bugs that other reconcilers had, and what was measured on batches: kills, locks, races and restoring. The names say
//! who had it; those that need neither are among the tests of the program.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use brandctl::domain::asset::Kind;
use brandctl::sandbox::Faults;
use brandctl::sandbox::faults::{Cut, FaultAction, On, When};
use brandctl::sandbox::record::Recorded;
use serde_json::Value;

use super::driver::{self, Moment, Strike};
use super::processes::{started, until};
use crate::common::{Brand, MANIFEST, Output, art, command, each, found, parts};

const OLD: u8 = 10;
const NEW: u8 = 110;

/// Two replaces and a delete; beside them what is unchanged, ignored and foreign.
pub(crate) fn work() -> Brand {
    let brand = Brand::new().with("ignore: [acme-lab]\npolicy: {max_deletes: 9}");
    let brand = brand.portal_has("icon/acme-a", OLD).declares("icon/acme-a", NEW);
    let brand = brand.portal_has("icon/acme-b", OLD + 1).declares("icon/acme-b", NEW + 1);
    let brand = brand.portal_has("icon/acme-gone", OLD + 2).in_step(2);
    brand
        .portal_has("icon/acme-lab", 70)
        .portal_has("icon/other", 71)
        .portal_has("logo/acme-x", 72)
        .declares("logo/acme-x", 72)
}

#[track_caller]
pub(crate) fn done(brand: &Brand) {
    assert_eq!(
        brand.codes(),
        ["icon/acme-00", "icon/acme-01", "icon/acme-a", "icon/acme-b", "icon/acme-lab", "icon/other", "logo/acme-x"]
    );
    for (address, mark) in [("icon/acme-a", NEW), ("icon/acme-b", NEW + 1), ("icon/acme-lab", 70), ("icon/other", 71)] {
        assert_eq!(brand.image(address), Some(art(Kind::Icon, mark)), "{address}");
    }
}

/// The ids of the runs.
pub(crate) fn runs(brand: &Brand) -> Vec<String> {
    let runs = brand.json("history").ends_with(0).json["runs"].as_array().unwrap().clone();
    runs.iter().map(|run| run["run"].as_str().unwrap().to_owned()).collect()
}

fn run_folder(brand: &Brand, id: &str) -> PathBuf {
    let portals = fs::read_dir(brand.path(".brandctl")).unwrap();
    portals.map(|portal| portal.unwrap().path().join("runs").join(id)).find(|folder| folder.is_dir()).unwrap()
}

fn late(time: u64) -> FaultAction {
    FaultAction::Delay(Duration::from_millis(time))
}

fn refuse(method: &str) -> FaultAction {
    FaultAction::RefuseCommand {
        method: method.to_owned(),
        code: "BX_INVALID_VALUE".to_owned(),
        description: "no".to_owned(),
        status: 400,
    }
}

/// The commands about a code that were sent and would write.
fn writes_to(brand: &Brand, code: &str) -> Vec<String> {
    let commands = brand.write_requests().into_iter().flat_map(|request| request.commands);
    commands.filter(|command| command.code.as_deref() == Some(code)).map(|command| command.method).collect()
}

// ---- Locks ----

#[test]
fn terraform_a_second_apply_says_who_is_at_it_and_since_when_and_a_killed_one_leaves_nothing_stuck() {
    let brand = work();
    brand.fail(Faults::one(On::Write, When::Nth(1), late(3000)));
    let mut holder = started(&brand);
    until(|| !brand.write_requests().is_empty());
    for line in ["apply --yes", "apply --yes --format json"] {
        let output = brand.run(line.split(' ')).ends_with(1);
        let text = output.text();
        assert!(text.contains(&format!("process {}, since 20", holder.id())), "{text}");
    }
    // Looking is free, and does not take what is under way for cut short.
    let output = brand.plan().ends_with(0);
    assert!(!output.text().contains("run-cut-short"), "{output:?}");
    assert_eq!(brand.write_requests().len(), 1);
    holder.kill().unwrap();
    holder.wait().unwrap();
    brand.fail(Faults::none());
    brand.json("apply --yes --settle 3.5").ends_with(0);
    done(&brand);
}

// ---- Kills ----

/// Whether a journal says that a pair's request was sent: until then its window begins when a later run first sees it.
fn is_sent_noted(brand: &Brand) -> bool {
    let portals = fs::read_dir(brand.path(".brandctl")).unwrap().flatten();
    let runs = portals.filter_map(|portal| fs::read_dir(portal.path().join("runs")).ok()).flatten().flatten();
    runs.filter_map(|run| fs::read_to_string(run.path().join("journal.jsonl")).ok()).any(|journal| {
        let is_of = |line: &str, entry: &str| line.contains(&format!("\"{entry}\""));
        let last = journal.lines().rfind(|line| is_of(line, "intent") || is_of(line, "sent"));
        last.is_some_and(|line| is_of(line, "sent"))
    })
}

/// Kills a run of `arguments` when its first pair is between delete and add, and the portal does not go on.
pub(crate) fn killed_between(brand: &Brand, arguments: &[&str]) {
    let cut = FaultAction::CutBatch { after: 1, answer: Cut::Close };
    brand.fail(Faults::one(On::Inner("*.add".to_owned()), When::Nth(1), cut));
    let mut child: Child = command(brand.folder.path())
        .args(arguments)
        .env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until(|| brand.image("icon/acme-a").is_none() && is_sent_noted(brand));
    child.kill().unwrap();
    child.wait().unwrap();
    brand.fail(Faults::none());
}

#[test]
fn terraform_apply_plan_takes_up_its_own_killed_run() {
    let brand = work();
    brand.save_plan();
    killed_between(&brand, &["apply", "plan.json", "--settle", "20"]);
    assert_eq!(brand.image("icon/acme-a"), None);
    let output = brand.apply_saved("plan.json").ends_with(0);
    assert_eq!(output.count("applied"), 3, "{output:?}");
    done(&brand);
    assert_eq!(writes_to(&brand, "acme-a").len(), 3, "its delete was sent twice");
    brand.writing_nothing(|| brand.apply_saved("plan.json").ends_with(5));
}

#[test]
fn terraform_apply_plan_of_a_killed_run_without_its_state_folder_names_what_is_missing() {
    let brand = work();
    brand.save_plan();
    killed_between(&brand, &["apply", "plan.json", "--settle", "20"]);
    fs::remove_dir_all(brand.path(".brandctl")).unwrap();
    brand.writing_nothing(|| {
        let output = brand.both("apply plan.json").ends_with(5);
        assert_eq!(found(&output.json, "error")[0]["message"], "icon/acme-a: it is missing on the portal");
        assert!(output.stderr.contains("icon/acme-a: it is missing on the portal"), "{}", output.stderr);
    });
    // A saved plan holds the old images too.
    brand.run(["restore", "plan.json", "icon/acme-a", "--yes", "--settle", "0.1"]).ends_with(0);
    assert_eq!(brand.image("icon/acme-a"), Some(art(Kind::Icon, OLD)));
    brand.apply().ends_with(0);
    done(&brand);
}

/// What a plan says of a run that was cut short.
fn cut_short(output: &Output) -> Option<&Value> {
    found(&output.json, "warning").into_iter().find(|warning| warning["rule"] == "run-cut-short")
}

#[test]
fn terraform_a_plan_finds_an_open_run_says_so_and_writes_nothing() {
    let brand = work();
    killed_between(&brand, &["apply", "--yes", "--settle", "20"]);
    let id = runs(&brand).remove(0);
    let shown = brand.json("history").json["runs"][0].clone();
    assert!(shown["ended"].is_null(), "{shown}");
    assert!(brand.run(["history"]).stdout.contains("cut short"));
    // What was not answered may be carried out for so long.
    std::thread::sleep(Duration::from_millis(150));
    brand.writing_nothing(|| {
        let output = brand.json("plan --settle 0.1").ends_with(0);
        assert_eq!(output.changes(), ["create icon/acme-a", "replace icon/acme-b", "delete icon/acme-gone"]);
        let warning = cut_short(&output).expect("the open run is told of");
        let message = warning["message"].as_str().unwrap();
        assert!(message.contains(&id) && message.contains("missing on the portal: icon/acme-a"), "{message}");
        assert!(warning["help"].as_str().unwrap().contains(&format!("brandctl restore {id}")));
        // It is settled once.
        assert_eq!(cut_short(&brand.plan().ends_with(0)), None);
    });
    assert_eq!(brand.json("history").json["runs"][0]["ended"], "cut-short");
    let shown = brand.json(&format!("show {id}")).ends_with(0);
    assert!(shown.fates().contains(&"failed icon/acme-a".to_owned()), "{:?}", shown.fates());
    brand.apply().ends_with(0);
    done(&brand);
}

#[test]
fn terraform_two_open_runs_are_both_closed() {
    let brand = work();
    let kill = || assert_eq!(driver::apply(&brand, Strike::Journal(1, Moment::After)).code, None);
    kill();
    let first = run_folder(&brand, &runs(&brand)[0]);
    // Out of the way of the second, which would settle it.
    let aside = brand.path("aside");
    fs::rename(&first, &aside).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    kill();
    fs::rename(&aside, &first).unwrap();
    let ids = runs(&brand);
    assert_eq!(ids.len(), 2);
    let output = brand.writing_nothing(|| {
        // Nobody noted when the requests were sent: they may still be carried out, as far as the first look can tell.
        let output = brand.json("plan --settle 0.1").ends_with(1);
        assert_eq!(found(&output.json, "error")[1]["rule"], "may-change", "{}", output.json);
        std::thread::sleep(Duration::from_millis(150));
        brand.json("plan --settle 0.1").ends_with(0)
    });
    let warnings = serde_json::json!(found(&output.json, "warning")).to_string();
    assert!(ids.iter().all(|id| warnings.contains(id)), "{warnings}");
    brand.apply().ends_with(0);
    done(&brand);
    let ended: Vec<_> =
        brand.json("history").json["runs"].as_array().unwrap().iter().map(|run| run["ended"].clone()).collect();
    assert_eq!(ended, ["cut-short", "cut-short", "finished"]);
}

#[test]
fn measured_a_late_batch_never_undoes_a_newer_run() {
    // Each write of the first run is left behind at the portal in turn, and comes while the next run looks.
    each(1..=3, |nth| {
        let brand = work();
        brand.fail(Faults::one(On::Write, When::Nth(nth), late(1500)));
        let mut child = started(&brand);
        until(|| brand.write_requests().len() >= usize::try_from(nth).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        brand.fail(Faults::none());
        // By now something else is wanted.
        brand.draw("icon/acme-a", &art(Kind::Icon, 180));
        brand.draw("icon/acme-b", &art(Kind::Icon, 181));
        brand.json("apply --yes --settle 2").ends_with(0);
        let newer = brand.live();
        assert_eq!(brand.image("icon/acme-a"), Some(art(Kind::Icon, 180)));
        std::thread::sleep(Duration::from_millis(1600));
        assert_eq!(brand.live(), newer, "something came late");
        assert!(brand.plan().ends_with(0).changes().is_empty());
        assert_eq!(brand.portal.orphans(), 0);
    });
}

#[test]
fn measured_every_add_refused_touches_one_code_and_its_old_image_is_back() {
    let mut brand = Brand::new();
    for number in 0..25 {
        let address = format!("icon/acme-{number:02}");
        brand = brand.portal_has(&address, number).declares(&address, number + 100);
    }
    let before = brand.live();
    // Single pairs are refused as well as batches: after some, no further one is tried, and each old image is back.
    let refusing = Faults::one(On::Write, When::Nth(1), refuse("*.add"));
    brand.fail(refusing);
    let output = brand.run(["apply", "--yes", "--settle", "0.1"]).ends_with(3);
    let lost = before.iter().filter(|(address, _)| brand.image(address).is_none()).count();
    assert!(lost <= 1, "{lost} codes lost");
    assert!(output.text().contains("restore"), "it does not say how to get it back: {}", output.text());
    brand.fail(Faults::none());
    brand.apply().ends_with(0);
}

// ---- Restoring ----

#[test]
fn a_run_is_restored_by_id_by_folder_and_from_a_saved_plan_whole_or_one_entry() {
    let names = ["id", "folder", "plan", "folder alone"];
    each(names, |name| {
        let brand = work();
        brand.save_plan();
        let old = brand.live();
        brand.apply().ends_with(0);
        let id = runs(&brand).remove(0);
        let from = match name {
            "id" => id,
            "plan" => "plan.json".to_owned(),
            "folder" => run_folder(&brand, &id).to_str().unwrap().to_owned(),
            // As an artifact, with nothing else left.
            _ => {
                fs::rename(run_folder(&brand, &id), brand.path("artifact")).unwrap();
                fs::remove_dir_all(brand.path(".brandctl")).unwrap();
                "artifact".to_owned()
            }
        };
        let restore = |what: &str| brand.json(&format!("restore {from} {what} --yes --settle 0.1"));
        assert_eq!(restore("icon/acme-gone").ends_with(0).fates(), ["applied icon/acme-gone"], "{name}");
        assert_eq!(brand.image("icon/acme-gone"), Some(art(Kind::Icon, OLD + 2)));
        assert_eq!(brand.image("icon/acme-a"), Some(art(Kind::Icon, NEW)));
        assert_eq!(restore("").ends_with(0).fates(), ["applied icon/acme-a", "applied icon/acme-b"], "{name}");
        assert_eq!(brand.live(), old, "{name}");
        // Again: nothing is left to do.
        brand.writing_nothing(|| assert!(restore("").ends_with(0).changes().is_empty()));
        brand.writing_nothing(|| restore("icon/acme-00").ends_with(1));
        // A restore is a run too, and can be restored.
        let last = runs(&brand).pop().unwrap();
        brand.json(&format!("restore {last} --yes --settle 0.1")).ends_with(0);
        assert_eq!(brand.image("icon/acme-a"), Some(art(Kind::Icon, NEW)));
        for id in runs(&brand) {
            let shown = brand.both(&format!("show {id}")).ends_with(0);
            assert!(shown.fates().iter().all(|fate| fate.starts_with("applied")), "{:?}", shown.fates());
        }
        let history = brand.run(["history"]).ends_with(0).stdout;
        assert_eq!(history.lines().count(), runs(&brand).len(), "{history}");
        brand.apply().ends_with(0);
        done(&brand);
    });
}

#[test]
fn dnscontrol_restore_touches_nothing_that_is_protected_ignored_unowned_or_the_products_by_now() {
    let cases = [("protect", 4), ("ignore", 5), ("owns", 5), ("system", 1)];
    each(cases, |(now, code)| {
        let brand = work();
        brand.apply().ends_with(0);
        let id = runs(&brand).remove(0);
        match now {
            "protect" => brand.rewrite(format!("{MANIFEST}protect: [acme-a]\n")),
            "ignore" => brand.rewrite(format!("{MANIFEST}ignore: [acme-a]\n")),
            "owns" => brand.rewrite(MANIFEST.replace("acme-*", "acme-b")),
            _ => brand.portal.make_system(Kind::Icon, "acme-a").unwrap(),
        }
        brand.writing_nothing(|| {
            let output = brand.json(&format!("restore {id} icon/acme-a --yes --settle 0.1"));
            assert!(output.code == code || output.code == 1, "{now}: {output:?}");
            assert!(output.text().contains("acme-a"), "{now}: {output:?}");
        });
        assert_eq!(brand.image("icon/acme-lab"), Some(art(Kind::Icon, 70)));
    });
}

#[test]
fn dnscontrol_ignored_and_system_entries_survive_batch_single_recover_and_restore_paths() {
    let paths: [(&str, Option<Faults>); 4] = [
        ("batch", None),
        ("single", Some(Faults::one(On::Write, When::Every, FaultAction::NotAllowedInBatch))),
        ("recover", Some(Faults::one(On::Write, When::Every, FaultAction::CutBatch { after: 1, answer: Cut::Close }))),
        ("put back", Some(Faults::one(On::Write, When::Nth(1), refuse("*.add")))),
    ];
    each(paths, |(path, faults)| {
        let brand = work().portal_has("icon/acme-sys", 60).portal_has("icon/acme-SIS", 61);
        brand.portal.make_system(Kind::Icon, "acme-sys").unwrap();
        brand.portal.make_system(Kind::Icon, "acme-SIS").unwrap();
        let untouched = |brand: &Brand| {
            let entries = brand.portal.entries().into_iter();
            let codes = ["acme-lab", "acme-sys", "acme-SIS", "other"];
            entries
                .filter(|entry| codes.contains(&entry.code.as_str()))
                .map(|entry| (entry.code, entry.file_uri))
                .collect::<Vec<_>>()
        };
        let before = untouched(&brand);
        assert_eq!(before.len(), 4);
        brand.fail(faults.unwrap_or_default());
        brand.apply();
        brand.fail(Faults::none());
        brand.apply().ends_with(0);
        for id in runs(&brand) {
            assert_eq!(brand.json(&format!("restore {id} --yes --settle 0.1")).code, 0, "{path}");
        }
        brand.apply().ends_with(0);
        assert_eq!(untouched(&brand), before, "{path}");
        for code in ["acme-lab", "acme-sys", "acme-SIS", "other"] {
            assert!(writes_to(&brand, code).is_empty(), "{path}: {code} was written to");
        }
    });
}

// ---- Codes that become the product's while a run goes on ----

/// Applies, and makes `icon/acme-a` a system code at the moment that `when` sees.
fn overtaken(brand: &Brand, when: impl Fn(&Brand) -> bool) -> std::process::Output {
    let child = started(brand);
    until(|| when(brand));
    brand.portal.make_system(Kind::Icon, "acme-a").unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn slekkel_a_code_that_becomes_a_system_code_before_the_first_write_stops_the_plan() {
    for faults in [Faults::none(), Faults::one(On::Write, When::Every, FaultAction::NotAllowedInBatch)] {
        let brand = work();
        brand.fail(faults.and(On::Method("user.admin".to_owned()), When::Nth(2), late(200)));
        // The first such request is the plan's.
        let rights = |request: &Recorded| {
            request.method == "user.admin" || request.commands.iter().any(|command| command.method == "user.admin")
        };
        let asked = |brand: &Brand| brand.seen(rights) > 1;
        let output = overtaken(&brand, asked);
        assert_eq!(output.status.code(), Some(5));
        assert!(String::from_utf8_lossy(&output.stderr).contains("icon/acme-a"), "{output:?}");
        assert!(brand.write_requests().is_empty());
    }
}

#[test]
fn slekkel_a_code_that_becomes_a_system_code_while_an_answer_is_lost_is_not_written_to_again() {
    for single in [false, true] {
        let brand = work();
        let mut faults =
            Faults::one(On::Write, When::Nth(1), FaultAction::DropBefore).and(On::Write, When::Nth(1), late(150));
        if single {
            faults = Faults::one(On::Inner("*.add".to_owned()), When::Every, FaultAction::NotAllowedInBatch)
                .and(On::Write, When::Nth(2), FaultAction::DropBefore)
                .and(On::Write, When::Nth(2), late(150));
        }
        brand.fail(faults);
        let sent = if single { 2 } else { 1 };
        let output = overtaken(&brand, |brand| brand.write_requests().len() >= sent);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert!(writes_to(&brand, "acme-a").len() <= if single { 3 } else { 2 }, "{:?}", writes_to(&brand, "acme-a"));
        // The hidden entry is still there.
        assert_eq!(brand.image("icon/acme-a"), Some(art(Kind::Icon, OLD)));
    }
}

#[test]
fn slekkel_a_code_that_becomes_a_system_code_between_delete_and_add_is_left_after_that() {
    let brand = work();
    // Batch refused, then the delete, then the add.
    brand.fail(Faults::one(On::Inner("*.add".to_owned()), When::Every, FaultAction::NotAllowedInBatch).and(
        On::Write,
        When::Nth(3),
        late(200),
    ));
    let output = overtaken(&brand, |brand| brand.write_requests().len() >= 3);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let batch_and_pair =
        ["crm.timeline.icon.delete", "crm.timeline.icon.add", "crm.timeline.icon.delete", "crm.timeline.icon.add"];
    assert_eq!(writes_to(&brand, "acme-a"), batch_and_pair, "{output:?}");
    assert_eq!(brand.image("icon/acme-b"), Some(art(Kind::Icon, NEW + 1)), "one bad step stopped the others");
}

#[test]
fn slekkel_a_code_that_becomes_a_system_code_between_a_kill_and_the_next_run_is_not_written_to() {
    for resumed in [true, false] {
        let brand = work();
        brand.save_plan();
        let arguments: &[&str] =
            if resumed { &["apply", "plan.json", "--settle", "20"] } else { &["apply", "--yes", "--settle", "20"] };
        killed_between(&brand, arguments);
        let sent = writes_to(&brand, "acme-a").len();
        brand.portal.make_system(Kind::Icon, "acme-a").unwrap();
        brand.writing_nothing(|| {
            if resumed {
                brand.apply_saved("plan.json").ends_with(5);
            } else {
                brand.apply().ends_with(1);
            }
        });
        assert_eq!(writes_to(&brand, "acme-a").len(), sent);
        let id = runs(&brand).remove(0);
        brand.writing_nothing(|| {
            assert_ne!(brand.json(&format!("restore {id} icon/acme-a --yes --settle 0.1")).code, 0);
        });
    }
}

#[test]
fn the_work_is_what_it_says() {
    let brand = work();
    assert_eq!(brand.plan().changes(), ["replace icon/acme-a", "replace icon/acme-b", "delete icon/acme-gone"]);
    assert_eq!(parts("icon/acme-a").0, Kind::Icon);
}
