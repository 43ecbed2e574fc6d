//! The art rules as a user meets them: `brandctl rules`, the table in docs/rules.md, and what `validate` says of whole repositories.

use std::path::Path;
use std::process::Command;

use brandctl::domain::rules::{OTHER_FINDINGS, RULES};
use brandctl::render;
use serde_json::Value;

/// Runs the program in `folder`: its exit code, standard output and standard error.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brandctl"));
    let output = command.args(arguments).current_dir(folder).env_clear().env("HOME", folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A branding repository with these files; a colour makes a disc of it, 16 pixels wide and cut off at `row`.
struct Repository(tempfile::TempDir);

impl Repository {
    fn new(manifest: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("brand.yaml"), format!("version: 1\nowns: [\"a-*\"]\n{manifest}\n")).unwrap();
        Self(folder)
    }

    fn draw(self, file: &str, side: u32, colour: [u8; 4]) -> Self {
        let path = self.0.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut pixels = Vec::new();
        for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
            let far = |at: u32| (2 * i64::from(at) + 1 - i64::from(side)).pow(2);
            pixels.extend(if far(x) + far(y) < 256 { colour } else { [0; 4] });
        }
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, side, side);
        encoder.set_color(png::ColorType::Rgba);
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    /// The findings of `validate`, as "rule path: message".
    fn findings(&self) -> Vec<String> {
        let (_, printed, errors) = run(self.0.path(), &["validate", "--format", "json"]);
        let document: Value = serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {errors}"));
        let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        let findings = document["findings"].as_array().unwrap().iter();
        findings.map(|one| format!("{} {}: {}", text(one, "rule"), text(one, "path"), text(one, "message"))).collect()
    }
}

const DARK: [u8; 4] = [20, 40, 60, 255];
const DARKER: [u8; 4] = [10, 20, 30, 255];
const WHITE: [u8; 4] = [255; 4];

#[test]
fn the_table_in_docs_is_the_one_of_the_rules() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("<!-- rules -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- /rules -->").unwrap();
    let current = format!("{before}<!-- rules -->\n{}<!-- /rules -->{after}", render::rules::markdown(RULES));
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page == current, "docs/rules.md is stale: run `UPDATE_README=1 cargo test --test it rules`");
}

#[test]
fn every_rule_tells_its_story_in_one_voice() {
    let folder = tempfile::tempdir().unwrap();
    let (code, list, _) = run(folder.path(), &["rules"]);
    assert_eq!(code, 0);
    for rule in RULES {
        assert!(list.lines().any(|line| line.starts_with(rule.id) && line.ends_with(rule.why)), "{list}");
        let (code, story, _) = run(folder.path(), &["rules", rule.id]);
        assert_eq!(code, 0, "{story}");
        for sentence in [rule.why, rule.fix, rule.source] {
            assert!(story.contains(sentence), "{story}");
            let begins = sentence.chars().next().unwrap();
            assert!(!sentence.ends_with('.') && !sentence.contains("  "), "{sentence}");
            assert!(begins.is_lowercase() || sentence.starts_with("PNG") || sentence.starts_with("WCAG"), "{sentence}");
        }
        assert_eq!(story.contains(&format!("rules: {{{}: ", rule.id)), rule.adjustable || story.contains("or set"));
    }
}

#[test]
fn an_unknown_rule_is_an_error_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let (code, printed, errors) = run(folder.path(), &["rules", "low-contrst"]);
    assert_eq!((code, printed.as_str()), (1, ""));
    assert!(errors.contains("a similar value exists: 'low-contrast'"), "{errors}");
}

#[test]
fn a_misspelt_rule_in_the_manifest_is_guessed() {
    for rule in RULES {
        let misspelt = format!("{}x", rule.id.replace('-', "_"));
        let text = format!("version: 1\nowns: [a]\nrules: {{{misspelt}: error}}\n");
        let (_, findings) = brandctl::domain::manifest::parse(text.as_bytes(), "brand.yaml");
        assert_eq!(findings[0].help, Some(format!("did you mean `{}`?", rule.id)));
    }
}

