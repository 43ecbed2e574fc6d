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
    let inside = Inside::of(&folder, root.path(), ["file"].into_iter()).unwrap();
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
    let Locking::Taken(mut lock) = folder.lock("lock").unwrap() else { unreachable!("nobody has it") };
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
            assert!(error.to_string().ends_with("is a link; state is kept in plain folders only"), "{error}");
            assert!(plain.journal(name).is_err(), "{name}");
            assert!(plain.replace(name, b"ours", Durability::Unsynced).is_err(), "{name}");
            assert!(plain.remove(name).is_err(), "{name}");
        }
        assert!(plain.child("folder").make_ignored().is_err());
        assert_eq!(fs::read(outside.path().join("file")).unwrap(), b"theirs");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
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
        let inside = Inside::of(&folder, root.path(), names.into_iter()).unwrap();
        for name in ["a/file", "b/file", "link"] {
            assert_eq!(&*inside.read(name, None, 10).unwrap().bytes.unwrap(), b"inside", "{name}");
        }
        for name in ["a/away", "away/file"] {
            assert!(matches!(inside.read(name, None, 10), Err(NotRead::Outside)), "{name}");
        }
        // What was seen to be a file outside is not read on the strength of that.
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
