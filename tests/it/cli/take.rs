//! `export --only CODE --overwrite`: the portal's version of an entry, taken into a repository that goes on as it was.

use std::fs;

use brandctl::domain::asset::Kind;

use super::moved::{InGit as _, git};
use crate::common::{Brand, art};

const MAP: &str = "# ours, by hand\nversion: 1\nowns: [\"acme-*\"]   # all of them\nicons:\n  acme-a: icons/a.png   # the first\n  acme-b: {file: icons/shared.png}\n  acme-c: icons/shared.png\nlogos: {}\n";

/// A committed repository with a map, in step with the portal.
fn mapped() -> Brand {
    let brand = Brand::new().in_git().manifest(MAP);
    fs::create_dir_all(brand.path("icons")).unwrap();
    fs::write(brand.path("icons/a.png"), art(Kind::Icon, 1)).unwrap();
    fs::write(brand.path("icons/shared.png"), art(Kind::Icon, 2)).unwrap();
    fs::write(brand.path(".gitignore"), ".brandctl/\n").unwrap();
    brand.commit();
    let brand = brand.portal_has("icon/acme-a", 1).portal_has("icon/acme-b", 2).portal_has("icon/acme-c", 2);
    assert_eq!(brand.plan().ends_with(0).changes(), Vec::<String>::new());
    brand
}

fn manifest(brand: &Brand) -> String {
    fs::read_to_string(brand.path("brand.yaml")).unwrap()
}

/// What Git sees changed, such as ` M icons/a.png`.
fn status(brand: &Brand) -> Vec<String> {
    git(brand.folder.path(), "status --porcelain --untracked-files=all")
        .lines()
        .map(|line| line.trim().to_owned())
        .collect()
}

fn take(brand: &Brand, address: &str) -> crate::common::Output {
    brand.writing_nothing(|| brand.both(&format!("export --only {address} --overwrite")))
}

#[test]
fn a_committed_file_is_replaced_and_nothing_else() {
    let brand = mapped();
    brand.seed("icon/acme-a", &art(Kind::Icon, 9));
    let output = take(&brand, "icon/acme-a").ends_with(0);
    assert_eq!(fs::read(brand.path("icons/a.png")).unwrap(), art(Kind::Icon, 9));
    assert_eq!(status(&brand), ["M icons/a.png"], "{output:?}");
    assert_eq!(brand.plan().ends_with(0).changes(), Vec::<String>::new());
    // Again, there is nothing to take.
    let again = brand.run(["export", "--only", "icon/acme-a", "--overwrite"]).ends_with(0);
    assert!(again.stdout.contains("Nothing to take"), "{}", again.stdout);
}

#[test]
fn a_file_that_is_not_committed_or_that_others_use_is_kept_and_one_line_is_changed() {
    let changed = mapped();
    fs::write(changed.path("icons/a.png"), art(Kind::Icon, 3)).unwrap();
    let shared = mapped();
    let linked = mapped();
    fs::remove_file(linked.path("icons/a.png")).unwrap();
    std::os::unix::fs::symlink("shared.png", linked.path("icons/a.png")).unwrap();
    for (brand, address, line) in [
        (changed, "icon/acme-a", "  acme-a: icons/acme-a.png   # the first\n"),
        (shared, "icon/acme-b", "  acme-b: {file: icons/acme-b.png}\n"),
        (linked, "icon/acme-a", "  acme-a: icons/acme-a.png   # the first\n"),
    ] {
        brand.seed(address, &art(Kind::Icon, 9));
        let before: Vec<_> = ["icons/a.png", "icons/shared.png"].map(|file| fs::read(brand.path(file)).unwrap()).into();
        take(&brand, address).ends_with(0);
        let after: Vec<_> = ["icons/a.png", "icons/shared.png"].map(|file| fs::read(brand.path(file)).unwrap()).into();
        assert_eq!(before, after, "{address}");
        let text = manifest(&brand);
        assert!(text.contains(line), "{text}");
        assert_eq!(text.lines().count(), MAP.lines().count());
        assert_eq!(text.lines().filter(|line| !MAP.contains(line)).count(), 1, "{text}");
        let left = brand.plan().changes();
        assert!(!left.iter().any(|change| change.ends_with(address)), "{left:?}");
    }
}

