use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Duration;

use brandctl::sandbox::Latency;

use super::Terminal;
use crate::common::{Brand, command, each};

/// A portal slow enough that something is shown, with images to fetch one after another.
fn slow() -> Brand {
    let brand = Brand::on(|options| {
        options.latency = Latency { per_request: Duration::from_millis(700), ..Latency::default() };
    });
    (0..20_u8).fold(brand, |brand, number| {
        brand.declares("icon/acme-00", 1).portal_has(&format!("icon/acme-{number:02}"), number)
    })
}

#[test]
fn a_bar_tells_of_a_wait_in_one_line_and_is_gone_at_the_end() {
    for columns in [40, 80, 200] {
        let brand = slow();
        let shown = Terminal::of(columns).run(&brand, "plan");
        assert_eq!(shown.code, 4, "{}", shown.words());
        let stages = ["reading the portal", "downloading images"];
        for stage in stages {
            assert!(shown.frames.iter().any(|frame| frame.contains(stage)), "{stage} at {columns} columns");
        }
        assert!(shown.frames.iter().any(|frame| frame.contains("/20 ")), "how many of how many");
        for frame in &shown.frames {
            let lines = frame.lines().filter(|line| stages.iter().any(|stage| line.contains(stage))).count();
            assert!(lines <= 1, "a bar left something behind:\n{frame}");
        }
        let last = shown.screen().contents();
        assert!(stages.iter().all(|stage| !last.contains(stage)), "{last}");
        assert!(!shown.screen().hide_cursor(), "the cursor is back");
    }
}

#[test]
fn a_wait_that_the_portal_asks_for_is_told() {
    let brand = slow();
    brand.fail("any rate-limited 2".parse().unwrap());
    let shown = Terminal::of(80).run(&brand, "plan");
    assert!(shown.frames.iter().any(|frame| frame.contains("asked to slow down, 1 s")), "{}", shown.raw());
    // It is shown as long as it lasts, and the stage goes on without it.
    let waits: Vec<_> = shown.frames.iter().map(|frame| frame.contains("slow down")).collect();
    let after = waits.iter().rposition(|waits| *waits).unwrap() + 1;
    assert!(shown.frames[after..].iter().any(|frame| frame.contains("reading the portal")), "{}", shown.raw());
}

#[test]
fn nothing_moves_where_that_was_not_wanted() {
    let brand = slow();
    for (terminal, options, is_quiet) in [
        (Terminal::of(80), "--quiet", true),
        (Terminal::of(80), "--no-progress", false),
        (Terminal::of(80).with("TERM", "dumb"), "", false),
    ] {
        let shown = terminal.run(&brand, &format!("plan {options}"));
        assert_eq!(shown.code, 4);
        assert_eq!(shown.raw().contains("reading the portal ..."), !is_quiet, "{options}: {}", shown.raw());
        let moved = shown.raw().replace("\r\n", "\n").contains('\r') || shown.raw().contains("\u{1b}[2K");
        assert!(!moved, "{options}: {}", shown.raw());
    }
    brand.fail("any rate-limited 2".parse().unwrap());
    let shown = Terminal::of(80).run(&brand, "plan --no-progress");
    assert!(shown.words().contains("waiting: the portal asked to slow down"), "{}", shown.words());
}

/// What makes a command wait for 3 s, and what it says of it.
const WAITS: [(&str, &str, &str); 4] = [
    ("batch 1 delay 3s", "plan", "reading the portal"),
    ("download 1 delay 3s", "plan", "downloading images"),
    ("write 1 delay 3s", "apply --yes", "waiting for the portal's answer"),
    ("any rate-limited 2", "plan", "the portal asked to slow down, 2 s"),
];

/// A brand with something to create and something to replace.
fn work() -> Brand {
    Brand::new().declares("icon/acme-00", 1).portal_has("icon/acme-00", 2).declares("icon/acme-new", 3)
}

#[test]
fn a_wait_of_three_seconds_is_named_before_it_ends() {
    each(WAITS, |(faults, line, named)| {
        let brand = work();
        brand.fail(faults.parse().unwrap());
        let shown = Terminal::of(100).run(&brand, line);
        assert_eq!(shown.code, 0, "{}", shown.words());
        // It was on the screen while the wait lasted, and is gone at the end.
        assert!(shown.frames.iter().any(|frame| frame.contains(named)), "{line}: {}", shown.raw());
        assert!(!shown.screen().contents().contains(named), "{line}: {}", shown.screen().contents());
    });
}

#[test]
fn so_it_is_without_a_terminal_and_with_quiet_nothing_is() {
    each(WAITS, |(faults, line, named)| {
        let brand = work();
        brand.fail(faults.parse().unwrap());
        let mut command = command(brand.folder.path());
        command.args(line.split(' ')).env("BITRIX24_WEBHOOK_URL", brand.portal.admin_webhook());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let mut named_while_it_ran = false;
        let mut lines = 0;
        for said in said {
            named_while_it_ran |= said.contains(named) && child.try_wait().unwrap().is_none();
            lines += usize::from(said.contains(named));
        }
        assert!(child.wait().unwrap().success());
        assert!(named_while_it_ran, "{line}: {named}");
        assert_eq!(lines, 1, "{line}: a wait of 3 s is named once");
        brand.fail(faults.parse().unwrap());
        let quiet = brand.run(format!("{line} --quiet").split(' '));
        assert!(!quiet.stderr.contains(named), "{quiet:?}");
    });
}

#[test]
fn each_step_is_said_as_it_ends_with_its_time() {
    for columns in [40, 80, 200] {
        let brand = work().portal_has("icon/acme-gone", 9);
        let shown = Terminal::of(columns).run(&brand, "apply --yes --max-deletes 9");
        assert_eq!(shown.code, 0, "{}", shown.words());
        for step in ["icon/acme-new: created (", "icon/acme-00: replaced (", "icon/acme-gone: deleted ("] {
            assert!(shown.fits().words().contains(step), "{step} at {columns}: {}", shown.words());
        }
    }
    // Without a terminal too, and a step that fails says why at once.
    let brand = work();
    brand.fail("any 1 refuse *.icon.add 400 ACCESS_DENIED \"not today\"".parse().unwrap());
    let output = brand.run(["apply", "--yes", "--settle", "0.1"]);
    assert!(output.stderr.contains("icon/acme-new: not created: the portal refused it: not today"), "{output:?}");
    assert!(output.stderr.contains("icon/acme-00: not replaced: "), "{output:?}");
    assert!(!brand.run(["apply", "--yes", "--quiet"]).stderr.contains("created"), "quiet");
}
