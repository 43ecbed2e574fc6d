//! The files of a release: their names, layout and sums, and what the programs that install them say.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

use super::built::{self, Built, ROOT, TARGET, built, command, succeeds};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A new folder with what an artefact holds, down to the files in a wheel, in a package and in the layers of an image.
fn unpacked(file: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path();
    match file.extension().and_then(|ending| ending.to_str()).unwrap_or_default() {
        "gz" | "tar" => drop(succeeds(Command::new("tar").arg("-xf").arg(file).arg("-C").arg(into))),
        "whl" => drop(succeeds(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(file).arg(into))),
        "deb" => drop(succeeds(Command::new("dpkg-deb").arg("-R").arg(file).arg(into.join("deb")))),
        _ => drop(fs::copy(file, into.join("file")).unwrap()),
    }
    folder
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(folder).sort_by_file_name().min_depth(1);
    walk.into_iter().map(|entry| entry.unwrap().into_path()).collect()
}

/// A file, or what was compressed into it: manual pages, the changelog, the layer of an image.
fn plain(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return bytes;
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
    plain
}

fn sum(path: &Path) -> String {
    Sha256::digest(fs::read(path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The files of the layer of the image, in a folder.
fn layer(built: &Built) -> tempfile::TempDir {
    let image = unpacked(&built.file("-oci.tar"));
    let [layer]: [_; 1] = walk(&image.path().join("blobs"))
        .into_iter()
        .filter(|path| path.is_file() && fs::read(path).unwrap().starts_with(&[0x1f, 0x8b]))
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let files = tempfile::tempdir().unwrap();
    succeeds(Command::new("tar").arg("-xzf").arg(layer).arg("-C").arg(files.path()));
    files
}

#[test]
fn two_builds_in_two_folders_give_the_same_bytes() {
    let Built { first, second } = built();
    let names = built::files(first);
    assert_eq!(names, built::files(second));
    let differ: Vec<_> = names.iter().filter(|name| sum(&first.join(name)) != sum(&second.join(name))).collect();
    assert!(differ.is_empty(), "{differ:?} in {} and {}", first.display(), second.display());
}

#[test]
fn the_names_of_the_files_are_those_that_other_programs_rely_on() {
    let names: Vec<_> = built::files(&built().first).iter().map(|name| name.replace(VERSION, "VERSION")).collect();
    insta::assert_snapshot!(names.join("\n"));
}

#[test]
fn the_layout_of_the_archive_is_the_one_that_other_programs_rely_on() {
    let file = built().file("gnu.tar.gz");
    let listed = succeeds(Command::new("tar").arg("-tvzf").arg(&file).arg("--numeric-owner").env("TZ", "UTC"));
    let lines = listed.lines().map(|line| {
        let [mode, owner, _size, date, time, name] = line.split_whitespace().collect::<Vec<_>>().try_into().unwrap();
        assert_eq!((owner, date, time), ("0/0", "2026-11-22", "10:15"), "{line}");
        format!("{mode} {}", name.replace(VERSION, "VERSION"))
    });
    // Each command has a manual page: those of log stand for all here.
    let lines = lines.filter(|line| !line.contains("man1/brandctl-") || line.contains("man1/brandctl-log"));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn each_file_has_its_sum_beside_it_and_in_the_list() {
    let folder = &built().first;
    let listed = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let mut expected = String::new();
    for name in built::files(folder) {
        if name != "SHA256SUMS" && !name.ends_with(".sha256") {
            let line = format!("{}  {name}\n", sum(&folder.join(&name)));
            assert_eq!(fs::read_to_string(folder.join(format!("{name}.sha256"))).unwrap(), line);
            expected.push_str(&line);
        }
    }
    assert_eq!(listed, expected);
    succeeds(Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(folder));
}

#[test]
fn nothing_holds_a_path_of_the_machine_that_built_it() {
    let built = built();
    let home = std::env::var("HOME").unwrap();
    let cargo_home = std::env::var("CARGO_HOME").unwrap_or(format!("{home}/.cargo"));
    let sysroot = succeeds(Command::new("rustc").args(["--print", "sysroot"]));
    let tools = format!("{}", built::kept("tools").display());
    let needles =
        [ROOT, &cargo_home, sysroot.trim(), &tools, env!("CARGO_TARGET_TMPDIR"), "/tmp/tmp.", "/dev/shm/tmp."];
    for name in built::files(&built.first) {
        let folder = unpacked(&built.first.join(&name));
        for path in walk(folder.path()).into_iter().filter(|path| path.is_file()) {
            let bytes = plain(&path);
            let text = String::from_utf8_lossy(&bytes);
            for needle in needles {
                let found = text.find(needle).map(|at| text[at..].chars().take(120).collect::<String>());
                assert_eq!(found, None, "{needle} in {name}: {}", path.display());
            }
        }
    }
}

#[test]
fn the_binary_is_one_and_the_same_static_small_and_complete() {
    let built = built();
    let of = |ending: &str, path: &str| fs::read(unpacked(&built.file(ending)).path().join(path)).unwrap();
    let binary = of("gnu.tar.gz", &format!("brandctl-{VERSION}-{TARGET}/brandctl"));
    assert!(binary.len() < 20_000_000, "{} bytes", binary.len());
    assert!(binary == of(".whl", &format!("brandctl-{VERSION}.data/scripts/brandctl")));
    assert!(binary == of(".deb", "deb/usr/bin/brandctl"));
    assert!(binary == fs::read(layer(built).path().join("usr/bin/brandctl")).unwrap());
    // No interpreter: it runs where there is no dynamic linker.
    assert!(!String::from_utf8_lossy(&binary).contains("/ld-linux"));
}

#[test]
fn licences_of_all_linked_crates_are_in_every_artefact() {
    let built = built();
    let archive = unpacked(&built.file("gnu.tar.gz"));
    let file = archive.path().join(format!("brandctl-{VERSION}-{TARGET}/LICENSES-THIRD-PARTY.txt"));
    let text = fs::read_to_string(file).unwrap();
    for part in ["\nrustls v", "\nwebpki-roots v", "\nring v", "GNU LESSER GENERAL PUBLIC", "CDLA-Permissive-2.0"] {
        assert!(text.contains(part), "{part}");
    }
    // Only the tests use it.
    assert!(!text.contains("\ncomrak v"));
    let wheel = unpacked(&built.file(".whl"));
    let deb = unpacked(&built.file(".deb"));
    let copies = [
        wheel.path().join(format!("brandctl-{VERSION}.data/data/share/doc/brandctl/LICENSES-THIRD-PARTY.txt")),
        deb.path().join("deb/usr/share/doc/brandctl/LICENSES-THIRD-PARTY.txt.gz"),
        layer(built).path().join("usr/share/doc/brandctl/LICENSES-THIRD-PARTY.txt"),
    ];
    for copy in copies.iter().take(2) {
        assert!(plain(copy) == text.as_bytes(), "{}", copy.display());
    }
}

#[test]
fn the_bill_of_materials_lists_the_linked_crates() {
    let bill: serde_json::Value = serde_json::from_slice(&fs::read(built().file(".cdx.json")).unwrap()).unwrap();
    assert_eq!(bill["bomFormat"], "CycloneDX");
    assert_eq!(bill["metadata"]["component"]["name"], "brandctl");
    assert!(bill["metadata"]["timestamp"].as_str().unwrap().starts_with("2026-11-22T10:15:00"));
    let components = bill["components"].as_array().unwrap();
    let versions: BTreeMap<_, _> =
        components.iter().map(|component| (component["name"].as_str().unwrap(), component)).collect();
    for name in ["rustls", "webpki-roots", "ring", "png"] {
        let component = versions[name];
        assert!(component["purl"].as_str().unwrap().starts_with(&format!("pkg:cargo/{name}@")), "{component}");
    }
    assert!(!versions.contains_key("comrak"), "only the tests use it");
}

#[test]
fn lintian_finds_nothing_in_the_debian_package() {
    let mut lintian = command("lintian");
    lintian.args(["--allow-root", "--fail-on", "error,warning"]).arg(built().file(".deb"));
    assert_eq!(succeeds(&mut lintian), "");
}

#[test]
fn programs_for_images_take_the_image() {
    let image = unpacked(&built().file("-oci.tar"));
    let named = |program: &str| format!("{program}{}:{VERSION}", image.path().display());
    let config = succeeds(Command::new("skopeo").args(["inspect", "--config", &named("oci:")]));
    let config: serde_json::Value = serde_json::from_str(&config).unwrap();
    assert_eq!(
        (&config["created"], &config["config"]["User"]),
        (&"2026-11-22T10:15:00Z".into(), &"65532:65532".into())
    );
    let inspected = succeeds(Command::new("skopeo").args(["inspect", &named("oci:")]));
    let inspected: serde_json::Value = serde_json::from_str(&inspected).unwrap();
    assert_eq!(inspected["Labels"]["org.opencontainers.image.version"], VERSION);
    let bundle = tempfile::tempdir().unwrap();
    succeeds(Command::new("umoci").args(["unpack", "--rootless", "--image", &named("")]).arg(bundle.path().join("it")));
    assert!(bundle.path().join("it/rootfs/usr/bin/brandctl").is_file());
}

#[test]
fn the_installers_of_binaries_know_the_archive() {
    let text = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
    let section = text.split("[package.metadata.binstall]").nth(1).unwrap().split("[dependencies]").next().unwrap();
    assert!(!section.contains("://"), "the address is that of `repository`");
    let filled = |template: &str| {
        [
            ("{ name }", "brandctl"),
            ("{ version }", VERSION),
            ("{ target }", TARGET),
            ("{ bin }", "brandctl"),
            ("{ binary-ext }", ""),
        ]
        .iter()
        .fold(template.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    let values = |key: &str| -> Vec<String> {
        let lines = section.lines().filter_map(|line| line.strip_prefix(key)?.trim().strip_prefix("= "));
        lines.map(|value| filled(value.trim_matches('"'))).collect()
    };
    let archive = built().file("gnu.tar.gz");
    let archive = archive.file_name().unwrap().to_str().unwrap();
    let address = format!("{{ repo }}/releases/download/v{VERSION}/{archive}");
    assert_eq!(values("pkg-url"), [address.clone(), address]);
    let folder = archive.strip_suffix(".tar.gz").unwrap();
    assert_eq!(values("bin-dir"), [format!("{folder}/brandctl"), format!("{folder}/brandctl")]);
}
