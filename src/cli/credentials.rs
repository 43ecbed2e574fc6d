//! Where the webhook comes from: the environment, never a flag or the manifest.

use crate::domain::finding::Finding;
use crate::portal::Webhook;

/// The variables that can hold a webhook URL, the first one that is set and not empty wins.
const VARIABLES: [&str; 4] = ["BITRIX24_WEBHOOK_URL", "BITRIX_WEBHOOK_URL", "B24_WEBHOOK_URL", "B24_HOOK"];

/// The variable that can name a file with a webhook URL.
const FILE_VARIABLE: &str = "BITRIX24_WEBHOOK_URL_FILE";

/// A webhook and the name of its source.
pub(super) struct Credentials {
    pub(super) webhook: Webhook,
    pub(super) source: String,
}

/// Finds the webhook.
pub(super) fn find() -> Result<Credentials, Box<Finding>> {
    for name in VARIABLES {
        if let Some(text) = std::env::var_os(name).filter(|text| !text.is_empty()) {
            let Some(text) = text.to_str() else {
                return Err(Box::new(Finding::error("credentials", format!("{name} holds text that is no UTF-8"))));
            };
            return parse(text, name.to_owned());
        }
    }
    if let Some(path) = std::env::var_os(FILE_VARIABLE).filter(|path| !path.is_empty()) {
        let path = std::path::PathBuf::from(path);
        let source = format!("the file of {FILE_VARIABLE}");
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let message = format!("{source}, {}, cannot be read: {error}", path.display());
            Box::new(Finding::error("credentials", message).help("it should hold one line: the webhook's URL"))
        })?;
        return parse(&text, source);
    }
    Err(Box::new(
        Finding::error(
            "credentials",
            "no credentials: none of the environment variables that can hold a webhook is set",
        )
        .help(format!(
            "set {} to the webhook's URL (or {FILE_VARIABLE} to a file with it), or try --sandbox",
            VARIABLES[0]
        )),
    ))
}

fn parse(text: &str, source: String) -> Result<Credentials, Box<Finding>> {
    match Webhook::parse(text, &source) {
        Ok(webhook) => Ok(Credentials { webhook, source }),
        Err(error) => Err(Box::new(
            Finding::error("credentials", error.to_string())
                .help("a webhook looks like https://acme.bitrix24.com/rest/1/abcdefgh12345678/"),
        )),
    }
}
