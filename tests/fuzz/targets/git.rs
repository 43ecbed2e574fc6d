#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| brandctl::store::fuzzing::git(bytes));
