//! No file makes the reader hold more than 64 MiB. All that is inflated is held, so this bounds the work too, which a
//! clock on a busy machine could not.
#![allow(clippy::print_stdout, reason = "the figures are shown when one is too large")]

#[cfg(unix)]
mod checkout;
mod files;
#[cfg(unix)]
mod named;
#[cfg(unix)]
mod runs;

use std::process::Command;

use brandctl::domain::png;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const MIB: usize = 1024 * 1024;

/// Set in the process that has nothing else to do.
const ALONE: &str = "BRANDCTL_TEST_ALONE";

/// The memory is that of the process, so this test starts itself again, without the others.
#[test]
fn hostile_files_are_read_within_bounds() {
    if std::env::var_os(ALONE).is_some() {
        return read_within_bounds();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "hostile::hostile_files_are_read_within_bounds", "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let shown = [output.stdout, output.stderr].concat();
    let shown = String::from_utf8_lossy(&shown);
    assert!(output.status.success() && shown.contains("1 passed"), "{shown}");
    println!("{shown}");
}

/// What of each file may be held, and how it ends.
fn read_within_bounds() {
    let expected = [
        ("pixels that inflate to 1 GiB", 1, "hold more than the 2328 bytes that 24×24 pixels take"),
        ("iCCP that inflates to 1 GiB", 9, "holds a colour profile larger than 4194304 bytes"),
        ("zTXt that inflates to 1 GiB", 1, ""),
        ("iTXt that inflates to 1 GiB", 1, ""),
        ("2³¹-1 pixels a side", 1, "are too many to decode"),
        ("2³¹-1 pixels a side, interlaced", 1, "are too many to decode"),
        ("2²⁴-1 rows", 1, "are too many to decode"),
        ("as many private chunks as fit", 1, ""),
        ("as many sPLT chunks as fit", 1, ""),
        ("as many PLTE chunks as fit", 1, "is the second of its kind"),
        ("as many IDAT chunks as fit", 8, ""),
        ("pixels in empty stored blocks", 1, ""),
        ("pixels in empty blocks with tables", 1, ""),
        ("thousands of frames", 2, ""),
        ("the most pixels", 64, ""),
        ("the most grey pixels of 16 bits", 64, ""),
        ("the most bytes", 64, ""),
        ("one column, interlaced", 10, ""),
    ];
    let files = files::all();
    assert_eq!(files.iter().map(|(name, _)| *name).collect::<Vec<_>>(), expected.map(|(name, ..)| name));
    for ((name, bytes), (_, mebibytes, fault)) in files.iter().zip(expected) {
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let read = png::read(bytes).map(|image| image.appearance());
        let held = MEMORY.peak_usage() - before;
        println!(
            "{name:36} {:7.2} MiB  {}",
            held as f64 / MIB as f64,
            read.as_ref().map_or_else(|fault| fault.to_string(), |_| "sound".to_owned())
        );
        match read {
            Ok(_) => assert_eq!(fault, "", "{name} is sound"),
            Err(found) => assert!(!fault.is_empty() && found.to_string().contains(fault), "{name}: {found}"),
        }
        assert!(held <= mebibytes * MIB, "{name}: {held} bytes held");
    }
}