#[test]
fn every_adjustable_rule_can_be_an_error_or_off() {
    let cases = [
        ("white-on-white", "icons: icons/", WHITE, "icons/a-a.png"),
        ("low-contrast", "icons: icons/", [0x2f, 0xc6, 0xf6, 255], "icons/a-a.png"),
        ("orphan-file", "icons: {a-b: icons/a-b.png}", DARK, "icons/a-a.png"),
        ("duplicate-art", "icons: icons/", DARKER, "icons/a-a.png"),
        ("code-style", "icons: icons/", DARK, "icons/a-A.png"),
    ];
    for (rule, manifest, colour, file) in cases {
        for (level, code, told) in [("error", 1, true), ("warn", 0, true), ("off", 0, false)] {
            let manifest = format!("{manifest}\nrules: {{{rule}: {level}}}");
            let repository = Repository::new(&manifest).draw("icons/a-b.png", 24, DARKER).draw(file, 24, colour);
            let findings = repository.findings();
            assert_eq!(findings.iter().any(|finding| finding.starts_with(rule)), told, "{level}: {findings:?}");
            assert_eq!(run(repository.0.path(), &["validate"]).0, code, "{rule}: {level}");
            // The rules are the only way to a plan.
            let planned = run(repository.0.path(), &["plan", "--sandbox"]).0;
            assert_eq!(planned, code, "{rule}: {level}");
        }
    }
}

#[test]
fn duplicates_are_told_once_a_group_at_the_second() {
    let repository = Repository::new("icons:\n  a-a: a.png\n  a-b: b.png\n  a-c: c.png\n  a-d: d.png\nlogos: logos/");
    let repository = repository.draw("a.png", 24, DARK).draw("b.png", 24, DARKER).draw("c.png", 24, DARK);
    let repository = repository.draw("d.png", 24, DARK).draw("logos/a-x.png", 60, DARK).draw("logos/a-y.png", 60, DARK);
    assert_eq!(
        repository.findings(),
        [
            "duplicate-art brand.yaml: the icons `a-a`, `a-c` and `a-d` look the same",
            "duplicate-art logos/a-y.png: the logos `a-x` and `a-y` look the same",
        ]
    );
    let (_, printed, _) = run(repository.0.path(), &["validate"]);
    assert!(printed.contains("brand.yaml:6:3") && printed.contains("`a-a` is here"), "{printed}");
}

#[test]
fn orphans_are_found_where_art_is_kept_and_nowhere_else() {
    let repository = Repository::new("icons: {a-a: ./art/../art/a.png, a-b: b.png}\nlogos: logos/")
        .draw("art/a.png", 24, DARK)
        .draw("b.png", 24, DARKER)
        .draw("art/old/a.png", 24, DARK)
        .draw("art/.hidden/a.png", 24, DARK)
        .draw("art/.hidden.png", 24, DARK)
        .draw("c.png", 24, DARK)
        .draw("docs/d.png", 24, DARK)
        .draw("logos/a-x.png", 60, DARK)
        .draw("logos/a-y.PNG", 60, DARKER)
        .draw("outside/e.png", 24, DARK);
    #[cfg(unix)]
    std::os::unix::fs::symlink("../outside", repository.0.path().join("art/link")).unwrap();
    std::fs::write(repository.0.path().join("art/notes.txt"), "no PNG").unwrap();
    assert_eq!(
        repository.findings(),
        ["art/old/a.png", "c.png", "logos/a-y.PNG"]
            .map(|file| format!("orphan-file {file}: the manifest does not declare `{file}`"))
    );
    let (_, printed, _) = run(repository.0.path(), &["validate"]);
    assert!(printed.contains("the extension must be `.png`"), "{printed}");
}

#[test]
fn a_folder_within_a_folder_declares_its_own() {
    let repository = Repository::new("icons: art/\nlogos: art/logos")
        .draw("art/a-a.png", 24, DARK)
        .draw("art/logos/a-x.png", 60, DARK)
        .draw("art/logos/a-y.Png", 60, DARKER)
        .draw("art/logos/old/a-x.png", 60, DARK);
    let orphan = |file| format!("orphan-file {file}: the manifest does not declare `{file}`");
    assert_eq!(repository.findings(), ["art/logos/a-y.Png", "art/logos/old/a-x.png"].map(orphan));
}

#[test]
fn the_same_pixels_in_other_colours_are_no_duplicates() {
    let repository = Repository::new("icons: icons/\nrules: {non-srgb: off}");
    let repository = repository.draw("icons/a-a.png", 24, DARK).draw("icons/a-b.png", 24, DARK);
    assert_eq!(repository.findings().len(), 1);
    let file = repository.0.path().join("icons/a-b.png");
    let png = std::fs::read(&file).unwrap();
    std::fs::write(&file, with_chunk(&png, b"gAMA", &100_000_u32.to_be_bytes())).unwrap();
    assert_eq!(repository.findings(), [""; 0]);
}

