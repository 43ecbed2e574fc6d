//! What is written, where, and when nothing is.

use crate::common::found;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::shared::init::{ANSWERS, SCRIPT, SYSTEMS, brandctl, git, init, stderr, tree, yaml};

const BRAND: [&str; 5] =
    [".gitignore", "brand.schema.json", "brand.yaml", "icons/acme-sample.png", "logos/acme-sample.png"];

/// `validate` finds nothing at all in it.
#[track_caller]
fn is_sound(folder: &Path, manifest: &str) {
    let output = brandctl(folder, &["validate", "-f", manifest, "--format", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["findings"], serde_json::json!([]));
    assert_eq!(output.status.code(), Some(0));
}

/// Arguments that are complete, for a folder.
fn all(folder: &str) -> [&str; 5] {
    [folder, "--owns", "acme-*", "--ci", "github"]
}

/// Asserts that nothing is written, the exit code is 1, and standard error says why.
#[track_caller]
fn refuses(folder: &Path, arguments: &[&str], told: &str) {
    let before = tree(folder);
    for format in ["human", "json"] {
        let output = brandctl(folder, &[&["init"], arguments, &["--format", format]].concat());
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), stderr(&output));
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
        assert!(!text.contains("panicked") && !text.contains("abcdefgh12345678"), "{text}");
        if format == "human" {
            assert!(output.stdout.is_empty() && text.contains(told), "{arguments:?}: {text}");
        } else if let Ok(json) = serde_json::from_str::<Value>(&text) {
            assert_eq!(json["files"], serde_json::json!([]));
            let errors = serde_json::json!(found(&json, "error")).to_string().replace("\\\"", "\"");
            assert!(errors.contains(told), "{errors}");
        }
    }
    assert_eq!(tree(folder), before);
}

#[test]
fn everything_that_is_written_is_sound() {
    for owns in ["acme-*", "icon/acme-*", "logo/acme-*", "*", "ACME *", "acme-*{e,\"'}", "acme-[!0-9'\"]*"] {
        let folder = tempfile::tempdir().unwrap();
        init(folder.path(), &["--owns", owns, "--ci", "none"]);
        is_sound(folder.path(), "brand.yaml");
        let manifest = yaml(&folder.path().join("brand.yaml"));
        assert_eq!(manifest["owns"], serde_json::json!([owns]));
        // Editors get the same, from the file that the first line names.
        let text = fs::read_to_string(folder.path().join("brand.yaml")).unwrap();
        let schema = text.lines().next().unwrap().strip_prefix("# yaml-language-server: $schema=").unwrap();
        let schema = serde_json::from_slice(&fs::read(folder.path().join(schema)).unwrap()).unwrap();
        let wrong: Vec<_> =
            jsonschema::draft7::new(&schema).unwrap().iter_errors(&manifest).map(|error| error.to_string()).collect();
        assert_eq!(wrong, [] as [String; 0], "{owns}");
    }
}

#[test]
fn what_is_left_in_comments_can_be_taken_into_use() {
    let folder = tempfile::tempdir().unwrap();
    init(folder.path(), &["--owns", "acme-*", "--ci", "none"]);
    let path = folder.path().join("brand.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let keys = ["portal:", "protect:", "policy:", "  prune:", "  max_deletes:", "rules:", "  low-contrast:"];
    let mut text = text.clone();
    for key in keys {
        let commented = format!("\n# {key}");
        assert!(text.contains(&commented), "{key}");
        text = text.replace(&commented, &format!("\n{key}"));
    }
    fs::write(&path, &text).unwrap();
    is_sound(folder.path(), "brand.yaml");
    assert_eq!(yaml(&path)["policy"]["max_deletes"], 3);
}

#[test]
fn it_says_what_it_wrote_and_what_comes_next() {
    let folder = tempfile::tempdir().unwrap();
    let told = init(folder.path(), &[&ANSWERS[..], &["--ci", "github"]].concat());
    for file in tree(folder.path()) {
        assert!(told.contains(&format!("\n  {file}\n")), "{file}: {told}");
    }
    assert_eq!(tree(folder.path())[1..], BRAND);
    // The commands that it names do what they say.
    let next: Vec<_> = told.lines().filter_map(|line| line.strip_prefix("  brandctl ")).collect();
    let commands: Vec<Vec<_>> =
        next.iter().map(|line| line.split("   ").next().unwrap().split(' ').collect()).collect();
    assert_eq!(commands, [["validate"], ["plan"]]);
    assert!(
        told.ends_with("(see .github/workflows/brandctl.yml), and push: from then on, merges are applied\n"),
        "{told}"
    );
    for command in commands {
        let output = brandctl(folder.path(), &[&command[..], &["--sandbox"]].concat());
        assert!(output.status.success(), "{command:?}: {}", stderr(&output));
    }
}

#[test]
fn in_a_larger_repository_the_ci_file_goes_to_its_root() {
    for (system, path, _) in SYSTEMS {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "-q"]);
        fs::create_dir(folder.path().join("shop")).unwrap();
        let told = init(&folder.path().join("shop"), &["brand", "--owns", "acme-*", "--ci", system]);
        assert!(folder.path().join(path).is_file(), "{told}");
        assert!(told.contains("brandctl validate -f brand/brand.yaml "), "as seen from where it was run: {told}");
        is_sound(folder.path(), "shop/brand/brand.yaml");
        // Another brand in the same repository would need the same file.
        refuses(
            folder.path(),
            &["other", "--owns", "other-*", "--ci", system],
            &format!("these files already exist: {path}"),
        );
        refuses(folder.path(), &["other", "--owns", "other-*", "--ci", system], "pass --ci none, and add the jobs");
        init(folder.path(), &["other", "--owns", "other-*", "--ci", "none"]);
        refuses(folder.path(), &["two words", "--owns", "a-*", "--ci", system], "cannot name the folder `two words`");
    }
}

