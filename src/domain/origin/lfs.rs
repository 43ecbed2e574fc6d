//! Git LFS pointers: what a commit holds for a file that LFS keeps elsewhere.

use crate::domain::asset::Digest;
use crate::domain::state::Content;

/// The pointer that LFS commits in place of a file.
pub(crate) fn lfs_pointer(sha256: &Digest, bytes: u64) -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {bytes}\n")
}

/// The facts of a file in a commit. For a file that LFS keeps elsewhere, the commit holds a pointer with its SHA-256
/// and size.
pub(crate) fn committed(bytes: &[u8]) -> Content {
    let noted = || {
        let text = std::str::from_utf8(bytes).ok()?.strip_prefix("version https://git-lfs.github.com/spec/v1\n")?;
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let (sha256, size) = (field("oid sha256:")?.parse().ok()?, field("size ")?.parse().ok()?);
        Some(Content { sha256, size, appearance: None })
    };
    noted().unwrap_or_else(|| Content::of(bytes))
}
