//! What brandctl makes for shells, readers of manuals and editors: completions asked for by real shells, manual pages
//! that the formatter takes, schemas.

use std::path::Path;
use std::process::{Command, Output};

use brandctl::render::json::schemas::SCHEMAS;

use crate::shared::shells::{branding, in_shell};

const PROGRAM: &str = env!("CARGO_BIN_EXE_brandctl");

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).current_dir(folder).env_clear().env("HOME", folder).output().unwrap()
}

fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What the program proposes for the last of `words`.
fn proposed(folder: &Path, words: &[&str]) -> Vec<String> {
    let last = (words.len()).to_string();
    let output = Command::new(PROGRAM)
        .args(["--", "brandctl"])
        .args(words)
        .current_dir(folder)
        .env_clear()
        .env("BRANDCTL_COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", last)
        .env("_CLAP_COMPLETE_COMP_TYPE", "9")
        .env("_CLAP_IFS", "\n")
        .output()
        .unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn state_keeps_itself_out_of_git() {
    let folder = branding();
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    git(&["init", "--quiet"]);
    assert!(!git(&["status", "--porcelain", "--untracked-files=all"]).contains(".brandctl"));
}

#[test]
fn codes_and_runs_are_completed() {
    let folder = branding();
    let here = folder.path();
    let runs = here.join(".brandctl").read_dir().unwrap().map(|entry| entry.unwrap().path().join("runs"));
    let kept = runs.filter(|runs| runs.is_dir()).flat_map(|runs| runs.read_dir().unwrap()).map(Result::unwrap);
    let run = kept.filter(|entry| entry.path().is_dir()).map(|run| run.file_name().into_string().unwrap()).next();
    let run = run.unwrap();
    assert!(proposed(here, &["restore", &run[..4]]).contains(&run));
    assert!(proposed(here, &["show", ""]).contains(&run));
    // A plan is a file.
    assert!(proposed(here, &["show", "brand"]).contains(&"brand.yaml".to_owned()));
    assert_eq!(proposed(here, &["restore", &run, "icon/acme-ca"]), ["icon/acme-call"]);
    assert_eq!(proposed(here, &["plan", "--only", "icon/acme-pa"]), ["icon/acme-paid", "icon/acme-parcel"]);
    assert_eq!(proposed(here, &["drift", "--only", "acme-br"]), ["acme-brand"]);
    assert_eq!(proposed(here, &["usage", "acme-fa"]), ["acme-fax"]);
    assert_eq!(proposed(here, &["rules", "low"]), ["low-contrast"]);
    assert_eq!(proposed(here, &["comp"]), ["completions"]);
    // The manifest that the line names is meant, in each of its spellings.
    for file in [&["-f", "other/brand.yaml"][..], &["--file", "other/brand.yaml"], &["--file=other/brand.yaml"]] {
        assert_eq!(proposed(here, &[file, &["plan", "--only", "icon/"]].concat()), ["icon/z-only"]);
    }
    // Where there is nothing to read there is nothing to say, and nobody complains.
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(proposed(empty.path(), &["restore", "2026"]), [""; 0]);
    std::fs::write(empty.path().join("brand.yaml"), "}{").unwrap();
    assert_eq!(proposed(empty.path(), &["plan", "--only", "a"]), [""; 0]);
}

#[test]
fn no_shell_sees_more_in_a_proposal_than_its_letters() {
    let folder = tempfile::tempdir().unwrap();
    let codes = ["zz-;ls>PWN", "zz-`id`", "zz-$(id)", "zz-a b", "zz-*", "zz-fine.1_x"];
    let declared: String = codes.iter().map(|code| format!("  \"{code}\": icons/a.png\n")).collect();
    let manifest = format!("version: 1\nowns: [\"zz-*\"]\nicons:\n{declared}");
    std::fs::write(folder.path().join("brand.yaml"), manifest).unwrap();
    for name in ["$(id).json", "a`id`", "plan.json"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    assert_eq!(proposed(folder.path(), &["usage", "zz-"]), ["zz-fine.1_x"]);
    assert_eq!(proposed(folder.path(), &["-fbrand.yaml", "usage", "zz-"]), ["zz-fine.1_x"]);
    std::fs::write(folder.path().join("\u{1b}]0;id\u{7}"), "").unwrap();
    std::fs::write(folder.path().join("two\nid"), "").unwrap();
    for line in [
        &["show"][..],
        &["restore"],
        &["apply"],
        &["validate"],
        &["plan", "-o"],
        &["plan", "--state-dir"],
        &["export"],
        &["init"],
        &["-f"],
    ] {
        let plans = proposed(folder.path(), &[line, &[""]].concat());
        let is_there = plans.contains(&"plan.json".to_owned());
        assert!(is_there && !plans.iter().any(|plan| plan.contains("id")), "{line:?}: {plans:?}");
    }
}

#[test]
fn a_folder_with_very_many_files_and_odd_ones_is_no_burden_to_a_shell() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::create_dir(here.join("icons")).unwrap();
    std::fs::write(here.join("brand.yaml"), "version: 1\nowns: [\"z-*\"]\nicons: icons/\n").unwrap();
    for number in 0..20_000 {
        std::fs::File::create(here.join(format!("icons/z-{number}.png"))).unwrap();
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        for pipe in ["icons/z-pipe.png", "pipe"] {
            assert!(Command::new("mkfifo").arg(here.join(pipe)).status().unwrap().success());
        }
        symlink("/dev/zero", here.join("icons/z-zero.png")).unwrap();
        symlink("round", here.join("round")).unwrap();
        symlink(".", here.join("here")).unwrap();
    }
    assert_eq!(proposed(here, &["validate", "icons/"]).len(), 1_000);
    assert_eq!(proposed(here, &["validate", "icons/z-1999"]).len(), 11);
    assert_eq!(proposed(here, &["plan", "--only", "icon/z-199"]).len(), 111);
    #[cfg(unix)]
    for manifest in ["pipe", "round", "here", "icons/z-zero.png", "icons/z-pipe.png"] {
        assert_eq!(proposed(here, &["-f", manifest, "plan", "--only", ""]), [""; 0], "{manifest}");
    }
}

#[test]
fn a_stray_variable_keeps_no_command_from_its_work() {
    let folder = tempfile::tempdir().unwrap();
    for value in ["1", "foo", "../x", "bash"] {
        let mut command = Command::new(PROGRAM);
        command.arg("validate").current_dir(folder.path()).env_clear().env("BRANDCTL_COMPLETE", value);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{value}: {output:?}");
        assert!(String::from_utf8(output.stdout).unwrap().contains("the manifest does not exist"), "{value}");
    }
}

#[test]
fn bash_completes_a_code() {
    let folder = branding();
    let script = "source <(brandctl completions bash)
        complete -p brandctl
        COMP_WORDS=(brandctl plan --only icon/acme-ca) COMP_CWORD=3 COMP_TYPE=9
        $(complete -p brandctl | sed 's/.*-F \\([^ ]*\\).*/\\1/') brandctl icon/acme-ca --only
        echo \"[${COMPREPLY[*]}]\"";
    let printed = in_shell("bash", &["--norc"], script, folder.path());
    assert!(printed.contains("[icon/acme-call]"), "{printed}");
}

#[test]
fn every_shell_gets_a_script_that_asks_the_program() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = printed(folder.path(), &["completions", shell]);
        assert!(script.contains("BRANDCTL_COMPLETE") && script.contains("brandctl"), "{shell}: {script}");
    }
    let refused = run(folder.path(), &["completions", "tcsh"]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(told.contains("bash") && told.contains("powershell"), "{told}");
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    assert!(printed(folder.path(), &["man", "--all", "pages/man1"]).is_empty());
    let mut pages = 0;
    for entry in std::fs::read_dir(folder.path().join("pages/man1")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let page = std::fs::read_to_string(&path).unwrap();
        let words: Vec<_> = name.split('-').skip(1).collect();
        assert_eq!(page, printed(folder.path(), &[&["man"], words.as_slice()].concat()), "{name}");
        assert!(page.contains(".SH NAME") && page.contains(".SH OPTIONS") && page.contains("Examples:"), "{name}");
        pages += 1;
    }
    assert!(pages >= 18, "{pages}");
    let refused = run(folder.path(), &["man", "plna"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("there is no command `plna`"));
    std::fs::write(folder.path().join("file"), "").unwrap();
    let refused = run(folder.path(), &["man", "--all", "file"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("cannot be written to file"));
}

#[test]
fn every_published_schema_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    let names = printed(folder.path(), &["schema"]);
    let json: serde_json::Value =
        serde_json::from_str(&printed(folder.path(), &["schema", "--format", "json"])).unwrap();
    for schema in SCHEMAS {
        let file = std::fs::read_to_string(published.join(format!("{}.schema.json", schema.name))).unwrap();
        assert_eq!(printed(folder.path(), &["schema", schema.name]), file, "{}", schema.name);
        assert!(names.contains(schema.describes), "{names}");
        let is_it = |named: &&serde_json::Value| named["name"] == schema.name;
        let named = json["schemas"].as_array().unwrap().iter().find(is_it).unwrap();
        assert_eq!(named["describes"], schema.describes);
    }
    assert_eq!(std::fs::read_dir(&published).unwrap().count(), SCHEMAS.len(), "a schema that `schema` does not know");
    assert_eq!(run(folder.path(), &["schema", "plna"]).status.code(), Some(1));
}

#[test]
fn what_is_for_other_programs_has_no_json() {
    let folder = tempfile::tempdir().unwrap();
    for line in [["completions", "bash"], ["man", "plan"]] {
        let refused = run(folder.path(), &[&line[..], &["--format", "json"]].concat());
        let told: serde_json::Value = serde_json::from_slice(&refused.stdout).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{told}");
        let message = told["findings"][0]["message"].as_str().unwrap();
        assert!(message.contains("`--format json` is for other commands only"), "{told}");
    }
}
