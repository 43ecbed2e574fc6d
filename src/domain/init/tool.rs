//! Where CI installs brandctl from.

/// The address of brandctl's own repository, from which a release is installed; empty until it is published. Every other
/// place derives it from here.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// The archive of this version, below a repository's address: what release/build makes, where GitHub and its like keep it.
const RELEASE: &str = concat!(
    "/releases/download/v",
    env!("CARGO_PKG_VERSION"),
    "/brandctl-",
    env!("CARGO_PKG_VERSION"),
    "-x86_64-unknown-linux-gnu.tar.gz"
);

/// The longest address, in bytes.
const MAX_BYTES: usize = 500;

/// The forms of an address, for a person who typed another one.
const FORMS: &str = "write the https URL of an archive, as in https://HOST/brandctl.tar.gz#sha256=SUM, or of a repository with \
                     releases, as in https://HOST/OWNER/NAME";

/// The https URL of an archive, with or without its SHA-256 sum. Nothing in it means
/// anything to YAML in double quotes, to a shell, or to the systems that expand `$`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tool {
    /// The URL, without a fragment.
    url: String,
    /// 64 lower-case hexadecimal digits.
    sum: Option<String>,
}

impl Tool {
    /// Reads an address, with errors for the person who typed it. They do not repeat it: it may hold a password.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("use a URL of at most {MAX_BYTES} characters"));
        }
        Self::read(text).map_err(|why| format!("{why}: {FORMS}"))
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        let rest = text.strip_prefix("https://").ok_or("the URL does not begin with https://")?;
        let (address, sum) = rest.split_once('#').map_or((rest, None), |(address, sum)| (address, Some(sum)));
        let (authority, path) = address.split_once('/').unwrap_or((address, ""));
        if authority.contains('@') {
            return Err("the URL holds a user name or a password, and many can read a CI file");
        }
        if address.contains('?') {
            return Err("the URL holds a query, which often is a password");
        }
        if !is_authority(authority) {
            return Err("the URL does not name a host");
        }
        if !path.chars().all(is_plain) || path.split('/').any(|part| matches!(part, "." | "..")) {
            return Err("the URL holds more than letters, digits and the characters -._~%+=:,/");
        }
        let is_archive = path.ends_with(".tar.gz");
        if sum.is_some() && !is_archive {
            return Err("a sum belongs to a .tar.gz file");
        }
        let sum = sum.map(|sum| sha256(sum).ok_or("what follows # is not sha256= and 64 hexadecimal digits"));
        let sum = sum.transpose()?;
        let path = if is_archive { path } else { path.trim_end_matches('/').trim_end_matches(".git") };
        if path.is_empty() {
            return Err("the URL has only a host");
        }
        if !is_archive && !is_repository(path) {
            return Err("the URL is neither that of a .tar.gz file nor that of a repository");
        }
        let release = if is_archive { "" } else { RELEASE };
        Ok(Self { url: format!("https://{authority}/{path}{release}"), sum })
    }

    /// The releases of brandctl's own repository, once it has an address.
    pub(crate) fn of_release() -> Option<Self> {
        Self::parse(REPOSITORY).ok()
    }

    /// Whether the sum is known here. Otherwise it is read from beside the archive, where whoever can replace one can
    /// replace both.
    pub(crate) const fn is_pinned(&self) -> bool {
        self.sum.is_some()
    }

    /// The URL and the sum.
    pub(super) fn address(&self) -> String {
        match &self.sum {
            Some(sum) => format!("{}#sha256={sum}", self.url),
            None => self.url.clone(),
        }
    }
}

/// Whether a path is that of a repository: an owner and a name, and not a page or a file of it.
fn is_repository(path: &str) -> bool {
    const PAGES: [&str; 6] = ["-", "archive", "blob", "raw", "releases", "tree"];
    const FILES: [&str; 8] = [".deb", ".gz", ".tar", ".tgz", ".txz", ".whl", ".xz", ".zip"];
    let mut parts = path.split('/');
    let is_file = FILES.iter().any(|ending| path.to_ascii_lowercase().ends_with(ending));
    path.contains('/') && parts.all(|part| !part.is_empty() && !PAGES.contains(&part)) && !is_file
}

/// A host and perhaps a port.
fn is_authority(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    host.split('.').all(is_label) && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

const fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~' | '%' | '+' | '=' | ':' | ',' | '/')
}

