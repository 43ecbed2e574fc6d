//! What somebody could have committed where brandctl keeps its state, or handed over as a file of its own: nothing of it is
//! followed, waited for, read without end, believed, or written through.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use brandctl::domain::asset::Kind;

use crate::common::{Brand, Output, art, command};

/// A brand that was applied twice, so that its state folder has everything: two runs, an old image, a cache.
pub(super) fn applied() -> Brand {
    let brand = Brand::new().declares("icon/acme-a", 1).declares("icon/acme-b", 2);
    brand.apply().ends_with(0);
    brand.draw("icon/acme-a", &art(Kind::Icon, 3));
    brand.apply().ends_with(0);
    brand
}

/// The state folder of the brand's portal.
pub(super) fn state(brand: &Brand) -> PathBuf {
    let portals = fs::read_dir(brand.path(".brandctl")).unwrap().map(|entry| entry.unwrap());
    portals.map(|entry| entry.path()).find(|path| path.is_dir()).unwrap()
}

/// The folders of the runs, the oldest first.
pub(super) fn runs(brand: &Brand) -> Vec<PathBuf> {
    let entries = fs::read_dir(state(brand).join("runs")).unwrap().map(|entry| entry.unwrap().path());
    let mut runs: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    runs.sort();
    runs
}

/// Every file and folder below the state folder, and it itself.
pub(super) fn tree(brand: &Brand) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(brand.path(".brandctl")).sort_by_file_name();
    entries.into_iter().map(|entry| entry.unwrap().into_path()).collect()
}

/// Runs `change`, then `test`, and puts back what was there.
pub(super) fn instead_of<T>(path: &Path, change: impl FnOnce(&Path), test: impl FnOnce() -> T) -> T {
    let beside = tempfile::tempdir().unwrap();
    let kept = beside.path().join("kept");
    fs::rename(path, &kept).unwrap();
    change(path);
    let result = test();
    if path.symlink_metadata().is_ok_and(|facts| facts.is_dir()) {
        fs::remove_dir_all(path).unwrap();
    } else {
        let _ = fs::remove_file(path);
    }
    fs::rename(kept, path).unwrap();
    result
}

pub(super) fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn sparse(path: &Path) {
    File::create(path).unwrap().set_len(4 << 30).unwrap();
}

/// Holds that a command is refused because of a file, which it names, and that the portal is left alone.
#[track_caller]
pub(super) fn refuses(brand: &Brand, line: &str, file: &Path, what: &str) -> Output {
    let output = brand.writing_nothing(|| brand.run(line.split_whitespace()));
    assert_eq!(output.code, 1, "{line} with {}: {output:?}", file.display());
    let name = file.strip_prefix(brand.folder.path()).unwrap_or(file).display().to_string();
    let told = output.text().replace("\n  ", " ").replace('\n', " ");
    assert!(told.contains(&name) && told.contains(what), "{line} does not say of {name} `{what}`: {told}");
    output
}

/// A file and a folder outside of the checkout, and a look at both that tells whether they are as they were.
struct Outside(tempfile::TempDir);

impl Outside {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("bashrc"), "theirs\n").unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("bashrc")
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("home")
    }

    #[track_caller]
    fn is_untouched(&self) {
        assert_eq!(fs::read_to_string(self.file()).unwrap(), "theirs\n");
        assert_eq!(fs::read_dir(self.folder()).unwrap().count(), 0, "something was made outside");
        assert_eq!(fs::metadata(self.file()).unwrap().permissions().mode() & 0o777, 0o644);
    }
}

#[test]
fn a_link_at_any_level_of_the_state_folder_is_refused_by_name() {
    let (brand, outside) = (applied(), Outside::new());
    fs::set_permissions(outside.file(), fs::Permissions::from_mode(0o644)).unwrap();
    for path in tree(&brand) {
        // Git alone reads the one at the top.
        if path == brand.path(".brandctl/.gitignore") {
            continue;
        }
        let target = if path.is_dir() { outside.folder() } else { outside.file() };
        instead_of(
            &path,
            |path| symlink(&target, path).unwrap(),
            || {
                refuses(&brand, "plan", &path, "is a link");
                refuses(&brand, "apply --yes", &path, "is a link");
            },
        );
        outside.is_untouched();
    }
    brand.plan().ends_with(0);
}

