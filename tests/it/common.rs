//! A brand in a folder of its own, a portal of its own, and the binary with nothing of the caller's environment.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use brandctl::domain::asset::Kind;
use brandctl::render::json::schemas::{SCHEMAS, Schema};
use brandctl::sandbox::faults::{FaultAction, On, When};
use brandctl::sandbox::{Faults, Options, Recorded, Sandbox, start};
use serde_json::Value;

/// The manifest of a new brand: both kinds are folders, so that declaring is writing a file.
pub(crate) const MANIFEST: &str = "version: 1\nowns: [\"acme-*\"]\nicons: icons/\nlogos: logos/\n";

/// How long a test waits for a portal that answers at once.
const SETTLE: [&str; 2] = ["--settle", "0.1"];

// ---- Art ----

/// A dot on a transparent ground; each `mark` looks different.
pub(crate) fn art(kind: Kind, mark: u8) -> Vec<u8> {
    encode(side(kind), &pixels(kind, mark), png::Compression::Balanced)
}

/// The same picture, written by another encoder with a remark in it.
pub(crate) fn reencoded(kind: Kind, mark: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side(kind), side(kind));
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::NoCompression);
    encoder.add_text_chunk("Software".to_owned(), "the portal".to_owned()).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&pixels(kind, mark)).unwrap();
    writer.finish().unwrap();
    assert_ne!(bytes, art(kind, mark));
    bytes
}

/// The same picture but for one pixel.
pub(crate) fn one_pixel_off(kind: Kind, mark: u8) -> Vec<u8> {
    let mut pixels = pixels(kind, mark);
    let middle = usize::try_from(side(kind) * (side(kind) / 2) + side(kind) / 2).unwrap() * 4;
    pixels[middle] ^= 0x80;
    encode(side(kind), &pixels, png::Compression::Balanced)
}

/// An image of any size, half of it transparent.
pub(crate) fn sized(side: u32) -> Vec<u8> {
    let pixels: Vec<u8> =
        (0..side * side).flat_map(|at| if at % side < side / 2 { [0; 4] } else { [200, 30, 30, 255] }).collect();
    encode(side, &pixels, png::Compression::Balanced)
}

/// An image of nothing but transparent pixels: it is sound, and the rules refuse it.
pub(crate) fn blank(kind: Kind) -> Vec<u8> {
    encode(side(kind), &vec![0; usize::try_from(side(kind) * side(kind) * 4).unwrap()], png::Compression::Balanced)
}

fn pixels(kind: Kind, mark: u8) -> Vec<u8> {
    let side = side(kind);
    let middle = f64::from(side - 1) / 2.0;
    let radius = f64::from(side) / 3.0;
    (0..side * side)
        .flat_map(|at| {
            let (x, y) = (f64::from(at % side) - middle, f64::from(at / side) - middle);
            if x.hypot(y) < radius { [mark, 255 - mark, 0x40, 255] } else { [0; 4] }
        })
        .collect()
}

const fn side(kind: Kind) -> u32 {
    match kind {
        Kind::Icon => 24,
        Kind::Logo => 60,
    }
}

fn encode(side: u32, pixels: &[u8], compression: png::Compression) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(compression);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(pixels).unwrap();
    writer.finish().unwrap();
    bytes
}

/// `icon/acme-call` taken apart.
pub(crate) fn parts(address: &str) -> (Kind, &str) {
    match address.split_once('/').unwrap() {
        ("icon", code) => (Kind::Icon, code),
        ("logo", code) => (Kind::Logo, code),
        _ => panic!("no address: {address}"),
    }
}

/// Runs the cases of a table side by side: most of their time is waiting.
pub(crate) fn each<T: Send>(cases: impl IntoIterator<Item = T>, test: impl Fn(T) + Sync) {
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| test(case));
        }
    });
}

// ---- The brand and its portal ----

/// A brand, its portal, and who asks.
pub(crate) struct Brand {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) portal: Sandbox,
    webhook: Option<String>,
    /// An application's token file; a webhook goes first.
    tokens: Option<PathBuf>,
    /// How the token file is mounted alone, if it is.
    mounted: Option<&'static str>,
    /// Where the portal keeps what it holds.
    #[allow(dead_code, reason = "the tests of faults read the portal's log there")]
    pub(crate) data: tempfile::TempDir,
}

