//! Credentials: they come from the environment, never from a flag or the manifest.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::finding::Finding;
use crate::portal::{Access, Application, Webhook};
use crate::store::TokenFile;
use crate::store::files::{UserInput, mark_secret};

/// The variables that can hold credentials. The first one that is set and not empty wins.
const VARIABLES: [(&str, Holds); 6] = [
    ("BITRIX24_WEBHOOK_URL", Holds::Webhook),
    ("BITRIX_WEBHOOK_URL", Holds::Webhook),
    ("B24_WEBHOOK_URL", Holds::Webhook),
    ("B24_HOOK", Holds::Webhook),
    ("BITRIX24_WEBHOOK_URL_FILE", Holds::WebhookFile),
    ("BITRIX24_OAUTH_FILE", Holds::TokenFile),
];

/// The maximum size of a file with a webhook, in bytes.
const MAX_WEBHOOK_FILE_BYTES: u64 = 64 * 1024;
/// The maximum size of a certificate bundle, in bytes: those of operating systems have a quarter of a MiB.
const MAX_CA_BUNDLE_BYTES: u64 = 16 * 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// A webhook's URL.
    Webhook,
    /// The path of a file with a webhook's URL.
    WebhookFile,
    /// The path of a file with an application's tokens.
    TokenFile,
}

/// The credentials, and their source.
#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) access: Access,
    /// Such as `the webhook of BITRIX24_WEBHOOK_URL`.
    pub(super) source: String,
    /// Variables that are also set, and ignored.
    pub(super) ignored: Vec<&'static str>,
}

/// Finds the credentials in the environment.
pub(super) fn find() -> Result<Credentials, Box<Finding>> {
    find_in(|name| std::env::var_os(name))
}

/// The files that the environment names for credentials.
pub(super) fn files() -> impl Iterator<Item = (&'static str, PathBuf)> {
    VARIABLES
        .into_iter()
        .filter(|(_, holds)| *holds != Holds::Webhook)
        .filter_map(|(name, _)| Some((name, std::env::var_os(name).filter(|value| !value.is_empty())?.into())))
}

/// Keeps the files that the environment names for credentials from being read as anything else.
pub(super) fn keep_files_secret() {
    files().for_each(|(_, path)| mark_secret(&path));
}