#[test]
fn a_link_to_nothing_or_to_another_file_of_the_state_is_refused_too() {
    let brand = applied();
    let journals: Vec<_> = runs(&brand).iter().map(|run| run.join("journal.jsonl")).collect();
    for target in
        [journals[1].clone(), PathBuf::from("nowhere"), PathBuf::from("/dev/zero"), PathBuf::from("journal.jsonl")]
    {
        instead_of(
            &journals[0],
            |path| symlink(&target, path).unwrap(),
            || {
                refuses(&brand, "plan", &journals[0], "is a link");
                refuses(&brand, "history", &journals[0], "is a link");
            },
        );
    }
}

#[test]
fn what_is_no_regular_file_is_refused_and_not_waited_for() {
    let brand = applied();
    let state = state(&brand);
    let run = runs(&brand).remove(0);
    let files = [state.join("lock"), state.join("cache/index.json"), run.join("journal.jsonl"), run.join("plan.json")];
    for path in files.iter().chain(&[run.join("report.json")]) {
        instead_of(path, fifo, || {
            refuses(&brand, "plan", path, "is not a regular file");
            refuses(&brand, "drift", path, "is not a regular file");
        });
        instead_of(path, |path| fs::create_dir(path).unwrap(), || refuses(&brand, "apply --yes", path, "is a folder"));
    }
    let socket = |path: &Path| drop(std::os::unix::net::UnixListener::bind(path).unwrap());
    // Its path must be short.
    instead_of(&state.join("lock"), socket, || {
        refuses(&brand, "apply --yes", &state.join("lock"), "is not a regular file")
    });
}

#[test]
fn what_is_larger_than_anything_kept_there_is_refused_unread() {
    let brand = applied();
    let (state, run) = (state(&brand), runs(&brand).remove(0));
    for path in [state.join("cache/index.json"), run.join("journal.jsonl"), run.join("plan.json")] {
        instead_of(&path, sparse, || refuses(&brand, "plan", &path, "is larger than"));
    }
    let replaced = runs(&brand).remove(1);
    let old = fs::read_dir(replaced.join("old")).unwrap().map(|entry| entry.unwrap().path()).next().unwrap();
    let restore = format!("restore {} --yes", replaced.display());
    instead_of(&old, sparse, || refuses(&brand, &restore, &old, "is larger than"));
    instead_of(&old, fifo, || refuses(&brand, &restore, &old, "is not a regular file"));
    instead_of(&old, |path| symlink("/dev/zero", path).unwrap(), || refuses(&brand, &restore, &old, "is a link"));
    instead_of(
        &old,
        |path| fs::write(path, art(Kind::Icon, 9)).unwrap(),
        || {
            refuses(&brand, &restore, &old, "was altered");
        },
    );
    brand.run(restore.split_whitespace()).ends_with(0);
}

/// The journal at `path` with every line changed.
fn rewrite(path: &Path, change: impl Fn(&str) -> String) -> impl FnOnce(&Path) {
    let text = change(&fs::read_to_string(path).unwrap());
    move |path| fs::write(path, text).unwrap()
}

#[test]
fn a_run_that_says_another_name_than_its_folders_is_refused() {
    let brand = applied();
    let all = runs(&brand);
    let id = |run: &Path| run.file_name().unwrap().to_str().unwrap().to_owned();
    let journal = all[0].join("journal.jsonl");
    let portal = state(&brand).file_name().unwrap().to_str().unwrap().replace('_', ":");
    for (from, to, what) in [
        (id(&all[0]), id(&all[1]), "is the journal of another run"),
        (id(&all[0]), "../../../..".to_owned(), "is the journal of another run"),
        (id(&all[0]), format!("{}/../{}", id(&all[0]), id(&all[0])), "is the journal of another run"),
        (id(&all[0]), "/etc".to_owned(), "is the journal of another run"),
        (portal.clone(), "acme.bitrix24.com".to_owned(), "is the journal of a run on another portal"),
    ] {
        instead_of(&journal, rewrite(&journal, |text| text.replace(&from, &to)), || {
            refuses(&brand, "plan", &journal, what);
            refuses(&brand, "apply --yes", &journal, what);
            refuses(&brand, "history", &journal, what);
        });
    }
    let twice = |text: &str| format!("{text}{text}");
    instead_of(&journal, rewrite(&journal, twice), || refuses(&brand, "plan", &journal, "begins more than once"));
    let other = |text: &str| text.replace("icon/acme-a", "icon/foreign");
    let plan = all[0].join("plan.json");
    instead_of(&journal, rewrite(&journal, other), || {
        refuses(&brand, "plan", &plan, "does not have an entry that the run's journal names");
    });
    instead_of(&plan, rewrite(&plan, other), || refuses(&brand, "plan", &plan, "is not the plan"));
    let elsewhere = |text: &str| text.replace(&portal, "acme.bitrix24.com");
    instead_of(&plan, rewrite(&plan, elsewhere), || {
        refuses(&brand, "plan", &plan, "is a plan for a portal other than")
    });
    let others = all[1].join("plan.json");
    instead_of(&plan, rewrite(&others, ToOwned::to_owned), || refuses(&brand, "plan", &plan, "is not the plan"));
    brand.plan().ends_with(0);
}

