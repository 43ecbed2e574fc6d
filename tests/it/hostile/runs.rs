//! Journals that are damaged, or larger than any of ours: each is named, and none keeps brandctl from other runs, lets it take
//! a run for finished, or takes its time or memory.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use brandctl::domain::asset::Kind;

use super::checkout::{applied, instead_of, refuses, runs, state};
use crate::common::{Brand, Output, art, command};

const MIB: usize = 1024 * 1024;

const OTHER_FORMAT: &str = "it has format 3, but this version of brandctl reads formats 1 to 2";

fn id(run: &Path) -> &str {
    run.file_name().unwrap().to_str().unwrap()
}

fn told(output: &Output) -> String {
    output.text().replace("\n  ", " ").replace('\n', " ")
}

/// Puts `text` in the place of a run's journal, and runs `test`.
fn with_journal(journal: &Path, text: impl AsRef<[u8]>, test: impl FnOnce()) {
    instead_of(journal, |path| fs::write(path, text).unwrap(), test);
}

/// A brand that was applied twice and has something to apply, and its first run's journal.
fn pending() -> (Brand, PathBuf) {
    let brand = applied();
    brand.draw("icon/acme-b", &art(Kind::Icon, 9));
    let journal = runs(&brand)[0].join("journal.jsonl");
    (brand, journal)
}

/// The first line of a journal, with its end.
fn beginning(journal: &Path) -> String {
    fs::read_to_string(journal).unwrap().lines().next().unwrap().to_owned() + "\n"
}

/// The line of a request with this many commands.
fn intent(commands: usize) -> String {
    let command = r#"{"write":"delete","address":"icon/acme-a"}"#;
    let commands = vec![command; commands].join(",");
    format!("{{\"at\":\"2026-01-01T00:00:00Z\",\"entry\":\"intent\",\"request\":1,\"commands\":[{commands}]}}\n")
}

