//! A sandbox and a client of it.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brandctl::sandbox::{Options, Sandbox, start};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

pub(crate) struct Portal {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: reqwest::Client,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) fn portal() -> Portal {
    portal_with(|_| {})
}

pub(crate) fn portal_with(change: impl FnOnce(&mut Options)) -> Portal {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path());
    options.limits = None;
    change(&mut options);
    Portal { sandbox: start(options).unwrap(), client: client(), folder }
}

pub(crate) fn client() -> reqwest::Client {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap()
}

/// A header of that size and nothing behind it: more than the server looks at.
pub(crate) fn png(side: u32, mark: u8) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(side.to_be_bytes());
    bytes.extend(side.to_be_bytes());
    // Every byte value, so that its base64 holds `+` and `/`.
    bytes.extend((0..=255_u8).map(|byte| byte.wrapping_add(mark)));
    bytes
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

pub(crate) fn add(code: &str, side: u32, mark: u8) -> String {
    let kind = if side == 24 { "icon" } else { "logo" };
    format!("crm.timeline.{kind}.add?code={}&fileContent={}", encoded(code), encoded(&base64(&png(side, mark))))
}

pub(crate) fn delete(code: &str) -> String {
    format!("crm.timeline.icon.delete?code={}", encoded(code))
}

impl Portal {
    pub(crate) fn url(&self, method: &str) -> String {
        self.sandbox.admin_webhook() + method
    }

    /// The address of a method without a webhook.
    pub(crate) fn rest(&self, method: &str) -> String {
        format!("http://{}/rest/{method}", self.sandbox.address())
    }

    /// The file of the application.
    pub(crate) fn app(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.sandbox.oauth_file()).unwrap()).unwrap()
    }

    pub(crate) async fn send(&self, url: &str, parameters: &Value) -> reqwest::Result<(u16, String)> {
        let answer = self.client.post(url).json(parameters).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    pub(crate) async fn at(&self, url: &str, parameters: Value) -> (u16, Value) {
        let (status, body) = self.send(url, &parameters).await.unwrap();
        (status, serde_json::from_str(&body).unwrap_or_else(|_| panic!("no JSON: {body}")))
    }

    pub(crate) async fn call(&self, method: &str, parameters: Value) -> (u16, Value) {
        self.at(&self.url(method), parameters).await
    }

    /// The result without the time.
    pub(crate) async fn result(&self, method: &str, parameters: Value) -> Value {
        let (status, answer) = self.call(method, parameters).await;
        assert_eq!(status, 200, "{answer}");
        answer["result"].clone()
    }

    pub(crate) async fn refused(&self, method: &str, parameters: Value) -> (u16, String, String) {
        let (status, answer) = self.call(method, parameters).await;
        refusal(status, &answer)
    }

    pub(crate) async fn batch(&self, halt: bool, commands: Value) -> Value {
        self.result("batch", json!({ "halt": halt, "cmd": commands })).await
    }

    pub(crate) async fn download(&self, path: &str) -> (u16, Vec<u8>) {
        let answer = self.client.get(format!("http://{}{path}", self.sandbox.address())).send().await.unwrap();
        (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
    }

    pub(crate) fn codes(&self) -> Vec<String> {
        self.sandbox.entries().into_iter().map(|entry| format!("{}/{}", entry.kind, entry.code)).collect()
    }

    /// Waits until it holds this many custom entries.
    pub(crate) async fn settled(&self, entries: usize) {
        let before = Instant::now();
        while self.codes().len() != entries {
            assert!(before.elapsed() < Duration::from_secs(5), "still {:?}", self.codes());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops it and starts another on its folder.
    pub(crate) fn reopened(self) -> Self {
        let Self { sandbox, client, folder } = self;
        sandbox.stop();
        let mut options = Options::new(folder.path());
        options.limits = None;
        Self { sandbox: start(options).unwrap(), client, folder }
    }
}

pub(crate) fn refusal(status: u16, answer: &Value) -> (u16, String, String) {
    assert_eq!(answer.as_object().unwrap().len(), 2, "{answer}");
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    (status, text("error"), text("error_description"))
}

pub(crate) fn is(status: u16, error: &str, text: &str) -> (u16, String, String) {
    (status, error.to_owned(), text.to_owned())
}
