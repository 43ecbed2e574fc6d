//! The published form of what `sandbox` prints once it listens.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

/// A portal on this machine. Its webhooks are secrets of that portal alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(title = "brandctl sandbox", deny_unknown_fields)]
pub(crate) struct SandboxDocument {
    /// The URL of the page that shows what the portal holds; empty when it did not start.
    pub(crate) page: String,
    /// The folder of its data; empty when it did not start.
    pub(crate) data: PathBuf,
    /// The URLs for `BITRIX24_WEBHOOK_URL`, the administrator's first.
    pub(crate) webhooks: Vec<WebhookDocument>,
    /// The token file of an OAuth application, for `BITRIX24_OAUTH_FILE`.
    pub(crate) oauth_file: PathBuf,
    /// The certificate to trust, with `--tls`; null without it.
    pub(crate) ca_cert: Option<PathBuf>,
}

/// A webhook of the portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Webhook", deny_unknown_fields)]
pub(crate) struct WebhookDocument {
    /// `administrator`, `user`, or `without-crm`: an administrator without the scope crm.
    pub(crate) role: &'static str,
    /// Its URL.
    pub(crate) url: String,
}