#[test]
fn a_run_whose_journal_cannot_be_read_is_named_and_nothing_is_written_past_it() {
    let (brand, journal) = pending();
    let all = runs(&brand);
    let (begin, whole) = (beginning(&journal), fs::read_to_string(&journal).unwrap());
    let rest = whole.strip_prefix(&begin).unwrap();
    for (text, why) in [
        ("my notes\n".to_owned(), "at line 1: it is not the beginning of a run"),
        (rest.to_owned(), "at line 1: it is not the beginning of a run"),
        (format!("\n{whole}"), "at line 1: it is not the beginning of a run"),
        (format!("{begin}my notes\n{rest}"), "at line 2: it is not a line of a run's journal"),
        (format!("{begin}{}", r#"{"at":"2026-01-01T00:00:00Z","entry":"later"}"#), "at line 2: it is not a line"),
        (format!("{whole}{}", intent(51)), "it names 51 commands, but a request has at most 50"),
        (whole.replace("\"format_version\":2", "\"format_version\":3"), OTHER_FORMAT),
    ] {
        with_journal(&journal, &text, || {
            refuses(&brand, "apply --yes --settle 0.1", &journal, why);
            // What another version made is not damaged; until it is read, what is told of the portal is all that is known.
            let plan = brand.run(["plan"]).ends_with(i32::from(why != OTHER_FORMAT));
            assert!(told(&plan).contains(id(&all[0])) && told(&plan).contains(why), "{plan:?}");
            let history = refuses(&brand, "history", &journal, why);
            assert!(history.stdout.contains(id(&all[1])), "the other run is listed: {history:?}");
            for line in ["show", "restore --yes"] {
                refuses(&brand, &format!("{line} {}", id(&all[0])), &journal, why);
                refuses(&brand, &format!("{line} {}", all[0].display()), &journal, why);
            }
            brand.run(["show", id(&all[1])]).ends_with(0);
        });
    }
    with_journal(&journal, format!("{whole}{}", intent(50)), || {
        let plan = brand.run(["plan"]).ends_with(0);
        assert!(!told(&plan).contains(id(&all[0])), "as many as a request has are right: {plan:?}");
    });
    brand.apply().ends_with(0);
}

#[test]
fn what_a_kill_leaves_of_a_journal_is_nothing_to_complain_of() {
    let (brand, journal) = pending();
    let (begin, whole) = (beginning(&journal), fs::read_to_string(&journal).unwrap());
    let never_began = ["", &begin[..1], &begin[..begin.len() / 2], &begin[..begin.len() - 2]].map(ToOwned::to_owned);
    let torn = whole.replace("\n", "\n{\"at\":\"2026-01-01T\n");
    for text in never_began.into_iter().chain([torn, whole.replace('\n', "\n\n"), whole.trim_end().to_owned()]) {
        with_journal(&journal, &text, || {
            for line in ["plan", "history"] {
                let output = brand.run([line]).ends_with(0);
                assert!(!told(&output).contains("cannot be read"), "{text}: {output:?}");
            }
        });
    }
    with_journal(&journal, "", || {
        let output = brand.run(["show", runs(&brand)[0].to_str().unwrap()]).ends_with(1);
        assert!(told(&output).contains("is not a run's folder: its journal does not begin"), "{output:?}");
    });
    fs::remove_file(&journal).unwrap();
    brand.apply().ends_with(0);
}

#[test]
fn journals_that_are_too_large_alone_or_together_are_refused_in_no_time() {
    let (brand, journal) = pending();
    let folder = state(&brand).join("runs");
    let (begin, first) = (beginning(&journal), id(&runs(&brand)[0]).to_owned());
    let long = format!("{begin}{}", "x".repeat(2 * MIB));
    with_journal(&journal, long, || {
        refuses(&brand, "plan", &journal, "has a line of more than 1 MiB");
    });
    // Of torn lines, which cost the least to make.
    let torn = format!("{{\"at\":\"{}\n", "x".repeat(MIB - 64)).repeat(31);
    let large: Vec<_> = (0..5).map(|number| format!("20200101T00000{number}Z")).collect();
    for name in &large {
        fs::create_dir(folder.join(name)).unwrap();
        fs::write(folder.join(name).join("journal.jsonl"), begin.replace(&first, name) + &torn).unwrap();
    }
    let what = "hold more than 128 MiB of journals together";
    refuses(&brand, "apply --yes --settle 0.1", &folder, what);
    let plan = brand.run(["plan"]).ends_with(0);
    assert!(told(&plan).contains(what), "{plan:?}");
    let history = brand.run(["history"]).ends_with(1);
    assert!(told(&history).contains(what), "{history:?}");
    // A run that is named is found without the others.
    brand.run(["show", &first]).ends_with(0);
    fs::remove_dir_all(folder.join(&large[0])).unwrap();
    // The others have journals only, which is said of each.
    let history = brand.run(["history"]).ends_with(1);
    assert!(history.stdout.contains(&first) && history.stdout.contains(&large[4]), "{history:?}");
}

/// Starts a plan, asks it to stop that long after it has said which portal it is for, and gives what it said.
fn interrupted_after(brand: &Brand, pause: Duration) -> String {
    let mut plan = command(brand.folder.path());
    plan.arg("plan").env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook()).stderr(Stdio::piped());
    let mut plan = plan.stdout(Stdio::null()).spawn().unwrap();
    let mut said = BufReader::new(plan.stderr.take().unwrap());
    let mut text = String::new();
    said.read_line(&mut text).unwrap();
    std::thread::sleep(pause);
    assert!(Command::new("kill").args(["-INT", &plan.id().to_string()]).status().unwrap().success());
    said.read_to_string(&mut text).unwrap();
    assert_eq!(plan.wait().unwrap().code(), Some(130), "{text}");
    text
}

#[test]
fn reading_large_journals_ends_with_the_time_of_the_command_and_at_a_signal() {
    let (brand, journal) = pending();
    let all = journal.parent().unwrap().parent().unwrap();
    let (begin, first) = (beginning(&journal), id(&runs(&brand)[0]).to_owned());
    let requests = intent(50).repeat(30 * MIB / intent(50).len());
    for name in ["20200101T000001Z", "20200101T000002Z", "20200101T000003Z"] {
        fs::create_dir(all.join(name)).unwrap();
        fs::write(all.join(name).join("journal.jsonl"), begin.replace(&first, name) + &requests).unwrap();
    }
    for line in ["plan --timeout 0.05", "apply --yes --timeout 0.05"] {
        refuses(&brand, line, all, "the time of --timeout was up before the runs in");
    }
    // Before that, it has other things to do for a moment.
    let pauses = [50, 200, 800].map(Duration::from_millis);
    let said = pauses.map(|pause| interrupted_after(&brand, pause));
    assert!(said.iter().any(|text| text.contains("interrupted before the runs were read")), "{said:?}");
}

#[test]
fn a_portal_that_says_a_lot_leaves_a_journal_that_can_be_read() {
    let (brand, _) = pending();
    let faults = format!("any 1 refuse *.add 400 ACCESS_DENIED \"{}\"", "x".repeat(2 * MIB));
    brand.fail(faults.parse().unwrap());
    let applied = brand.apply();
    assert!(applied.code == 1 || applied.code == 3, "{}", applied.code);
    let journal = runs(&brand).pop().unwrap().join("journal.jsonl");
    let longest = fs::read_to_string(&journal).unwrap().lines().map(str::len).max();
    assert!(longest < Some(16 * 1024), "{longest:?}");
    brand.run(["history"]).ends_with(0);
}