#[test]
fn an_open_run_that_names_another_writes_nothing_through_the_others_links() {
    let (brand, outside) = (applied(), Outside::new());
    let all = runs(&brand);
    let id = |run: &Path| run.file_name().unwrap().to_str().unwrap().to_owned();
    let (first, second) = (all[0].join("journal.jsonl"), all[1].join("journal.jsonl"));
    let text = fs::read_to_string(&first).unwrap().replace(&id(&all[0]), &id(&all[1]));
    let open: Vec<_> = text.lines().filter(|line| !line.contains("\"end\"")).collect();
    fs::write(&first, open.join("\n") + "\n").unwrap();
    fs::remove_file(&second).unwrap();
    symlink(outside.file(), &second).unwrap();
    for line in ["plan", "apply --yes", "drift", "history"] {
        let output = brand.writing_nothing(|| brand.run(line.split_whitespace())).ends_with(1);
        assert!(output.text().contains(&id(&all[0])) || output.text().contains(&id(&all[1])), "{output:?}");
        outside.is_untouched();
    }
}

#[test]
fn a_file_that_has_another_name_outside_is_not_written() {
    let (brand, outside) = (applied(), Outside::new());
    // Both must be on one disk.
    let other = brand.path("bashrc");
    fs::write(&other, "theirs\n").unwrap();
    let lock = state(&brand).join("lock");
    instead_of(
        &lock,
        |path| fs::hard_link(&other, path).unwrap(),
        || {
            refuses(&brand, "apply --yes", &lock, "also has another name");
        },
    );
    let journal = runs(&brand)[1].join("journal.jsonl");
    let text = fs::read_to_string(&journal).unwrap();
    let open: Vec<_> = text.lines().filter(|line| !line.contains("\"end\"")).collect();
    fs::write(&other, open.join("\n") + "\n").unwrap();
    let before = fs::read(&other).unwrap();
    instead_of(
        &journal,
        |path| fs::hard_link(&other, path).unwrap(),
        || {
            refuses(&brand, "apply --yes", &journal, "also has another name");
        },
    );
    assert_eq!(fs::read(&other).unwrap(), before);
    outside.is_untouched();
}

