//! One repository with everything that a pull request can have made of it, and more than that in its `.git`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shared::init::git;
use crate::shared::traps;

use super::recording::Opener;

/// What stands in every file of the machine that a trick leads to.
pub(super) const SECRET: &str = "s3cretT0ken";

/// The repository, and what lies outside of it.
pub(super) struct Hostile {
    /// The folder of it all, named without links.
    all: PathBuf,
    _folder: tempfile::TempDir,
    /// The folder of each brand, and which tricks it is about.
    pub(super) brands: Vec<PathBuf>,
    /// A run that was committed, by its id.
    pub(super) run: String,
}

impl Hostile {
    /// Builds it. `apply` applies the brand in a folder, so that there is state to be forged.
    pub(super) fn new(host: &str, apply: impl Fn(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let all = folder.path().canonicalize().unwrap();
        let mut hostile = Self { all, _folder: folder, brands: Vec::new(), run: String::new() };
        hostile.outside();
        fs::create_dir(hostile.top()).unwrap();
        git(&hostile.top(), &["init", "-q"]);
        let sound = hostile.brand("sound");
        apply(&sound);
        let state = hostile.add_state(&sound, host);
        hostile.add_art();
        hostile.add_manifests();
        hostile.add_bare();
        for brand in hostile.brands.clone() {
            hostile.add_outputs(&brand);
        }
        hostile.commit(&sound, &state);
        hostile.spoil_git();
        hostile
    }

    /// The top of the checkout.
    pub(super) fn top(&self) -> PathBuf {
        self.all.join("checkout")
    }

    /// The files of the machine that nobody may read or write.
    pub(super) fn secrets(&self) -> PathBuf {
        self.all.join("secrets")
    }

    /// The files outside that Git may read, because a repository's settings are where it looks: they say which.
    pub(super) fn settings(&self) -> PathBuf {
        self.all.join("settings")
    }

    /// Where the user wants outputs and state: outside of the checkout.
    pub(super) fn wanted(&self) -> PathBuf {
        self.all.join("wanted")
    }

    /// What a trap leaves that was sprung.
    pub(super) fn mark(&self) -> PathBuf {
        self.all.join("sprung")
    }

    /// Whether a place of the checkout may be other than it was: state is kept where none was forged, two lines write into a folder
    /// that is free, and Git notes of an object that it was needed.
    pub(super) fn may_differ(&self, path: &Path) -> bool {
        let is_below = |name: &str| path.components().any(|part| part.as_os_str() == name);
        path.starts_with(self.top())
            && (is_below(".brandctl") || is_below("free") || path.starts_with(self.top().join(".git/objects")))
    }

    /// Whether a file may be made, changed or removed at a place.
    pub(super) fn may_be_written(&self, path: &Path, opener: Opener) -> bool {
        // Whether state could be written is tried out with a file that does not stay.
        let is_temporary = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".brandctl-"));
        let is_tried = is_temporary && self.brands.iter().any(|brand| path.parent() == Some(brand));
        let is_git = path.starts_with(self.top().join(".git"));
        (self.may_differ(path) && (!is_git || opener == Opener::Git))
            || is_tried
            || path.starts_with(self.wanted())
            || path == Path::new("/dev/null")
    }

    /// Whether a file may be opened to be read.
    pub(super) fn may_be_read(&self, path: &Path, opener: Opener) -> bool {
        let is_harmless = ["/dev/null", "/dev/urandom"].iter().any(|device| path == Path::new(device));
        let is_device = path.starts_with("/dev") && !path.starts_with(&self.all) && !is_harmless;
        let is_settings = path.starts_with(self.settings()) && opener == Opener::Program;
        !path.starts_with(self.secrets()) && !is_settings && !is_device && path != Path::new("/proc/kmsg")
    }

    fn outside(&self) {
        let png = fs::read(examples().join("icons/acme-call.png")).unwrap();
        for (name, text) in [
            ("bashrc", format!("export TOKEN={SECRET}\n")),
            ("tokens.json", format!("{{\"access_token\": \"{SECRET}\"}}\n")),
            ("brand.yaml", format!("version: 1\nowns: [\"{SECRET}\"]\nicons: {{}}\n")),
            ("portal.json", format!("{{\"format_version\": 1, \"x\": \"{SECRET}\"}}\n")),
        ] {
            write(&self.secrets().join(name), text);
        }
        write(&self.secrets().join("art.png"), png);
        fs::create_dir(self.secrets().join("home")).unwrap();
        write(&self.settings().join("config"), format!("[x]\n\ty = {SECRET}\n"));
        write(&self.settings().join("patterns"), format!("{SECRET}\n"));
        fs::create_dir_all(self.wanted().join("home")).unwrap();
    }

    /// A brand with art of its own, which is sound so far.
    fn brand(&mut self, name: &str) -> PathBuf {
        let folder = self.top().join(name);
        write(&folder.join("brand.yaml"), "version: 1\nowns: [\"acme-*\"]\nicons: icons/\n");
        for code in ["acme-call", "acme-chat", "acme-fax"] {
            copy(&examples().join(format!("icons/{code}.png")), &folder.join(format!("icons/{code}.png")));
        }
        self.brands.push(folder.clone());
        folder
    }

    /// State that was forged, in each way in which it could be; the folder whose state is to be tracked.
    fn add_state(&mut self, sound: &Path, host: &str) -> PathBuf {
        let (home, bashrc) = (self.secrets().join("home"), self.secrets().join("bashrc"));
        let portal = host.replace(':', "_");
        let linked = self.brand("state-link");
        symlink(&home, linked.join(".brandctl")).unwrap();
        let linked = self.brand("state-host");
        write(&linked.join(".brandctl/.gitignore"), "*\n");
        symlink(&home, linked.join(".brandctl").join(&portal)).unwrap();
        symlink(&home, linked.join(".brandctl/sandbox")).unwrap();
        let runs = fs::read_dir(sound.join(".brandctl").join(&portal).join("runs")).unwrap().map(Result::unwrap);
        let run = runs.map(|entry| entry.file_name()).find(|name| name.to_string_lossy().starts_with('2')).unwrap();
        self.run = run.into_string().unwrap();
        let tracked = self.brand("state-tracked");
        let left = self.brand("state-left");
        for brand in [&tracked, &left] {
            copy_all(&sound.join(".brandctl"), &brand.join(".brandctl"));
            let portal = brand.join(".brandctl").join(&portal);
            let journal = portal.join("runs").join(&self.run).join("journal.jsonl");
            instead(&journal, |path| symlink(&bashrc, path).unwrap());
            let other = portal.join("runs/20260101T000000Z-aaaa");
            fs::create_dir_all(other.join("old")).unwrap();
            symlink("/dev/zero", other.join("old").join("0".repeat(64) + ".png")).unwrap();
            instead(&portal.join("lock"), |path| fs::hard_link(&bashrc, path).unwrap());
            instead(&portal.join("cache/index.json"), fifo);
        }
        instead(&left.join(".brandctl/.gitignore"), |path| symlink(&bashrc, path).unwrap());
        tracked
    }

    /// Art that is not: links out and to devices, pipes, names that a terminal or a shell would obey.
    fn add_art(&mut self) {
        let art = self.brand("art").join("icons");
        let (secret, git) = (self.secrets().join("art.png"), PathBuf::from("../../.git/config"));
        let links = [
            ("acme-out", secret.clone()),
            ("acme-zero", "/dev/zero".into()),
            ("acme-kmsg", "/proc/kmsg".into()),
            ("acme-git", git),
            ("acme-state", "../../sound/.brandctl/.gitignore".into()),
            ("acme-loop", "acme-loop.png".into()),
            ("acme-nowhere", "/nowhere".into()),
            ("acme-home", self.secrets().join("home")),
        ];
        for (name, target) in links {
            symlink(target, art.join(format!("{name}.png"))).unwrap();
        }
        fifo(&art.join("acme-pipe.png"));
        fs::create_dir(art.join("acme-folder.png")).unwrap();
        let png = fs::read(examples().join("icons/acme-paid.png")).unwrap();
        for name in
            ["\u{1b}]0;owned\u{7}", "acme-new\nline", "acme-$(touch sprung)", "acme-`id`", "acme-;ls", "acme-\u{202e}x"]
        {
            write(&art.join(format!("{name}.png")), &png);
        }
        let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 149\n", "0".repeat(64));
        write(&art.join("acme-lfs.png"), pointer);
        let map = self.brand("art-map");
        symlink(self.secrets(), map.join("link")).unwrap();
        let paths = [
            "../../secrets/art.png",
            "../../../../../../../../etc/passwd",
            "link/art.png",
            "../.git/config",
            "../sound/.brandctl/.gitignore",
            "../submodule/icons/a.png",
            "../far/a.png",
            "icons/acme-call.png",
        ];
        let entries: Vec<String> =
            paths.iter().enumerate().map(|(number, path)| format!("  acme-{number}: {path}\n")).collect();
        write(&map.join("brand.yaml"), format!("version: 1\nowns: [\"acme-*\"]\nicons:\n{}", entries.concat()));
        for (name, icons) in [("folder-out", "link"), ("folder-git", "../.git"), ("folder-state", "../sound/.brandctl")]
        {
            let brand = self.brand(name);
            symlink(self.secrets(), brand.join("link")).unwrap();
            write(
                &brand.join("brand.yaml"),
                format!("version: 1\nowns: [\"acme-*\"]\nicons: {icons}\nlogos: ../far\n"),
            );
        }
    }

    /// Manifests that lead to something else.
    fn add_manifests(&mut self) {
        let secrets = self.secrets();
        let targets = [
            ("manifest-tokens", secrets.join("tokens.json")),
            ("manifest-yaml", secrets.join("brand.yaml")),
            ("manifest-git", "../.git/config".into()),
            ("manifest-device", "/dev/zero".into()),
            ("manifest-kmsg", "/proc/kmsg".into()),
            ("manifest-pipe", "pipe".into()),
        ];
        for (name, target) in targets {
            let brand = self.brand(name);
            instead(&brand.join("brand.yaml"), |path| symlink(target, path).unwrap());
        }
        fifo(&self.top().join("manifest-pipe/pipe"));
    }

    /// A brand beside which a repository was committed, with traps in its settings.
    fn add_bare(&mut self) {
        let bare = self.brand("bare");
        let other = self.all.join("other");
        fs::create_dir(&other).unwrap();
        git(&other, &["init", "-q"]);
        write(&other.join("x.png"), "x");
        git(&other, &["add", "."]);
        git(&other, &["commit", "-q", "-m", "forged"]);
        for name in ["HEAD", "config", "index", "objects", "refs"] {
            fs::rename(other.join(".git").join(name), bare.join(name)).unwrap();
        }
        write(&bare.join("info/attributes"), "* filter=evil diff=evil\n");
        traps::set(&bare, &bare.join("config"), &self.mark());
    }

    /// The names that people give to outputs, as links.
    fn add_outputs(&self, brand: &Path) {
        let secrets = self.secrets();
        for name in ["plan.json", "plan.md", "report.html", "apply.json", ".gitignore", ".gitlab-ci.yml", "ca.pem"] {
            symlink(secrets.join("bashrc"), brand.join(name)).unwrap();
        }
        symlink(secrets.join("absent"), brand.join("dangling.md")).unwrap();
        for name in ["out", "pages", "data", ".github", "new"] {
            symlink(secrets.join("home"), brand.join(name)).unwrap();
        }
        fs::create_dir(brand.join("exported")).unwrap();
        symlink(secrets.join("portal.json"), brand.join("exported/portal.json")).unwrap();
        fifo(&brand.join("pipe.json"));
    }

    /// Commits all that Git takes, twice, so that there is something to find out about.
    fn commit(&self, sound: &Path, tracked: &Path) {
        let top = self.top();
        write(&top.join(".gitattributes"), "* filter=evil diff=evil merge=evil text=auto\n");
        let modules =
            "[submodule \"submodule\"]\n\tpath = submodule\n\turl = ext::touch sprung\n\tupdate = !touch sprung\n";
        write(&top.join(".gitmodules"), modules);
        write(&top.join("far/a.png"), "far");
        // Of the settings of whoever runs this nothing counts, filters are not there yet.
        git(&top, &["add", "-A"]);
        git(&top, &["add", "-f", tracked.join(".brandctl").to_str().unwrap()]);
        let submodule = format!("160000,{},submodule", "1".repeat(40));
        git(&top, &["update-index", "--add", "--cacheinfo", &submodule]);
        git(&top, &["commit", "-q", "-m", "one"]);
        copy(&examples().join("icons/acme-paid.png"), &sound.join("icons/acme-call.png"));
        git(&top, &["add", "sound"]);
        git(&top, &["commit", "-q", "-m", "two"]);
        let folders = fs::read_dir(&top).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let near: Vec<String> = folders.filter(|name| !matches!(&**name, "far" | ".git")).collect();
        let near: Vec<&str> = near.iter().map(String::as_str).filter(|name| top.join(name).is_dir()).collect();
        git(&top, &[&["sparse-checkout", "set", "--cone", "--sparse-index"], &*near].concat());
        fs::create_dir_all(top.join("submodule/icons")).unwrap();
        assert!(!top.join("far").exists());
    }

    /// What only somebody with the machine can do to a repository, but an archive that is unpacked brings too.
    fn spoil_git(&self) {
        let (top, git_dir) = (self.top(), self.top().join(".git"));
        // An old image that would have to be fetched.
        let id = Command::new("git").args(["rev-parse", "HEAD~1:sound/icons/acme-call.png"]).current_dir(&top).output();
        let id = String::from_utf8(id.unwrap().stdout).unwrap();
        fs::remove_file(git_dir.join("objects").join(&id[..2]).join(id[2..].trim())).unwrap();
        write(&git_dir.join("info/attributes"), "* filter=evil diff=evil\n");
        write(&git_dir.join("info/grafts"), "");
        traps::set(&top, &git_dir.join("config"), &self.mark());
        let settings = self.settings();
        for (key, value) in [
            ("extensions.partialClone", "far"),
            ("core.repositoryFormatVersion", "1"),
            ("remote.far.promisor", "true"),
            ("remote.far.url", &format!("ext::touch {}", self.mark().display())),
            ("protocol.ext.allow", "always"),
            ("core.attributesFile", settings.join("patterns").to_str().unwrap()),
            ("core.excludesFile", settings.join("patterns").to_str().unwrap()),
            ("includeIf.gitdir:/**.path", settings.join("config").to_str().unwrap()),
        ] {
            traps::configure(&git_dir.join("config"), key, value);
        }
        let text = fs::read_to_string(git_dir.join("config")).unwrap();
        let include = settings.join("config");
        fs::write(git_dir.join("config"), format!("{text}[include]\n\tpath = {}\n", include.display())).unwrap();
        // What is as new as the index would be looked at again.
        let index = fs::File::options().append(true).open(git_dir.join("index")).unwrap();
        index.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(60)).unwrap();
    }
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/acme")
}

fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn copy(from: &Path, to: &Path) {
    write(to, fs::read(from).unwrap());
}

fn copy_all(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-R").arg(from).arg(to).status().unwrap().success());
}

fn instead(path: &Path, make: impl FnOnce(&Path)) {
    let _ = fs::remove_file(path);
    make(path);
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}