/// Whether the environment names any credentials, valid or not.
pub(super) fn are_named() -> bool {
    VARIABLES.iter().any(|(name, _)| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn find_in(variable: impl Fn(&str) -> Option<OsString>) -> Result<Credentials, Box<Finding>> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let mut present = VARIABLES.into_iter().filter_map(|(name, holds)| set(name).map(|value| (name, holds, value)));
    let Some((name, holds, value)) = present.next() else {
        let empty = VARIABLES.into_iter().map(|(name, _)| name).find(|name| variable(name).is_some());
        return Err(empty.map_or_else(none, is_empty));
    };
    let ignored = present.map(|(name, ..)| name).collect();
    let file = format!("the file of {name}");
    let (access, source) = match holds {
        Holds::Webhook => {
            let text = value.into_string().map_err(|_| refused(format!("{name} is not UTF-8 text"), ""))?;
            (webhook(&text, name)?, format!("the webhook of {name}"))
        }
        Holds::WebhookFile => {
            let path = PathBuf::from(value);
            let text = UserInput::at(&path)
                .read_secret(MAX_WEBHOOK_FILE_BYTES)
                .and_then(|bytes| String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8 text")));
            let text = text.map_err(|error| {
                let message = format!("{file}, {}, cannot be read: {error}", path.display());
                refused(message, "it should hold one line: the webhook's URL")
            })?;
            (webhook(&text, &file)?, format!("the webhook of {file}"))
        }
        Holds::TokenFile => {
            let tokens = TokenFile::new(&PathBuf::from(value), &file);
            let application = Application::open(Box::new(tokens)).map_err(|error| {
                let hint = "it should hold a JSON object with domain, access_token, refresh_token, client_id and \
                            client_secret";
                refused(error.to_string(), hint)
            })?;
            (application.into(), format!("the application of {file}"))
        }
    };
    Ok(Credentials { access, source, ignored })
}

/// The file of `--ca-cert`.
pub(super) fn ca_bundle(path: &Path) -> Result<Vec<u8>, Box<Finding>> {
    UserInput::at(path).read(MAX_CA_BUNDLE_BYTES).map_err(|error| {
        refused(
            format!("the file of --ca-cert, {}, cannot be read: {error}", path.display()),
            "it should be a PEM file with the certificates of the portal's certificate authority",
        )
    })
}

fn webhook(text: &str, source: &str) -> Result<Access, Box<Finding>> {
    Webhook::parse(text, source).map(Access::from).map_err(|error| refused(error.to_string(), error.help()))
}

pub(super) fn none() -> Box<Finding> {
    refused(
        "no credentials: none of the environment variables for them is set".to_owned(),
        "set BITRIX24_WEBHOOK_URL to the webhook's URL (or BITRIX24_WEBHOOK_URL_FILE to a file with it, or \
         BITRIX24_OAUTH_FILE to a file with an application's tokens), or add --sandbox to try it without a portal",
    )
}

fn is_empty(name: &str) -> Box<Finding> {
    refused(
        format!("no credentials: {name} is set, but empty"),
        "check that the secret exists and that this job may read it: CI does not give secrets to pull requests from forks or to unprotected branches",
    )
}

fn refused(message: String, hint: &str) -> Box<Finding> {
    let finding = Finding::error("credentials", message);
    Box::new(if hint.is_empty() { finding } else { finding.help(hint) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]
    use super::*;

    const SECRET: &str = "s3cr3tS3cr3t";

    fn webhook(host: &str) -> String {
        format!("https://{host}/rest/1/{SECRET}/")
    }

    /// Each variable leads to a host of its own.
    fn all(folder: &std::path::Path) -> Vec<(&'static str, OsString, String)> {
        let file = |name: &str, text: String| {
            std::fs::write(folder.join(name), text).unwrap();
            folder.join(name).into_os_string()
        };
        let tokens = format!(
            r#"{{"domain":"host5.example","access_token":"{SECRET}","refresh_token":"r","client_id":"c","client_secret":"s"}}"#
        );
        let values = (0..4).map(|index| webhook(&format!("host{index}.example")).into());
        let files = [file("webhook", format!("{}\n", webhook("host4.example"))), file("oauth", tokens)];
        VARIABLES
            .into_iter()
            .zip(values.chain(files))
            .enumerate()
            .map(|(index, ((name, _), value))| (name, value, format!("host{index}.example")))
            .collect()
    }

    #[test]
    fn the_first_that_is_set_wins_and_the_others_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let all = all(folder.path());
        for (first, (name, _, host)) in all.iter().enumerate() {
            let found = find_in(|asked| {
                let at = all.iter().position(|(name, ..)| *name == asked)?;
                // One that is empty counts as absent.
                Some(if at < first { OsString::new() } else { all[at].1.clone() })
            })
            .unwrap();
            assert_eq!(found.access.host(), host);
            assert!(found.source.contains(name) && !format!("{found:?}").contains(SECRET), "{found:?}");
            let rest: Vec<_> = all[first + 1..].iter().map(|(name, ..)| *name).collect();
            assert_eq!(found.ignored, rest);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_never_ends_is_not_read_to_its_end() {
        for (name, why) in [
            ("BITRIX24_WEBHOOK_URL_FILE", "it is longer than 65536 bytes"),
            ("BITRIX24_OAUTH_FILE", "it is not a regular file"),
        ] {
            let finding = find_in(|asked| (asked == name).then(|| "/dev/zero".into())).unwrap_err();
            assert!(finding.message.contains(name) && finding.message.ends_with(why), "{finding:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("long");
        std::fs::write(&long, vec![b' '; 2 << 20]).unwrap();
        let finding = find_in(|asked| (asked == "BITRIX24_OAUTH_FILE").then(|| long.clone().into())).unwrap_err();
        assert!(finding.message.ends_with("it is longer than 1048576 bytes"), "{finding:?}");
    }

    #[test]
    fn what_is_wrong_names_the_variable_and_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, SECRET).unwrap();
        let absent = folder.path().join("absent");
        for (name, value) in [
            ("BITRIX24_WEBHOOK_URL", SECRET.into()),
            ("B24_HOOK", SECRET.into()),
            ("BITRIX24_WEBHOOK_URL_FILE", file.clone().into_os_string()),
            ("BITRIX24_WEBHOOK_URL_FILE", absent.clone().into_os_string()),
            ("BITRIX24_OAUTH_FILE", file.into_os_string()),
            ("BITRIX24_OAUTH_FILE", absent.into_os_string()),
        ] {
            let finding = find_in(|asked| (asked == name).then(|| value.clone())).unwrap_err();
            let shown = format!("{finding:?}");
            assert!(finding.message.contains(name) && !shown.contains(SECRET), "{shown}");
        }
        // A broken first one is not passed over for a sound second one.
        let finding = find_in(|asked| match asked {
            "BITRIX24_WEBHOOK_URL" => Some("nonsense".into()),
            "B24_HOOK" => Some(webhook("acme.example").into()),
            _ => None,
        });
        assert!(finding.is_err());
        let finding = find_in(|_| None).unwrap_err();
        assert!(format!("{finding:?}").contains("BITRIX24_OAUTH_FILE"), "{finding:?}");
    }
}