#[test]
fn files_of_every_size_are_read_whole() {
    let of = |size| format!("file-too-large icons/a-a.png: the file has {size} KiB; the limit is 256 KiB");
    for (size, told) in [
        (4095, None),
        (4096, None),
        (4097, None),
        (8192, None),
        (256 << 10, None),
        ((256 << 10) + 1, Some(of(257))),
        (1 << 20, Some(of(1024))),
        ((1 << 20) + 1, Some(of(1025))),
        (5 << 20, Some(of(5120))),
    ] {
        let repository = Repository::new("icons: icons/").draw("icons/a-a.png", 24, DARK);
        let file = repository.0.path().join("icons/a-a.png");
        let png = std::fs::read(&file).unwrap();
        std::fs::write(&file, with_chunk(&png, b"puNK", &vec![7; size - png.len() - 12])).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().len(), size as u64);
        assert_eq!(repository.findings(), told.into_iter().collect::<Vec<_>>(), "{size} bytes");
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_in_a_folder_is_told_as_what_it_is() {
    let repository = Repository::new("icons: icons/\nrules: {duplicate-art: off}")
        .draw("icons/a-a.png", 24, DARK)
        .draw("kept/a-b.png", 24, DARK);
    let outside = tempfile::tempdir().unwrap();
    let (folder, icons) = (repository.0.path(), repository.0.path().join("icons"));
    std::fs::copy(icons.join("a-a.png"), outside.path().join("a.png")).unwrap();
    let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, icons.join(name)).unwrap();
    link("../kept/a-b.png".as_ref(), "a-b.png");
    link(&outside.path().join("a.png"), "a-c.png");
    link("nowhere".as_ref(), "a-d.png");
    link("/dev/zero".as_ref(), "a-e.png");
    std::fs::create_dir(icons.join("a-f.png")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(icons.join("a-g.png")).status().unwrap().success());
    let told: Vec<_> = repository.findings().into_iter().map(|finding| finding.replace("brand.yaml: ", "")).collect();
    assert_eq!(
        told,
        [
            "file-missing the file `icons/a-d.png` does not exist",
            "file-unreadable `icons/a-f.png` is a folder",
            "file-unreadable `icons/a-g.png` is not a regular file",
            "path-outside the file `icons/a-c.png` is a link that leads out of the manifest's folder",
            "path-outside the file `icons/a-e.png` is a link that leads out of the manifest's folder",
        ],
        "in {}",
        folder.display()
    );
}

#[test]
fn a_plan_is_not_drowned_in_warnings() {
    let manifest = "icons: icons/\nrules: {low-contrast: off}";
    let mut repository = Repository::new(manifest).draw("icons/a-z.png", 24, DARK);
    for number in 0..50_u8 {
        repository = repository.draw(&format!("icons/a-{number}.png"), 24, [255, 255, 255, 255 - number]);
    }
    assert_eq!(repository.findings().len(), 50);
    let (code, _, errors) = run(repository.0.path(), &["plan", "--sandbox"]);
    assert_eq!((code, errors.matches("warning[").count()), (0, 1), "{errors}");
    assert!(
        errors.contains("50 findings of this rule") && errors.contains("`brandctl validate --sandbox`"),
        "{errors}"
    );
}

/// `png` with a chunk before its pixels.
fn with_chunk(png: &[u8], kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [kind.as_slice(), data].concat();
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    let crc = crc32fast::hash(&body).to_be_bytes();
    // The signature has 8 bytes, IHDR 25.
    let (before, after) = png.split_at(33);
    [before, &length, &body, &crc, after].concat()
}