impl Brand {
    /// An empty brand and an empty portal.
    pub(crate) fn new() -> Self {
        Self::on(|_| {})
    }

    /// An empty brand, and an empty portal that is as `change` makes it.
    pub(crate) fn on(change: impl FnOnce(&mut Options)) -> Self {
        let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut options = Options::new(data.path());
        options.limits = None;
        change(&mut options);
        let portal = start(options).unwrap();
        let brand = Self { folder, webhook: Some(portal.admin_webhook()), tokens: None, mounted: None, portal, data };
        fs::create_dir(brand.path("icons")).unwrap();
        fs::create_dir(brand.path("logos")).unwrap();
        brand.manifest(MANIFEST)
    }

    /// Its manifest is this text.
    pub(crate) fn manifest(self, text: impl AsRef<[u8]>) -> Self {
        self.rewrite(text);
        self
    }

    /// The manifest has these lines too.
    pub(crate) fn with(self, lines: &str) -> Self {
        self.manifest(format!("{MANIFEST}{lines}\n"))
    }

    /// It declares an entry, for example `icon/acme-call`, with that image.
    pub(crate) fn declares(self, address: &str, mark: u8) -> Self {
        self.draw(address, &art(parts(address).0, mark));
        self
    }

    /// The portal has an entry with that image.
    pub(crate) fn portal_has(self, address: &str, mark: u8) -> Self {
        self.seed(address, &art(parts(address).0, mark));
        self
    }

    /// Declared and applied: `count` icons, `acme-00` and so on.
    pub(crate) fn in_step(mut self, count: u8) -> Self {
        for number in 0..count {
            let address = format!("icon/acme-{number:02}");
            self = self.declares(&address, number).portal_has(&address, number);
        }
        self
    }

    /// The user is not an administrator.
    pub(crate) fn without_rights(mut self) -> Self {
        self.webhook = Some(self.portal.user_webhook());
        self
    }

    /// The environment has this webhook.
    pub(crate) fn with_webhook(mut self, webhook: Option<&str>) -> Self {
        self.webhook = webhook.map(ToOwned::to_owned);
        self
    }

    /// The environment has this token file, and no webhook.
    pub(crate) fn with_tokens(self, file: PathBuf) -> Self {
        Self { webhook: None, tokens: Some(file), ..self }
    }

    /// The token file is mounted alone, as `rw` or `ro`.
    pub(crate) fn mounting_tokens(self, how: &'static str) -> Self {
        Self { mounted: Some(how), ..self }
    }

    pub(crate) fn rewrite(&self, text: impl AsRef<[u8]>) {
        fs::write(self.path("brand.yaml"), text).unwrap();
    }

    pub(crate) fn draw(&self, address: &str, png: &[u8]) {
        fs::write(self.file(address), png).unwrap();
    }

    pub(crate) fn undeclare(&self, address: &str) {
        fs::remove_file(self.file(address)).unwrap();
    }

    pub(crate) fn seed(&self, address: &str, png: &[u8]) {
        let (kind, code) = parts(address);
        self.portal.seed(kind, code, png).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, address: &str) -> PathBuf {
        self.path(&format!("{}.png", address.replacen('/', "s/", 1)))
    }

    /// Everything on the portal that is not the product's, sorted: address and bytes.
    pub(crate) fn live(&self) -> Vec<(String, Vec<u8>)> {
        let mut live: Vec<_> = self
            .portal
            .entries()
            .into_iter()
            .map(|entry| (format!("{}/{}", entry.kind, entry.code), entry.content))
            .collect();
        live.sort();
        live
    }

    pub(crate) fn codes(&self) -> Vec<String> {
        self.live().into_iter().map(|(address, _)| address).collect()
    }

    pub(crate) fn image(&self, address: &str) -> Option<Vec<u8>> {
        self.live().into_iter().find(|(live, _)| live == address).map(|(_, bytes)| bytes)
    }

    // ---- What the portal saw ----

    pub(crate) fn seen(&self, which: impl Fn(&Recorded) -> bool) -> usize {
        self.portal.requests().iter().filter(|request| which(request)).count()
    }

