//! Rules about the code that an image is declared under.

use super::rule::{ArtRule, Level, RuleCheck};
use crate::domain::asset::{Address, Kind};
use crate::domain::finding::Problem;
use crate::domain::quote::quoted;

pub(super) const CODE_RESERVED: ArtRule = ArtRule {
    id: "code-reserved",
    default: Level::Warn,
    adjustable: false,
    why: "the portal refuses codes that come with the product; the list grows with each release, so this is only a warning \
          until the portal is read",
    fix: "choose another code, for example one with your own prefix",
    source: "server code: `add` answers `<code> is reserved word and cannot be used`; the codes known here are those of the lists seen so far",
    check: RuleCheck::Image(|decoded| {
        let address = &decoded.piece.address;
        known(address).map(|code| Problem::new(format!("`{code}` comes with the product on the portals known so far")))
    }),
};

pub(in crate::domain) const CODE_STYLE: ArtRule = ArtRule {
    id: "code-style",
    default: Level::Warn,
    adjustable: true,
    why: "codes are used in URLs, form bodies and file names, and the portal's database ignores their case: only plain codes \
          are safe in all of them",
    fix: "use lower-case letters, digits, `.`, `_` and `-`, or set `rules: {code-style: off}`",
    source: "server code: any text of up to 255 characters is a code; inferred: MySQL compares codes without case",
    check: RuleCheck::Code(|code| {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        let odd = code.as_str().chars().find(|c| !is_plain(*c))?;
        Some(Problem::new(format!("the code {} holds {}", quoted(code.as_str()), quoted(&odd.to_string()))))
    }),
};

/// The code of a system entry on the portals known so far that `address` equals, ignoring case.
fn known(address: &Address) -> Option<&'static str> {
    let known = match address.kind {
        Kind::Icon => ICONS,
        Kind::Logo => LOGOS,
    };
    known.iter().copied().find(|code| code.eq_ignore_ascii_case(address.code.as_str()))
}

/// System icons of the lists seen in published server code; `open-line-incoming-message` is in the older ones alone.
const ICONS: &[&str] = &[
    "call",
    "call-incoming-missed",
    "call-incoming",
    "call-completed",
    "call-outcoming",
    "document",
    "IM",
    "circle-check",
    "info",
    "relation",
    "link",
    "unlink",
    "store",
    "view",
    "stage-change",
    "sum",
    "open-line-incoming-message",
    "clock",
    "mail-outcome",
    "complete",
    "check",
    "comment",
    "sms",
    "whatsapp",
    "task",
    "pipeline",
    "wallet",
    "attention",
    "bank-card",
    "conversion",
    "calendar",
    "circle-crossed",
    "task-ping",
    "task-new-comment",
    "task-viewed-comment",
    "task-activity",
    "ai-copilot",
    "ai-process",
    "restoration",
    "arrow-up",
    "arrow-down",
    "visit",
    "camera",
    "copy",
    "robot",
    "cycle-equal",
    "bizproc",
    "message-with-point",
    "booking",
    "telegram",
    "repeat-sale",
];

/// System logos of the newest list seen in published server code.
const LOGOS: &[&str] = &[
    "call-play-record",
    "call-default",
    "call-incoming",
    "call-outgoing",
    "document",
    "document-print",
    "document-signed",
    "document-draft",
    "channel-chat",
    "channel-avito",
    "channel-apple",
    "channel-fb",
    "channel-fb-chat",
    "channel-instagram-direct",
    "channel-bitrix",
    "channel-ok",
    "channel-telegram",
    "channel-viber",
    "channel-vk",
    "channel-vk-order",
    "channel-whatsapp-bitrix",
    "channel-edna",
    "channel-whatsapp",
    "mail-outcome",
    "list-check",
    "shop",
    "notification",
    "comment",
    "sms",
    "shop-eye",
    "bank-card",
    "calendar-share",
    "unread-comment",
    "task-activity",
    "ai-copilot",
    "zoom",
    "bizproc",
    "bizproc-task",
    "openline",
    "repeat-sale",
    "booking-wait-list-item",
];
