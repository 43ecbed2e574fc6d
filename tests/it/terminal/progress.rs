use std::time::Duration;

use brandctl::sandbox::Latency;

use super::Terminal;
use crate::common::Brand;

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
    for (terminal, options) in [
        (Terminal::of(80), "--quiet"),
        (Terminal::of(80), "--no-progress"),
        (Terminal::of(80).with("TERM", "dumb"), ""),
    ] {
        let shown = terminal.run(&brand, &format!("plan {options}"));
        assert_eq!(shown.code, 4);
        assert!(!shown.raw().contains("reading the portal"), "{options}: {}", shown.raw());
        let moved = shown.raw().replace("\r\n", "\n").contains('\r') || shown.raw().contains("\u{1b}[2K");
        assert!(!moved, "{options}: {}", shown.raw());
    }
    brand.fail("any rate-limited 2".parse().unwrap());
    let shown = Terminal::of(80).run(&brand, "plan --no-progress");
    assert!(shown.words().contains("waiting: the portal asked to slow down"), "{}", shown.words());
}
