//! Finds out, before a write, whether a file cannot be replaced by another file of the same name.

use std::io;
use std::path::Path;

use super::place::folder_of;

/// The reason why the file at `path`, which has no links, cannot be replaced; `None` when no reason is known. The
/// folder may still not accept new files.
pub(super) fn why_irreplaceable(path: &Path) -> Option<io::Error> {
    if is_mounted(path) {
        Some(io::Error::new(io::ErrorKind::ResourceBusy, "it is mounted as a single file and cannot be replaced"))
    } else if is_marked(path) {
        Some(io::Error::new(io::ErrorKind::PermissionDenied, "it is marked as immutable or append-only"))
    } else if is_marked(folder_of(path)) {
        Some(io::Error::new(io::ErrorKind::PermissionDenied, "its folder is marked as immutable or append-only"))
    } else if is_kept(path) {
        let message = "it belongs to another user, in a folder where users may only replace their own files";
        Some(io::Error::new(io::ErrorKind::PermissionDenied, message))
    } else {
        None
    }
}

/// Whether the file is mounted as a single file, including from the file system that it is on.
#[cfg(target_os = "linux")]
fn is_mounted(path: &Path) -> bool {
    use rustix::fs::StatxAttributes;
    match facts(path) {
        Some(facts) if facts.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT) => {
            facts.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)
        }
        // Linux reports this since 5.8, and some containers forbid the call.
        _ => std::fs::read("/proc/self/mountinfo").is_ok_and(|table| is_mount_point(&table, path)),
    }
}

/// Whether a file's content, or a folder's list of names, cannot be changed even by those who may write to it.
#[cfg(target_os = "linux")]
fn is_marked(path: &Path) -> bool {
    use rustix::fs::StatxAttributes;
    let marks = StatxAttributes::IMMUTABLE | StatxAttributes::APPEND;
    facts(path).is_some_and(|facts| facts.stx_attributes.intersects(marks))
}

#[cfg(target_os = "linux")]
fn facts(path: &Path) -> Option<rustix::fs::Statx> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
    statx(CWD, path, AtFlags::empty(), StatxFlags::BASIC_STATS).ok()
}

/// On other systems, only folders can be mount points.
#[cfg(not(target_os = "linux"))]
const fn is_mounted(_: &Path) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
const fn is_marked(_: &Path) -> bool {
    false
}

/// Whether the folder allows users to replace only their own files, as /tmp does, and this file belongs to another
/// user. The superuser counts like any other user: in many containers it has no right to other users' files, and files
/// that are written in place keep their owner.
#[cfg(unix)]
fn is_kept(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    const STICKY: u32 = 0o1000;
    let user = rustix::process::geteuid().as_raw();
    let (Ok(folder), Ok(file)) = (std::fs::metadata(folder_of(path)), std::fs::metadata(path)) else { return false };
    folder.mode() & STICKY != 0 && ![folder.uid(), file.uid()].contains(&user)
}

#[cfg(not(unix))]
const fn is_kept(_: &Path) -> bool {
    false
}

/// Whether a table of mounts has an entry for a path. Comparing devices is not enough: a file can be mounted from the
/// file system that it is on.
#[cfg(target_os = "linux")]
fn is_mount_point(table: &[u8], path: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt as _;
    /// The place of the mount point in a line.
    const MOUNT_POINT: usize = 4;
    let mut written = Vec::new();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\\' => written.extend(format!("\\{byte:03o}").bytes()),
            _ => written.push(*byte),
        }
    }
    table.split(|byte| *byte == b'\n').any(|line| line.split(|byte| *byte == b' ').nth(MOUNT_POINT) == Some(&*written))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_found_in_the_table_of_mounts() {
        let table = b"22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
            36 22 254:0 /srv/token.json /run/secrets/oauth.json rw master:1 - ext4 /dev/vda rw\n\
            37 22 0:31 /a /mnt/with\\040blank\\134 ro - tmpfs tmpfs rw\n";
        for (path, expected) in [
            ("/run/secrets/oauth.json", true),
            ("/mnt/with blank\\", true),
            ("/", true),
            ("/run/secrets", false),
            ("/srv/token.json", false),
            ("/run/secrets/oauth.json2", false),
        ] {
            assert_eq!(is_mount_point(table, Path::new(path)), expected, "{path}");
        }
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        assert!(why_irreplaceable(&file).is_none());
    }
}
