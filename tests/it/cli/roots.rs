//! How far the paths of a manifest lead, where manifests are looked for, and how files are called.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use brandctl::domain::asset::Kind;

use super::moved::git;
use crate::common::{Brand, art, command};

const HEAD: &str = "version: 1\nowns: [\"acme-*\"]\n";

fn write(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Two clients that share an icon, in a repository in a folder of the home folder.
fn shared() -> Brand {
    let brand = Brand::new();
    let repo = brand.path("repo");
    write(repo.join("shared/icons/acme-a.png"), art(Kind::Icon, 1));
    write(repo.join("clients/a/brand.yaml"), format!("{HEAD}icons: ../../shared/icons/\n"));
    write(repo.join("clients/b/brand.yaml"), format!("{HEAD}icons: {{acme-a: ../../shared/icons/acme-a.png}}\n"));
    write(brand.path("outside/acme-a.png"), art(Kind::Icon, 1));
    git(&repo, "init --quiet");
    brand
}

#[track_caller]
fn errors(brand: &Brand, line: &str) -> Vec<String> {
    let output = brand.json(&format!("validate {line}"));
    assert_eq!(output.code, i32::from(!output.errors().is_empty()), "{line}: {output:?}");
    output.errors()
}

#[test]
fn brands_share_art_in_their_repository_and_nothing_outside_of_it() {
    let brand = shared();
    for client in ["a", "b"] {
        assert_eq!(errors(&brand, &format!("-f repo/clients/{client}/brand.yaml")), [""; 0], "{client}");
    }
    brand.json("apply --yes --settle 0.1 -f repo/clients/a/brand.yaml").ends_with(0);
    assert!(brand.json("plan -f repo/clients/b/brand.yaml").ends_with(0).changes().is_empty());
    // PNGs that others declare are no orphans.
    write(brand.path("repo/shared/icons/b.png"), art(Kind::Icon, 2));
    let output = brand.json("validate -f repo/clients/b/brand.yaml");
    assert!(!output.text().contains("orphan-file"), "{output:?}");
    // Out of the repository, by name, by a link and by a folder.
    let case = |what: &str, icons: &str, rule: &str| {
        write(brand.path("repo/clients/c/brand.yaml"), format!("{HEAD}icons: {icons}\n"));
        assert_eq!(errors(&brand, "-f repo/clients/c/brand.yaml"), [rule], "{what}");
    };
    case("by name", "{acme-a: ../../../outside/acme-a.png}", "bad-path");
    case("a folder by name", "../../../outside", "bad-path");
    case("far out", "{acme-a: ../../../../../../../../etc/passwd}", "bad-path");
    symlink(brand.path("outside"), brand.path("repo/clients/c/link")).unwrap();
    case("by a link", "{acme-a: link/acme-a.png}", "path-outside");
    case("a folder by a link", "link", "path-outside");
    symlink("../../shared", brand.path("repo/clients/c/inside")).unwrap();
    write(brand.path("repo/clients/c/brand.yaml"), format!("{HEAD}icons: {{acme-a: inside/icons/acme-a.png}}\n"));
    assert_eq!(errors(&brand, "-f repo/clients/c/brand.yaml"), [""; 0]);
    // Git's own folder is not one of art.
    write(brand.path("repo/.git/art/acme-a.png"), art(Kind::Icon, 1));
    case("into .git", "{acme-a: ../../.git/art/acme-a.png}", "path-outside");
    case("a folder in .git", "../../.git/art", "path-outside");
    symlink("../../.git/art", brand.path("repo/clients/c/hidden")).unwrap();
    case("into .git by a link", "{acme-a: hidden/acme-a.png}", "path-outside");
    case("a folder in .git by a link", "hidden/", "path-outside");
}

#[test]
fn a_folder_is_a_root_only_with_a_git_that_is_one_and_ours() {
    let brand = shared();
    let line = "-f repo/clients/a/brand.yaml";
    let repo = brand.path("repo");
    let no_root = |what: &str| {
        let errors = errors(&brand, line);
        assert!(errors == ["bad-path"] || errors == ["path-outside"], "{what}: {errors:?}");
    };
    fs::rename(repo.join(".git"), brand.path("git")).unwrap();
    no_root("no .git");
    fs::create_dir(repo.join(".git")).unwrap();
    no_root("an empty .git");
    fs::remove_dir(repo.join(".git")).unwrap();
    for (what, text) in [("text", "hello"), ("nowhere", "gitdir: /nowhere"), ("no HEAD", "gitdir: clients"), ("", "")] {
        fs::write(repo.join(".git"), text).unwrap();
        no_root(what);
    }
    // A file that leads to a repository makes a root, as in a worktree and a submodule.
    fs::write(repo.join(".git"), format!("gitdir: {}\n", brand.path("git").display())).unwrap();
    assert_eq!(errors(&brand, line), [""; 0]);
    // One that leads to what was committed does not.
    fs::rename(brand.path("git"), repo.join("kept")).unwrap();
    fs::write(repo.join(".git"), "gitdir: kept\n").unwrap();
    no_root("into the checkout");
    fs::remove_file(repo.join(".git")).unwrap();
    fs::rename(repo.join("kept"), repo.join(".git")).unwrap();
    assert_eq!(errors(&brand, line), [""; 0]);
    // Where everybody may write, or what is somebody's whole home.
    fs::set_permissions(&repo, fs::Permissions::from_mode(0o1777)).unwrap();
    no_root("like /tmp");
    fs::set_permissions(&repo, fs::Permissions::from_mode(0o755)).unwrap();
    let mut at_home = command(&repo);
    at_home.env("HOME", &repo).args(["validate", "-f", "clients/a/brand.yaml"]);
    assert_eq!(at_home.output().unwrap().status.code(), Some(1));
    if fs::metadata(&repo).unwrap().uid() == 0 {
        let owner = |owner: &str, path: &Path| {
            assert!(std::process::Command::new("chown").arg(owner).arg(path).status().unwrap().success());
        };
        owner("1234", &repo.join(".git"));
        no_root("somebody else's .git");
        owner("1234", &repo);
        assert_eq!(errors(&brand, line), [""; 0], "the .git of whom the checkout belongs to");
    }
}

#[test]
fn a_root_can_be_named_and_must_hold_the_manifest() {
    let brand = shared();
    fs::remove_dir_all(brand.path("repo/.git")).unwrap();
    let line = "-f repo/clients/a/brand.yaml";
    assert_eq!(errors(&brand, line), ["bad-path"]);
    assert_eq!(errors(&brand, &format!("{line} --root repo")), [""; 0]);
    assert_eq!(errors(&brand, &format!("{line} --root repo/clients/..")), [""; 0]);
    assert_eq!(errors(&brand, &format!("{line} --root repo/clients/a")), ["bad-path"]);
    assert_eq!(errors(&brand, &format!("{line} --root repo/shared")), ["manifest-unreadable"]);
    assert_eq!(errors(&brand, &format!("{line} --root nowhere")), ["manifest-unreadable"]);
    // As build systems do it: everything is a link to where it really is.
    fs::create_dir_all(brand.path("farm/icons")).unwrap();
    symlink(brand.path("repo/clients/b/brand.yaml"), brand.path("farm/brand.yaml")).unwrap();
    fs::create_dir_all(brand.path("shared/icons")).unwrap();
    symlink(brand.path("repo/shared/icons/acme-a.png"), brand.path("shared/icons/acme-a.png")).unwrap();
    write(brand.path("repo/clients/b/brand.yaml"), format!("{HEAD}icons: {{acme-a: ../shared/icons/acme-a.png}}\n"));
    assert_eq!(errors(&brand, "-f farm/brand.yaml"), ["manifest-unreadable"]);
    assert_eq!(errors(&brand, "-f farm/brand.yaml --root ."), [""; 0]);
    brand.json("plan -f farm/brand.yaml --root .").ends_with(0);
    // What counts is where the links lead, not the folder that holds them; a folder that is declared whole must lie there too.
    assert_eq!(errors(&brand, "-f farm/brand.yaml --root repo"), [""; 0]);
    fs::copy(brand.path("outside/acme-a.png"), brand.path("shared/icons/acme-b.png")).unwrap();
    write(brand.path("repo/clients/b/brand.yaml"), format!("{HEAD}icons: {{acme-b: ../shared/icons/acme-b.png}}\n"));
    assert_eq!(errors(&brand, "-f farm/brand.yaml --root repo"), ["path-outside"]);
    write(brand.path("repo/clients/b/brand.yaml"), format!("{HEAD}icons: ../shared/icons\n"));
    assert_eq!(errors(&brand, "-f farm/brand.yaml --root repo"), ["path-outside"]);
    let refused = brand.run(["plan", "-f", "farm/brand.yaml", "--root=shared"]).ends_with(1);
    assert!(refused.text().contains("is not in the folder of --root"), "{refused:?}");
}

#[test]
fn a_manifest_that_is_a_link_ends_at_a_manifest_in_the_root() {
    let brand = Brand::new().declares("icon/acme-a", 1);
    let secret = brand.path("outside/tokens.json");
    write(&secret, "{\"access_token\": \"s3cretT0ken\"}");
    write(brand.path("outside/brand.yaml"), format!("{HEAD}icons: {{}}\n"));
    let repo = brand.path("repo");
    write(repo.join("real/brand.yml"), format!("{HEAD}icons: {{}}\n"));
    write(repo.join("notes.txt"), "s3cretT0ken: [");
    git(&repo, "init --quiet");
    write(repo.join(".git/x.yaml"), "s3cretT0ken: [");
    let (outside, git_config) = (brand.path("outside/brand.yaml"), repo.join(".git/config"));
    let targets =
        [&secret, &outside, &git_config, &repo.join(".git/x.yaml"), &repo.join("notes.txt")].map(|path| path.clone());
    let devices = ["/dev/zero", "/proc/kmsg", "/etc/passwd", "/nowhere"].map(Into::into);
    for target in targets.iter().chain(&devices) {
        let _ = fs::remove_file(repo.join("brand.yaml"));
        symlink(target, repo.join("brand.yaml")).unwrap();
        for command in ["validate", "plan", "list", "drift"] {
            let output = brand.run([command, "-f", "repo/brand.yaml"]).ends_with(1);
            assert!(!output.text().contains("s3cret"), "{command} {}: {output:?}", target.display());
            assert!(output.text().contains("manifest-unreadable"), "{command} {}: {output:?}", target.display());
        }
    }
    fs::remove_file(repo.join("brand.yaml")).unwrap();
    symlink("real/brand.yml", repo.join("brand.yaml")).unwrap();
    assert_eq!(errors(&brand, "-f repo/brand.yaml"), [""; 0]);
    // As Kubernetes mounts a ConfigMap, without a repository.
    let mount = brand.path("mount");
    write(mount.join("..2026_11_26/brand.yaml"), format!("{HEAD}icons: {{acme-a: acme-a.png}}\n"));
    write(mount.join("..2026_11_26/acme-a.png"), art(Kind::Icon, 1));
    symlink("..2026_11_26", mount.join("..data")).unwrap();
    symlink("..data/brand.yaml", mount.join("brand.yaml")).unwrap();
    symlink("..data/acme-a.png", mount.join("acme-a.png")).unwrap();
    assert_eq!(errors(&brand, "-f mount/brand.yaml"), [""; 0]);
    brand.json("plan -f mount/brand.yaml").ends_with(0);
    // What lies above the root is the machine's: a link there is like /tmp on a Mac.
    symlink(brand.path("repo"), brand.path("here")).unwrap();
    assert_eq!(errors(&brand, "-f here/brand.yaml"), [""; 0]);
}

/// The PNGs of which a manifest is said not to declare them, and folders that could not be looked through.
#[track_caller]
fn orphans(brand: &Brand, manifest: &str) -> Vec<String> {
    let output = brand.json(&format!("validate -f {manifest}")).ends_with(0);
    let findings = output.json["findings"].as_array().unwrap().iter();
    let orphans = findings.filter(|finding| finding["rule"] == "orphan-file");
    orphans.map(|orphan| orphan["path"].as_str().unwrap_or("a folder").to_owned()).collect()
}

#[test]
fn folders_that_are_links_are_looked_through_as_those_that_they_lead_to() {
    let brand = Brand::new();
    // As Kubernetes mounts a ConfigMap with folders.
    let mount = brand.path("mount");
    write(mount.join("..2026_11_26/brand.yaml"), format!("{HEAD}icons: icons/\nlogos: {{acme-x: logos/x.png}}\n"));
    write(mount.join("..2026_11_26/icons/acme-a.png"), art(Kind::Icon, 1));
    write(mount.join("..2026_11_26/logos/x.png"), art(Kind::Logo, 1));
    symlink("..2026_11_26", mount.join("..data")).unwrap();
    for name in ["brand.yaml", "icons", "logos"] {
        symlink(format!("..data/{name}"), mount.join(name)).unwrap();
    }
    assert_eq!(orphans(&brand, "mount/brand.yaml"), [""; 0]);
    brand.json("plan -f mount/brand.yaml").ends_with(0);
    // A PNG that nobody declares is found there too, under the name that the manifest gives its folder.
    write(mount.join("..2026_11_26/logos/y.png"), art(Kind::Logo, 2));
    write(mount.join("..2026_11_26/icons/old/z.png"), art(Kind::Icon, 3));
    assert_eq!(orphans(&brand, "mount/brand.yaml"), ["mount/icons/old/z.png", "mount/logos/y.png"]);
    // What one name declares is no orphan under another.
    write(brand.path("two/art/a.png"), art(Kind::Icon, 1));
    write(brand.path("two/art/b.png"), art(Kind::Icon, 2));
    symlink("art", brand.path("two/link")).unwrap();
    write(brand.path("two/brand.yaml"), format!("{HEAD}icons: {{acme-a: link/a.png, acme-b: art/b.png}}\n"));
    assert_eq!(orphans(&brand, "two/brand.yaml"), [""; 0]);
    // A link out of the manifest's folder leads to the art of others.
    write(brand.path("repo/shared/a.png"), art(Kind::Icon, 1));
    write(brand.path("repo/shared/b.png"), art(Kind::Icon, 2));
    write(brand.path("repo/x/brand.yaml"), format!("{HEAD}icons: {{acme-a: link/a.png}}\n"));
    symlink("../shared", brand.path("repo/x/link")).unwrap();
    git(&brand.path("repo"), "init --quiet");
    assert_eq!(orphans(&brand, "repo/x/brand.yaml"), [""; 0]);
}

#[test]
fn the_state_folder_holds_no_art_and_no_manifest() {
    let brand = Brand::new();
    let repo = brand.path("repo");
    for folder in [".brandctl", ".BrandCTL"] {
        write(repo.join(folder).join("art/acme-a.png"), art(Kind::Icon, 1));
        write(repo.join(folder).join("brand.yaml"), format!("{HEAD}icons: {{}}\n"));
        let _ = fs::remove_file(repo.join("link"));
        symlink(format!("{folder}/art"), repo.join("link")).unwrap();
        let file = format!("{{acme-a: {folder}/art/acme-a.png}}");
        let below = format!("{folder}/art/");
        for icons in [&file, &below, "{acme-a: link/acme-a.png}", "link/"] {
            write(repo.join("brand.yaml"), format!("{HEAD}icons: {icons}\n"));
            let output = brand.json("validate -f repo/brand.yaml").ends_with(1);
            assert_eq!(output.errors(), ["path-outside"], "{icons}: {output:?}");
            assert!(output.text().contains("is in .brandctl"), "{icons}: {output:?}");
            assert_eq!(brand.json("plan -f repo/brand.yaml").ends_with(1).errors(), ["path-outside"], "{icons}");
        }
        write(repo.join("brand.yaml"), format!("{HEAD}icons: {{}}\n"));
        let output = brand.json(&format!("validate -f repo/{folder}/brand.yaml --root repo")).ends_with(1);
        assert!(output.text().contains("the manifest is in .brandctl"), "{output:?}");
        fs::remove_file(repo.join("brand.yaml")).unwrap();
        symlink(format!("{folder}/brand.yaml"), repo.join("brand.yaml")).unwrap();
        assert_eq!(errors(&brand, "-f repo/brand.yaml"), ["manifest-unreadable"]);
        fs::remove_file(repo.join("brand.yaml")).unwrap();
    }
}

/// What is suggested where the manifest is missing.
#[track_caller]
fn help(folder: &Path, arguments: &[&str]) -> String {
    let mut command = command(folder);
    let output = command.args(["validate"]).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    text.lines().find_map(|line| line.trim().strip_prefix("= help: ").map(ToOwned::to_owned)).unwrap_or(text)
}

#[test]
fn a_manifest_under_another_name_or_above_is_named_with_what_to_type() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a dir/b");
    fs::create_dir_all(&deep).unwrap();
    assert!(help(folder.path(), &[]).contains("brandctl init"));
    for name in ["brandctl.yaml", "brand.yml"] {
        write(folder.path().join(name), HEAD);
        assert!(help(folder.path(), &[]).contains(&format!("`-f {name}`")), "{}", help(folder.path(), &[]));
        assert!(help(&deep, &[]).contains(&format!("`-f ../../{name}`")), "{}", help(&deep, &[]));
    }
    write(folder.path().join("a dir/brand.yaml"), HEAD);
    assert!(help(&deep, &[]).contains("`-f ../brand.yaml`"), "{}", help(&deep, &[]));
    let named = help(folder.path(), &["-f", "a dir/other.yaml"]);
    assert!(named.contains("`-f 'a dir/brand.yaml'`"), "{named}");
}

