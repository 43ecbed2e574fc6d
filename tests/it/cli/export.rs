//! `export`: a portal as files, whose first plan is empty.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use brandctl::domain::asset::Kind;
use brandctl::sandbox::Sandbox;
use brandctl::sandbox::faults::{FaultAction, On, When};

use crate::common::{Brand, Output, art, blank, command, found, parts};

/// Codes that are not file names, plain YAML, plain globs, or codes at all to us.
const HOSTILE: [&str; 46] = [
    "../../x",
    "..",
    "CON",
    "nul.png",
    "com1",
    "trailing.",
    "trailing ",
    " leading",
    "-rf",
    ".hidden",
    "a/b\\c",
    "C:\\x",
    "Acme-Case",
    "$result[a]",
    "ünïcode",
    "\u{1f600}",
    "\u{202e}gnp",
    "line\nbreak",
    "tab\t",
    "nul\0",
    "\u{1b}[31m",
    "*",
    "a*b",
    "a?b",
    "[a-z]",
    "{a,b}",
    "back\\slash",
    "icons/plural",
    "Logo/case",
    "yes",
    "1.0",
    "null",
    "~",
    "- a",
    "#x",
    "\"",
    "'",
    "a: b",
    "<<",
    "&anchor",
    "!tag",
    "%",
    "---",
    "x/rest/1/abcdefgh12345678/",
    "Info",
    "INFO ",
];

fn truncated(kind: Kind) -> Vec<u8> {
    let mut bytes = art(kind, 7);
    bytes.truncate(bytes.len() - 16);
    bytes
}

fn opaque(side: u32, mark: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Rgb);
    let pixels = [mark, 0x80, 0x10].repeat(usize::try_from(side * side).unwrap());
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    bytes
}

/// The files below a folder with their bytes.
pub(crate) fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files =
        walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap).filter(|entry| !entry.file_type().is_dir());
    files
        .map(|file| {
            let name = file.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            (
                name,
                fs::read_link(file.path())
                    .map_or_else(|_| fs::read(file.path()).unwrap(), |to| to.to_str().unwrap().into()),
            )
        })
        .collect()
}

fn seed(portal: &Sandbox, address: &str, png: &[u8]) {
    let (kind, code) = parts(address);
    portal.seed(kind, code, png).unwrap();
}

fn brand() -> Brand {
    let brand = Brand::new();
    fs::remove_file(brand.path("brand.yaml")).unwrap();
    brand
}

/// Two sound icons, an opaque one, a logo, and one that the rules refuse.
fn mixed() -> Brand {
    let brand = brand().portal_has("icon/acme-call", 1).portal_has("icon/Acme Fax", 2).portal_has("logo/acme-brand", 3);
    brand.seed("icon/other", &opaque(24, 9));
    brand.seed("logo/blank", &blank(Kind::Logo));
    brand
}