    /// Requests with an add or a delete, with any result.
    pub(crate) fn write_requests(&self) -> Vec<Recorded> {
        self.portal.requests().into_iter().filter(Recorded::would_write).collect()
    }

    pub(crate) fn downloads(&self) -> usize {
        self.seen(|request| request.method == "download")
    }

    /// Runs `what` and holds that it sent no request that writes.
    #[track_caller]
    pub(crate) fn writing_nothing<T>(&self, what: impl FnOnce() -> T) -> T {
        let (before, live) = (self.write_requests().len(), self.live());
        let result = what();
        assert_eq!(self.write_requests().len(), before, "a request that writes was sent");
        assert_eq!(self.live(), live);
        result
    }

    // ---- What goes wrong ----

    pub(crate) fn failing(self, on: On, when: When, action: FaultAction) -> Self {
        self.fail(Faults::one(on, when, action));
        self
    }

    pub(crate) fn fail(&self, faults: Faults) {
        self.portal.set_faults(faults);
    }

    // ---- Running ----

    /// The binary in the folder, with an environment without credentials.
    pub(crate) fn command(&self) -> Command {
        match (self.mounted, &self.tokens) {
            (Some(how), Some(file)) => command_mounting(self.folder.path(), file, how),
            _ => command(self.folder.path()),
        }
    }

    /// Runs `brandctl` with these arguments.
    #[track_caller]
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Output {
        let arguments: Vec<_> = arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect();
        let mut command = self.command();
        command.args(&arguments);
        if let Some(webhook) = &self.webhook {
            command.env("BITRIX24_WEBHOOK_URL", webhook);
        }
        let mut secrets = self.secrets();
        if let Some(file) = &self.tokens {
            secrets.extend(tokens_of(file));
            command.env("BITRIX24_OAUTH_FILE", file);
        }
        let output = Output::of(command, self);
        secrets.extend(self.tokens.iter().flat_map(|file| tokens_of(file)));
        for secret in secrets {
            assert!(!output.stdout.contains(&secret) && !output.stderr.contains(&secret), "{output:?}");
        }
        let format = arguments.iter().position(|argument| argument == "--format");
        if format.and_then(|at| arguments.get(at + 1)).is_some_and(|format| format == "json") {
            output.hold_against_schema();
        }
        output
    }

    /// Runs a command, given as one line, for people and for programs: the code is the same.
    #[track_caller]
    pub(crate) fn both(&self, line: &str) -> Output {
        let words: Vec<_> = line.split_whitespace().collect();
        let human = self.run(&words);
        let json = self.json(line);
        assert_eq!(human.code, json.code, "{line}\n{human:?}\n{json:?}");
        Output { json: json.json, ..human }
    }

    /// Runs a command, given as one line, for programs.
    #[track_caller]
    pub(crate) fn json(&self, line: &str) -> Output {
        self.run(line.split_whitespace().chain(["--format", "json"]))
    }

    #[track_caller]
    pub(crate) fn plan(&self) -> Output {
        self.json(&format!("plan {}", SETTLE.join(" ")))
    }

    #[track_caller]
    pub(crate) fn apply(&self) -> Output {
        self.apply_with("")
    }

    #[track_caller]
    pub(crate) fn apply_with(&self, options: &str) -> Output {
        self.json(&format!("apply --yes {} {options}", SETTLE.join(" ")))
    }

    #[track_caller]
    pub(crate) fn apply_saved(&self, plan: &str) -> Output {
        self.json(&format!("apply {plan} {}", SETTLE.join(" ")))
    }

    /// Plans into `plan.json`.
    #[track_caller]
    pub(crate) fn save_plan(&self) {
        let output = self.run(["plan", "-o", "plan.json"]);
        assert_eq!(output.code, 0, "{output:?}");
    }

    /// The secrets of the portal's webhooks.
    pub(crate) fn secrets(&self) -> Vec<String> {
        [self.portal.admin_webhook(), self.portal.user_webhook()]
            .iter()
            .map(|webhook| webhook.trim_end_matches('/').rsplit('/').next().unwrap().to_owned())
            .collect()
    }
}

