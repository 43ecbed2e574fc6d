//! Whether apply has everything that it needs: the checks of `doctor`, made from what was observed on the way to a portal.
//! A check that was skipped says why, and only what would make apply fail counts as failed.

use super::asset::Address;
use super::finding::Problem;

/// The scope that the methods of icons and logos are in.
const CRM_SCOPE: &str = "crm";
const GIVE_SCOPE: &str = "give the webhook or application the scope `crm`";
/// The largest difference of the clocks, in seconds, before tokens and times in logs are wrong.
const MAX_CLOCK_SKEW: i64 = 60;
/// The time that a method may use in ten minutes, in seconds.
const METHOD_SECONDS: f64 = 480.0;

/// The requests per second that Enterprise plans permit.
const ENTERPRISE_RATE: f64 = 5.0;

/// The subjects of the checks, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DoctorSubject {
    /// The form of the credentials, and the files that options name.
    Config,
    /// The manifest, and whether it is for this portal.
    Manifest,
    State,
    /// The host's addresses, or the proxy's.
    Dns,
    /// A connection to one of them.
    Tcp,
    Tls,
    Clock,
    /// Whether the portal knows the credentials.
    Credentials,
    /// The scopes of the credentials.
    Scope,
    Rights,
    Methods,
    /// Whether images can be read back.
    Downloads,
    /// The limits on requests.
    Limits,
}

impl DoctorSubject {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Manifest => "manifest",
            Self::State => "state",
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Clock => "clock",
            Self::Credentials => "credentials",
            Self::Scope => "scope",
            Self::Rights => "rights",
            Self::Methods => "methods",
            Self::Downloads => "downloads",
            Self::Limits => "limits",
        }
    }
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Health {
    Ok,
    /// Worth checking; apply would work.
    Warning,
    Failed,
    Skipped,
}

impl Health {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DoctorCheck {
    pub(crate) subject: DoctorSubject,
    pub(crate) health: Health,
    /// What was observed: one sentence, lower case, no full stop.
    pub(crate) message: String,
    /// How to fix it, in the same form.
    pub(crate) help: Option<String>,
}

/// The connection settings for a portal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Setup {
    /// Scheme and host, as in `https://acme.bitrix24.com`.
    pub(crate) url: String,
    pub(crate) encrypted: bool,
    /// The host that connections are made to: the portal's, or the proxy's.
    pub(crate) peer: String,
    pub(crate) port: u16,
    pub(crate) proxied: bool,
    /// Requests per second in the long run.
    pub(crate) per_second: f64,
    /// Requests at once after a pause.
    pub(crate) burst: u32,
}

impl Setup {
    /// The host that connections are made to, in words.
    pub(crate) fn whom(&self) -> String {
        if self.proxied { format!("the proxy {}", self.peer) } else { self.peer.clone() }
    }
}

/// The answer of the portal's web server without credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Greeting {
    /// The seconds by which its clock is ahead of ours, if it sent the time.
    pub(crate) ahead: Option<i64>,
}

/// The portal's answers about the caller.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Inquiry {
    pub(crate) caller: Result<String, Problem>,
    /// The scopes of the credentials.
    pub(crate) scopes: Result<Vec<String>, Problem>,
    pub(crate) administrator: Result<bool, Problem>,
    /// Each method that brandctl uses, and whether it can be called.
    pub(crate) methods: Vec<(String, Result<Presence, Problem>)>,
    /// The time that the busiest method has used of its allowance in ten minutes, in seconds, if the portal reports it.
    pub(crate) operating: Option<f64>,
}

/// The availability of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Available,
    /// The portal has it, but not for these credentials.
    Withheld,
    Absent,
}

/// The observations of `doctor`. A field is `None` if it was not checked because something before it failed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct DoctorObservations {
    /// How to connect to the portal, and where the credentials came from.
    pub(crate) config: Option<Result<(Setup, String), Problem>>,
    /// Whether credentials that expire can be renewed.
    pub(crate) renewable: Option<Result<(), Problem>>,
    /// Credentials that were renewed and not kept.
    pub(crate) lost: Option<Problem>,
    /// What the manifest says of the portal; `None` without a manifest.
    pub(crate) manifest: Option<Result<String, Problem>>,
    pub(crate) state: Option<Result<String, Problem>>,
    /// The IP addresses of the host that connections are made to.
    pub(crate) resolved: Option<Result<Vec<String>, Problem>>,
    /// Whether one of them accepts a connection, and which.
    pub(crate) connected: Option<Result<String, Problem>>,
    pub(crate) greeted: Option<Result<Greeting, Problem>>,
    pub(crate) inquired: Option<Result<Inquiry, Problem>>,
    /// An entry whose image was downloaded; `None` inside when the portal has no custom entry.
    pub(crate) downloaded: Option<Result<Option<Address>, Problem>>,
}

