//! Whether everything is there that apply needs: what was observed on the way to a portal, judged check by check. What
//! could not be looked at says why, and only what would make apply fail counts as failed.

/// The scope that the methods of icons and logos are in.
const SCOPE: &str = "crm";
/// The most that the clocks may differ, in seconds, before tokens and times in logs are wrong.
const CLOCK: i64 = 60;
/// How much time a method has in ten minutes, in seconds.
const OPERATING: f64 = 480.0;

/// What is checked, in the order in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The credentials' form, and the files that options name.
    Config,
    /// The manifest, and whether it is for this portal.
    Manifest,
    /// The state folder.
    State,
    /// The host's addresses, or the proxy's.
    Dns,
    /// A connection to one of them.
    Tcp,
    /// The certificate.
    Tls,
    /// The portal's clock against ours.
    Clock,
    /// Whether the portal knows the credentials.
    Credentials,
    /// What they are good for.
    Scope,
    /// Whether the user is an administrator.
    Rights,
    /// Whether the portal has the methods.
    Methods,
    /// How fast requests may follow one another.
    Limits,
}

impl Subject {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
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
            Self::Limits => "limits",
        }
    }
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// As it should be.
    Ok,
    /// Worth a look; apply would work.
    Warning,
    /// Apply would fail.
    Failed,
    /// Not looked at.
    Skipped,
}

impl Health {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// One check and how it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub subject: Subject,
    /// How it went.
    pub health: Health,
    /// What was seen: one sentence, lower case, no full stop.
    pub message: String,
    /// What to do about it, in the same form.
    pub help: Option<String>,
}

/// Something that stood in the way, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// One sentence, lower case, no full stop.
    pub message: String,
    /// In the same form.
    pub help: Option<String>,
}

/// How a portal is talked to.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    /// Scheme and host, as in `https://acme.bitrix24.com`.
    pub url: String,
    /// Whether that is https.
    pub encrypted: bool,
    /// The host that connections are made to: the portal's, or the proxy's.
    pub peer: String,
    /// Its port.
    pub port: u16,
    /// Whether it is a proxy.
    pub proxied: bool,
    /// Requests per second in the long run.
    pub per_second: f64,
    /// Requests at once after a pause.
    pub burst: u32,
}

impl Setup {
    /// The host that connections are made to, by what it is.
    #[must_use]
    pub fn whom(&self) -> String {
        if self.proxied { format!("the proxy {}", self.peer) } else { self.peer.clone() }
    }
}

/// What the portal's web server says to a stranger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Greeting {
    /// By how many seconds its clock is ahead of ours, if it told.
    pub ahead: Option<i64>,
}

/// What the portal says about the caller.
#[derive(Debug, Clone, PartialEq)]
pub struct Inquiry {
    /// Who it is, in a few words.
    pub caller: Result<String, Trouble>,
    /// What the credentials are good for.
    pub scopes: Result<Vec<String>, Trouble>,
    /// Whether the user is an administrator.
    pub administrator: Result<bool, Trouble>,
    /// Each method that brandctl uses, and how it is there.
    pub methods: Vec<(String, Result<Presence, Trouble>)>,
    /// The most time that a method has used up of its ten minutes' allowance, in seconds, if the portal told.
    pub operating: Option<f64>,
}

/// How a method is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It can be called.
    Available,
    /// The portal has it, and not for these credentials.
    Withheld,
    /// The portal does not have it.
    Absent,
}

/// What was seen. What was not looked at, because something before it failed, is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// How the portal is talked to, and where the credentials came from.
    pub config: Option<Result<(Setup, String), Trouble>>,
    /// Whether credentials that expire can be renewed.
    pub renewable: Option<Result<(), Trouble>>,
    /// What there is to say for the manifest; `None` when there is none.
    pub manifest: Option<Result<String, Trouble>>,
    /// The state folder.
    pub state: Option<Result<String, Trouble>>,
    /// The IP addresses of the host that connections are made to.
    pub resolved: Option<Result<Vec<String>, Trouble>>,
    /// Whether one of them takes a connection, and which.
    pub connected: Option<Result<String, Trouble>>,
    /// What the web server said.
    pub greeted: Option<Result<Greeting, Trouble>>,
    /// What the portal said.
    pub inquired: Option<Result<Inquiry, Trouble>>,
}