#[test]
fn nothing_is_written_over() {
    for file in BRAND.iter().chain(&[".github/workflows/brandctl.yml"]).filter(|file| **file != ".gitignore") {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "mine").unwrap();
        refuses(folder.path(), &["--owns", "acme-*", "--ci", "github"], &format!("these files already exist: {file}"));
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }
    let folder = tempfile::tempdir().unwrap();
    init(folder.path(), &["--owns", "acme-*", "--ci", "github"]);
    let all = "these files already exist: .github/workflows/brandctl.yml, brand.schema.json, brand.yaml, icons/acme-sample.png";
    refuses(folder.path(), &["--owns", "acme-*", "--ci", "github"], all);
}

#[test]
fn a_gitignore_gets_the_lines_that_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".gitignore"), "target\n.brandctl/").unwrap();
    let told = init(folder.path(), &["--owns", "acme-*", "--ci", "none"]);
    assert!(told.ends_with("\n  brandctl apply   do it\n"), "{told}");
    assert!(told.contains("\n  .gitignore   (lines added)\n"), "{told}");
    let text = fs::read_to_string(folder.path().join(".gitignore")).unwrap();
    assert_eq!(text, "target\n.brandctl/\n/brandctl-out/\n/plan.*\n/apply.*\n/drift.*\n/validate.*\n");
    // What the program writes into the repository is ignored.
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-qm", "Start"]);
    let reports = ["--report", "plan.html", "--report", "plan.md"];
    let output = brandctl(folder.path(), &[&["plan", "--sandbox", "-o", "plan.json"], &reports[..]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["diff", "--cached", "--exit-code"]);
}

#[test]
fn nobody_is_guessed_for() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    refuses(at, &[], "--owns is missing");
    refuses(at, &[], "--ci is missing");
    refuses(at, &["--owns", "acme-*"], "write --ci github, --ci gitlab, --ci shell or --ci none");
    refuses(at, &["--ci", "none"], "--owns 'acme-*'");
    refuses(at, &["-f", "brand.yaml", "--owns", "acme-*", "--ci", "none"], "-f cannot be used here");
    refuses(at, &["--owns", "acme", "--ci", "none"], "--owns: `acme` does not match all codes with one prefix");
    refuses(at, &["--owns", "a\n*", "--ci", "none"], "--owns: `a");
    refuses(at, &["--owns", "../*", "--ci", "none"], "cannot be file names");
    let unknown = brandctl(at, &["init", "--owns", "acme-*", "--ci", "jenkins"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(stderr(&unknown).contains("github, gitlab, shell, none"), "{}", stderr(&unknown));
}

#[test]
fn a_webhook_that_is_pasted_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    for portal in [
        "https://acme.bitrix24.com/rest/1/abcdefgh12345678/",
        "acme.bitrix24.com/rest/1/abcdefgh12345678",
        "https://user:abcdefgh12345678@acme.bitrix24.com",
        "acme.bitrix24.com/crm?auth=abcdefgh12345678",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let said = init(folder.path(), &["--owns", "acme-*", "--ci", "none", "--portal", portal]);
        let manifest = std::fs::read_to_string(folder.path().join("brand.yaml")).unwrap();
        assert!(manifest.contains("portal: \"acme.bitrix24.com\" "), "{manifest}");
        assert!(!said.contains("abcdefgh") && !manifest.contains("abcdefgh"), "{said}{manifest}");
    }
    let owns = ["--owns", "https://acme.bitrix24.com/rest/1/abcdefgh12345678/", "--ci", "none"];
    refuses(folder.path(), &owns, "an argument looks like a webhook or a token");
    for portal in ["a b", "", "*.bitrix24.com"] {
        refuses(folder.path(), &["--owns", "acme-*", "--ci", "none", "--portal", portal], "--portal: ");
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_plain_folder_is_refused() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("file"), "").unwrap();
    refuses(at, &all("file"), "file is not a folder");
    refuses(at, &all("file/below"), "file is not a folder");
    refuses(at, &all("/proc/brandctl"), "/proc/brandctl");
    refuses(at, &all("missing/../x"), "missing/../x");
    symlink("nowhere", at.join("dangling")).unwrap();
    refuses(at, &all("dangling"), "dangling cannot be read");
    // Links inside: through none of them anything is written, also not over a .gitignore elsewhere.
    for inner in ["icons", ".github", "brand.yaml", ".gitignore"] {
        let site = format!("with-{inner}");
        fs::create_dir(at.join(&site)).unwrap();
        symlink(outside.path(), at.join(&site).join(inner)).unwrap();
        refuses(at, &all(&site), &format!("{inner} is a link"));
    }
    assert_eq!(tree(outside.path()), [] as [&str; 0]);
    // The folder that the user names may be one: it is asked for by name.
    symlink(outside.path(), at.join("named")).unwrap();
    init(at, &all("named"));
    is_sound(outside.path(), "brand.yaml");
}

