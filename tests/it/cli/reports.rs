//! `--report`: files beside what is printed, however the command ends.

use brandctl::render::json::schemas;
use std::fs;

use brandctl::domain::asset::Kind;
use serde_json::Value;

use super::moved::git;
use crate::common::{Brand, art, found};

fn text(brand: &Brand, name: &str) -> String {
    fs::read_to_string(brand.path(name)).unwrap()
}

/// The failures, the errors and the test cases that a JUnit report counts.
#[track_caller]
fn failures(brand: &Brand, name: &str) -> (usize, usize, usize) {
    let text = text(brand, name);
    let document = roxmltree::Document::parse(&text).unwrap();
    let count = |name| document.root_element().attribute(name).unwrap().parse().unwrap();
    (count("failures"), count("errors"), count("tests"))
}

/// Holds JSON against a schema.
#[track_caller]
fn hold(schema: &Value, text: &str) {
    let json: Value = serde_json::from_str(text).unwrap();
    let wrong: Vec<_> = jsonschema::validator_for(schema).unwrap().iter_errors(&json).map(|e| e.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// A page is whole: it begins and ends, and its style sheet holds images.
#[track_caller]
fn page(brand: &Brand, name: &str) -> String {
    let page = fs::read_to_string(brand.path(name)).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</script></body></html>"), "{name}");
    page
}

#[test]
fn every_command_writes_what_it_found_and_keeps_its_exit_code() {
    let brand = Brand::new().in_step(2).declares("icon/acme-new", 40);
    brand.seed("icon/acme-00", &art(Kind::Icon, 77));
    let plan = brand.both("plan --report plan.html --report json=plan.txt").ends_with(0);
    let written: Value = serde_json::from_slice(&fs::read(brand.path("plan.txt")).unwrap()).unwrap();
    assert_eq!(written["changes"], plan.json["changes"]);
    assert_eq!(written["plan_sha256"], plan.json["plan_sha256"]);
    let html = page(&brand, "plan.html");
    assert!(
        html.contains("id=\"icon/acme-new\"") && html.contains("Plan: 1 to create, 1 to replace"),
        "create and replace"
    );
    assert_eq!(html.matches("data:image/png").count(), 5, "two new ones, an old one, what differs, one that stays");

    let all =
        "drift --report drift.html --report comment.md --report junit=drift --report-url https://ci.example/drift.html";
    brand.run(all.split(' ')).ends_with(2);
    let comment = text(&brand, "comment.md");
    let mark = format!("<!-- brandctl drift {} brand.yaml -->\n", brand.portal.address());
    assert!(comment.starts_with(&mark), "{comment}");
    assert!(comment.contains("[The images, side by side](<https://ci.example/drift.html>)"), "{comment}");
    assert_eq!(failures(&brand, "drift"), (2, 0, 3));
    assert!(page(&brand, "drift.html").contains("brandctl <b>drift</b>"));
    brand.run(["validate", "--report", "validate.html"]).ends_with(0);
    assert!(page(&brand, "validate.html").contains("Valid: 3 images"));
    brand.apply_with("--report apply.html").ends_with(0);
    assert!(page(&brand, "apply.html").contains("Applied 2 changes and read back"));
}

#[test]
fn a_command_that_fails_writes_its_reports_too() {
    let brand = Brand::new().in_step(1).with_webhook(None);
    brand.run(["plan", "--report", "plan.html", "--report", "plan.json"]).ends_with(1);
    assert!(page(&brand, "plan.html").contains("1 error: nothing can be applied"));
    let json: Value = serde_json::from_slice(&fs::read(brand.path("plan.json")).unwrap()).unwrap();
    assert_eq!(found(&json, "error").len(), 1, "{json}");
    brand.run("drift --report drift.md --report drift.xml".split(' ')).ends_with(1);
    assert!(text(&brand, "drift.md").contains("**1 error: nothing was compared.**"));
    assert_eq!(failures(&brand, "drift.xml"), (0, 1, 1));
    brand.run("list --report list.md --report list.json --report list.html".split(' ')).ends_with(1);
    assert!(text(&brand, "list.md").contains("**The portal was not read.**"));
    assert!(page(&brand, "list.html").contains("The portal was not read"));
    hold(&schemas::of("list").unwrap(), &text(&brand, "list.json"));
    hold(&schemas::of("plan").unwrap(), &text(&brand, "plan.json"));
    brand.rewrite("version: 1\n");
    let all = "validate --report validate.html --report v.json --report v.md --report v.xml --report v.sarif";
    brand.run(all.split(' ')).ends_with(1);
    hold(&schemas::of("validate").unwrap(), &text(&brand, "v.json"));
    assert!(text(&brand, "v.md").contains("**Not valid: "));
    assert_eq!(failures(&brand, "v.xml").1, 0);
    assert!(text(&brand, "v.sarif").contains("\"version\": \"2.1.0\""));
    assert!(page(&brand, "validate.html").contains("Not valid"));
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_and_stops_nothing() {
    let brand = Brand::new().declares("icon/acme-new", 40);
    let output = brand.run(["apply", "--yes", "--report", "missing/apply.html"]).ends_with(1);
    assert!(output.text().contains("the report cannot be written to missing/apply.html"), "{output:?}");
    assert_eq!(brand.codes(), ["icon/acme-new"]);
}

#[test]
fn a_format_that_is_not_known_is_a_usage_error() {
    let brand = Brand::new().in_step(1);
    let output = brand.writing_nothing(|| brand.run(["plan", "--report", "plan.pdf"])).ends_with(1);
    assert!(output.stderr.contains("use .html, .json"), "{output:?}");
    for (line, told) in [
        (
            "plan --report x.sarif",
            "this command does not write sarif reports; it writes html, json, md, xml, codequality, terraform",
        ),
        ("list --report x.xml", "this command does not write xml reports; it writes html, json, md"),
        (
            "apply --yes --report terraform=x",
            "this command does not write terraform reports; it writes html, json, md, xml, codequality",
        ),
        ("plan --report x.md --report-url http://ci.example/x.html", "an address that begins with https://"),
        ("plan --report-url https://ci.example/x.html", "--report"),
        ("apply --yes --format diff", "`--format diff` is for `plan`, `drift` and `show` only"),
        ("list --format diff", "`--format diff` is for `plan`, `drift` and `show` only"),
        ("validate --format diff", "this command has `human`, `json`, `github`, `sarif` and `junit`"),
    ] {
        let output = brand.writing_nothing(|| brand.run(line.split(' '))).ends_with(1);
        assert!(output.stderr.contains(told) && output.stdout.is_empty(), "{line}: {output:?}");
        assert!(!brand.path("x").exists() && !brand.path("x.md").exists() && !brand.path("x.sarif").exists());
    }
}

#[test]
fn a_saved_plan_is_shown_again_in_every_format_also_when_it_is_stale() {
    let brand = Brand::new().in_step(1).declares("icon/acme-new", 40);
    let fresh = brand.run("plan -o plan.json --report fresh.md --report fresh.html".split(' ')).ends_with(0);
    let diff = brand.run(["plan", "--format", "diff"]).ends_with(0).stdout;
    assert!(diff.contains("\n+  acme-new: {sha256: "), "{diff}");
    brand.seed("icon/acme-new", &art(Kind::Icon, 77));
    let all = "show plan.json --report shown.md --report shown.html --report shown.json --report shown.xml";
    let shown = brand.run(all.split(' ')).ends_with(0);
    assert!(shown.stdout.ends_with(&fresh.stdout), "{shown:?}");
    // When a plan was made is not saved with it.
    let undated = |name| {
        let text = text(&brand, name);
        text.lines()
            .filter(|line| !line.contains(" UTC · brandctl "))
            .collect::<Vec<_>>()
            .join("\n")
            .replace("\n\n\n", "\n\n")
    };
    assert_ne!(text(&brand, "shown.md"), text(&brand, "fresh.md"));
    assert_eq!(undated("shown.md"), undated("fresh.md"));
    assert!(page(&brand, "shown.html").contains("Plan: 1 to create"));
    assert_eq!(failures(&brand, "shown.xml"), (1, 0, 2));
    hold(&schemas::of("plan").unwrap(), &text(&brand, "shown.json"));
    let changed =
        |diff: &str| diff.lines().filter(|line| line.starts_with("+  ")).map(ToOwned::to_owned).collect::<Vec<_>>();
    assert_eq!(changed(&brand.run(["show", "plan.json", "--format", "diff"]).ends_with(0).stdout), changed(&diff));
    let unwritten = brand.run(["show", "plan.json", "--report", "missing/x.md"]).ends_with(1);
    assert!(unwritten.stderr.contains("the report cannot be written to missing/x.md"), "{unwritten:?}");
}

#[test]
fn a_run_is_shown_again_with_what_became_of_it() {
    let brand = Brand::new().declares("icon/acme-new", 40);
    brand.apply().ends_with(0);
    let id = brand.json("history").json["runs"][0]["run"].as_str().unwrap().to_owned();
    brand.run(["show", &id, "--report", "run.md", "--report", "run.html", "--report", "run.xml"]).ends_with(0);
    assert!(text(&brand, "run.md").contains("**Applied 1 change and read back.**"));
    assert!(page(&brand, "run.html").contains("brandctl <b>apply</b>"));
    assert_eq!(failures(&brand, "run.xml"), (0, 0, 2));
}

#[test]
fn a_list_is_written_with_the_images_that_it_found_also_from_the_cache() {
    let brand = Brand::new().in_step(2).portal_has("icon/payroll", 9);
    for _ in 0..2 {
        brand.run("list --report list.html --report list.md".split(' ')).ends_with(0);
        let html = page(&brand, "list.html");
        assert_eq!(html.matches("data:image/png").count(), 3);
        assert!(html.contains("<code>payroll</code>") && html.contains("3 custom, 90 system"));
    }
    assert!(text(&brand, "list.md").contains("| `icon/payroll` | unmanaged |"));
}

#[test]
fn a_report_that_cannot_be_written_is_told_in_those_that_can() {
    let brand = Brand::new().in_step(1);
    let all = "plan --report ok.md --report none/x.html --report ok.json --report ok.xml --report html=icons";
    brand.run(all.split(' ')).ends_with(1);
    hold(&schemas::of("plan").unwrap(), &text(&brand, "ok.json"));
    for name in ["ok.json", "ok.md", "ok.xml"] {
        let text = text(&brand, name);
        assert!(text.contains("the report cannot be written to none/x.html"), "{name}: {text}");
        assert!(text.contains("the report cannot be written to icons: it is a folder"), "{name}: {text}");
    }
    assert_eq!(failures(&brand, "ok.xml"), (0, 1, 1));
    let unsaved = brand.json("plan -o none/plan.json --report unsaved.json").ends_with(1);
    assert_eq!(unsaved.errors(), ["output"]);
    assert_eq!(
        found(&serde_json::from_str::<Value>(&text(&brand, "unsaved.json")).unwrap(), "error"),
        found(&unsaved.json, "error")
    );
}

/// Each of them would lose one of two files.
#[test]
fn what_is_written_is_no_two_things_in_one_file_and_nothing_that_is_read() {
    let brand = Brand::new().in_step(1).declares("icon/acme-new", 40);
    fs::create_dir(brand.path("out")).unwrap();
    brand.save_plan();
    let whole = text(&brand, "plan.json");
    let absolute = brand.path("x.json").display().to_string();
    let mut lines = vec![
        ("plan -o x.json --report x.json".to_owned(), "`--output x.json` would overwrite a file: --report x.json"),
        (format!("plan -o ./out/../x.json --report json={absolute}"), "would overwrite a file: --report"),
        ("drift --report x.json --report html=x.json".to_owned(), "`--report x.json` would overwrite"),
        ("list --report out/x.md --report html=./out//x.md".to_owned(), "would overwrite"),
        ("plan --report json=brand.yaml".to_owned(), "the manifest is read from there"),
        ("list --report json=./brand.yaml".to_owned(), "the manifest is read from there"),
        ("plan -o brand.yaml".to_owned(), "the manifest is read from there"),
        ("apply plan.json --report plan.json".to_owned(), "the plan is read from there"),
        ("show plan.json --report json=out/../plan.json".to_owned(), "the plan is read from there"),
        ("validate icons/acme-00.png --report html=icons/acme-00.png".to_owned(), "an image is read from there"),
        ("plan --report html=-".to_owned(), "standard output is for --format"),
        ("plan --report -".to_owned(), "standard output is for --format"),
    ];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("brand.yaml", brand.path("link")).unwrap();
        std::os::unix::fs::symlink("out/nothing-yet", brand.path("dangling")).unwrap();
        lines.push(("plan --report json=link".to_owned(), "the manifest is read from there"));
        lines.push(("plan -o dangling --report json=out/nothing-yet".to_owned(), "would overwrite"));
        lines.push(("plan -o dangling".to_owned(), "it is a link to out/nothing-yet"));
    }
    for (line, told) in lines {
        let asked = brand.seen(|_| true);
        let output = brand.writing_nothing(|| brand.run(line.split(' '))).ends_with(1);
        assert!(output.stderr.contains(told) && output.stdout.is_empty(), "{line}: {output:?}");
        assert_eq!(brand.seen(|_| true), asked, "{line}: nothing is read before");
    }
    assert_eq!(text(&brand, "plan.json"), whole);
    assert!(!brand.path("x.json").exists() && !brand.path("-").exists() && !brand.path("out/x.md").exists());
    let own = brand.path("tokens.json").display().to_string();
    let output = crate::common::command(brand.folder.path())
        .args(["plan", "--report", "tokens.json"])
        .env("BITRIX24_OAUTH_FILE", own)
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("the file of BITRIX24_OAUTH_FILE is read from there"));
    // Two that only look alike are two.
    brand.run("plan -o plan2.json --report out/plan2.json".split(' ')).ends_with(0);
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_written_as_they_are() {
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, symlink};
    let brand = Brand::new().declares("icon/acme-new", 40);
    let before = fs::metadata("/dev/null").unwrap();
    symlink("/dev/null", brand.path("nowhere")).unwrap();
    brand.run("plan --report md=/dev/null --report xml=/dev/null --report json=nowhere".split(' ')).ends_with(0);
    let after = fs::metadata("/dev/null").unwrap();
    assert!(after.file_type().is_char_device() && after.ino() == before.ino());

    // A pipe with a name, whose reader reads one after the other.
    for name in ["one.json", "two.md"] {
        let made = std::process::Command::new("mkfifo").arg(brand.path(name)).status().unwrap();
        assert!(made.success());
    }
    let reader = std::process::Command::new("cat")
        .args([brand.path("one.json"), brand.path("two.md")])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    brand.run("plan --report one.json --report two.md".split(' ')).ends_with(0);
    let read = String::from_utf8(reader.wait_with_output().unwrap().stdout).unwrap();
    assert!(read.contains("\"plan_sha256\"") && read.contains("<!-- brandctl plan "), "{read}");
    assert!(fs::metadata(brand.path("one.json")).unwrap().file_type().is_fifo());

    // What a shell passes on, and standard output itself, in a pipe and in a file.
    let program = env!("CARGO_BIN_EXE_brandctl");
    let shell = |script: &str| {
        let mut command = std::process::Command::new("bash");
        command.args(["-c", script, program]).current_dir(brand.folder.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap());
        let output = command.env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook()).output().unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let both = shell("$0 plan -q --report json=/dev/stdout | cat");
    assert!(both.starts_with('{') && both.ends_with("90 system.\n"), "{both}");
    shell("$0 plan -q --report json=/proc/self/fd/1 > both.txt");
    let without_times = |text: &str| -> String {
        text.lines().filter(|line| !line.contains("\"started\"") && !line.contains("\"elapsed_ms\"")).collect()
    };
    let kept = without_times(&text(&brand, "both.txt"));
    assert_eq!(kept, without_times(&both), "nothing is lost where standard output is a file");
    shell("$0 plan -q --report md=>(cat > passed.md; touch done); while [ ! -e done ]; do sleep 0.05; done");
    assert!(text(&brand, "passed.md").starts_with("<!-- brandctl plan "));
    // A plan that goes to standard output is alone there.
    for name in ["-", "/dev/stdout"] {
        let saved: Value = serde_json::from_str(&shell(&format!("$0 plan -o {name}"))).unwrap();
        assert_eq!(saved["changes"][0]["address"], "icon/acme-new");
    }
}

/// The first line of a comment, by which a tool finds it.
fn mark(brand: &Brand, line: &str) -> String {
    let output = brand.run(format!("{line} --report mark.md").split(' '));
    let text = text(brand, "mark.md");
    fs::remove_file(brand.path("mark.md")).unwrap();
    text.lines().next().unwrap_or_else(|| panic!("{output:?}")).to_owned()
}

#[test]
fn a_comment_is_found_again_whatever_came_of_it_and_told_from_every_other() {
    let mut brand = Brand::new().in_step(1);
    let portal = brand.portal.address();
    let expected = format!("<!-- brandctl plan {portal} brand.yaml -->");
    assert_eq!(mark(&brand, "plan"), expected);
    // However the manifest is named, and wherever it is checked out.
    assert_eq!(mark(&brand, "plan -f ./brand.yaml"), expected);
    assert_eq!(mark(&brand, &format!("plan -f {}", brand.path("brand.yaml").display())), expected);
    fs::create_dir_all(brand.path("sub/.git")).unwrap();
    fs::create_dir_all(brand.path("sub/brands/a")).unwrap();
    assert_eq!(
        mark(&brand, "plan -f sub/brands/a/brand.yaml"),
        format!("<!-- brandctl plan {portal} brands/a/brand.yaml -->")
    );
    // Whatever is wrong with it.
    for manifest in ["version: 1\n", "portal: other.bitrix24.com\nversion: 1\nowns: ['a*']\nicons: {}\n"] {
        brand.rewrite(manifest);
        assert_eq!(mark(&brand, "plan"), expected);
        assert_eq!(mark(&brand, "list"), expected.replace("plan", "list"));
    }
    fs::remove_file(brand.path("brand.yaml")).unwrap();
    assert_eq!(mark(&brand, "list"), expected.replace("plan", "list"));
    assert_eq!(mark(&brand, "validate"), "<!-- brandctl validate - brand.yaml -->");
    brand.portal.set_faults("any overload".parse().unwrap());
    brand = brand.manifest(crate::common::MANIFEST);
    assert_eq!(mark(&brand, "drift --timeout 1"), expected.replace("plan", "drift"));
    brand = brand.with_webhook(None);
    assert_eq!(mark(&brand, "plan"), "<!-- brandctl plan - brand.yaml -->");
    assert_eq!(mark(&brand, "plan --sandbox"), "<!-- brandctl plan sandbox brand.yaml -->");
}

#[test]
fn how_it_ended_is_told_in_every_format() {
    let brand = Brand::new().in_step(1).declares("icon/acme-new", 40).with("policy: {max_deletes: 0}");
    // Nobody can be asked.
    brand.run("apply --report asked.md --report asked.xml".split(' ')).ends_with(1);
    assert!(text(&brand, "asked.md").contains("**Could not ask for approval: nothing was written.**"));
    assert_eq!(failures(&brand, "asked.xml"), (0, 1, 1));
    // Stale: the reports do not say what the portal no longer is.
    brand.save_plan();
    brand.seed("icon/acme-new", &art(Kind::Icon, 40));
    brand.run("apply plan.json --report stale.md --report stale.xml".split(' ')).ends_with(5);
    assert_eq!(failures(&brand, "stale.xml"), (0, 1, 2));
    assert!(!text(&brand, "stale.xml").contains("not on the portal"), "{}", text(&brand, "stale.xml"));
    assert!(!text(&brand, "stale.md").contains("not on the portal"), "{}", text(&brand, "stale.md"));
    // A guard refuses, which is not a failure of drift.
    brand.undeclare("icon/acme-00");
    brand.run("plan --report guard.xml".split(' ')).ends_with(4);
    assert_eq!(failures(&brand, "guard.xml"), (2, 0, 2));
    brand.run("drift --report guard.xml --report guard.md".split(' ')).ends_with(2);
    assert_eq!(failures(&brand, "guard.xml"), (1, 0, 2));
    assert!(
        text(&brand, "guard.md").contains("**Drift: 1 undeclared entry on the portal; a guard would stop apply.**")
    );
}

/// As in CI: the manifest is in a folder of a checkout, and annotations are about the files of a commit.
#[test]
fn annotations_name_files_from_the_root_of_the_repository() {
    let brand = Brand::new();
    fs::create_dir(brand.path("repo")).unwrap();
    git(&brand.path("repo"), "init --quiet --initial-branch main");
    fs::create_dir_all(brand.path("repo/clients/acme/icons")).unwrap();
    let manifest = "version: 1\nowns: [\"acme-*\"]\nicons:\n  acme-call: ../../shared/call.png\nlogos: logos/\nrules: {low-contrast: off}\n";
    fs::write(brand.path("repo/clients/acme/brand.yaml"), manifest).unwrap();
    for (file, kind) in [("repo/shared/call.png", Kind::Icon), ("repo/clients/acme/logos/acme-a.png", Kind::Logo)] {
        fs::create_dir_all(brand.path(file).parent().unwrap()).unwrap();
        fs::write(brand.path(file), art(kind, 40)).unwrap();
    }
    fs::write(brand.path("repo/clients/acme/logos/acme-b.png"), art(Kind::Logo, 50)).unwrap();
    brand.seed("icon/acme-old", &art(Kind::Icon, 77));
    let reports = "--report codequality=quality.json --report terraform=counts.json";
    let line = |command: &str| format!("{command} -f ./repo/clients/acme/brand.yaml --format github {reports}");
    for (command, code) in [("plan", 0), ("drift", 2)] {
        let output = brand.run(line(command).split(' ')).ends_with(code);
        let commands: Vec<_> = output.stdout.lines().filter(|line| line.starts_with("::")).collect();
        assert_eq!(commands.len(), 4, "{output:?}");
        assert!(output.stdout.contains("file=clients/acme/brand.yaml,line=4,col=3,"), "{output:?}");
        assert!(output.stdout.contains("file=clients/acme/logos/acme-b.png,title="), "{output:?}");
        assert!(output.stdout.contains(" file=clients/acme/brand.yaml,title=brandctl%3A delete::"), "{output:?}");
        let quality: Vec<Value> = serde_json::from_str(&text(&brand, "quality.json")).unwrap();
        let paths: Vec<_> = quality.iter().map(|issue| issue["location"]["path"].as_str().unwrap()).collect();
        let logos = ["clients/acme/logos/acme-a.png", "clients/acme/logos/acme-b.png"];
        assert_eq!(paths.iter().filter(|path| logos.contains(path)).count(), 2, "{paths:?}");
        assert_eq!(paths.iter().filter(|path| **path == "clients/acme/brand.yaml").count(), 2, "{paths:?}");
        assert_eq!(text(&brand, "counts.json"), "{\n  \"create\": 3,\n  \"update\": 0,\n  \"delete\": 1\n}\n");
    }
    // A saved plan is shown without its manifest, at the files that it names.
    brand.run("plan -f repo/clients/acme/brand.yaml -o plan.json".split(' ')).ends_with(0);
    let shown = brand.run("show plan.json -f repo/clients/acme/brand.yaml --format github".split(' ')).ends_with(0);
    assert!(shown.stdout.contains("::notice file=shared/call.png,title=brandctl%3A create::"), "{shown:?}");
    let applied =
        brand.run("apply -y -f repo/clients/acme/brand.yaml --max-deletes 1 --format github".split(' ')).ends_with(0);
    assert_eq!(applied.stdout, "Applied 4 changes and read back.\n");
}

#[test]
fn a_failure_is_an_annotation_and_leaves_no_counts() {
    let brand = Brand::new().in_step(1).with_webhook(None);
    let reports = ["--report", "codequality=quality.json", "--report", "terraform=counts.json"];
    for command in ["plan", "drift"] {
        let output = brand.run([&[command, "--format", "github"], &reports[..]].concat()).ends_with(1);
        assert!(output.stdout.starts_with("::error title=brandctl%3A "), "{output:?}");
        assert_eq!(text(&brand, "counts.json"), "{}\n");
        let quality: Vec<Value> = serde_json::from_str(&text(&brand, "quality.json")).unwrap();
        assert_eq!(quality[0]["severity"], "critical");
        assert_eq!(quality[0]["location"]["path"], "brand.yaml");
    }
    let shown = brand.run(["show", "missing.json", "--format", "github"]).ends_with(1);
    assert!(shown.stdout.starts_with("::error "), "{shown:?}");
    brand.rewrite("version: 1\n");
    let manifest = brand.path("brand.yaml").display().to_string();
    brand.run(["plan", "-f", &manifest, "--report", "codequality=quality.json"]).ends_with(1);
    let quality: Vec<Value> = serde_json::from_str(&text(&brand, "quality.json")).unwrap();
    assert_eq!(quality[0]["location"]["path"], "brand.yaml", "it is relative");
    brand.run(["validate", "--report", "codequality=quality.json"]).ends_with(1);
    assert!(text(&brand, "quality.json").contains("\"critical\""));
}
