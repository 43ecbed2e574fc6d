//! The lines that install brandctl, where they download it.

use std::fs;
use std::path::{Path, PathBuf};

use super::servers::Server;
use crate::shared::init::{archive, command, stderr};

const INSTALL: &str = include_str!("../../../src/domain/init/install.sh");

/// Installs from `tool` with a shell: its exit code and its words.
fn install(home: &Path, shell: &str, tool: &str) -> (Option<i32>, String) {
    let mut shell = command(shell, &home.join("checkout"));
    shell.args(["-ec", &format!("{INSTALL}\ncommand -v brandctl")]).env("BRANDCTL_TOOL", tool);
    shell.env("TMPDIR", home).env("PATH", "/usr/bin:/bin");
    shell.env("CURL_CA_BUNDLE", home.join("cert.pem")).env("no_proxy", "*");
    let output = shell.output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output))
}

#[test]
fn an_archive_is_downloaded_and_checked() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| -> PathBuf { home.path().join(name) };
    fs::create_dir(at("checkout")).unwrap();
    let releases = at("files/owner/name/releases/download").join(concat!("v", env!("CARGO_PKG_VERSION")));
    fs::create_dir_all(&releases).unwrap();
    let (packed, sum) = archive(&releases);
    let name = packed.file_name().unwrap().to_str().unwrap();
    fs::copy(&packed, at("files/x.tar.gz")).unwrap();
    let whole = fs::read(&packed).unwrap();
    fs::write(at("files/cut.tar.gz"), &whole[..whole.len() / 2]).unwrap();
    fs::write(at("files/cut.tar.gz.sha256"), format!("{sum}  cut.tar.gz\n")).unwrap();
    let server = Server::files(&at("files"), home.path());
    let url = format!("https://127.0.0.1:{}", server.port);
    let download = format!("{url}/owner/name/releases/download/v{}/{name}", env!("CARGO_PKG_VERSION"));
    let other = "0".repeat(64);
    let cases = [
        (download, None),
        (format!("{url}/x.tar.gz#sha256={sum}"), None),
        (format!("{url}/moved/x.tar.gz#sha256={sum}"), None),
        (format!("{url}/x.tar.gz#sha256={other}"), Some("does not have the SHA-256 sum 000")),
        (format!("{url}/x.tar.gz"), Some("x.tar.gz.sha256 cannot be read")),
        (format!("{url}/cut.tar.gz"), Some("does not have the SHA-256 sum")),
        (format!("{url}/gone.tar.gz"), Some("gone.tar.gz cannot be read")),
        (format!("{url}/owner/name"), Some("neither an https URL nor")),
        (format!("{url}/clear/x.tar.gz#sha256={sum}"), Some("cannot be read")),
        (format!("{url}/around/x.tar.gz#sha256={sum}"), Some("cannot be read")),
        (url.replace("https", "http") + "/x.tar.gz", Some("neither an https URL nor")),
    ];
    let (home, cases) = (home.path(), &cases);
    std::thread::scope(|scope| {
        for shell in ["sh", "bash"] {
            scope.spawn(move || {
                for (tool, refused) in cases {
                    let (code, said) = install(home, shell, tool);
                    assert_eq!(code, Some(i32::from(refused.is_some())), "{shell} {tool}: {said}");
                    let found = said.contains(&format!("{}/brandctl-install.", home.display()));
                    assert_eq!(found, refused.is_none(), "{shell} {tool}: {said}");
                    assert!(refused.is_none_or(|why| said.contains(why)), "{shell} {tool}: {said}");
                }
            });
        }
    });
}

/// The release of the action's own version, from the repository that the action came from.
#[test]
fn the_action_installs_its_own_release() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| -> PathBuf { home.path().join(name) };
    fs::create_dir(at("checkout")).unwrap();
    for version in [env!("CARGO_PKG_VERSION"), "9.9.9"] {
        let releases = at("files/no--owner/brandctl/releases/download").join(format!("v{version}"));
        fs::create_dir_all(&releases).unwrap();
        let (packed, sum) = archive(&releases);
        let name = packed.file_name().unwrap().to_str().unwrap().replace(env!("CARGO_PKG_VERSION"), version);
        fs::rename(&packed, releases.join(&name)).unwrap();
        fs::write(releases.join(format!("{name}.sha256")), format!("{sum}  {name}\n")).unwrap();
    }
    let server = Server::files(&at("files"), home.path());
    for (version, from, works) in [
        ("", "", true),
        ("9.9.9", "", true),
        ("v9.9.9", "", true),
        ("8.8.8", "", false),
        ("", "https://127.0.0.1:1/x.tar.gz", false),
    ] {
        let mut bash = command("bash", &at("checkout"));
        let install = concat!(env!("CARGO_MANIFEST_DIR"), "/action/install");
        bash.arg(install).env("GITHUB_ACTION_PATH", env!("CARGO_MANIFEST_DIR")).env("PATH", "/usr/bin:/bin");
        bash.env("ACTION_REPOSITORY", "no--owner/brandctl").env("RUNNER_TEMP", home.path()).env("no_proxy", "*");
        bash.env("GITHUB_SERVER_URL", format!("https://127.0.0.1:{}", server.port));
        bash.env("GITHUB_PATH", at("path")).env("GITHUB_WORKSPACE", at("checkout"));
        bash.env("CURL_CA_BUNDLE", at("cert.pem")).env("INSTALL_VERSION", version).env("INSTALL_FROM", from);
        let output = bash.output().unwrap();
        assert_eq!(output.status.success(), works, "{version} {from}: {}", stderr(&output));
        let named = if version.is_empty() { env!("CARGO_PKG_VERSION") } else { version.trim_start_matches('v') };
        let wanted = if from.is_empty() { format!("/download/v{named}/brandctl-{named}-") } else { from.to_owned() };
        assert!(works || stderr(&output).contains(&wanted), "{}", stderr(&output));
    }
    let added = fs::read_to_string(at("path")).unwrap();
    assert_eq!(added.lines().filter(|folder| Path::new(folder).join("brandctl").is_file()).count(), 3);
}