/// Judges what was seen: every check once, in their order.
#[must_use]
pub fn judge(observed: &Observed) -> Vec<Check> {
    let setup = observed.config.as_ref().and_then(|config| config.as_ref().ok()).map(|(setup, _)| setup);
    let proxy = if setup.is_some_and(|setup| setup.proxied) { "the proxy " } else { "" };
    let peer = setup.map(Setup::whom).unwrap_or_default();
    let mut checks = vec![
        match &observed.renewable {
            Some(Err(trouble)) => check(Subject::Config, Health::Warning, &trouble.message, trouble.help.as_deref()),
            _ => of(Subject::Config, observed.config.as_ref(), "", |(setup, source)| {
                format!("{}, by {source}", setup.url)
            }),
        },
        of(Subject::Manifest, observed.manifest.as_ref(), "there is none here", Clone::clone),
        of(Subject::State, observed.state.as_ref(), "no portal is known", Clone::clone),
        of(Subject::Dns, observed.resolved.as_ref(), "no portal is known", |addresses| {
            let addresses: Vec<&str> = addresses.iter().take(3).map(String::as_str).collect();
            format!("{peer} is {}", addresses.join(", "))
        }),
        of(Subject::Tcp, observed.connected.as_ref(), "no address", |address| {
            let port = setup.map(|setup| setup.port).unwrap_or_default();
            format!("{proxy}{address} takes connections on port {port}")
        }),
        tls(observed.greeted.as_ref(), setup),
        clock(observed.greeted.as_ref()),
    ];
    checks.extend(inquiry(observed.inquired.as_ref()));
    checks.push(limits(setup, observed.inquired.as_ref().and_then(|inquired| inquired.as_ref().ok())));
    checks
}

fn check(subject: Subject, health: Health, message: impl Into<String>, help: Option<&str>) -> Check {
    Check { subject, health, message: message.into(), help: help.map(str::to_owned) }
}

fn failed(subject: Subject, trouble: &Trouble) -> Check {
    check(subject, Health::Failed, trouble.message.clone(), trouble.help.as_deref())
}

fn skipped(subject: Subject, why: &str) -> Check {
    check(subject, Health::Skipped, why, None)
}

/// A check that is what was seen; `otherwise` says why there is nothing.
fn of<T>(subject: Subject, seen: Option<&Result<T, Trouble>>, otherwise: &str, words: impl Fn(&T) -> String) -> Check {
    match seen {
        Some(Ok(seen)) => check(subject, Health::Ok, words(seen), None),
        Some(Err(trouble)) => failed(subject, trouble),
        None => skipped(subject, otherwise),
    }
}

fn tls(greeted: Option<&Result<Greeting, Trouble>>, setup: Option<&Setup>) -> Check {
    if setup.is_some_and(|setup| !setup.encrypted) {
        return skipped(Subject::Tls, "plain http, which is spoken to this machine only");
    }
    of(Subject::Tls, greeted, "no connection", |_| "the certificate is trusted".to_owned())
}

fn clock(greeted: Option<&Result<Greeting, Trouble>>) -> Check {
    match greeted {
        None | Some(Err(_)) => skipped(Subject::Clock, "no connection"),
        Some(Ok(Greeting { ahead: None })) => skipped(Subject::Clock, "the portal did not tell its time"),
        Some(Ok(Greeting { ahead: Some(ahead) })) if ahead.abs() > CLOCK => {
            let side = if *ahead > 0 { "ahead of" } else { "behind" };
            let message = format!("the portal's clock is {} s {side} this machine's", ahead.abs());
            let help = "set this machine's clock: certificates, tokens and the times of runs go by it";
            check(Subject::Clock, Health::Warning, message, Some(help))
        }
        Some(Ok(_)) => {
            check(Subject::Clock, Health::Ok, format!("the portal's agrees with this machine's within {CLOCK} s"), None)
        }
    }
}