#[test]
fn the_recipes_are_what_init_writes() {
    for (system, path, recipe) in SYSTEMS.into_iter().chain([SCRIPT]) {
        let folder = tempfile::tempdir().unwrap();
        init(folder.path(), &[&ANSWERS[..], &["--ci", system]].concat());
        let written = fs::read_to_string(folder.path().join(path)).unwrap();
        let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci").join(recipe);
        if std::env::var_os("UPDATE_EXAMPLES").is_some() {
            fs::write(&recipe, &written).unwrap();
        }
        assert!(
            fs::read_to_string(&recipe).unwrap_or_default() == written,
            "{} is stale: run `UPDATE_EXAMPLES=1 cargo test --test it init`",
            recipe.display()
        );
    }
}

/// The sum of an archive, as `--tool` takes it.
const SUM: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn where_the_program_comes_from_is_in_the_file_and_what_that_proves_is_said() {
    let pinned = format!("https://files.example.com/brandctl.tar.gz#sha256={SUM}");
    for (tool, told) in [
        (Some("none"), "note: PATH does not install brandctl: its jobs use the one that their machine has"),
        (Some("https://example.com/owner/name.git"), "note: PATH checks brandctl against the sum beside its archive"),
        (Some(pinned.as_str()), ""),
    ] {
        for (system, path, _) in SYSTEMS.into_iter().chain([SCRIPT]) {
            let folder = tempfile::tempdir().unwrap();
            let tool: Vec<_> = tool.into_iter().flat_map(|tool| ["--tool", tool]).collect();
            let output = brandctl(folder.path(), &[&["init"], &ANSWERS[..], &["--ci", system], &tool].concat());
            assert!(output.status.success(), "{}", stderr(&output));
            let notes: Vec<_> = stderr(&output).lines().filter(|line| line.contains(path)).map(str::to_owned).collect();
            assert_eq!(notes.is_empty(), told.is_empty(), "{notes:?}");
            assert!(notes.iter().all(|note| note.starts_with(&told.replace("PATH", path))), "{notes:?}");
            let release = format!(
                "/releases/download/v{0}/brandctl-{0}-x86_64-unknown-linux-gnu.tar.gz",
                env!("CARGO_PKG_VERSION")
            );
            let address =
                tool.last().map(|tool| tool.replace(".git", &release).replace("none", "")).unwrap_or_default();
            let text = fs::read_to_string(folder.path().join(path)).unwrap();
            if system == "shell" {
                assert!(text.contains(&format!("\nBRANDCTL_TOOL='{address}' #")), "{text}");
                continue;
            }
            let file = yaml(&folder.path().join(path));
            let variables = if system == "github" { &file["env"] } else { &file[".brandctl"]["variables"] };
            assert_eq!(variables["BRANDCTL_TOOL"], address);
        }
    }
}

#[test]
fn an_address_that_is_hostile_or_secret_is_refused_and_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    for tool in [
        "",
        "brandctl",
        "http://example.com/abcdefgh12345678.tar.gz",
        "https://me:abcdefgh12345678@example.com/x.tar.gz",
        "https://example.com/x.tar.gz?token=abcdefgh12345678",
        "https://example.com/\"\n    abcdefgh12345678: x",
        "https://example.com/'; abcdefgh12345678",
        "https://example.com/$(abcdefgh12345678)",
        "https://example.com/${{ secrets.abcdefgh12345678 }}",
        "https://example.com/x.tar.gz#sha256=abcdefgh12345678",
    ] {
        for system in ["github", "gitlab", "shell"] {
            let tool = format!("--tool={tool}");
            let arguments = ["--owns", "acme-*", "--ci", system, tool.as_str()];
            let output = brandctl(folder.path(), &[&["init"], &arguments[..]].concat());
            let told = stderr(&output);
            assert_eq!(output.status.code(), Some(1), "{told}");
            let is_told = told.contains("--tool: ") || told.contains("an argument looks like a webhook or a token");
            assert!(is_told && !told.contains("abcdefgh12345678"), "{told}");
            assert_eq!(tree(folder.path()), [] as [&str; 0]);
        }
    }
    refuses(
        folder.path(),
        &["--owns", "acme-*", "--ci", "none", "--tool", "https://example.com/owner/name"],
        "--tool is for a CI file, and none is written",
    );
}