/// The paths that the formats name which are shown beside the files of a commit.
#[track_caller]
fn named(folder: &Path, manifest: &str) -> Vec<String> {
    let run = |format: &str| -> String {
        let mut command = command(folder);
        let output = command.args(["validate", "-f", manifest, "--format", format]).env("HOME", "/").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let between = |text: &str, start: &str, end: &str| -> Vec<String> {
        let found = text.split(start).skip(1).filter_map(|rest| rest.split(end).next());
        found.map(ToOwned::to_owned).collect()
    };
    let mut all = between(&run("github"), "file=", ",");
    all.extend(between(&run("sarif"), "\"uri\": \"", "\""));
    all.extend(between(&run("junit"), "<testcase classname=\"brandctl validate\" name=\"", "\""));
    all.sort();
    all.dedup();
    all.retain(|name| !name.starts_with("http"));
    all
}

#[test]
fn annotations_carry_plain_paths_from_the_root_of_the_repository() {
    let brand = Brand::new();
    let repo = brand.path("repo");
    git(repo.parent().unwrap(), "init --quiet repo");
    for name in ["clients/x/icons/acme-a.png", "clients/x/icons/acme-b.png", "clients/x/a/keep", "shared/acme-c.png"] {
        write(repo.join(name), "no png");
    }
    let folder = repo.join("clients/x");
    let entries = "{acme-a: ./icons//acme-a.png, acme-b: a/../icons/acme-b.png, acme-c: ../../shared/./acme-c.png}";
    write(folder.join("brand.yaml"), format!("{HEAD}icons: {entries}\n"));
    let expected =
        ["clients/x/brand.yaml", "clients/x/icons/acme-a.png", "clients/x/icons/acme-b.png", "shared/acme-c.png"];
    assert_eq!(named(&folder, "brand.yaml"), expected);
    assert_eq!(named(&repo, "clients/x/brand.yaml"), expected);
    assert_eq!(named(&repo, "./clients/../clients/x/brand.yaml"), expected);
    assert_eq!(named(&folder.join("icons"), "../brand.yaml"), expected);
    assert_eq!(named(&folder, folder.join("brand.yaml").to_str().unwrap()), expected);
    for icons in ["./icons/", "a/../icons", "icons//", ".//icons/."] {
        write(folder.join("brand.yaml"), format!("{HEAD}icons: {icons}\n"));
        assert_eq!(named(&folder, "brand.yaml"), expected[..3], "{icons}");
    }
    // Outside of a repository they start where it runs.
    fs::remove_dir_all(repo.join(".git")).unwrap();
    assert_eq!(named(&folder, "brand.yaml"), ["brand.yaml", "icons/acme-a.png", "icons/acme-b.png"]);
}