fn inquiry(inquired: Option<&Result<Inquiry, Trouble>>) -> Vec<Check> {
    const OTHERS: [Subject; 3] = [Subject::Scope, Subject::Rights, Subject::Methods];
    let inquiry = match inquired {
        Some(Ok(inquiry)) => inquiry,
        Some(Err(trouble)) => {
            let others = OTHERS.map(|subject| skipped(subject, "the portal gave no answer"));
            return [failed(Subject::Credentials, trouble)].into_iter().chain(others).collect();
        }
        None => {
            let subjects = [Subject::Credentials].into_iter().chain(OTHERS);
            return subjects.map(|subject| skipped(subject, "no connection")).collect();
        }
    };
    let caller = of(Subject::Credentials, Some(&inquiry.caller), "", Clone::clone);
    let scope = match &inquiry.scopes {
        Ok(scopes) if scopes.iter().any(|scope| scope.eq_ignore_ascii_case(SCOPE)) => {
            check(Subject::Scope, Health::Ok, format!("`{SCOPE}` is among them"), None)
        }
        Ok(scopes) => {
            let message = match scopes.as_slice() {
                [] => format!("`{SCOPE}` is missing: there are none"),
                scopes => format!("`{SCOPE}` is missing: there are {}", scopes.join(", ")),
            };
            check(Subject::Scope, Health::Failed, message, Some("give the webhook or application the scope `crm`"))
        }
        Err(trouble) => failed(Subject::Scope, trouble),
    };
    let rights = match &inquiry.administrator {
        Ok(true) => check(Subject::Rights, Health::Ok, "the user is an administrator", None),
        Ok(false) => {
            let help = "plan, drift and list work all the same; apply needs an administrator's credentials";
            check(Subject::Rights, Health::Failed, "the user is no administrator", Some(help))
        }
        Err(trouble) => failed(Subject::Rights, trouble),
    };
    vec![caller, scope, rights, methods(&inquiry.methods)]
}

fn methods(methods: &[(String, Result<Presence, Trouble>)]) -> Check {
    let those = |wanted: Presence| -> Vec<&str> {
        methods.iter().filter(|(_, seen)| *seen == Ok(wanted)).map(|(name, _)| name.as_str()).collect()
    };
    let (absent, withheld) = (those(Presence::Absent), those(Presence::Withheld));
    if !absent.is_empty() {
        let message = format!("the portal does not have {}", absent.join(", "));
        check(Subject::Methods, Health::Failed, message, Some("the portal's CRM module must be updated"))
    } else if !withheld.is_empty() {
        let message = format!("the credentials are not good for {}", withheld.join(", "));
        check(Subject::Methods, Health::Failed, message, Some("give the webhook or application the scope `crm`"))
    } else if let Some(trouble) = methods.iter().find_map(|(_, seen)| seen.as_ref().err()) {
        failed(Subject::Methods, trouble)
    } else {
        check(Subject::Methods, Health::Ok, format!("all {} are there", methods.len()), None)
    }
}

fn limits(setup: Option<&Setup>, inquiry: Option<&Inquiry>) -> Check {
    let Some(Setup { per_second, burst, .. }) = setup else { return skipped(Subject::Limits, "no portal is known") };
    let pace = format!("at most {per_second} requests per second (--rps), {burst} at once");
    match inquiry.and_then(|inquiry| inquiry.operating) {
        Some(used) if used >= OPERATING => {
            let message = format!("{pace}; a method has used up its {OPERATING} s in ten minutes");
            check(
                Subject::Limits,
                Health::Warning,
                message,
                Some("wait some minutes: commands wait too, up to --timeout"),
            )
        }
        Some(used) => {
            check(Subject::Limits, Health::Ok, format!("{pace}; {used:.0} of {OPERATING} s of method time used"), None)
        }
        None => check(Subject::Limits, Health::Ok, pace, None),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]
mod tests;
