//! examples/plan.svg shows the program at work. It is drawn here from the program's real output.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

const STALE: &str = "examples/plan.svg is stale: run `UPDATE_PICTURE=1 cargo test --test it picture`";

#[test]
fn the_picture_shows_the_real_output() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/plan.svg");
    let current = svg(&screen());
    if std::env::var_os("UPDATE_PICTURE").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    assert!(std::fs::read_to_string(&path).unwrap_or_default() == current, "{STALE}");
}

/// examples/acme, planned and applied to a portal that has an older state of it and an entry of somebody else's.
fn screen() -> String {
    let folder = tempfile::tempdir().unwrap();
    let acme = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/acme");
    for kind in ["icons", "logos"] {
        std::fs::create_dir(folder.path().join(kind)).unwrap();
        for file in std::fs::read_dir(acme.join(kind)).unwrap().map(Result::unwrap) {
            std::fs::copy(file.path(), folder.path().join(kind).join(file.file_name())).unwrap();
        }
    }
    let manifest = std::fs::read_to_string(acme.join("brand.yaml")).unwrap();
    let mut older = manifest.clone();
    for (now, then) in [
        ("acme-call: icons/acme-call.png", "acme-call: icons/acme-chat.png"),
        ("acme-fax:  ", "acme-telex: icons/acme-fax.png  "),
        ("  acme-warranty:\n", ""),
    ] {
        assert!(older.contains(now), "examples/acme/brand.yaml has no {now:?}");
        older = older.replace(now, then);
    }
    let foreign = "version: 1\nowns: [\"payroll-*\"]\nicons: {payroll-slip: icons/acme-paid.png}\n";
    for text in [&older, foreign] {
        std::fs::write(folder.path().join("brand.yaml"), text).unwrap();
        run(folder.path(), "apply --sandbox --yes");
    }
    std::fs::write(folder.path().join("brand.yaml"), manifest).unwrap();

    let mut screen = String::new();
    for command in ["plan --sandbox -o plan.json", "apply plan.json --sandbox"] {
        let _ = writeln!(screen, "\x1b[2m$\x1b[0m \x1b[1mbrandctl {command}\x1b[0m");
        screen.push_str(&run(folder.path(), command));
        screen.push('\n');
    }
    screen.trim_end().to_owned()
}

/// What the program says on a terminal: diagnostics first, as they come before the data here.
fn run(folder: &Path, command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_brandctl"))
        .args(command.split(' '))
        .args(["--color", "always"])
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap();
    let (data, diagnostics) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{command}: {diagnostics}");
    diagnostics + &data
}

const CELL: f64 = 8.4;
const LINE: usize = 20;
const MARGIN: usize = 16;

/// A piece of a line in one style.
struct Span {
    column: usize,
    text: String,
    class: String,
}

/// Takes a line apart at its SGR sequences. One that this picture does not know fails the test.
fn spans(line: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let (mut column, mut classes) = (0, Vec::new());
    for (index, part) in line.split("\x1b[").enumerate() {
        let text = if index == 0 {
            part
        } else {
            let (codes, text) = part.split_once('m').expect("an SGR sequence");
            for code in codes.split(';') {
                match code {
                    "" | "0" => classes.clear(),
                    "1" => classes.push("b"),
                    "2" => classes.push("d"),
                    "31" | "91" => classes.push("r"),
                    "32" | "92" => classes.push("g"),
                    "33" | "93" => classes.push("y"),
                    other => panic!("the picture has no style for SGR {other}"),
                }
            }
            text
        };
        let shown = text.trim_end();
        let indent = shown.chars().take_while(|character| *character == ' ').count();
        if indent < shown.chars().count() {
            spans.push(Span { column: column + indent, text: shown.trim_start().to_owned(), class: classes.join(" ") });
        }
        column += text.chars().count();
    }
    spans
}

fn svg(screen: &str) -> String {
    let lines: Vec<Vec<Span>> = screen.lines().map(spans).collect();
    let columns =
        lines.iter().flatten().map(|span| span.column + span.text.chars().count()).max().expect("there is output");
    let at = |column: usize| format!("{:.1}", MARGIN as f64 + column as f64 * CELL);
    let (width, height) = (at(columns + 2), lines.len() * LINE + 2 * MARGIN);
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>brandctl plan and apply in a terminal</title>
<style>
text {{ font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #d5dbe5; white-space: pre }}
.b {{ font-weight: bold; fill: #fff }} .d {{ fill: #98a3b3 }}
.g {{ fill: #8fd694 }} .y {{ fill: #f0c674 }} .r {{ fill: #ff8f88 }}
</style>
<rect width="100%" height="100%" rx="8" fill="#1d232e"/>
"##
    );
    for (number, line) in lines.iter().enumerate().filter(|(_, line)| !line.is_empty()) {
        let _ = write!(svg, r#"<text xml:space="preserve" y="{}">"#, MARGIN + number * LINE + 14);
        for Span { column, text, class } in line {
            let class = if class.is_empty() { String::new() } else { format!(r#" class="{class}""#) };
            let length = text.chars().count() as f64 * CELL;
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            // The length keeps the columns where they are, in any font.
            let _ = write!(svg, r#"<tspan x="{}" textLength="{length:.1}"{class}>{text}</tspan>"#, at(*column));
        }
        svg.push_str("</text>\n");
    }
    svg + "</svg>\n"
}