#[test]
fn only_a_colour_space_other_than_srgb_is_told() {
    let profile = |name: &str| {
        // An empty zlib stream: what a profile says is not looked into.
        [name.as_bytes(), &[0, 0], &[0x78, 0x9c, 3, 0, 0, 0, 0, 1]].concat()
    };
    let other = "the image has a gamma or primaries other than those of sRGB (gAMA, cHRM)";
    let cases: [(&[u8; 4], Vec<u8>, Option<&str>); 5] = [
        (b"sRGB", vec![0], None),
        (b"gAMA", 45_455_u32.to_be_bytes().to_vec(), None),
        (b"gAMA", 100_000_u32.to_be_bytes().to_vec(), Some(other)),
        (b"iCCP", profile("Display P3"), Some("the image carries the colour profile `Display P3`")),
        (b"cICP", vec![12, 13, 0, 1], Some("the image has the colour space of a cICP chunk, which is not sRGB")),
    ];
    for (kind, data, told) in cases {
        let repository = Repository::new("icons: icons/").draw("icons/a-a.png", 24, DARK);
        let file = repository.0.path().join("icons/a-a.png");
        std::fs::write(&file, with_chunk(&std::fs::read(&file).unwrap(), kind, &data)).unwrap();
        let told: Vec<_> = told.iter().map(|told| format!("non-srgb icons/a-a.png: {told}")).collect();
        assert_eq!(repository.findings(), told, "{}", kind.escape_ascii());
    }
}

/// From files that people reported elsewhere: browsers show them, and the portal takes them.
#[test]
fn what_browsers_pass_over_is_a_warning_of_its_own() {
    let profile = |stream: &[u8]| [b"P3\0\0", stream].concat();
    let empty = [0x78, 0x9c, 3, 0, 0, 0, 0, 1];
    type Change = Box<dyn Fn(&[u8]) -> Vec<u8>>;
    let cases: [(Change, &str, bool); 4] = [
        (
            Box::new(move |png| with_chunk(&with_chunk(png, b"iCCP", b"whatever"), b"iCCP", &profile(&empty))),
            "is the second of its kind",
            true,
        ),
        (Box::new(|png| with_chunk(png, b"abcd", b"")), "has a type that PNG does not allow", false),
        (Box::new(move |png| with_chunk(png, b"iCCP", &profile(&empty[..4]))), "does not inflate", false),
        (
            Box::new(|png| {
                let data = png.windows(4).position(|window| window == b"IDAT").unwrap();
                let length = u32::from_be_bytes(png[data - 4..data].try_into().unwrap()) as usize;
                let body = [&png[data..data + 4 + length], &[0; 16]].concat();
                let crc = crc32fast::hash(&body).to_be_bytes();
                let rest = &png[data + 4 + length + 4..];
                [&png[..data - 4], &u32::try_from(length + 16).unwrap().to_be_bytes(), &body, &crc, rest].concat()
            }),
            "goes on after the end of the compressed pixels",
            false,
        ),
    ];
    for (change, told, profiled) in cases {
        let repository = Repository::new("icons: icons/").draw("icons/a-a.png", 24, DARK);
        let file = repository.0.path().join("icons/a-a.png");
        std::fs::write(&file, change(&std::fs::read(&file).unwrap())).unwrap();
        let found = repository.findings();
        let is_told = |found: &String| found.starts_with("png-tolerated icons/a-a.png: the ") && found.ends_with(told);
        assert!(found.iter().any(is_told), "{found:?}");
        assert_eq!(found.len(), if profiled { 2 } else { 1 }, "{found:?}");
        assert_eq!(found.iter().any(|found| found.starts_with("non-srgb")), profiled, "{found:?}");
        let (code, ..) = run(repository.0.path(), &["validate"]);
        assert_eq!(code, 0, "a warning stops nothing");
        let quiet = "version: 1\nowns: [\"a-*\"]\nicons: icons/\nrules: {png-tolerated: off, non-srgb: off}\n";
        std::fs::write(repository.0.path().join("brand.yaml"), quiet).unwrap();
        assert_eq!(repository.findings(), [""; 0]);
    }
}

/// `brandctl rules ID` explains every id that a finding can have.
#[test]
fn every_finding_is_explained() {
    let mut ids = std::collections::BTreeSet::new();
    for file in walkdir::WalkDir::new("src").into_iter().flatten().filter(|file| file.path().extension().is_some()) {
        let source = std::fs::read_to_string(file.path()).unwrap_or_default();
        for made in ["Finding::error(", "Finding::warning("] {
            for rest in source.split(made).skip(1) {
                let id = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
                ids.extend(id.filter(|id| !id.is_empty() && !file.path().ends_with("tests.rs")).map(str::to_owned));
            }
        }
    }
    let explained: Vec<_> = RULES.iter().chain(OTHER_FINDINGS).map(|rule| rule.id).collect();
    let missing: Vec<_> = ids.iter().filter(|id| !explained.contains(&id.as_str())).collect();
    assert!(ids.len() > 50 && missing.is_empty(), "{missing:?} of {}", ids.len());
}
