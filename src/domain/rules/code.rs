//! Rules about the code that an image is declared under.

use super::{Level, Problem, Rule};
use crate::domain::asset::{Address, Kind};

pub(super) const CODE_RESERVED: Rule = Rule {
    id: "code-reserved",
    default: Level::Warn,
    adjustable: false,
    why: "a code that comes with the product cannot be added; which ones do grows from release to release, so that only \
          the portal's own list is an error",
    fix: "choose another code, for instance one with a prefix of your own",
    check: |subject| {
        let address = &subject.piece.address;
        known(address).map(|code| Problem::new(format!("`{code}` comes with the product on the portals known so far")))
    },
};

/// The code of a system entry that `address` equals, but for case, on the portals known so far.
fn known(address: &Address) -> Option<&'static str> {
    let known = match address.kind {
        Kind::Icon => ICONS,
        Kind::Logo => LOGOS,
    };
    known.iter().copied().find(|code| code.eq_ignore_ascii_case(address.code.as_str()))
}

/// System icons of the newest list seen in published server code.
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
];
