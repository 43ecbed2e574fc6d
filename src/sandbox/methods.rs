//! The methods that the sandbox has: their names, and the scope that each needs.

use super::call::Verb;
use super::identity::CRM;
use crate::domain::asset::Kind;

/// The methods that the sandbox has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Method {
    Batch,
    Scope,
    UserAdmin,
    Profile,
    Exists,
    Asset(Kind, Verb),
    LogMessage(Verb),
}

impl Method {
    /// The scope that a caller needs for it.
    pub(super) const fn scope(self) -> Option<&'static str> {
        match self {
            Self::Batch | Self::Scope | Self::UserAdmin | Self::Profile | Self::Exists => None,
            Self::Asset(..) | Self::LogMessage(_) => Some(CRM),
        }
    }
}

/// Every method, by its name in lower case.
const METHODS: [(&str, Method); 17] = [
    ("batch", Method::Batch),
    ("scope", Method::Scope),
    ("user.admin", Method::UserAdmin),
    ("profile", Method::Profile),
    ("method.get", Method::Exists),
    ("crm.timeline.icon.add", Method::Asset(Kind::Icon, Verb::Add)),
    ("crm.timeline.icon.get", Method::Asset(Kind::Icon, Verb::Get)),
    ("crm.timeline.icon.list", Method::Asset(Kind::Icon, Verb::List)),
    ("crm.timeline.icon.delete", Method::Asset(Kind::Icon, Verb::Delete)),
    ("crm.timeline.logo.add", Method::Asset(Kind::Logo, Verb::Add)),
    ("crm.timeline.logo.get", Method::Asset(Kind::Logo, Verb::Get)),
    ("crm.timeline.logo.list", Method::Asset(Kind::Logo, Verb::List)),
    ("crm.timeline.logo.delete", Method::Asset(Kind::Logo, Verb::Delete)),
    ("crm.timeline.logmessage.add", Method::LogMessage(Verb::Add)),
    ("crm.timeline.logmessage.get", Method::LogMessage(Verb::Get)),
    ("crm.timeline.logmessage.list", Method::LogMessage(Verb::List)),
    ("crm.timeline.logmessage.delete", Method::LogMessage(Verb::Delete)),
];

/// The names of all methods, in lower case.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|(name, _)| *name)
}

/// The method of a name in lower case.
pub(super) fn lookup(name: &str) -> Option<Method> {
    METHODS.iter().find(|(known, _)| *known == name).map(|(_, method)| *method)
}
