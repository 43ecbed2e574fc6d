//! What `restore` restores, and the commands that brandctl shows for it: typed as they are shown, they do what is said.

use std::time::Duration;

use brandctl::domain::asset::Kind;
use brandctl::sandbox::Faults;

use crate::common::{Brand, Output, art};

/// A portal that refuses new images.
fn no_adds() -> Faults {
    "any every refuse *.add 400 FILE_SAVE_ERROR".parse().unwrap()
}

fn newest(brand: &Brand, options: &str) -> String {
    let runs = brand.json(&format!("history {options}")).json["runs"].as_array().unwrap().clone();
    runs.last().unwrap()["run"].as_str().unwrap().to_owned()
}

/// The commands in backticks that begin so.
fn commands(text: &str, with: &str) -> Vec<String> {
    text.split('`').filter(|part| part.starts_with(with)).map(str::to_owned).collect()
}

fn typed(brand: &Brand, command: &str) -> Output {
    brand.run(command.split(' ').skip(1).chain(["--yes", "--settle", "0.1"]))
}

/// Without the manifest and the state folder, the command would be about others.
#[test]
fn a_command_in_advice_has_the_options_that_it_needs() {
    let brand = Brand::new().in_step(1);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.fail(no_adds());
    let options = "-f ./brand.yaml --root . --state-dir st";
    let reports = "--report r.md --report r.html --report r.xml --report r.json";
    let output = brand.run(format!("apply --yes --settle 0.1 {options} {reports}").split(' ')).ends_with(3);
    brand.fail(Faults::none());
    let run = newest(&brand, options);
    let (restore, apply) =
        (format!("brandctl restore {run} icon/acme-00 {options}"), format!("brandctl apply {options}"));
    let text = |name: &str| std::fs::read_to_string(brand.path(name)).unwrap();
    for text in [&output.stdout, &output.stderr, &text("r.md"), &text("r.html"), &text("r.xml"), &text("r.json")] {
        let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(one_line.contains(&restore), "{restore} is not in {text}");
        assert!(commands(&one_line, "brandctl restore").iter().all(|found| *found == restore), "{text}");
        assert!(commands(&one_line, "brandctl apply").iter().all(|found| *found == apply), "{text}");
    }
    typed(&brand, &restore).ends_with(0);
    assert_eq!(brand.image("icon/acme-00").unwrap(), art(Kind::Icon, 0));
}

#[test]
fn a_run_that_is_shown_by_its_folder_is_restored_by_it() {
    let brand = Brand::new().in_step(1);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.fail(no_adds());
    brand.run("apply --yes --settle 0.1 --state-dir st".split(' ')).ends_with(3);
    brand.fail(Faults::none());
    let run = newest(&brand, "--state-dir st");
    let portal = std::fs::read_dir(brand.path("st")).unwrap().next().unwrap().unwrap().path();
    std::fs::rename(portal.join("runs").join(&run), brand.path("kept")).unwrap();
    let shown = brand.run(["show", "kept"]).ends_with(0).stdout;
    assert_eq!(commands(&shown, "brandctl restore"), ["brandctl restore kept icon/acme-00"], "{shown}");
    typed(&brand, "brandctl restore kept icon/acme-00").ends_with(0);
    assert_eq!(brand.image("icon/acme-00").unwrap(), art(Kind::Icon, 0));
}

/// The restore's own copy is the image that it was to take away.
#[test]
fn a_code_that_a_restore_lost_comes_back_from_the_run_that_was_restored() {
    let brand = Brand::new().in_step(1);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.json("apply --yes --settle 0.1").ends_with(0);
    let run = newest(&brand, "");
    brand.fail(no_adds());
    let output = brand.run("restore last --yes --settle 0.1 --report r.md".split(' ')).ends_with(3);
    assert!(brand.image("icon/acme-00").is_none());
    brand.fail(Faults::none());
    let restore = format!("brandctl restore {run} icon/acme-00");
    let markdown = std::fs::read_to_string(brand.path("r.md")).unwrap();
    for text in [&output.stdout, &output.stderr, &markdown] {
        let found = commands(text, "brandctl restore ");
        assert!(!found.is_empty() && found.iter().all(|found| *found == restore), "{text}");
    }
    assert!(
        !output.stderr.contains("`brandctl apply` adds"),
        "apply adds the image that was restored away: {output:?}"
    );
    // The journal of the restore does not say what it restored, so nothing is advised from it alone.
    let shown = brand.run(["show", "last"]).ends_with(0).stdout;
    assert!(shown.contains("restore: ") && commands(&shown, "brandctl restore ").is_empty(), "{shown}");
    typed(&brand, &restore).ends_with(0);
    assert_eq!(brand.image("icon/acme-00").unwrap(), art(Kind::Icon, 0));
}