/// The sum in `sha256=SUM`, in lower case.
fn sha256(text: &str) -> Option<String> {
    let sum = text.strip_prefix("sha256=")?;
    (sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| sum.to_ascii_lowercase())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SUM: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn an_archive_or_a_repository_is_an_address() {
        let pinned = format!("https://files.example.com:8443/a/b%20c/x_1.0+2.tar.gz#sha256={SUM}");
        for (text, shown) in [
            (pinned.as_str(), pinned.as_str()),
            ("https://example.com/x.tar.gz", "https://example.com/x.tar.gz"),
            ("https://example.com/owner/name", &format!("https://example.com/owner/name{RELEASE}")),
            ("https://example.com/owner/name.git/", &format!("https://example.com/owner/name{RELEASE}")),
        ] {
            let tool = Tool::parse(text).unwrap();
            assert_eq!((tool.address().as_str(), tool.is_pinned()), (shown, text.contains('#')));
        }
        let upper = Tool::parse(&format!("https://e.com/x.tar.gz#sha256={}", SUM.to_uppercase())).unwrap();
        assert_eq!(upper.address(), format!("https://e.com/x.tar.gz#sha256={SUM}"));
    }

    #[test]
    fn what_could_leak_or_break_out_is_refused_and_not_repeated() {
        let long = format!("https://example.com/{}", "secret".repeat(100));
        for (text, why) in [
            ("", "does not begin with https://"),
            ("http://example.com/secret.tar.gz", "does not begin with https://"),
            ("file:///secret.tar.gz", "does not begin with https://"),
            ("-secret", "does not begin with https://"),
            ("https://user:secret@example.com/x.tar.gz", "a user name or a password"),
            ("https://secret@example.com/x.tar.gz", "a user name or a password"),
            ("https://example.com/x.tar.gz?token=secret", "a query"),
            ("https:///secret", "does not name a host"),
            ("https://exa mple.com/secret", "does not name a host"),
            ("https://-x.com/secret", "does not name a host"),
            ("https://example.com:99999/secret", "does not name a host"),
            ("https://example.com", "only a host"),
            ("https://example.com/", "only a host"),
            ("https://example.com/$(secret)", "holds more than"),
            ("https://example.com/`secret`", "holds more than"),
            ("https://example.com/\"secret", "holds more than"),
            ("https://example.com/secret'", "holds more than"),
            ("https://example.com/secret;x", "holds more than"),
            ("https://example.com/secret\nx", "holds more than"),
            ("https://example.com/secret\u{202e}", "holds more than"),
            ("https://example.com/${{ secret }}", "holds more than"),
            ("https://example.com/$[[ secret ]]", "holds more than"),
            ("https://example.com/../secret", "holds more than"),
            ("https://example.com/x.tar.gz#sha256=secret", "is not sha256= and 64"),
            ("https://example.com/owner/secret.tgz", "neither that of a .tar.gz file nor"),
            ("https://example.com/owner/secret-py3-none-any.whl", "neither that of a .tar.gz file nor"),
            ("https://example.com/owner/secret/releases", "neither that of a .tar.gz file nor"),
            ("https://example.com/owner/secret/releases/tag/v1", "neither that of a .tar.gz file nor"),
            ("https://example.com/owner/secret/-/tree/main", "neither that of a .tar.gz file nor"),
            ("https://example.com/owner//secret", "neither that of a .tar.gz file nor"),
            ("https://example.com/secret", "neither that of a .tar.gz file nor"),
            ("https://example.com/x.tar.gz#secret", "is not sha256= and 64"),
            ("https://example.com/owner/name#sha256=secret", "belongs to a .tar.gz file"),
            (long.as_str(), "at most 500"),
        ] {
            let error = Tool::parse(text).unwrap_err();
            assert!(error.contains(why) && !error.contains("secret"), "{text}: {error}");
        }
    }

    #[test]
    fn a_published_repository_is_an_address() {
        assert_eq!(Tool::of_release().is_some(), !REPOSITORY.is_empty());
    }

    proptest! {
        #[test]
        fn what_is_accepted_means_nothing_to_yaml_or_a_shell(text in "https://[a-z.:@]{1,6}/[ -~\n\u{7f}é]{0,12}(#sha256=[0-9a-f]{64})?") {
            if let Ok(tool) = Tool::parse(&text) {
                let address = tool.address();
                prop_assert!(!address.contains(|c: char| !c.is_ascii_graphic() || "\"'\\`$&;|<>(){}[]*?!@".contains(c)), "{address}");
                prop_assert_eq!(Tool::parse(&address).unwrap(), tool);
            }
        }
    }
}