/// Every check once, in their order, made from what was observed.
pub(crate) fn checks(observed: &DoctorObservations) -> Vec<DoctorCheck> {
    let setup = observed.config.as_ref().and_then(|config| config.as_ref().ok()).map(|(setup, _)| setup);
    let proxy = if setup.is_some_and(|setup| setup.proxied) { "the proxy " } else { "" };
    let peer = setup.map(Setup::whom).unwrap_or_default();
    let mut checks = vec![
        match (&observed.lost, &observed.renewable) {
            (Some(problem), _) => failed(DoctorSubject::Config, problem),
            (None, Some(Err(problem))) => {
                check(DoctorSubject::Config, Health::Warning, &problem.message, problem.help.as_deref())
            }
            _ => of(DoctorSubject::Config, observed.config.as_ref(), "", |(setup, source)| {
                format!("{}, by {source}", setup.url)
            }),
        },
        of(DoctorSubject::Manifest, observed.manifest.as_ref(), "there is no manifest here", Clone::clone),
        of(DoctorSubject::State, observed.state.as_ref(), "no portal is known", Clone::clone),
        of(DoctorSubject::Dns, observed.resolved.as_ref(), "no portal is known", |addresses| {
            let addresses: Vec<&str> = addresses.iter().take(3).map(String::as_str).collect();
            format!("{peer} is {}", addresses.join(", "))
        }),
        of(DoctorSubject::Tcp, observed.connected.as_ref(), "no address", |address| {
            let port = setup.map(|setup| setup.port).unwrap_or_default();
            format!("{proxy}{address} accepts connections on port {port}")
        }),
        tls(observed.greeted.as_ref(), setup),
        clock(observed.greeted.as_ref()),
    ];
    checks.extend(inquiry(observed.inquired.as_ref()));
    checks.push(downloads(observed.downloaded.as_ref()));
    checks.push(limits(setup, observed.inquired.as_ref().and_then(|inquired| inquired.as_ref().ok())));
    checks
}

fn check(subject: DoctorSubject, health: Health, message: impl Into<String>, help: Option<&str>) -> DoctorCheck {
    DoctorCheck { subject, health, message: message.into(), help: help.map(str::to_owned) }
}

fn failed(subject: DoctorSubject, problem: &Problem) -> DoctorCheck {
    check(subject, Health::Failed, problem.message.clone(), problem.help.as_deref())
}

fn skipped(subject: DoctorSubject, why: &str) -> DoctorCheck {
    check(subject, Health::Skipped, why, None)
}

/// A check of one observation; `otherwise` says why there is none.
fn of<T>(
    subject: DoctorSubject,
    seen: Option<&Result<T, Problem>>,
    otherwise: &str,
    words: impl Fn(&T) -> String,
) -> DoctorCheck {
    match seen {
        Some(Ok(seen)) => check(subject, Health::Ok, words(seen), None),
        Some(Err(problem)) => failed(subject, problem),
        None => skipped(subject, otherwise),
    }
}

fn tls(greeted: Option<&Result<Greeting, Problem>>, setup: Option<&Setup>) -> DoctorCheck {
    if setup.is_some_and(|setup| !setup.encrypted) {
        return skipped(DoctorSubject::Tls, "plain http, which is allowed for this machine only");
    }
    of(DoctorSubject::Tls, greeted, "no connection", |_| "the certificate is trusted".to_owned())
}

/// The check of downloads. Without them a portal can be written to, but its images can be neither compared nor kept:
/// existing entries are unknown.
fn downloads(downloaded: Option<&Result<Option<Address>, Problem>>) -> DoctorCheck {
    match downloaded {
        None => skipped(DoctorSubject::Downloads, "the portal could not be read"),
        Some(Ok(None)) => skipped(DoctorSubject::Downloads, "the portal has no custom entry to try it with"),
        Some(Ok(Some(address))) => {
            check(DoctorSubject::Downloads, Health::Ok, format!("the image of {address} can be downloaded"), None)
        }
        Some(Err(problem)) => {
            let help = "existing entries stay unknown and are left alone, and no copies can be kept: check the proxy, firewall or CDN in front of the portal";
            check(DoctorSubject::Downloads, Health::Warning, problem.message.clone(), Some(help))
        }
    }
}