#[track_caller]
fn is_in_step(brand: &Brand, folder: &str) -> Output {
    let validated = brand.json(&format!("validate -f {folder}/brand.yaml")).ends_with(0);
    let findings = validated.json["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["rule"] != "orphan-file"), "{findings:?}");
    let plan = brand.both(&format!("plan -f {folder}/brand.yaml --detailed-exitcode")).ends_with(0);
    assert!(plan.changes().is_empty(), "{plan:?}");
    plan
}

#[test]
fn the_first_plan_on_a_thousand_entries_is_empty() {
    let brand = brand().without_rights();
    for number in 0..454_u32 {
        let mark = u8::try_from(number % 250).unwrap();
        for kind in Kind::ALL {
            let png = match number % 50 {
                0 => blank(kind),
                1 => opaque(kind.side(), mark),
                _ => art(kind, mark),
            };
            seed(&brand.portal, &format!("{kind}/acme-{number:03}"), &png);
        }
    }
    for (mark, code) in (0..).zip(HOSTILE) {
        for kind in Kind::ALL {
            // Upper case among the logos: the kinds collide on disks that fold case, and nowhere else.
            let code = if kind == Kind::Logo { code.to_uppercase() } else { code.to_owned() };
            seed(&brand.portal, &format!("{kind}/{code}"), &art(kind, mark));
        }
    }
    for code in ["x".repeat(255), "/".repeat(254), "*".repeat(255), "ж".repeat(255)] {
        seed(&brand.portal, &format!("icon/{code}"), &art(Kind::Icon, 9));
    }
    let held = brand.live();
    assert!(held.len() > 1000, "{}", held.len());

    let started = Instant::now();
    let exported = brand.writing_nothing(|| brand.json("export out").ends_with(0));
    assert!(started.elapsed() < Duration::from_secs(30), "{:?} for {} entries", started.elapsed(), held.len());
    let summary = &exported.json["summary"];
    assert_eq!((summary["unfetched"].as_u64(), summary["left_out"].as_u64()), (Some(0), Some(0)));
    assert!(summary["set_aside"].as_u64().unwrap() > 20 && summary["declared"].as_u64().unwrap() > 900, "{summary}");

    // Every image is there, byte for byte, and nothing is anywhere else.
    let files = tree(&brand.path("out"));
    for (entry, (address, bytes)) in exported.json["entries"].as_array().unwrap().iter().zip(held) {
        assert_eq!(address, format!("{}/{}", entry["kind"].as_str().unwrap(), entry["code"].as_str().unwrap()));
        assert_eq!(files[entry["file"].as_str().unwrap()], bytes, "{address}");
    }
    let beside: Vec<_> = fs::read_dir(brand.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        beside.iter().all(|name| ["out", "icons", "logos"].map(std::ffi::OsStr::new).contains(&&**name)),
        "{beside:?}"
    );

    // No code does anything to the reader of a file that holds it.
    let shown = brand.run(["export", "out", "--overwrite"]).ends_with(0);
    let texts = ["brand.yaml", "portal.json"].map(|name| String::from_utf8(files[name].clone()).unwrap());
    for text in [&shown.text(), &texts[0], &texts[1]] {
        assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
    }

    let plan = is_in_step(&brand, "out");
    assert_eq!(plan.json["summary"]["unchanged"], summary["declared"]);
    assert_eq!(plan.json["summary"]["unmanaged"], summary["set_aside"]);
    brand.json("export again").ends_with(0);
    assert!(tree(&brand.path("again")) == files, "two exports of one portal differ");

    let offline = brand.with_webhook(None);
    let plan = offline.json("plan -f again/brand.yaml --against out --detailed-exitcode").ends_with(0);
    assert_eq!(plan.json["summary"]["unchanged"], summary["declared"]);
}

#[test]
fn what_the_rules_refuse_is_ignored_and_kept() {
    let brand = mixed();
    let output = brand.run(["export", "out"]).ends_with(0);
    insta::assert_snapshot!(output.stdout, @"
      ignored  logo/blank  blank: every pixel of the image is transparent

    Exported 5 custom entries of PORTAL to out: 4 declared, 1 ignored.
    `brandctl plan -f out/brand.yaml` has nothing to do now.
    ");
    assert_eq!(fs::read(brand.path("out/ignored/logos/blank.png")).unwrap(), blank(Kind::Logo));
    let manifest = fs::read_to_string(brand.path("out/brand.yaml")).unwrap();
    assert!(manifest.contains("transparent-background: warn") && manifest.contains("  - logo/blank\n"), "{manifest}");
    assert!(manifest.contains(&format!("portal: \"{}\"\n", brand.portal.address())), "{manifest}");
    is_in_step(&brand, "out");
    // What others add later is none of its business, and what goes is noticed.
    brand.seed("icon/acme-later", &art(Kind::Icon, 90));
    is_in_step(&brand, "out");
    brand.portal.remove(Kind::Icon, "acme-call").unwrap();
    let plan = brand.json("plan -f out/brand.yaml --detailed-exitcode").ends_with(2);
    assert_eq!(plan.changes(), ["create icon/acme-call"]);
}

/// The portal may have stored it so, or something on the way damaged it.
#[test]
fn what_is_not_sound_is_kept_and_ignored_and_unknown() {
    let brand = mixed();
    brand.seed("logo/broken", &truncated(Kind::Logo));
    let output = brand.both("export out --overwrite").ends_with(1);
    assert_eq!(output.errors(), ["unknown-content"]);
    let error = &found(&output.json, "error")[0];
    assert_eq!(error["address"], "logo/broken");
    assert!(error["help"].as_str().unwrap().contains("ignored/logos/broken.png"), "{error}");
    assert_eq!(fs::read(brand.path("out/ignored/logos/broken.png")).unwrap(), truncated(Kind::Logo));
    is_in_step(&brand, "out");
}

#[test]
fn what_is_there_is_kept_unless_told_otherwise() {
    let brand = mixed();
    brand.json("export out").ends_with(0);
    fs::write(brand.path("out/brand.yaml"), "mine").unwrap();
    let before = tree(&brand.path("out"));
    brand.seed("icon/acme-call", &art(Kind::Icon, 100));
    brand.seed("icon/acme-more", &art(Kind::Icon, 101));
    let output = brand.writing_nothing(|| brand.both("export out").ends_with(1));
    assert_eq!(output.errors(), ["export-exists"]);
    insta::assert_snapshot!(output.err(), @"
    portal: PORTAL, with the webhook of BITRIX24_WEBHOOK_URL
    error[export-exists]: these files already exist: `brand.yaml`, `portal.json`, `brand.schema.json`, `icons/Acme Fax.png`, `icons/acme-call.png`, `icons/other.png`, `ignored/logos/blank.png`, `logos/acme-brand.png`; nothing was written
    --> out
     = help: name another folder, or pass --overwrite to replace them
    ");
    assert_eq!((output.json["files"].as_array().unwrap().len(), &*output.stdout), (0, ""));
    assert!(tree(&brand.path("out")) == before, "something was written");

    brand.portal.remove(Kind::Icon, "other").unwrap();
    fs::write(brand.path("out/icons/.brandctl-killed.tmp"), "half an image").unwrap();
    let output = brand.both("export out --overwrite").ends_with(0);
    assert_eq!(fs::read(brand.path("out/icons/acme-call.png")).unwrap(), art(Kind::Icon, 100));
    let plan = brand.both("plan -f out/brand.yaml --detailed-exitcode").ends_with(0);
    assert!(plan.changes().is_empty());
    assert!(!brand.path("out/icons/.brandctl-killed.tmp").exists(), "what a killed export left is still there");
    // It said so the first time; the second time, nobody knows any more whose it is.
    insta::assert_snapshot!(output.err(), @"
    portal: PORTAL, with the webhook of BITRIX24_WEBHOOK_URL
    warning[export-left-over]: left from an earlier export, and not part of this one: `icons/other.png`
    --> out
     = help: remove them if nothing else needs them
    ");
    assert!(brand.path("out/icons/other.png").exists());
}

#[test]
fn many_files_that_are_there_are_counted() {
    let brand = Brand::new().in_step(20);
    brand.json("export out").ends_with(0);
    let output = brand.run(["export", "out"]).ends_with(1);
    insta::assert_snapshot!(output.err(), @"
    portal: PORTAL, with the webhook of BITRIX24_WEBHOOK_URL
    error[export-exists]: these files already exist: `brand.yaml`, `portal.json`, `brand.schema.json`, `icons/acme-00.png`, `icons/acme-01.png`, `icons/acme-02.png`, `icons/acme-03.png`, `icons/acme-04.png`, `icons/acme-05.png`, `icons/acme-06.png`, and 13 more; nothing was written
    --> out
     = help: name another folder, or pass --overwrite to replace them
    ");
}

#[cfg(unix)]
#[test]
fn no_link_is_followed() {
    use std::os::unix::fs::symlink;
    let brand = mixed();
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir(brand.path("out")).unwrap();
    symlink(outside.path(), brand.path("out/icons")).unwrap();
    let output = brand.both("export out --overwrite").ends_with(1);
    assert_eq!(output.errors(), ["export"]);
    insta::assert_snapshot!(output.err(), @"
    portal: PORTAL, with the webhook of BITRIX24_WEBHOOK_URL
    error[export]: `icons` exists and is not a folder; links are not followed
    --> out
     = help: name an empty folder, or one that does not exist yet
    ");
    fs::remove_file(brand.path("out/icons")).unwrap();
    // A link in a file's place is replaced, also one that leads nowhere, and never written through.
    let target = outside.path().join("target");
    symlink(&target, brand.path("out/brand.yaml")).unwrap();
    assert_eq!(brand.json("export out").ends_with(1).errors(), ["export-exists"]);
    brand.json("export out --overwrite").ends_with(0);
    assert!(!target.exists() && brand.path("out/brand.yaml").is_file());
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    is_in_step(&brand, "out");
}

#[test]
fn a_folder_in_a_files_place_is_told_before_anything_is_written() {
    let brand = mixed();
    fs::create_dir_all(brand.path("out/portal.json")).unwrap();
    assert_eq!(brand.json("export out --overwrite").ends_with(1).errors(), ["export"]);
    assert!(tree(&brand.path("out")).is_empty());
    fs::write(brand.path("file"), "").unwrap();
    let output = brand.both("export file --overwrite").ends_with(1);
    insta::assert_snapshot!(output.err(), @"
    portal: PORTAL, with the webhook of BITRIX24_WEBHOOK_URL
    error[export]: file is not a folder
    --> file
     = help: name an empty folder, or one that does not exist yet
    ");
}

#[test]
fn what_cannot_be_fetched_is_named_and_the_rest_is_written() {
    let brand = mixed().failing(On::Download, When::Nth(1), FaultAction::Html(404));
    let output = brand.writing_nothing(|| brand.json("export out").ends_with(1));
    assert_eq!(output.errors(), ["unknown-content"]);
    assert_eq!(output.json["summary"]["unfetched"], 1);
    let message = found(&output.json, "error")[0]["message"].as_str().unwrap();
    let lost = found(&output.json, "error")[0]["address"].as_str().unwrap();
    assert!(message.contains(lost) && message.contains("404"), "{message}");
    let manifest = fs::read_to_string(brand.path("out/brand.yaml")).unwrap();
    assert!(manifest.contains("# its image could not be fetched: "), "{manifest}");
    is_in_step(&brand, "out");
    let snapshot: serde_json::Value = serde_json::from_slice(&tree(&brand.path("out"))["portal.json"]).unwrap();
    let missing = snapshot["entries"].as_array().unwrap().iter().filter(|entry| entry["missing"].is_string()).count();
    assert_eq!(missing, 1);
}

#[test]
fn only_and_owns_choose() {
    let brand = mixed();
    let became = |output: &Output| -> Vec<String> {
        let entries = output.json["entries"].as_array().unwrap();
        let shown = entries.iter().filter(|entry| entry["became"] != "left-out");
        shown
            .map(|entry| format!("{} {}", entry["became"].as_str().unwrap(), entry["code"].as_str().unwrap()))
            .collect()
    };
    let output = brand.json("export a --only acme-* --only logo/*").ends_with(0);
    assert_eq!(became(&output), ["declared acme-call", "declared acme-brand", "set-aside blank"]);
    assert_eq!(brand.downloads(), 3, "what is not exported is not fetched");
    is_in_step(&brand, "a");

    let output = brand.json("export b --owns acme-*").ends_with(0);
    assert_eq!(became(&output), ["declared acme-call", "declared acme-brand"]);
    is_in_step(&brand, "b");
    let manifest = fs::read_to_string(brand.path("b/brand.yaml")).unwrap();
    assert!(manifest.contains("owns:\n  - \"acme-*\"\n") && !manifest.contains("ignore"), "{manifest}");

    // Owned and left out: the first plan would delete it if it were not ignored.
    let output = brand.json("export c --owns * --only logo/*").ends_with(0);
    assert_eq!(became(&output), ["declared acme-brand", "set-aside blank"]);
    is_in_step(&brand, "c");
    let manifest = fs::read_to_string(brand.path("c/brand.yaml")).unwrap();
    assert!(manifest.contains("  # not exported: no `--only` pattern matches it\n  - icon/acme-call\n"), "{manifest}");
    assert!(manifest.contains("prune: false"), "{manifest}");

    // Here the first plan would delete an icon beside one that is declared.
    brand.json("export e --owns acme-* --owns [a-z]* --only acme-*").ends_with(0);
    is_in_step(&brand, "e");

    for line in
        ["export d --only acme-cal", "export d --owns acm-*", "export d --only info", "export d --only acme-* --only x"]
    {
        let output = brand.both(line).ends_with(1);
        assert_eq!(output.errors(), ["only-matches-nothing"], "{line}");
        assert!(!brand.path("d").exists(), "{line}");
    }
}

#[test]
fn the_pin_of_a_named_manifest_holds() {
    let brand = mixed().manifest("version: 1\nowns: [x]\nportal: other.example\n");
    assert_eq!(brand.both("export out -f brand.yaml").ends_with(1).errors(), ["portal-pin"]);
    assert!(brand.portal.requests().is_empty() && !brand.path("out").exists());
    assert_eq!(brand.both("export out -f nowhere.yaml").ends_with(1).errors(), ["manifest-unreadable"]);
    // Nobody named it: it says nothing about what is exported.
    brand.run(["export", "out"]).ends_with(0);
}

#[test]
fn a_sandbox_is_exported_without_a_pin() {
    let brand = Brand::new().declares("icon/acme-call", 1).with_webhook(None);
    brand.json("apply --yes --sandbox=data").ends_with(0);
    brand.json("export out --sandbox=data").ends_with(0);
    let manifest = fs::read_to_string(brand.path("out/brand.yaml")).unwrap();
    assert!(!manifest.contains("\nportal:"), "{manifest}");
    let plan = brand.json("plan -f out/brand.yaml --sandbox=data --detailed-exitcode").ends_with(0);
    assert_eq!(plan.json["summary"]["unchanged"], 1);
    brand.json("plan -f out/brand.yaml --against out --detailed-exitcode").ends_with(0);
}

#[test]
fn an_empty_portal_has_a_snapshot_to_plan_against() {
    let brand = Brand::new().declares("icon/acme-call", 1);
    let output = brand.run(["export", "out"]).ends_with(0);
    insta::assert_snapshot!(output.out(), @"
    Exported 0 custom entries of PORTAL to out: 0 declared, 0 ignored.
    There is nothing to declare, so no manifest was written.
    ");
    assert_eq!(tree(&brand.path("out")).keys().collect::<Vec<_>>(), ["brand.schema.json", "portal.json"]);
    let plan = brand.json("plan --against out").ends_with(0);
    assert_eq!(plan.changes(), ["create icon/acme-call"]);
}

#[test]
fn a_killed_export_leaves_no_manifest() {
    let brand =
        Brand::new().in_step(40).failing(On::Download, When::From(20), FaultAction::Delay(Duration::from_secs(20)));
    let mut exporting = command(brand.folder.path())
        .args(["export", "out"])
        .env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let patience = Instant::now() + Duration::from_secs(20);
    while brand.downloads() < 20 && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(10));
    }
    exporting.kill().unwrap();
    exporting.wait().unwrap();
    let left: Vec<PathBuf> =
        fs::read_dir(brand.path("out")).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    assert!(brand.downloads() >= 20 && left.is_empty(), "{left:?}");
}

/// Exports under a limit on the size of files, in KiB, which the images keep and portal.json does not.
#[cfg(unix)]
fn export_on_a_full_disk(brand: &Brand, arguments: &str) -> (Option<i32>, String) {
    let line = format!("ulimit -f 4; exec {} {arguments}", env!("CARGO_BIN_EXE_brandctl"));
    let output = std::process::Command::new("bash")
        .args(["-c", &line])
        .current_dir(brand.folder.path())
        .env_clear()
        .env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook())
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_no_manifest_and_a_way_out() {
    let brand = mixed();
    let (code, told) = export_on_a_full_disk(&brand, "export out");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("the export cannot be written: out/portal.json: File too large"), "{told}");
    assert!(!told.contains(".brandctl-"), "a file that nobody knows is named: {told}");
    assert!(
        told.contains("the manifest was not written, because it comes last") && told.contains("--overwrite"),
        "{told}"
    );
    let left = tree(&brand.path("out"));
    assert!(left.keys().all(|name| name.ends_with(".png")), "{:?}", left.keys());
    // Over an older export: it keeps its manifest, and is not taken for a portal.
    fs::remove_dir_all(brand.path("out")).unwrap();
    brand.json("export out").ends_with(0);
    let manifest = fs::read(brand.path("out/brand.yaml")).unwrap();
    brand.seed("icon/acme-call", &art(Kind::Icon, 50));
    assert_eq!(export_on_a_full_disk(&brand, "export out --overwrite").0, Some(1));
    assert_eq!(fs::read(brand.path("out/brand.yaml")).unwrap(), manifest);
    assert_eq!(brand.json("plan -f out/brand.yaml --against out").ends_with(1).errors(), ["export-altered"]);
    brand.json("export out --overwrite").ends_with(0);
    is_in_step(&brand, "out");
}

#[cfg(unix)]
#[test]
fn what_is_killed_while_it_writes_leaves_no_manifest_and_is_cleared_away() {
    let brand = mixed();
    assert_eq!(export_on_a_full_disk(&brand, "export out").0, Some(1));
    // What a kill would have left as well.
    fs::write(brand.path("out/.brandctl-a1B2c3.tmp"), "half a file").unwrap();
    assert!(!brand.path("out/brand.yaml").exists());
    brand.json("export out --overwrite").ends_with(0);
    let left = tree(&brand.path("out"));
    assert!(!left.keys().any(|name| name.ends_with(".tmp")), "{:?}", left.keys());
    is_in_step(&brand, "out");
}

#[test]
fn files_of_others_are_left_alone() {
    let brand = mixed();
    fs::create_dir(brand.path("out")).unwrap();
    for name in [".brandctl-config", ".brandctl-notes.md", "README.md"] {
        fs::write(brand.path("out").join(name), "mine").unwrap();
    }
    brand.json("export out").ends_with(0);
    brand.json("export out --overwrite").ends_with(0);
    for name in [".brandctl-config", ".brandctl-notes.md", "README.md"] {
        assert_eq!(fs::read(brand.path("out").join(name)).unwrap(), b"mine", "{name}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_in_the_way_of_a_folder_is_named() {
    let brand = mixed();
    std::os::unix::fs::symlink("nowhere", brand.path("out")).unwrap();
    let output = brand.both("export out").ends_with(1);
    assert!(output.stderr.contains("out is not a folder"), "{}", output.stderr);
    fs::write(brand.path("file"), "").unwrap();
    let output = brand.both("export file/below").ends_with(1);
    assert!(output.stderr.contains("cannot be written: file/below: Not a directory"), "{}", output.stderr);
}