pub(super) fn git(brand: &Brand, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(brand.folder.path()).args(["-c", "user.name=a", "-c", "user.email=a@example.com"]);
    let output = command.args(arguments).env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

#[test]
fn state_that_git_tracks_is_refused_with_the_file_and_what_to_do() {
    let brand = applied();
    let run = runs(&brand).remove(1);
    let id = run.file_name().unwrap().to_str().unwrap().to_owned();
    git(&brand, &["init", "-q"]);
    git(&brand, &["add", "-A"]);
    git(&brand, &["commit", "-qm", "one"]);
    // What is ignored is not tracked.
    brand.plan().ends_with(0);
    git(&brand, &["add", "-f", ".brandctl"]);
    git(&brand, &["commit", "-qm", "two"]);
    let lines = ["plan", "drift", "apply --yes", "list", "history"].map(ToOwned::to_owned);
    let by_id = [format!("show {id}"), format!("restore {id} --yes")];
    for line in lines.iter().chain(&by_id) {
        let output = refuses(&brand, line, &brand.path(".brandctl"), "is tracked by Git");
        assert!(output.text().replace("\n  ", " ").contains("git rm -r -- "), "{output:?}");
    }
    // One file is enough, whichever it is, and also where it is ignored now, or spelt in other case.
    git(&brand, &["rm", "-rq", "--cached", ".brandctl"]);
    git(&brand, &["commit", "-qm", "three"]);
    brand.plan().ends_with(0);
    git(&brand, &["add", "-f", ".brandctl/.gitignore"]);
    refuses(&brand, "plan", &brand.path(".brandctl/.gitignore"), "is tracked by Git");
    git(&brand, &["rm", "-q", "--cached", ".brandctl/.gitignore"]);
    fs::create_dir(brand.path(".BrandCTL")).unwrap();
    fs::write(brand.path(".BrandCTL/x"), "").unwrap();
    git(&brand, &["add", "-f", ".BrandCTL/x"]);
    refuses(&brand, "plan", &brand.path(".BrandCTL/x"), "is tracked by Git");
    git(&brand, &["rm", "-q", "--cached", ".BrandCTL/x"]);
    // Elsewhere nothing is Git's.
    let elsewhere = tempfile::tempdir().unwrap();
    git(&brand, &["add", "-f", ".brandctl"]);
    brand.run(["plan", "--state-dir", elsewhere.path().to_str().unwrap()]).ends_with(0);
    let artifact = tempfile::tempdir().unwrap();
    for entry in walkdir::WalkDir::new(&run) {
        let entry = entry.unwrap();
        let target = artifact.path().join("run").join(entry.path().strip_prefix(&run).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
    let (run, state) = (artifact.path().join("run"), elsewhere.path().to_str().unwrap().to_owned());
    brand.run(["restore", run.to_str().unwrap(), "--yes", "--state-dir", &state, "--settle", "0.1"]).ends_with(0);
}

#[test]
fn state_below_the_top_of_a_checkout_is_found_in_its_index_too() {
    let brand = Brand::new().declares("icon/acme-a", 1);
    fs::create_dir(brand.path("site")).unwrap();
    for name in ["brand.yaml", "icons", "logos"] {
        fs::rename(brand.path(name), brand.path("site").join(name)).unwrap();
    }
    git(&brand, &["init", "-q"]);
    let line = "apply -f site/brand.yaml --yes --settle 0.1";
    brand.run(line.split_whitespace()).ends_with(0);
    brand.run(["plan", "-f", "site/brand.yaml"]).ends_with(0);
    // Names that mean something in a pattern are names.
    git(&brand, &["add", "-f", "site/.brandctl"]);
    refuses(&brand, "plan -f site/brand.yaml", &brand.path("site/.brandctl"), "is tracked by Git");
    fs::rename(brand.path("site"), brand.path("[a-z]*")).unwrap();
    git(&brand, &["rm", "-rq", "--cached", "site"]);
    git(&brand, &["add", "-f", "[a-z]*/.brandctl"]);
    refuses(&brand, "plan -f [a-z]*/brand.yaml", &brand.path("[a-z]*/.brandctl"), "is tracked by Git");
}

/// Runs a command where `git` is what `script` says, or nothing.
fn with_git(brand: &Brand, script: Option<&str>, arguments: &str) -> (i32, String) {
    let bin = tempfile::tempdir().unwrap();
    if let Some(script) = script {
        let git = bin.path().join("git");
        fs::write(&git, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = command(brand.folder.path());
    command.args(arguments.split_whitespace()).env("PATH", bin.path());
    let output = command.env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook()).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), text.replace("\n  ", " ").replace('\n', " "))
}

#[test]
fn where_git_cannot_say_whether_it_tracks_state_that_is_said_and_nothing_of_it_is_read() {
    let refusal = "echo \"fatal: detected dubious ownership in repository at '/x'\" >&2; exit 128";
    for (script, why) in
        [(None, "git is not installed"), (Some(refusal), "belongs to another user"), (Some("exit 1"), "")]
    {
        let brand = applied();
        git(&brand, &["init", "-q"]);
        let (code, text) = with_git(&brand, script, "history --state-dir absent");
        assert!(code == 0, "nothing is there, so nothing is not read: {code} {text}");
        let (count, downloads) = (runs(&brand).len(), brand.downloads());
        let (code, text) = with_git(&brand, script, "plan");
        assert!(code == 0 && text.contains("are not read") && text.contains(why), "{code} {text}");
        assert!(brand.downloads() > downloads, "the cache was believed");
        let (code, text) = with_git(&brand, script, "history");
        assert!(code == 1 && text.contains(why), "{code} {text}");
        // An open run of nobody knows whom is not settled; what is done now is kept.
        let journal = runs(&brand)[0].join("journal.jsonl");
        let begun = fs::read_to_string(&journal).unwrap().lines().next().unwrap().to_owned() + "\n";
        fs::write(&journal, &begun).unwrap();
        brand.draw("icon/acme-b", &art(Kind::Icon, 9));
        let (code, text) = with_git(&brand, script, "apply --yes --settle 0.1");
        assert!(code == 0, "{code} {text}");
        assert_eq!(fs::read_to_string(&journal).unwrap(), begun);
        assert_eq!(runs(&brand).len(), count + 1);
        let run = runs(&brand).pop().unwrap();
        let (code, text) = with_git(&brand, script, &format!("restore {} --yes --settle 0.1", run.display()));
        assert!(code == 0, "{code} {text}");
        // Where Git is asked about nothing, nothing is missing.
        let elsewhere = tempfile::tempdir().unwrap();
        let (code, text) = with_git(&brand, script, &format!("plan --state-dir {}", elsewhere.path().display()));
        assert!(code == 0 && !text.contains("are not read"), "{code} {text}");
    }
}

#[test]
fn a_git_that_is_none_is_one_that_cannot_say() {
    for make in ["mkfifo .git", "ln -s nowhere .git", "ln -s /dev/zero .git", "mkdir .git && touch .git/config"] {
        let brand = applied();
        let _ = fs::remove_dir_all(brand.path(".git"));
        let made = Command::new("sh").args(["-c", make]).current_dir(brand.folder.path()).status().unwrap();
        assert!(made.success(), "{make}");
        let downloads = brand.downloads();
        let output = brand.run(["plan"]).ends_with(0);
        assert!(output.stderr.contains("are not read"), "{make}: {}", output.stderr);
        assert!(brand.downloads() > downloads, "{make}: the cache was believed");
        brand.run(["history"]).ends_with(1);
    }
}

#[test]
fn nobody_is_told_to_remove_a_folder_that_is_not_brandctls() {
    let brand = applied();
    git(&brand, &["init", "-q"]);
    git(&brand, &["add", "."]);
    let output = brand.run(["plan", "--state-dir", "icons"]).ends_with(1);
    assert!(output.stderr.contains("is tracked by Git") && !output.stderr.contains("git rm"), "{}", output.stderr);
    assert!(output.stderr.contains("name another folder with --state-dir"), "{}", output.stderr);
}

#[test]
fn a_folder_without_git_works_as_ever() {
    let brand = applied();
    let downloads = brand.downloads();
    let (code, text) = with_git(&brand, None, "plan");
    assert!(code == 0 && !text.contains("are not read"), "{code} {text}");
    assert_eq!(brand.downloads(), downloads, "the cache was not believed");
    let (code, text) = with_git(&brand, None, "history");
    assert_eq!(code, 0, "{text}");
}

#[test]
fn a_link_above_the_state_folder_and_below_the_top_of_a_checkout_is_refused() {
    let (brand, outside) = (Brand::new().declares("icon/acme-a", 1), Outside::new());
    fs::set_permissions(outside.file(), fs::Permissions::from_mode(0o644)).unwrap();
    let checkout = brand.path("checkout");
    fs::create_dir_all(checkout.join("deep")).unwrap();
    assert!(Command::new("git").args(["init", "-q"]).arg(&checkout).status().unwrap().success());
    symlink(outside.folder(), checkout.join("deep/linked")).unwrap();
    let linked = checkout.join("deep/linked");
    for line in ["plan --state-dir checkout/deep/linked/state", "apply --yes --state-dir checkout/deep/linked/state"] {
        refuses(&brand, line, &linked, "is a link");
        outside.is_untouched();
    }
    refuses(&brand, "apply --yes --sandbox=checkout/deep/linked/data", &linked, "is a link");
    refuses(&brand, "apply --yes --sandbox=checkout/deep/linked", &linked, "is a link");
    outside.is_untouched();
    // Above the checkout links are the machine's.
    symlink(&checkout, brand.path("by-a-link")).unwrap();
    brand.run(["apply", "--yes", "--state-dir", "by-a-link/deep/state", "--settle", "0.1"]).ends_with(0);
    assert!(checkout.join("deep/state").is_dir());
}

#[test]
fn state_is_for_its_owner_alone_and_what_was_wider_is_narrowed() {
    let brand = applied();
    brand.run(["apply", "--yes", "--sandbox", "--settle", "0.1"]).ends_with(0);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let wide = |brand: &Brand| {
        let all = tree(brand).into_iter().filter(|path| !path.ends_with("ca.pem"));
        all.filter(|path| mode(path) & 0o077 != 0).collect::<Vec<_>>()
    };
    assert_eq!(wide(&brand), Vec::<PathBuf>::new());
    for path in tree(&brand) {
        fs::set_permissions(&path, fs::Permissions::from_mode(if path.is_dir() { 0o755 } else { 0o644 })).unwrap();
    }
    brand.draw("icon/acme-b", &art(Kind::Icon, 77));
    brand.apply().ends_with(0);
    brand.run(["apply", "--yes", "--sandbox", "--settle", "0.1"]).ends_with(0);
    // What is not written is left as it is: nobody else may enter the folders that it lies in.
    for path in [".brandctl", ".brandctl/sandbox"].map(|name| brand.path(name)) {
        assert_eq!(mode(&path), 0o700, "{}", path.display());
    }
    let portal = state_of(&brand);
    for (name, expected) in
        [("", 0o700), ("lock", 0o600), ("cache", 0o700), ("cache/index.json", 0o600), ("runs", 0o700)]
    {
        assert_eq!(mode(&portal.join(name)), expected, "{name}");
    }
    assert_eq!(mode(&brand.path(".brandctl/sandbox/log.jsonl")), 0o600);
}

/// The state folder of the brand's portal, beside the sandbox's.
fn state_of(brand: &Brand) -> PathBuf {
    let portals = fs::read_dir(brand.path(".brandctl")).unwrap().map(|entry| entry.unwrap().path());
    portals
        .into_iter()
        .find(|path| path.is_dir() && path.join("runs").is_dir() && path.ends_with(portal_name(brand)))
        .unwrap()
}

fn portal_name(brand: &Brand) -> String {
    brand.portal.address().to_string().replace(':', "_")
}

#[test]
fn a_folder_that_the_user_names_for_state_keeps_its_permissions() {
    let brand = Brand::new().declares("icon/acme-a", 1);
    let named = brand.path("named");
    fs::create_dir(&named).unwrap();
    fs::set_permissions(&named, fs::Permissions::from_mode(0o755)).unwrap();
    brand.run(["apply", "--yes", "--state-dir", "named", "--settle", "0.1"]).ends_with(0);
    assert_eq!(fs::metadata(&named).unwrap().permissions().mode() & 0o777, 0o755);
    let inner = named.join(portal_name(&brand));
    assert_eq!(fs::metadata(inner).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn what_the_sandbox_keeps_is_no_way_out_either() {
    let (brand, outside) = (Brand::new().declares("icon/acme-a", 1), Outside::new());
    fs::set_permissions(outside.file(), fs::Permissions::from_mode(0o644)).unwrap();
    let data = brand.path("data");
    let sandbox = |path: &Path, what: &str| {
        let output = brand.run(["apply", "--yes", "--sandbox=data", "--settle", "0.1"]).ends_with(1);
        let told = output.text().replace("\n  ", " ").replace('\n', " ");
        let name = path.strip_prefix(brand.folder.path()).unwrap().display().to_string();
        assert!(told.contains(&name) && told.contains(what), "{name}: {told}");
        outside.is_untouched();
    };
    brand.run(["apply", "--yes", "--sandbox=data", "--settle", "0.1"]).ends_with(0);
    for name in ["log.jsonl", "portal.json", "tokens.json", "lock"] {
        let path = data.join(name);
        instead_of(&path, |path| symlink(outside.file(), path).unwrap(), || sandbox(&path, "is a link"));
        instead_of(&path, fifo, || sandbox(&path, "is not a regular file"));
        if name != "lock" {
            instead_of(&path, sparse, || sandbox(&path, "is larger than"));
        }
    }
    let identity = data.join("portal.json");
    let id = |text: &str| {
        let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
        value["id"] = "../../../x".into();
        value.to_string()
    };
    instead_of(&identity, rewrite(&identity, id), || sandbox(&identity, "id"));
    brand.run(["plan", "--sandbox=data"]).ends_with(0);
}

#[test]
fn a_plan_a_run_and_an_export_that_are_named_are_regular_files_of_bounded_size() {
    let brand = applied();
    brand.draw("icon/acme-b", &art(Kind::Icon, 9));
    brand.save_plan();
    brand.run(["export", "exported"]).ends_with(0);
    let plan = brand.path("plan.json");
    let lines = ["apply plan.json", "show plan.json", "restore plan.json --yes"];
    for line in lines {
        let fails = |change: fn(&Path)| {
            instead_of(&plan, change, || {
                let output = brand.writing_nothing(|| brand.run(line.split_whitespace())).ends_with(1);
                assert!(output.text().contains("plan.json"), "{output:?}");
            });
        };
        fails(fifo);
        fails(sparse);
        fails(|path| symlink("/dev/zero", path).unwrap());
    }
    let snapshot = brand.path("exported/portal.json");
    let line = "plan --against exported";
    for change in [fifo, sparse, |path: &Path| symlink("/dev/zero", path).unwrap()] {
        instead_of(&snapshot, change, || refuses(&brand, line, Path::new("portal.json"), "exported"));
    }
    // Links that stay inside are how some volumes are mounted.
    let data = |path: &Path| {
        fs::copy(brand.path("exported/kept.json"), path.with_file_name("data.json")).unwrap();
        symlink("data.json", path).unwrap();
    };
    fs::copy(&snapshot, brand.path("exported/kept.json")).unwrap();
    instead_of(&snapshot, data, || brand.run(line.split_whitespace()).ends_with(0));
    let run = runs(&brand).remove(1);
    let show = format!("show {}", run.display());
    for name in ["journal.jsonl", "plan.json"] {
        let path = run.join(name);
        instead_of(&path, fifo, || refuses(&brand, &show, &path, "is not a regular file"));
        instead_of(&path, |path| symlink("/dev/zero", path).unwrap(), || refuses(&brand, &show, &path, "is a link"));
    }
    brand.run(show.split_whitespace()).ends_with(0);
}

#[test]
fn a_plan_or_a_run_that_is_a_link_out_of_the_repository_is_not_followed() {
    let brand = applied();
    brand.draw("icon/acme-b", &art(Kind::Icon, 9));
    brand.save_plan();
    let outside = tempfile::tempdir().unwrap();
    let (plan, run) = (outside.path().join("plan.json"), outside.path().join("run"));
    fs::rename(brand.path("plan.json"), &plan).unwrap();
    fs::rename(&runs(&brand)[0], &run).unwrap();
    symlink(&plan, brand.path("plan.json")).unwrap();
    symlink(&run, brand.path("run")).unwrap();
    symlink(outside.path(), brand.path("away")).unwrap();
    fs::create_dir(brand.path("kept")).unwrap();
    fs::copy(&plan, brand.path("kept/plan.json")).unwrap();
    symlink("kept/plan.json", brand.path("inside.json")).unwrap();
    let lines =
        ["show plan.json", "show away/plan.json", "show run", "show away/run", "restore run --yes", "apply plan.json"];
    // Without a repository it is the user's own link.
    for line in lines.iter().take(4) {
        brand.run(line.split(' ')).ends_with(0);
    }
    git(&brand, &["init", "-q"]);
    for line in lines {
        let output = brand.writing_nothing(|| brand.run(line.split(' '))).ends_with(1);
        assert!(output.text().replace("\n  ", " ").contains("outside the repository"), "{line}: {output:?}");
    }
    for named in ["inside.json".to_owned(), "kept/plan.json".to_owned(), plan.display().to_string()] {
        brand.run(["show", &named]).ends_with(0);
    }
    brand.run(["show", run.to_str().unwrap()]).ends_with(0);
}