#[test]
fn an_entry_that_is_only_on_the_portal_is_declared_in_a_line_of_its_own_or_by_its_file() {
    let brand = mapped().portal_has("icon/acme-new", 7);
    take(&brand, "icon/acme-new").ends_with(0);
    assert!(
        manifest(&brand).contains("icons/shared.png\n  acme-new: icons/acme-new.png\nlogos"),
        "{}",
        manifest(&brand)
    );
    assert_eq!(brand.plan().ends_with(0).changes(), Vec::<String>::new());

    let folder = Brand::new().in_git().declares("icon/acme-a", 1);
    folder.commit();
    let folder = folder.portal_has("icon/acme-a", 9).portal_has("icon/acme-new", 7);
    let text = manifest(&folder);
    take(&folder, "acme-*").ends_with(0);
    assert_eq!(manifest(&folder), text);
    assert_eq!(folder.plan().ends_with(0).changes(), Vec::<String>::new());
}

#[test]
fn what_cannot_be_taken_says_why_and_nothing_is_written() {
    let uncommitted = Brand::new().in_git().declares("icon/acme-a", 1).portal_has("icon/acme-a", 9);
    let broken = mapped();
    broken.seed("icon/acme-a", &art(Kind::Icon, 9)[..60]);
    let ignored = mapped().portal_has("icon/acme-lab", 3);
    ignored.rewrite(format!("{MAP}ignore: [icon/acme-lab]\n"));
    for (brand, address, why) in [
        (uncommitted, "icon/acme-a", "`icons/acme-a.png` is not replaced: it cannot be found in the current commit"),
        (broken, "icon/acme-a", "cannot be fetched"),
        (mapped().portal_has("icon/other", 3), "icon/other", "`owns` does not match it"),
        (ignored, "icon/acme-lab", "`ignore` matches it"),
        (mapped(), "icon/nothing", "matches no custom entry"),
        (mapped(), "logo/acme-a", "matches no custom entry"),
    ] {
        let before = (manifest(&brand), status(&brand));
        let output = take(&brand, address).ends_with(1);
        assert!(output.stderr.contains(why), "{address}: {}", output.stderr);
        assert_eq!((manifest(&brand), status(&brand)), before, "{address}");
    }
}

#[test]
fn a_line_that_cannot_be_changed_safely_is_left_with_the_line_to_type() {
    let anchors = "version: 1\nowns: [\"acme-*\"]\nicons:\n  acme-a: &it icons/a.png\n  acme-b: *it\n";
    let brand = mapped().manifest(anchors);
    brand.commit();
    brand.seed("icon/acme-a", &art(Kind::Icon, 9));
    let output = take(&brand, "icon/acme-a").ends_with(1);
    assert!(output.stderr.contains("write `acme-a: icons/acme-a.png` under `icons`"), "{}", output.stderr);
    assert_eq!(manifest(&brand), anchors);
    assert_eq!(fs::read(brand.path("icons/acme-a.png")).unwrap(), art(Kind::Icon, 9));
    assert_eq!(fs::read(brand.path("icons/a.png")).unwrap(), art(Kind::Icon, 1));
}

#[test]
fn art_outside_of_the_manifests_folder_is_never_written() {
    let brand = mapped();
    fs::create_dir_all(brand.path("client")).unwrap();
    fs::write(brand.path("client/brand.yaml"), "version: 1\nowns: [\"acme-*\"]\nicons:\n  acme-a: ../icons/a.png\n")
        .unwrap();
    brand.commit();
    brand.seed("icon/acme-a", &art(Kind::Icon, 9));
    brand.run(["export", "client", "--only", "icon/acme-a", "--overwrite"]).ends_with(0);
    assert_eq!(fs::read(brand.path("icons/a.png")).unwrap(), art(Kind::Icon, 1));
    assert_eq!(fs::read(brand.path("client/icons/acme-a.png")).unwrap(), art(Kind::Icon, 9));
    let text = fs::read_to_string(brand.path("client/brand.yaml")).unwrap();
    assert!(text.ends_with("  acme-a: icons/acme-a.png\n"), "{text}");
}

#[test]
fn without_a_folder_an_export_takes_only_chosen_entries_and_replaces_only_when_asked() {
    let brand = mapped();
    for line in ["export", "export --only icon/acme-a", "export --overwrite"] {
        let output = brand.run(line.split(' ')).ends_with(1);
        assert!(output.stderr.contains("DIR"), "{line}: {}", output.stderr);
    }
    let output = brand.run("export --only icon/acme-a --overwrite --owns acme-*".split(' ')).ends_with(1);
    assert!(output.stderr.contains("--owns is for a new export"), "{}", output.stderr);
}

