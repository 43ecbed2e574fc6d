#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::*;

#[test]
fn a_file_is_read_up_to_its_bound() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("file"), [7; 5000]).unwrap();
    let folder = Folder::at(root.path());
    let input = UserInput::at(&root.path().join("file"));
    assert_eq!(folder.read("file", 5000).unwrap().len(), 5000);
    assert_eq!(input.read(5000).unwrap().len(), 5000);
    assert_eq!(folder.read("file", 4999).unwrap_err().kind(), ErrorKind::FileTooLarge);
    assert_eq!(input.read(4999).unwrap_err().kind(), ErrorKind::FileTooLarge);
    let inside = Inside::below(root.path(), &folder, &[], ["file"].into_iter()).unwrap();
    assert_eq!(inside.read("file", None, 5000).unwrap().bytes.unwrap().len(), 5000);
    let larger = inside.read("file", None, 4999).unwrap();
    assert!(larger.bytes.is_none() && larger.size == 5000, "{larger:?}");
}

#[test]
fn names_lead_from_a_folder_and_nowhere_else() {
    let root = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let outside = elsewhere.path().join("file");
    fs::write(&outside, "").unwrap();
    let folder = Folder::at(root.path());
    let name = outside.to_str().unwrap();
    assert_eq!(folder.read(name, 10).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(folder.replace(name, b"", Durability::Unsynced).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(folder.remove(name).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(folder.child(name).remove("").unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(outside.exists());
    let state = Folder::of_state(root.path().join("state"));
    for name in ["../file", "runs/../../file", name] {
        assert_eq!(state.read(name, 10).unwrap_err().kind(), ErrorKind::InvalidInput, "{name}");
        assert_eq!(state.child(name).make_ignored().unwrap_err().kind(), ErrorKind::InvalidInput, "{name}");
    }
}

#[test]
fn a_lock_has_one_holder_who_says_who_it_is() {
    let root = tempfile::tempdir().unwrap();
    let folder = Folder::at(root.path());
    let Locking::Taken(mut lock) = folder.lock("lock").unwrap() else { unreachable!("no process holds it") };
    lock.write(b"a long text").unwrap();
    lock.write(b"me").unwrap();
    assert!(matches!(folder.lock("lock").unwrap(), Locking::Held(text) if text == "me"));
    drop(lock);
    assert!(matches!(folder.lock("lock").unwrap(), Locking::Taken(_)));
}

#[test]
fn a_path_is_written_with_slashes() {
    assert_eq!(place::with_slashes(&Path::new("a").join("b").join("c.png")), "a/b/c.png");
    assert_eq!(place::with_slashes(Path::new("")), "");
}

#[test]
fn creating_never_replaces() {
    let root = tempfile::tempdir().unwrap();
    let folder = Folder::at(root.path());
    folder.create("file", b"first").unwrap();
    let error = folder.create("file", b"second").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
    assert_eq!(folder.read("file", 100).unwrap(), b"first");
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn lines_are_read_up_to_their_bounds() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("file"), "one\ntwo\nlonger").unwrap();
    let folder = Folder::at(root.path());
    let read = |bounds| {
        let mut lines = Vec::new();
        let result = folder.read_lines("file", bounds, |line| {
            lines.push(String::from_utf8(line.to_vec()).unwrap());
            true
        });
        result.map(|()| lines).map_err(|error| error.kind())
    };
    assert_eq!(read((6, 14)).unwrap(), ["one\n", "two\n", "longer"]);
    assert_eq!(read((5, 14)), Err(ErrorKind::FileTooLarge));
    assert_eq!(read((6, 13)), Err(ErrorKind::FileTooLarge));
    assert!(folder.read_lines("absent", (1, 1), |_| false).is_ok());
}

/// The version by paths, for other systems, keeps the same promises as far as a check beforehand can.
#[test]
fn a_folder_without_handles_refuses_the_same() {
    use super::access::Access;
    use super::by_path::OpenFolder;
    use std::ffi::OsStr;

    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("folder")).unwrap();
    fs::write(root.path().join("file"), "text").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("file", root.path().join("link")).unwrap();
    let folder = OpenFolder::at(root.path()).unwrap();
    let open = |name: &str, access| folder.file(OsStr::new(name), access).map(drop).map_err(|error| error.kind());
    assert_eq!(open("file", Access::Read), Ok(()));
    assert_eq!(open("file", Access::New(0)), Err(ErrorKind::AlreadyExists));
    assert_eq!(open("folder", Access::Read), Err(ErrorKind::IsADirectory));
    assert_eq!(open("absent", Access::Append), Err(ErrorKind::NotFound));
    #[cfg(unix)]
    assert_eq!(open("link", Access::Read), Err(ErrorKind::InvalidInput));
    assert!(folder.folder(OsStr::new("folder")).is_ok() && folder.folder(OsStr::new("file")).is_err());
    assert!(OpenFolder::at(&root.path().join("file")).is_err());
    folder.make(OsStr::new("new"), 0).unwrap();
    folder.rename(OsStr::new("file"), OsStr::new("moved")).unwrap();
    assert!(folder.rename_new(OsStr::new("moved"), OsStr::new("new")).is_err());
    folder.remove(OsStr::new("moved")).unwrap();
    folder.remove_folder(OsStr::new("new")).unwrap();
    let left: Vec<_> = folder.items().unwrap().map(|item| item.unwrap().name()).collect();
    assert!(left.iter().all(|name| name == "folder" || name == "link"), "{left:?}");
}

#[cfg(unix)]
mod links {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn no_part_of_a_state_folder_may_be_a_link() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("file"), "theirs").unwrap();
        symlink(outside.path(), root.path().join("linked")).unwrap();
        fs::create_dir(root.path().join("plain")).unwrap();
        symlink(outside.path().join("file"), root.path().join("plain/file")).unwrap();
        symlink(outside.path(), root.path().join("plain/folder")).unwrap();

        let linked = Folder::of_state(root.path().join("linked"));
        assert!(linked.read("file", 10).is_err() && linked.items().is_err());
        let plain = Folder::of_state(root.path()).child("plain");
        for name in ["file", "folder/file"] {
            let error = plain.read(name, 10).unwrap_err();
            assert!(error.to_string().ends_with("is a link, and state is only kept in plain folders"), "{error}");
            assert!(plain.journal(name).is_err(), "{name}");
            assert!(plain.replace(name, b"ours", Durability::Unsynced).is_err(), "{name}");
            assert!(plain.remove(name).is_err(), "{name}");
        }
        assert!(plain.child("folder").make_ignored().is_err());
        assert_eq!(fs::read(outside.path().join("file")).unwrap(), b"theirs");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    }

    /// The entrance to a path, from `root`.
    fn entrance(root: &Path, path: &str) -> (String, String) {
        let found = checkout::entrance(&root.join(path), checkout::End::Refused).unwrap();
        let root = fs::canonicalize(root).unwrap();
        let folder = found.folder.strip_prefix(root).map_or(found.folder.clone(), Path::to_owned);
        (folder.display().to_string(), found.below.display().to_string())
    }

    #[test]
    fn links_end_at_the_outermost_checkout_and_before_the_last_part() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir_all(at("one/.git/objects")).unwrap();
        fs::write(at("one/.git/HEAD"), "").unwrap();
        fs::create_dir_all(at("one/two/three")).unwrap();
        fs::write(at("one/two/.git"), "gitdir: elsewhere").unwrap();
        fs::create_dir_all(at("plain/.git")).unwrap();
        symlink("one", at("link")).unwrap();
        symlink("../plain", at("one/out")).unwrap();
        for (path, folder, below) in [
            ("one/state", "one", "state"),
            ("one/two/three/state", "one", "two/three/state"),
            ("link/two/state", "one", "two/state"),
            ("one/out/state", "one", "out/state"),
            ("one/two/../out/state", "one", "out/state"),
            ("one/../plain/state", "plain", "state"),
            ("one/absent/../../plain/state", "plain", "state"),
            ("plain/absent/state", "plain", "absent/state"),
            ("link", "", "link"),
            ("one", "", "one"),
        ] {
            assert_eq!(entrance(root.path(), path), (folder.to_owned(), below.to_owned()), "{path}");
        }
        let named = checkout::entrance(&at("link"), checkout::End::Followed).unwrap();
        assert_eq!(named.folder, fs::canonicalize(at("one")).unwrap());
        let below = checkout::entrance(&at("one/out"), checkout::End::Followed).unwrap().below;
        assert_eq!(below, Path::new("out"), "not below the top of a checkout");
    }

    #[test]
    fn nothing_is_waited_for_and_nothing_else_is_written() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        fs::write(at("file"), "theirs").unwrap();
        fs::hard_link(at("file"), at("other")).unwrap();
        symlink("/dev/zero", at("zero")).unwrap();
        for folder in [Folder::at(root.path()), Folder::of_state(root.path())] {
            for name in ["pipe", "zero"] {
                assert!(folder.read(name, 10).is_err_and(|error| is_unexpected(&error)), "{name}");
                assert!(folder.journal(name).is_err_and(|error| is_unexpected(&error)), "{name}");
                assert!(folder.lock(name).is_err_and(|error| is_unexpected(&error)), "{name}");
                assert!(folder.new_journal(name).is_err(), "{name}");
            }
            assert!(folder.journal("other").is_err() && folder.lock("other").is_err());
            assert_eq!(folder.read("other", 10).unwrap(), b"theirs");
        }
        let inside = Inside::below(root.path(), &Folder::at(root.path()), &[], ["pipe"].into_iter()).unwrap();
        assert!(matches!(inside.read("pipe", None, 10), Err(NotRead::Kind(FileKind::Other))));
        assert!(matches!(inside.read("zero", None, 10), Err(NotRead::Outside)));
        assert!(UserInput::at(&at("pipe")).read_regular(10).is_err());
        assert!(UserInput::at(&at("zero")).read_regular(10).is_err());
    }

    #[test]
    fn what_lies_inside_is_read_through_links_that_stay_there() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("a")).unwrap();
        fs::write(root.path().join("a/file"), "inside").unwrap();
        fs::write(outside.path().join("file"), "outside").unwrap();
        symlink("a", root.path().join("b")).unwrap();
        symlink("a/file", root.path().join("link")).unwrap();
        symlink(outside.path(), root.path().join("away")).unwrap();
        symlink(outside.path().join("file"), root.path().join("a/away")).unwrap();

        let folder = Folder::at(root.path());
        let names = ["a/file", "b/file", "link", "a/away", "away/file", "a", "absent"];
        let inside = Inside::below(root.path(), &folder, &[], names.into_iter()).unwrap();
        for name in ["a/file", "b/file", "link"] {
            assert_eq!(&*inside.read(name, None, 10).unwrap().bytes.unwrap(), b"inside", "{name}");
        }
        for name in ["a/away", "away/file"] {
            assert!(matches!(inside.read(name, None, 10), Err(NotRead::Outside)), "{name}");
        }
        // A file outside is not read just because the listing showed it as a file.
        assert!(matches!(inside.read("away/file", Some(FileKind::File), 10), Err(NotRead::Outside)));
        assert!(matches!(inside.read("a", None, 10), Err(NotRead::Kind(FileKind::Folder))));
        assert!(
            matches!(inside.read("absent", None, 10), Err(NotRead::Io(error)) if error.kind() == ErrorKind::NotFound)
        );
    }

    #[test]
    fn a_path_leads_where_its_links_do() {
        let root = tempfile::tempdir().unwrap();
        let real = fs::canonicalize(root.path()).unwrap();
        let at = |name: &str| root.path().join(name);
        symlink("nothing-yet", at("dangling")).unwrap();
        symlink("round", at("round")).unwrap();
        assert_eq!(place::destination(&at("dangling")).unwrap(), real.join("nothing-yet"));
        assert!(place::destination(&at("round")).is_err());
        assert_eq!(place::of(&at("dangling")), real.join("dangling"));
        assert!(place::is_taken(&at("dangling")) && place::is_link(&at("dangling")) && !place::exists(&at("dangling")));
        assert!(place::is_absent(&at("absent")) && !place::is_absent(&at("dangling")));
    }
}
