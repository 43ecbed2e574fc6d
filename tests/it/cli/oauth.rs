//! An application's tokens: every command that talks to a portal works with them, also when they have expired.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use brandctl::domain::asset::Kind;
use brandctl::sandbox::Faults;
use brandctl::sandbox::faults::{FaultAction, On, When};

use crate::common::{Brand, Output, art, command, each, may_mount, tokens_of};

/// A brand whose environment has the token file of the application that the portal knows.
fn brand() -> Brand {
    authorised(Brand::new())
}

fn authorised(brand: Brand) -> Brand {
    let file = brand.portal.oauth_file();
    brand.with_tokens(file)
}

/// One create, one replace, one delete.
fn work() -> Brand {
    let brand = Brand::new().in_step(3).declares("icon/acme-new", 9);
    brand.draw("icon/acme-00", &art(Kind::Icon, 99));
    brand.undeclare("icon/acme-01");
    authorised(brand)
}

fn add(brand: &Brand) -> Output {
    brand.json("log add --entity deal:12 --title Sent --text here --icon info").ends_with(0)
}

#[test]
fn doctor_plan_apply_and_list_work_with_an_application() {
    let brand = work();
    let doctor = brand.writing_nothing(|| brand.both("doctor").ends_with(0));
    insta::assert_snapshot!(doctor.out(), @"
    ok       config       http://PORTAL, by the application of the file of BITRIX24_OAUTH_FILE
    ok       manifest     brand.yaml is for any portal
    ok       state        .brandctl/127.0.0.1_PORT can be written
    ok       dns          127.0.0.1 is 127.0.0.1
    ok       tcp          127.0.0.1 accepts connections on port PORT
    skipped  tls          plain http, which is allowed for this machine only
    ok       clock        the clocks of the portal and of this machine differ by less than 60 s
    ok       credentials  user 1, Sandbox Administrator
    ok       scope        `crm` is included
    ok       rights       the user is an administrator
    ok       methods      the portal has all 8 methods
    ok       downloads    the image of icon/acme-00 can be downloaded
    ok       limits       at most 2 requests per second, 50 at once; with an Enterprise plan, add --rps 5; 0 of 480 s of method time used

    Everything that apply needs works.
    ");
    let plan = brand.writing_nothing(|| brand.both("plan").ends_with(0));
    assert_eq!(plan.changes(), ["replace icon/acme-00", "delete icon/acme-01", "create icon/acme-new"]);
    brand.writing_nothing(|| brand.both("drift").ends_with(2));
    assert_eq!(brand.apply().ends_with(0).count("applied"), 3);
    assert_eq!(brand.plan().ends_with(0).changes(), [""; 0]);
    let list = brand.writing_nothing(|| brand.both("list").ends_with(0));
    assert_eq!(list.json["summary"]["managed"], 3);
    assert_eq!(brand.portal.refreshes(), 0, "tokens are renewed when they have expired, and not before");
}

#[test]
fn expired_tokens_are_renewed_once_by_whichever_command_finds_them() {
    for line in ["doctor", "plan", "list", "log list --entity deal:12", "apply --yes --settle 0.1"] {
        let brand = work();
        let old = tokens_of(&brand.portal.oauth_file());
        brand.portal.expire_access_tokens();
        let output = brand.json(line).ends_with(0);
        assert_eq!(brand.portal.refreshes(), 1, "{line}");
        let new = tokens_of(&brand.portal.oauth_file());
        assert!(old[0] != new[0] && old[1] != new[1] && old[2] == new[2], "{line}: the file has the new pair");
        assert!(old.iter().all(|secret| !output.text().contains(secret)), "{output:?}");
        brand.json("list").ends_with(0);
        assert_eq!(brand.portal.refreshes(), 1, "{line}: the next command goes on with it");
    }
}

#[test]
fn tokens_that_expire_between_two_writes_cost_no_write() {
    for number in 1..=4 {
        let brand = work();
        brand.fail(Faults::one(On::Write, When::Nth(number), FaultAction::ExpiredToken));
        let output = brand.apply().ends_with(0);
        assert_eq!(output.count("applied"), 3, "{output:?}");
        assert_eq!(brand.codes(), ["icon/acme-00", "icon/acme-02", "icon/acme-new"]);
        let came_to_it = brand.write_requests().len() as u64 >= number;
        assert_eq!(brand.portal.refreshes(), u64::from(came_to_it), "write {number}");
        assert!(came_to_it || number > 2, "there are several write requests");
        brand.fail(Faults::none());
        assert_eq!(brand.plan().ends_with(0).changes(), [""; 0]);
    }
}

#[test]
fn an_application_deletes_the_log_entries_that_it_added_and_no_others() {
    let brand = brand();
    assert_eq!(add(&brand).json["entries"][0]["id"], 1);
    let deleted = brand.run(["log", "delete", "1"]).ends_with(0);
    assert_eq!(deleted.stdout, "Deleted log entry 1.\n");
    let again = brand.both("log delete 1").ends_with(1);
    insta::assert_snapshot!(again.err(), @"
    portal: PORTAL, with the application of the file of BITRIX24_OAUTH_FILE
    error[portal]: PORTAL answered 400 and error NOT_FOUND: Timeline logmessage not found for id `1`
    ");
    assert_eq!(add(&brand).json["entries"][0]["id"], 2);
    let other = brand.portal.other_oauth_file();
    let brand = brand.with_tokens(other);
    let refused = brand.both("log delete 2").ends_with(1);
    insta::assert_snapshot!(refused.err(), @"
    portal: PORTAL, with the application of the file of BITRIX24_OAUTH_FILE
    error[portal]: PORTAL answered 400 and error REMOVING_DISABLED: Only the application that added a log message can delete it
      = help: only the application that added an entry can delete it, and this application did not add it
    ");
    let entries = brand.json("log list --entity deal:12").ends_with(0);
    assert_eq!(entries.json["entries"].as_array().unwrap().len(), 1);
}

#[test]
fn a_file_that_is_no_token_file_is_told_by_name_and_nothing_is_sent() {
    for (text, told) in [
        ("", "does not hold a JSON object"),
        ("[1]", "does not hold a JSON object"),
        ("{\"domain\":\"acme.example\",\"access_token\":5}", "no text in its field `client_id`"),
        ("{\"domain\":\"http://acme.example/\"}", "no https:// address in its field `domain`"),
    ] {
        let brand = Brand::new();
        let file = brand.path("tokens.json");
        std::fs::write(&file, text).unwrap();
        let brand = brand.with_tokens(file);
        for line in ["list", "plan", "apply --yes", "log get 1"] {
            let output = brand.both(line).ends_with(1);
            assert_eq!(output.errors(), ["credentials"], "{text}: {output:?}");
            assert!(output.stderr.contains(told) && output.stderr.contains("BITRIX24_OAUTH_FILE"), "{output:?}");
        }
        assert!(brand.portal.requests().is_empty());
    }
    // To read a folder or a pipe would be of no use.
    let brand = Brand::new();
    let folder = brand.path("icons");
    let output = brand.with_tokens(folder).both("list").ends_with(1);
    assert!(output.stderr.contains("it is not a regular file"), "{output:?}");
}

#[test]
fn a_refresh_token_that_is_used_up_says_what_to_do() {
    let brand = brand();
    let file = brand.portal.oauth_file();
    let text = std::fs::read_to_string(&file).unwrap().replace(&tokens_of(&file)[1], "q7w8e9r0t1y2u3i4");
    std::fs::write(&file, text).unwrap();
    brand.portal.expire_access_tokens();
    for line in ["list", "plan", "apply --yes"] {
        let output = brand.writing_nothing(|| brand.both(line).ends_with(1));
        assert!(output.stderr.contains("invalid_grant") && output.stderr.contains("authorised"), "{output:?}");
    }
}

/// Returns early where the user may not mount: a container without rights has no files that it could mount alone.
#[test]
fn a_token_file_that_is_mounted_alone_is_written_where_it_is() {
    if !may_mount() {
        return;
    }
    for line in ["list", "doctor", "apply --yes --settle 0.1"] {
        let brand = work().mounting_tokens("rw");
        let file = brand.portal.oauth_file();
        let (old, inode) = (tokens_of(&file), fs::metadata(&file).unwrap().ino());
        // What is shorter than before must leave nothing of that behind.
        fs::write(&file, format!("{}{}\n", fs::read_to_string(&file).unwrap().trim_end(), " ".repeat(3000))).unwrap();
        brand.portal.expire_access_tokens();
        brand.json(line).ends_with(0);
        let new = tokens_of(&file);
        assert!(old[0] != new[0] && old[1] != new[1] && old[2] == new[2], "{line}: the file has the new pair");
        assert_eq!(fs::metadata(&file).unwrap().ino(), inode, "{line}");
        brand.json("list").ends_with(0);
        assert_eq!(brand.portal.refreshes(), 1, "{line}");
    }
}

/// Returns early where the user may not mount: as the superuser, who runs this as often as not, may write to any other file.
#[test]
fn a_refresh_token_is_not_spent_when_its_file_can_be_neither_replaced_nor_written() {
    if !may_mount() {
        return;
    }
    let brand = work().mounting_tokens("ro");
    let file = brand.portal.oauth_file();
    let before = fs::read(&file).unwrap();
    let why = "oauth.json) cannot be rewritten with a new one: it is mounted as a single file and cannot be replaced, and it cannot be written in place: Read-only file system";
    let doctor = brand.both("doctor");
    assert!(doctor.stdout.contains("the access token will expire, and") && doctor.stdout.contains(why), "{doctor:?}");
    brand.portal.expire_access_tokens();
    for line in ["list", "plan", "apply --yes"] {
        let output = brand.writing_nothing(|| brand.both(line).ends_with(1));
        assert!(
            output.stderr.contains(why) && output.stderr.contains("allow brandctl to write to that file"),
            "{output:?}"
        );
    }
    assert_eq!((brand.portal.refreshes(), fs::read(&file).unwrap()), (0, before));
    brand.with_tokens(file).mounting_tokens("rw").json("list").ends_with(0);
}

/// Returns early where the user may not become another: only the superuser may, to whom no folder is closed.
#[test]
fn a_token_file_in_a_folder_that_takes_no_other_is_written_where_it_is() {
    const NOBODY: u32 = 65534;
    for (folder_mode, owner, file_mode) in [(0o755, NOBODY, 0o600), (0o1777, 0, 0o666)] {
        let brand = brand();
        let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let (work, folder) = (brand.path("work"), brand.path("tokens"));
        fs::create_dir(&work).unwrap();
        fs::create_dir(&folder).unwrap();
        open(brand.folder.path(), 0o755);
        open(&work, 0o777);
        open(&folder, folder_mode);
        let file = folder.join("oauth.json");
        fs::copy(brand.portal.oauth_file(), &file).unwrap();
        open(&file, file_mode);
        let nobody = [NOBODY.to_string(), "--regid".to_owned(), NOBODY.to_string(), "--clear-groups".to_owned()];
        let plain = command(&work);
        let mut listing = Command::new("setpriv");
        listing.arg("--reuid").args(nobody).arg(plain.get_program()).arg("list").current_dir(&work);
        if std::os::unix::fs::chown(&file, Some(owner), None).is_err() {
            return;
        }
        let inode = fs::metadata(&file).unwrap().ino();
        brand.portal.expire_access_tokens();
        let output = listing.env("BITRIX24_OAUTH_FILE", &file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(brand.portal.refreshes(), 1);
        assert_ne!(tokens_of(&file), tokens_of(&brand.portal.oauth_file()));
        assert_eq!(fs::metadata(&file).unwrap().ino(), inode);
        brand.with_tokens(file).json("list").ends_with(0);
    }
}

/// A folder that takes new files and gives none of its names to another.
struct AppendOnly<'a>(&'a Path);

impl AppendOnly<'_> {
    fn mark(&self, mark: &str) -> bool {
        Command::new("chattr").arg(mark).arg(self.0).output().is_ok_and(|marked| marked.status.success())
    }
}

impl Drop for AppendOnly<'_> {
    fn drop(&mut self) {
        self.mark("-a");
    }
}

/// Returns early where the user may not mark a folder: only the superuser may, and not on each file system.
#[test]
fn a_token_file_in_a_folder_that_only_takes_files_is_written_where_it_is() {
    let brand = brand();
    let folder = brand.path("tokens");
    fs::create_dir(&folder).unwrap();
    let file = folder.join("oauth.json");
    fs::copy(brand.portal.oauth_file(), &file).unwrap();
    let brand = brand.with_tokens(file.clone());
    let (old, inode) = (tokens_of(&file), fs::metadata(&file).unwrap().ino());
    let marked = AppendOnly(&folder);
    if !marked.mark("+a") {
        return;
    }
    brand.portal.expire_access_tokens();
    brand.json("list").ends_with(0);
    let new = tokens_of(&file);
    assert!(old[0] != new[0] && old[1] != new[1] && old[2] == new[2], "the file has the new pair");
    assert_eq!(fs::metadata(&file).unwrap().ino(), inode);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
    brand.json("list").ends_with(0);
    assert_eq!(brand.portal.refreshes(), 1);
}

/// Returns early where the user may not give files away: only the superuser may. In many containers, this one has no right to
/// another user's files.
#[test]
fn a_token_file_of_another_in_a_folder_where_each_has_their_own_is_written_also_by_a_superuser_with_few_rights() {
    let brand = brand();
    let (work, folder) = (brand.path("work"), brand.path("tokens"));
    for folder in [&work, &folder] {
        fs::create_dir(folder).unwrap();
    }
    let file = folder.join("oauth.json");
    fs::copy(brand.portal.oauth_file(), &file).unwrap();
    for (path, mode, owner) in [(&folder, 0o1777, 1001), (&file, 0o666, 1000)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        if std::os::unix::fs::chown(path, Some(owner), None).is_err() {
            return;
        }
    }
    let (old, inode) = (tokens_of(&file), fs::metadata(&file).unwrap().ino());
    let plain = command(&work);
    let mut listing = Command::new("setpriv");
    listing.args(["--bounding-set=-fowner,-dac_override,-dac_read_search", "--inh-caps=-all"]);
    listing.arg(plain.get_program()).arg("list").current_dir(&work).env("BITRIX24_OAUTH_FILE", &file);
    brand.portal.expire_access_tokens();
    let output = listing.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let new = tokens_of(&file);
    assert!(old[0] != new[0] && old[1] != new[1] && old[2] == new[2], "the file has the new pair");
    assert_eq!(fs::metadata(&file).unwrap().ino(), inode);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
    assert_eq!(brand.portal.refreshes(), 1);
}

#[test]
fn a_new_pair_that_cannot_be_stored_ends_as_an_error_and_the_work_is_done_all_the_same() {
    each(["list", "plan", "drift", "doctor", "export out", "apply --yes --settle 0.1"], |line| {
        let brand = work();
        let file = brand.portal.oauth_file();
        brand.portal.expire_access_tokens();
        let token_server = On::Method("oauth/token".to_owned());
        brand.fail(Faults::one(token_server, When::Every, FaultAction::Delay(Duration::from_secs(1))));
        let output = std::thread::scope(|scope| {
            let running = scope.spawn(|| brand.run(line.split(' ')));
            let begun = Instant::now();
            while brand.seen(|request| request.method == "oauth/token") == 0 {
                assert!(begun.elapsed() < Duration::from_secs(20), "nothing was renewed");
                std::thread::sleep(Duration::from_millis(5));
            }
            // Something else takes the file's place while the server thinks.
            fs::remove_file(&file).unwrap();
            fs::create_dir(&file).unwrap();
            running.join().unwrap().ends_with(1)
        });
        let told = format!("{}{}", output.stdout, output.stderr);
        assert!(told.contains("the new tokens cannot be stored in the file of BITRIX24_OAUTH_FILE"), "{told}");
        assert!(told.contains("authorise the application on the portal again"), "{told}");
        assert_eq!(brand.portal.refreshes(), 1, "{line}: the new token is used");
        if line.starts_with("apply") {
            assert_eq!(brand.codes(), ["icon/acme-00", "icon/acme-02", "icon/acme-new"]);
            assert_eq!(brand.image("icon/acme-00"), Some(art(Kind::Icon, 99)));
        }
    });
}