/// What a token file holds that nobody may see; nothing when it is not a token file.
pub(crate) fn tokens_of(file: &Path) -> Vec<String> {
    let text = fs::read(file).unwrap_or_default();
    let fields = serde_json::from_slice(&text).unwrap_or(Value::Null);
    let secrets = ["access_token", "refresh_token", "client_secret"].map(|field| fields[field].as_str());
    secrets.into_iter().flatten().map(ToOwned::to_owned).collect()
}

/// A text without what differs from run to run and from machine to machine: times, ids of runs, commits, digests, ports,
/// the number of an error of the system.
pub(crate) fn scrubbed(text: &str) -> String {
    let is_hex = |word: &str| word.chars().all(|c| c.is_ascii_hexdigit());
    let (mut scrubbed, mut rest, mut before) = (String::new(), text, "");
    while !rest.is_empty() {
        let in_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let (word, gap) = rest.split_at(rest.find(|c| !in_word(c)).unwrap_or(rest.len()));
        let digits = word.chars().all(|c| c.is_ascii_digit());
        let (shown, after) = if word.len() > 15 && word.as_bytes()[8] == b'T' && word.as_bytes()[15] == b'Z' {
            ("RUN", gap)
        } else if word.len() == 13 && word.as_bytes()[10] == b'T' {
            ("TIME", gap.trim_start_matches(|c: char| c.is_ascii_digit() || ":.+Z".contains(c)))
        } else if word.len() > 6 && is_hex(word) && ["commit ", "  at "].iter().any(|it| before.ends_with(it)) {
            ("COMMIT", gap)
        } else if [12, 64].contains(&word.len()) && is_hex(word) {
            ("SHA256", gap)
        } else if digits
            && word.len() > 3
            && ["127.0.0.1:", "127.0.0.1_", "port "].iter().any(|it| before.ends_with(it))
        {
            ("PORT", gap)
        } else if digits && before.ends_with("os error ") {
            ("NUMBER", gap)
        } else {
            (word, gap)
        };
        scrubbed.push_str(shown);
        let (gap, next) = after.split_at(after.find(in_word).unwrap_or(after.len()));
        scrubbed.push_str(gap);
        before = &text[..text.len() - next.len()];
        rest = next;
    }
    scrubbed
}

/// The binary in `folder`, with an environment that holds no credentials and no proxy.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brandctl"));
    command.current_dir(folder).env_clear().env("HOME", folder).stdin(Stdio::null());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// The binary as [`command`] gives it, in a mount namespace of its own in which `file` is mounted alone, from the file system
/// that it is on. The process that is spawned becomes the binary's.
pub(crate) fn command_mounting(folder: &Path, file: &Path, how: &str) -> Command {
    const SCRIPT: &str = r#"mount --bind "$1" "$1" && mount -o "remount,bind,$2" "$1" && shift 2 && exec "$@""#;
    let plain = command(folder);
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", SCRIPT, "sh"]).arg(file).arg(how).arg(plain.get_program());
    command.current_dir(folder).env_clear().stdin(Stdio::null());
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

/// Whether this user may mount, as the superuser may, and a container's seldom may: what needs it is not tried elsewhere.
pub(crate) fn may_mount() -> bool {
    static MAY: OnceLock<bool> = OnceLock::new();
    *MAY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let tried = command_mounting(folder.path(), &file, "rw").arg("rules").output();
        let may = tried.is_ok_and(|tried| tried.status.success());
        if !may {
            // Past the capture of the test runner: what is not tried is there to be seen.
            let remark = "this user may not mount: nothing is tried with files that are mounted alone";
            let mut out = std::io::stderr().lock();
            writeln!(out, "{remark}").unwrap();
        }
        may
    })
}

/// Holds what a command printed as JSON against the schema of that command.
#[track_caller]
pub(crate) fn conforms(json: &Value) {
    static VALIDATORS: OnceLock<BTreeMap<&str, jsonschema::Validator>> = OnceLock::new();
    let validators = VALIDATORS.get_or_init(|| {
        let validator = |schema: &Schema| (schema.name, jsonschema::draft7::new(&schema.schema()).unwrap());
        SCHEMAS.iter().map(validator).collect()
    });
    let command = json["command"].as_str().unwrap_or_default();
    let name = match command.split(' ').next().unwrap() {
        "plan" | "apply" | "drift" | "show" | "restore" => "plan",
        other if validators.contains_key(other) => other,
        _ => "error",
    };
    let errors = validators[name].iter_errors(json).map(|error| format!("{}: {error}", error.instance_path()));
    let errors: Vec<_> = errors.collect();
    assert!(errors.is_empty(), "{command}: {errors:#?}\n{json:#}");
    let keys: Vec<_> = json.as_object().unwrap().keys().collect();
    assert_eq!(keys[..8], ["format_version", "tool", "command", "portal", "started", "elapsed_ms", "exit_code", "ok"]);
    assert_eq!(keys[keys.len() - 1], "findings");
}

