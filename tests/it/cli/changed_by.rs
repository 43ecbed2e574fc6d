//! Who changed an image, and of which commit a report is: from real histories of Git, with authors of any name.

use std::fs;
use std::path::Path;
use std::process::Command;

use brandctl::domain::asset::Kind;

use super::moved::{InGit as _, git};
use crate::common::{Brand, art};

/// Commits everything as an author of this name.
fn commit_as(folder: &Path, name: &str) -> String {
    git(folder, "add --all");
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(["commit", "--quiet", "--allow-empty", "--message", "change"]);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), name).env(format!("GIT_{role}_EMAIL"), "who@secret.example");
    }
    assert!(command.output().unwrap().status.success());
    git(folder, "rev-parse HEAD")
}

/// The page and the comment of a plan.
fn reports(brand: &Brand) -> (String, String) {
    brand.run(["plan", "--report", "out/plan.html", "--report", "out/plan.md"]);
    let read = |name| fs::read_to_string(brand.path(name)).unwrap();
    (read("out/plan.html"), read("out/plan.md"))
}

/// A repository whose outputs are not a part of it.
fn repository() -> Brand {
    let brand = Brand::new().in_git();
    fs::create_dir(brand.path("out")).unwrap();
    fs::write(brand.path(".gitignore"), "/out/\n/.brandctl/\n").unwrap();
    brand
}

#[test]
fn the_last_commit_of_a_file_is_named_with_its_author_and_no_address() {
    let brand = repository().declares("icon/acme-a", 1).declares("icon/acme-b", 2);
    let first = commit_as(brand.folder.path(), "Ada Painter");
    brand.draw("icon/acme-a", &art(Kind::Icon, 3));
    let second = commit_as(brand.folder.path(), "Бен @octocat #1 <script>\u{202e}");
    let (page, comment) = reports(&brand);
    let (first, second) = (&first[..10], &second[..10]);
    assert!(
        page.contains(&format!("declared file last changed by <bdi>Ada Painter</bdi> in <code>{first}</code>")),
        "{page}"
    );
    // Git itself takes `<` and `>` out of a name.
    assert!(page.contains(&format!(
        "declared file last changed by <bdi>Бен @octocat #1 script\\u{{202e}}</bdi> in <code>{second}</code>"
    )));
    assert!(
        comment
            .contains(&format!("<br>declared file last changed by `Бен @octocat #1 script\\u{{202e}}` in {second} |")),
        "{comment}"
    );
    assert!(!page.contains("secret.example") && !comment.contains("secret.example"));
    assert!(page.contains(&format!("commit <code>{second}</code>")), "nothing but the outputs is uncommitted");
    assert!(comment.contains(&format!("\nCommit {second} · ")), "{comment}");
    // What is drawn since then is by nobody.
    brand.draw("icon/acme-a", &art(Kind::Icon, 4));
    let (page, comment) = reports(&brand);
    assert!(!page.contains("octocat") && page.contains("Ada Painter"));
    assert!(
        page.contains(&format!("commit <code>{second}+</code>")) && comment.contains(&format!("Commit {second}+ ·"))
    );
}

#[test]
fn no_name_of_an_author_is_taken_for_a_part_of_the_log() {
    let brand = repository().declares("icon/acme-a", 1);
    for name in [":100644 100644", "commit deadbeef", "\u{fffd}\u{1b}[31m", "x"] {
        brand.draw("icon/acme-a", &art(Kind::Icon, u8::try_from(name.len()).unwrap()));
        commit_as(brand.folder.path(), name);
        let (page, _) = reports(&brand);
        assert!(page.contains("changed by <bdi>") && !page.contains('\u{1b}'), "{name:?}");
    }
    // A repository may ask for another encoding of names, and a commit may claim one.
    git(brand.folder.path(), "config i18n.logOutputEncoding UTF-16");
    git(brand.folder.path(), "config i18n.commitEncoding ISO-8859-1");
    brand.draw("icon/acme-a", &art(Kind::Icon, 99));
    commit_as(brand.folder.path(), "Åsa");
    assert!(reports(&brand).0.contains("changed by <bdi>"));
}

#[test]
fn a_shallow_clone_does_not_blame_the_commit_that_it_ends_at() {
    let brand = repository().declares("icon/acme-a", 1).declares("icon/acme-b", 2);
    commit_as(brand.folder.path(), "Ada Painter");
    brand.draw("icon/acme-a", &art(Kind::Icon, 3));
    commit_as(brand.folder.path(), "Ben Okoro");
    let shallow = tempfile::tempdir().unwrap();
    let from = format!("file://{}", brand.folder.path().display());
    let clone =
        Command::new("git").args(["clone", "--quiet", "--depth", "1", &from]).arg(shallow.path()).output().unwrap();
    assert!(clone.status.success(), "{}", String::from_utf8_lossy(&clone.stderr));
    let mut command = crate::common::command(shallow.path());
    command.env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook()).args(["plan", "--report", "plan.html"]);
    command.output().unwrap();
    let page = fs::read_to_string(shallow.path().join("plan.html")).unwrap();
    assert!(page.contains("icon/acme-b") && !page.contains("changed by"), "{page}");
}

#[test]
fn a_comment_keeps_its_mark_without_the_secret() {
    let brand = Brand::new().declares("icon/acme-a", 1);
    let host = brand.portal.address().to_string();
    let mark = |manifest: &str, has_secret: bool| {
        brand.rewrite(manifest);
        let mut command = crate::common::command(brand.folder.path());
        if has_secret {
            command.env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook());
        }
        command.args(["plan", "--report", "plan.md"]).output().unwrap();
        fs::read_to_string(brand.path("plan.md")).unwrap().lines().next().unwrap().to_owned()
    };
    let manifest = |pin: &str| format!("version: 1\nportal: {pin}\nowns: [\"acme-*\"]\nicons: icons/\n");
    let pinned = manifest(&format!("\"{host}\""));
    assert_eq!(mark(&pinned, false), format!("<!-- brandctl plan {host} brand.yaml -->"));
    assert_eq!(mark(&pinned, true), mark(&pinned, false));
    // A manifest with a mistake is still for that portal.
    assert_eq!(mark(&format!("{pinned}unknown: 1\n"), false), mark(&pinned, true));
    let several = manifest(&format!("[\"{host}\", other.example]"));
    assert_eq!(mark(&several, false), "<!-- brandctl plan - brand.yaml -->", "none of several is certain");
}
