//! The checker itself, on small trees that break a rule.

use super::source::leftovers;
use super::*;

fn parse(files: &[(&'static str, &str)]) -> Source {
    Source::parse(files.iter().copied())
}

fn faults(file: &'static str, text: &str) -> Vec<String> {
    let source = parse(&[(file, text)]);
    source.shipped().flat_map(|file| trespasses(&source, file)).chain(long_files(&source)).collect()
}

fn refuses(file: &'static str, text: &str, what: &str) {
    let found = faults(file, text);
    assert!(found.iter().any(|fault| fault.contains(what)), "{file}: {text:?} gave {found:?}");
}

fn accepts(file: &'static str, text: &str) {
    assert_eq!(faults(file, text), [] as [String; 0], "{file}: {text:?}");
}

#[test]
fn refuses_what_points_upward() {
    refuses("domain/plan.rs", "use crate::ops::plan::Request;", "crate::ops");
    refuses("domain/plan.rs", "use crate::{domain::asset::Code, portal::{Client, Rate as Pace}};", "crate::portal");
    refuses("domain/rules/png.rs", "fn f() { crate::store::atomic::write() }", "crate::store");
    refuses("domain/rules/png.rs", "use super::super::super::cli::run;", "crate::cli::run");
    refuses("domain/mod.rs", "use super::render;", "crate::render");
    refuses("ops/plan.rs", "use crate::portal::Client;", "crate::portal");
    refuses("ops/apply/mod.rs", "use crate :: store\n  :: run;", "crate::store");
    refuses("ops/plan.rs", "use crate::sandbox;", "crate::sandbox");
    refuses("portal/client.rs", "use crate::sandbox::start;", "crate::sandbox");
    refuses("portal/client.rs", "use crate::ops::apply::apply;", "crate::ops::apply");
    refuses("store/run.rs", "use crate::portal::Client;", "crate::portal");
    refuses("render/human.rs", "use crate::ops::ports::PortalError;", "crate::ops");
    refuses("sandbox/world.rs", "use crate::portal::wire;", "crate::portal");
    refuses("sandbox/world.rs", "use crate::domain::{asset::Kind, image};", "crate::domain::image");
    refuses("sandbox/world.rs", "use crate::domain::*;", "crate::domain::*");
}

#[test]
fn refuses_what_points_upward_out_of_the_ordinary() {
    refuses("domain/plan.rs", "fn f() { vec![crate::cli::run()]; }", "crate::cli::run");
    refuses("domain/plan.rs", "fn f(a: Box<dyn Fn(&crate::store::Lock)>) {}", "crate::store::Lock");
    refuses("domain/plan.rs", "mod inner { use super::super::super::ops; }", "crate::ops");
    refuses("domain/plan.rs", "use crate as all; fn f() { all::portal::go() }", "crate::portal::go");
    refuses("domain/plan.rs", "use std::fs as disk; fn f() { disk::read(\"x\") }", "std::fs");
    // Not through a door that a lower room opens.
    let doors = parse(&[
        ("domain/mod.rs", "pub mod door; mod plan;"),
        ("domain/door.rs", "pub use crate::store::Lock;"),
        ("store/mod.rs", "pub struct Lock;"),
        ("domain/plan.rs", "use super::door::Lock;"),
    ]);
    let found: Vec<_> = doors.shipped().flat_map(|file| trespasses(&doors, file)).collect();
    assert!(found.iter().any(|fault| fault.contains("src/domain/plan.rs")), "{found:?}");
}

#[test]
fn refuses_what_touches_the_world() {
    refuses("domain/plan.rs", "use std::{collections::BTreeMap, fs};", "std::fs");
    refuses("domain/plan.rs", "use std::time::{Duration, Instant};", "std::time::Instant");
    refuses("domain/plan.rs", "use std::time;", "std::time");
    refuses("domain/plan.rs", "use std::time::*;", "std::time");
    refuses("domain/plan.rs", "fn f() { std::time::SystemTime::now(); }", "std::time::SystemTime");
    refuses("domain/plan.rs", "fn f() -> String { std::env::var(\"A\") }", "std::env");
    refuses("domain/plan.rs", "use tokio::time::sleep;", "tokio");
    refuses("domain/plan.rs", "#[derive(clap::Args)] struct A;", "clap");
    refuses("domain/plan.rs", "fn f() { println!(\"{}\", 1) }", "println!");
    refuses("domain/plan.rs", "fn f<'a>(a: &'a str) -> char { let b = '\"'; eprintln!(); b }", "eprintln!");
    refuses("render/human.rs", "fn f() { std::fs::read(\"x\") }", "std::fs");
    refuses("ops/plan.rs", "fn f() { std::process::exit(1) }", "std::process::exit");
    refuses("store/run.rs", "use reqwest::Client;", "reqwest");
    refuses("portal/client.rs", "use std::fs::File;", "std::fs");
    refuses("portal/client.rs", "use std::env;", "std::env");
}

#[test]
fn refuses_long_files() {
    refuses("cli/plan.rs", &"\n".repeat(MAX_LINES + 1), "two subjects");
    let tests = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(MAX_LINES), "\n".repeat(MAX_LINES));
    accepts("cli/plan.rs", &tests);
}

#[test]
fn accepts_what_is_allowed() {
    accepts("domain/plan.rs", "use super::asset::Code; use crate::domain::diff; use std::time::Duration;");
    accepts("domain/rules/png.rs", "use super::super::image; use std::{fmt, sync::Arc};");
    accepts("domain/plan.rs", "// use crate::portal\n/* std::fs /* x */ println!() */ const A: &str = \"crate::cli\";");
    accepts("domain/plan.rs", "const A: &str = r#\"std::fs \" \"#; const B: &[u8] = br\"tokio::x\";");
    accepts("domain/plan.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n use std::fs; use crate::sandbox;\n}\n");
    accepts("domain/plan.rs", "#[cfg(test)]\nuse std::fs;\nstruct A; impl A { #[cfg(test)] fn f() { println!() } }");
    accepts("ops/plan.rs", "use crate::domain::plan::Plan; use super::ports::ReadPortal;");
    accepts("portal/client.rs", "use crate::ops::ports::{ReadPortal, WritePortal};");
    accepts("sandbox/world.rs", "use crate::domain::asset::{Code, Kind};");
    accepts("cli/plan.rs", "use crate::{portal, render, sandbox, store}; fn f() { println!() }");
}

#[test]
fn sees_circles() {
    let two = [("a.rs", "pub struct A(crate::b::B);"), ("b.rs", "pub struct B; impl B { fn f(_: super::a::A) {} }")];
    assert_eq!(parse(&two).circles(), [["a.rs", "b.rs"]]);
    let three = [
        ("a.rs", "use crate::b::f; pub fn g() { f() }"),
        ("b.rs", "pub fn f() { println!(\"{}\", crate::c::h()) }"),
        ("c.rs", "use super::*; pub fn h() { a::g() }"),
        ("d.rs", "use crate::{a::g, c::h}; fn f() { g(); h() }"),
    ];
    assert_eq!(parse(&three).circles(), [["a.rs", "b.rs", "c.rs"]]);
    let child = [
        ("a/mod.rs", "mod b; pub(super) struct A; fn f() { b::g() }"),
        ("a/b.rs", "use super::A; pub fn g() -> A { A }"),
    ];
    assert_eq!(parse(&child).circles(), [["a/b.rs", "a/mod.rs"]]);
    let through_a_door = [
        ("a/mod.rs", "mod b; mod c; pub use b::B; pub use c::*;"),
        ("a/b.rs", "pub struct B(super::C);"),
        ("a/c.rs", "use super::B as Other; pub struct C(Option<Box<Other>>);"),
    ];
    assert_eq!(parse(&through_a_door).circles(), [["a/b.rs", "a/c.rs"]]);
}

#[test]
fn sees_no_circle_where_there_is_none() {
    let none: [Vec<&str>; 0] = [];
    // A module declares its children and hands on what they define; they use each other through it.
    let handed_on = [
        ("a/mod.rs", "mod b; pub mod c; pub use b::B; pub(crate) use self::c::{C, D as E}; pub use c::*;"),
        ("a/b.rs", "use super::C; pub struct B(C);"),
        ("a/c.rs", "pub struct C; pub struct D;"),
    ];
    assert_eq!(parse(&handed_on).circles(), none);
    // What tests use does not count, wherever they stand.
    let tests = [
        ("a.rs", "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }"),
        ("b/mod.rs", "pub struct B(crate::a::A); #[cfg(test)] mod tests;"),
        ("b/tests.rs", "use super::B; fn f() { crate::a::g() }"),
    ];
    assert_eq!(parse(&tests).circles(), none);
    // Names that look like modules and are not.
    let names =
        [("a.rs", "use crate::b::f; pub fn g() { let b = f(); b.c() }"), ("b.rs", "pub fn f() { let a = 1; a }")];
    assert_eq!(parse(&names).circles(), none);
}

#[test]
fn sees_what_climbs_in_domain() {
    let upward = [
        ("domain/mod.rs", "pub mod asset; pub mod plan;"),
        ("domain/asset.rs", "use super::plan::Plan; pub struct Code;"),
        ("domain/plan.rs", "use super::asset::Code; pub struct Plan;"),
    ];
    assert_eq!(climbs(&parse(&upward)), ["src/domain/asset.rs: asset may not use plan, which is above it"]);
    let unknown = [("domain/mod.rs", "mod new;"), ("domain/new.rs", "")];
    assert_eq!(climbs(&parse(&unknown)), ["src/domain/new.rs: new stands on no floor"]);
    let sound = [("domain/asset.rs", "pub struct Code;"), ("domain/plan.rs", "use crate::domain::asset::Code;")];
    assert_eq!(climbs(&parse(&sound)), [""; 0]);
}

#[test]
fn sees_who_opens_files() {
    let files = [
        ("store/files/input.rs", "use std::fs::File;"),
        ("store/runs.rs", "use std::io::Read; fn f() { std::fs::OpenOptions::new() }"),
        ("cli/plan.rs", "use std::fs; #[cfg(test)] mod tests { use tempfile::tempdir; }"),
        ("cli/export.rs", "#[cfg(test)] mod tests { use tempfile::tempdir; }"),
        ("sandbox/store.rs", "use rustix::fs::openat;"),
        ("store/root.rs", "fn f(path: &std::path::Path) -> bool { path.join(\".git\").exists() }"),
        ("store/files.rs", "use std::fs::File;"),
        ("portal/wire.rs", "use std::os::unix::fs::symlink;"),
        ("cli/list.rs", "fn f(path: &Place) -> bool { place::is_taken(path) }"),
    ];
    let expected =
        ["store/runs.rs", "cli/plan.rs", "sandbox/store.rs", "store/root.rs", "store/files.rs", "portal/wire.rs"];
    assert_eq!(file_openers(&parse(&files)), expected);
}

#[test]
fn sees_names_with_two_meanings_and_escapes() {
    let source = parse(&[
        ("cli/a.rs", "struct One; enum Two {} #[cfg(test)] mod tests { struct Three; }"),
        ("portal/b.rs", "type One = u8; struct Three; trait T { type Two; } fn f() { \"\".escape_debug(); }"),
        ("text.rs", "fn f() { \"\".escape_debug(); }"),
        ("ops/c.rs", "fn f(a: &str) { format!(\"{}{}\", a.escape_default(), a.len()); }"),
        ("ops/d.rs", "fn f(a: &str) { a.chars().flat_map(char::escape_unicode); assert!(a.is_empty(), \"{a:?}\"); }"),
        ("ops/e.rs", "fn f(a: &str) { g(format!(\"{{a:?}} {0}{a:#?}\", a)); write!(f, \"{a:>3} {{?}}\"); }"),
    ]);
    assert_eq!(shared_names(&source), [("One", vec!["cli/a.rs", "portal/b.rs"])].into());
    let escapes = escapes(&source);
    let expected = [
        ("portal/b.rs", "escape_debug"),
        ("ops/c.rs", "escape_default"),
        ("ops/d.rs", "escape_unicode"),
        ("ops/e.rs", "\"{{a:?}} {0}{a:#?}\""),
    ];
    assert_eq!(escapes, expected);
}

#[test]
fn sees_what_is_left_behind() {
    assert_eq!(leftovers("a.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() { todo!() }").len(), 2);
    assert_eq!(leftovers("a.rs", "fn f() { unimplemented ! (\"later\") }").len(), 1);
    assert_eq!(leftovers("a.rs", "fn f() { assert!(todo!()) }").len(), 1);
    assert_eq!(leftovers("a.rs", "proptest! { #[test] #[ignore] fn f() {} }").len(), 1);
    assert_eq!(leftovers("a.rs", "// todo!()\nconst A: &str = \"#[ignore]\";"), [] as [String; 0]);
    assert_eq!(leftovers("a.rs", "fn f() { println!(\"todo!\", todo) }"), [] as [String; 0]);
}

#[test]
fn knows_which_files_are_for_tests() {
    let source = parse(&[
        ("domain/manifest/mod.rs", "#[cfg(test)]\npub(crate) mod tests;\nmod text;\n"),
        ("domain/manifest/tests/mod.rs", "mod more;"),
        ("domain/manifest/tests/more.rs", ""),
        ("domain/manifest/text.rs", ""),
        ("portal/wire.rs", "#[cfg(test)]\nmod shapes;\n"),
        ("portal/wire/shapes.rs", ""),
    ]);
    let shipped: Vec<_> = source.shipped().map(|file| file.name.as_str()).collect();
    assert_eq!(shipped, ["domain/manifest/mod.rs", "domain/manifest/text.rs", "portal/wire.rs"]);
}
