//! Journals that are damaged, or larger than any of ours: each is named, and none keeps brandctl from other runs, lets it take
//! a run for finished, or takes its time or memory.

use std::fs;
use std::path::{Path, PathBuf};

use brandctl::domain::asset::Kind;

use super::checkout::{applied, instead_of, refuses, runs, state};
use crate::common::{Brand, Output, art};

const MIB: usize = 1024 * 1024;

const OTHER_FORMAT: &str = "it is of format 2; this program reads 1";

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
        (format!("{whole}{}", intent(51)), "it names 51 commands, and a request has at most 50"),
        (whole.replace("\"format_version\":1", "\"format_version\":2"), OTHER_FORMAT),
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
    let history = brand.run(["history"]).ends_with(0);
    assert!(history.stdout.contains(&first) && history.stdout.contains(&large[4]), "{history:?}");
}