/// Runs of other portals and restores are not what `restore last` takes back.
#[test]
fn last_is_the_newest_run_of_the_portal_that_is_not_a_restore() {
    let brand = Brand::new().in_step(1);
    let other = Brand::new();
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.json("apply --yes --settle 0.1").ends_with(0);
    let run = newest(&brand, "");
    let there = brand.with_webhook(Some(&other.portal.admin_webhook()));
    let none = there.run(["restore", "last", "--yes"]).ends_with(1);
    assert!(none.stderr.contains("there is no run of 127.0.0.1:") && none.stderr.contains("to restore"), "{none:?}");
    // Ids are times in seconds.
    std::thread::sleep(Duration::from_millis(1100));
    there.json("apply --yes --settle 0.1").ends_with(0);
    let here = there.portal.admin_webhook();
    let brand = there.with_webhook(Some(&here));
    assert!(newest(&brand, "") > run, "the newest run is the other portal's");
    for _ in 0..2 {
        let restored = brand.run("restore last --yes --settle 0.1".split(' ')).ends_with(0);
        assert!(restored.stdout.contains("ut back") && !restored.stdout.contains("take"), "{restored:?}");
        assert_eq!(brand.image("icon/acme-00").unwrap(), art(Kind::Icon, 0));
    }
}

#[test]
fn history_names_the_command_of_each_run() {
    let brand = Brand::new().in_step(1);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.json("apply --yes --settle 0.1").ends_with(0);
    brand.json("restore last --yes --settle 0.1").ends_with(0);
    let runs = brand.json("history").json["runs"].clone();
    let commands: Vec<_> = runs.as_array().unwrap().iter().map(|run| run["command"].as_str()).collect();
    assert_eq!(commands, [Some("apply"), Some("restore")]);
}

/// Standard input is not a terminal.
#[test]
fn a_run_that_does_not_exist_is_reported_before_the_question() {
    let brand = Brand::new().in_step(1);
    let none = brand.run("restore nope --state-dir st".split(' ')).ends_with(1);
    assert!(none.stderr.contains("there is no run and no saved plan `nope`"), "{none:?}");
    assert!(none.stderr.contains("`brandctl history --state-dir st` lists the runs"), "{none:?}");
    assert!(!none.stderr.contains("cannot ask"), "{none:?}");
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.json("apply --yes --settle 0.1").ends_with(0);
    let asked = brand.run(["restore", "last"]).ends_with(1);
    assert!(asked.stderr.contains("cannot ask: stdin is not a terminal"), "{asked:?}");
    assert!(
        asked.stderr.contains("pass --yes to go on without asking") && !asked.stderr.contains("saved plan"),
        "{asked:?}"
    );
}

/// What the guards allowed with an option, they refuse without it.
#[test]
fn the_next_commands_have_the_exceptions_from_the_guards() {
    let brand = Brand::new().in_step(6);
    (0..4).for_each(|number| brand.undeclare(&format!("icon/acme-{number:02}")));
    let next = |line: &str, code: i32| {
        let out = brand.run(line.split(' ')).ends_with(code).stdout;
        let apply = out.lines().find(|line| line.contains("brandctl apply")).expect("a next step").to_owned();
        apply.trim().split("  ").next().unwrap().to_owned()
    };
    let only = "--only 'icon/acme-*'";
    assert_eq!(next("plan --max-deletes 5 --allow-unbacked", 0), "brandctl apply --max-deletes 5 --allow-unbacked");
    assert_eq!(next("drift --max-deletes 5 --only icon/acme-*", 2), format!("brandctl apply {only} --max-deletes 5"));
    let saved = next("plan -o plan.json --max-deletes 5", 0);
    assert_eq!(saved, "brandctl apply plan.json --max-deletes 5");
    brand.run("apply plan.json --settle 0.1".split(' ')).ends_with(4);
    typed(&brand, &saved).ends_with(0);
    // A saved plan records what was allowed, and not the options.
    (4..6).for_each(|number| brand.undeclare(&format!("icon/acme-{number:02}")));
    let saved = next("plan -o plan.json --max-deletes 5 --allow-empty", 0);
    assert_eq!(saved, "brandctl apply plan.json --max-deletes 5 --allow-empty");
    let shown = brand.run(["show", "plan.json"]).ends_with(0).stdout;
    assert!(shown.contains("The guards allow this only with the options that the plan was made with."), "{shown}");
    typed(&brand, &saved).ends_with(0);
    assert!(brand.codes().is_empty());
}