#[test]
fn a_report_does_not_replace_what_is_taken_or_declared() {
    for target in ["brand.yaml", "icons/shared.png", "icons/a.png"] {
        let brand = mapped();
        fs::write(brand.path("icons/shared.png"), art(Kind::Icon, 4)).unwrap();
        brand.seed("icon/acme-a", &art(Kind::Icon, 9));
        let before = fs::read(brand.path(target)).unwrap();
        for export in ["export", "export out"] {
            let line = format!("{export} --only icon/acme-a --overwrite --report json={target}");
            let output = brand.run(line.split(' ')).ends_with(1);
            assert!(output.stderr.contains("would overwrite"), "{line}: {}", output.stderr);
            assert_eq!(fs::read(brand.path(target)).unwrap(), before, "{line}");
        }
    }
    // The file is only made by the command itself.
    let brand = mapped().portal_has("icon/acme-new", 7);
    let line = "export --only icon/acme-new --overwrite --report json=icons/acme-new.png";
    brand.run(line.split(' ')).ends_with(1);
    assert_eq!(fs::read(brand.path("icons/acme-new.png")).unwrap(), art(Kind::Icon, 7));
}

#[test]
fn a_folder_with_another_manifest_is_not_exported_over() {
    let brand = mapped();
    git(brand.folder.path(), "mv brand.yaml brand.yml");
    fs::write(brand.path("icons/a.png"), art(Kind::Icon, 3)).unwrap();
    brand.seed("icon/acme-a", &art(Kind::Icon, 9));
    let output = brand.run(["export", ".", "--only", "icon/acme-a", "--overwrite"]).ends_with(1);
    assert!(output.stderr.contains("-f ./brand.yml"), "{}", output.stderr);
    fs::create_dir(brand.path("c")).unwrap();
    fs::write(brand.path("c/brand.yaml"), MAP).unwrap();
    let output = brand.run("-f brand.yml export c --only icon/acme-a --overwrite".split(' ')).ends_with(1);
    assert!(output.stderr.contains("-f c/brand.yaml"), "{}", output.stderr);
    assert_eq!(fs::read(brand.path("icons/a.png")).unwrap(), art(Kind::Icon, 3));
    assert!(!brand.path("brand.yaml").exists());
}

#[test]
fn only_art_that_one_code_is_declared_with_is_replaced() {
    // The manifest itself, a file that is not art, and one that two codes share and that is missing.
    for (text, kept) in [
        ("icons:\n  acme-a: brand.yaml\n", "brand.yaml"),
        ("icons:\n  acme-a: .gitattributes\n", ".gitattributes"),
        ("icons:\n  acme-a: icons/gone.png\n  acme-b: ./icons/gone.png\n", "icons/gone.png"),
    ] {
        let brand = mapped().manifest(format!("version: 1\nowns: [\"acme-*\"]\n{text}"));
        brand.commit();
        brand.seed("icon/acme-a", &art(Kind::Icon, 9));
        let before = fs::read(brand.path(kept)).ok().filter(|_| kept != "brand.yaml");
        brand.run(["export", "--only", "icon/acme-a", "--overwrite"]).ends_with(0);
        assert_eq!(fs::read(brand.path(kept)).ok().filter(|_| kept != "brand.yaml"), before, "{kept}");
        assert!(manifest(&brand).contains("acme-a: icons/acme-a.png"), "{kept}: {}", manifest(&brand));
    }
}

#[test]
fn what_no_manifest_can_declare_is_refused_and_a_repeat_makes_no_second_file() {
    let brand = mapped().portal_has("icon/acme-$x", 3);
    let output = take(&brand, "acme-$x").ends_with(1);
    assert!(output.stderr.contains("no manifest can declare it"), "{}", output.stderr);
    assert_eq!(status(&brand), Vec::<String>::new());

    let empty = mapped().manifest("version: 1\nowns: [\"acme-*\"]\nicons: {}\n");
    empty.commit();
    for _ in 0..3 {
        take(&empty, "icon/acme-a").ends_with(1);
    }
    assert_eq!(status(&empty), ["?? icons/acme-a.png"]);

    let respelt = mapped().manifest(MAP.replace("acme-a", "acme-A"));
    respelt.commit();
    let output = take(&respelt, "icon/acme-a").ends_with(0);
    assert!(output.stderr.contains("the portal spells icon/acme-A as `acme-a`"), "{}", output.stderr);
}
