//! Servers of this folder's Python scripts, which end with the test.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::HERE;

pub(super) struct Server {
    process: Child,
    pub(super) port: u16,
}

impl Server {
    fn start(script: &str, arguments: &[&Path]) -> Self {
        let mut command = Command::new("python3");
        command.arg(Path::new(HERE).join(script)).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        Self { process, port: said.trim().parse().unwrap() }
    }

    /// GitHub's interface for comments.
    pub(super) fn github() -> Self {
        Self::start("github_api.py", &[])
    }

    /// The files of a folder over https, and the file with the certificate, which is made in `home`.
    pub(super) fn files(folder: &Path, home: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let [certificate, key] = ["cert.pem", "key.pem"].map(|name| home.join(name));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        Self::start("files.py", &[folder, &certificate, &key])
    }

    /// The requests that GitHub got in a mode.
    pub(super) fn requests(&self, mode: &str) -> Vec<Value> {
        let output = Command::new("curl")
            .args(["-qsf", "--noproxy", "*", &format!("http://127.0.0.1:{}/log", self.port)])
            .output();
        let all: Vec<Value> = serde_json::from_slice(&output.unwrap().stdout).unwrap();
        all.into_iter().filter(|request| request["mode"] == mode).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