fn clock(greeted: Option<&Result<Greeting, Problem>>) -> DoctorCheck {
    match greeted {
        None | Some(Err(_)) => skipped(DoctorSubject::Clock, "no connection"),
        Some(Ok(Greeting { ahead: None })) => skipped(DoctorSubject::Clock, "the portal did not send its time"),
        Some(Ok(Greeting { ahead: Some(ahead) })) if ahead.abs() > MAX_CLOCK_SKEW => {
            let side = if *ahead > 0 { "ahead of" } else { "behind" };
            let message = format!("the portal's clock is {} s {side} this machine's", ahead.abs());
            let help = "correct this machine's clock: certificates, tokens and the times of runs depend on it";
            check(DoctorSubject::Clock, Health::Warning, message, Some(help))
        }
        Some(Ok(_)) => {
            let message =
                format!("the clocks of the portal and of this machine differ by less than {MAX_CLOCK_SKEW} s");
            check(DoctorSubject::Clock, Health::Ok, message, None)
        }
    }
}

fn inquiry(inquired: Option<&Result<Inquiry, Problem>>) -> Vec<DoctorCheck> {
    const OTHERS: [DoctorSubject; 3] = [DoctorSubject::Scope, DoctorSubject::Rights, DoctorSubject::Methods];
    let inquiry = match inquired {
        Some(Ok(inquiry)) => inquiry,
        unanswered => {
            let why = if unanswered.is_some() { "the portal did not answer" } else { "no connection" };
            let credentials = of(DoctorSubject::Credentials, unanswered, why, |_| String::new());
            return [credentials].into_iter().chain(OTHERS.map(|subject| skipped(subject, why))).collect();
        }
    };
    let caller = of(DoctorSubject::Credentials, Some(&inquiry.caller), "", Clone::clone);
    let scope = match &inquiry.scopes {
        Ok(scopes) if scopes.iter().any(|scope| scope.eq_ignore_ascii_case(CRM_SCOPE)) => {
            check(DoctorSubject::Scope, Health::Ok, format!("`{CRM_SCOPE}` is included"), None)
        }
        Ok(scopes) => {
            let given = if scopes.is_empty() { "none".to_owned() } else { scopes.join(", ") };
            let message = format!("`{CRM_SCOPE}` is missing; the scopes are: {given}");
            check(DoctorSubject::Scope, Health::Failed, message, Some(GIVE_SCOPE))
        }
        Err(problem) => failed(DoctorSubject::Scope, problem),
    };
    let rights = match &inquiry.administrator {
        Ok(true) => check(DoctorSubject::Rights, Health::Ok, "the user is an administrator", None),
        Ok(false) => {
            let help = "ask an administrator of the portal to create the webhook; plan, drift and list work without administrator rights";
            check(DoctorSubject::Rights, Health::Failed, "the user is not an administrator", Some(help))
        }
        Err(problem) => failed(DoctorSubject::Rights, problem),
    };
    vec![caller, scope, rights, methods(&inquiry.methods)]
}

fn methods(methods: &[(String, Result<Presence, Problem>)]) -> DoctorCheck {
    let those = |wanted: Presence| -> Vec<&str> {
        methods.iter().filter(|(_, seen)| *seen == Ok(wanted)).map(|(name, _)| name.as_str()).collect()
    };
    let (absent, withheld) = (those(Presence::Absent), those(Presence::Withheld));
    if !absent.is_empty() {
        let message = format!("the portal does not have {}", absent.join(", "));
        check(
            DoctorSubject::Methods,
            Health::Failed,
            message,
            Some("ask the portal's administrator to update its CRM module"),
        )
    } else if !withheld.is_empty() {
        let message = format!("these credentials may not call {}", withheld.join(", "));
        check(DoctorSubject::Methods, Health::Failed, message, Some(GIVE_SCOPE))
    } else if let Some(problem) = methods.iter().find_map(|(_, seen)| seen.as_ref().err()) {
        failed(DoctorSubject::Methods, problem)
    } else {
        check(DoctorSubject::Methods, Health::Ok, format!("the portal has all {} methods", methods.len()), None)
    }
}

fn limits(setup: Option<&Setup>, inquiry: Option<&Inquiry>) -> DoctorCheck {
    let Some(Setup { per_second, burst, .. }) = setup else {
        return skipped(DoctorSubject::Limits, "no portal is known");
    };
    let enterprise = if *per_second < ENTERPRISE_RATE { "; with an Enterprise plan, add --rps 5" } else { "" };
    let pace = format!("at most {per_second} requests per second, {burst} at once{enterprise}");
    match inquiry.and_then(|inquiry| inquiry.operating) {
        Some(used) if used >= METHOD_SECONDS => {
            let message = format!("{pace}; a method has used up its {METHOD_SECONDS} s in ten minutes");
            let help = "wait a few minutes; commands also wait by themselves, up to --timeout";
            check(DoctorSubject::Limits, Health::Warning, message, Some(help))
        }
        Some(used) => {
            let message = format!("{pace}; {used:.0} of {METHOD_SECONDS} s of method time used");
            check(DoctorSubject::Limits, Health::Ok, message, None)
        }
        None => check(DoctorSubject::Limits, Health::Ok, pace, None),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]
mod tests;