/// A document without what differs from run to run: when it began, and how long it took.
pub(crate) fn timeless(json: &Value) -> Value {
    let mut json = json.clone();
    if let Some(fields) = json.as_object_mut() {
        fields.retain(|name, _| name != "started" && name != "elapsed_ms");
    }
    json
}

/// The findings of a document with this severity.
pub(crate) fn found<'a>(json: &'a Value, severity: &str) -> Vec<&'a Value> {
    let findings = json["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    findings.iter().filter(|finding| finding["severity"] == severity).collect()
}

/// Standard error without the lines that name a wait, which come when this machine is busy.
pub(crate) fn without_waits(stderr: &str) -> String {
    let is_wait = |line: &str| line.ends_with(" ...") || line.contains(" ... (");
    stderr.split_inclusive('\n').filter(|line| !is_wait(line.trim_end())).collect()
}

/// How a command ended and what it printed, without what differs from run to run.
#[derive(Debug)]
pub(crate) struct Output {
    /// Where it ran.
    pub(crate) folder: PathBuf,
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) json: Value,
}

impl Output {
    #[track_caller]
    fn of(mut command: Command, brand: &Brand) -> Self {
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            text.replace(&brand.portal.address().to_string(), "PORTAL")
                .replace(brand.folder.path().to_str().unwrap(), "BRAND")
        };
        let (stdout, stderr) = (text(output.stdout), without_waits(&text(output.stderr)));
        let code = output.status.code().unwrap_or_else(|| panic!("ended by a signal: {stderr}"));
        assert!(code != 101 && !stderr.contains("panicked"), "{stderr}");
        let json = serde_json::from_str(&stdout).unwrap_or(Value::Null);
        Self { folder: brand.folder.path().to_owned(), code, stdout, stderr, json }
    }

    /// Holds a plan's JSON against the schema of the library.
    #[track_caller]
    fn hold_against_schema(&self) {
        assert!(self.json.is_object(), "no whole JSON: {self:?}");
        conforms(&self.json);
        assert_eq!(self.json["exit_code"], self.code, "{self:?}");
    }

    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// `create icon/acme-call` and so on, in the order of the document.
    pub(crate) fn changes(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let changes = self.json["changes"].as_array().cloned().unwrap_or_default();
        changes.iter().map(|change| format!("{} {}", text(&change["action"]), text(&change["address"]))).collect()
    }

    /// `applied icon/acme-call` and so on.
    pub(crate) fn fates(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let changes = self.json["changes"].as_array().cloned().unwrap_or_default();
        changes.iter().map(|change| format!("{} {}", text(&change["outcome"]), text(&change["address"]))).collect()
    }

    /// How often a result is in [`Self::fates`].
    pub(crate) fn count(&self, fate: &str) -> usize {
        self.fates().iter().filter(|line| line.starts_with(fate)).count()
    }

    /// The rules of the errors.
    pub(crate) fn errors(&self) -> Vec<String> {
        let errors = found(&self.json, "error").into_iter();
        errors.map(|error| error["rule"].as_str().unwrap().to_owned()).collect()
    }

    /// The guards that refused.
    pub(crate) fn refused(&self) -> Vec<String> {
        let guards = self.json["guards"].as_array().cloned().unwrap_or_default();
        guards
            .iter()
            .filter(|guard| guard["outcome"] == "refused")
            .map(|guard| guard["guard"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Standard output as it is in a snapshot.
    pub(crate) fn out(&self) -> String {
        scrubbed(&self.stdout)
    }

    /// Standard error as it is in a snapshot.
    pub(crate) fn err(&self) -> String {
        scrubbed(&self.stderr)
    }

    /// Both streams.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}
