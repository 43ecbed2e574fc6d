//! Checks the connection to a portal step by step, for `doctor`: what the client itself would do, one thing at a time.

use std::time::Duration;

use futures_util::future;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::{Map, Value, json};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use crate::domain::doctor::{Greeting, Inquiry, Presence, Setup};
use crate::domain::finding::Problem;
use crate::domain::retry::Class;
use crate::ops::ports::{DoctorPort, PortalError};

use super::access::Access;
use super::batch::{self, BatchAnswers, Part};
use super::client::Client;
use super::error::{self, RequestError};
use super::http;
use super::limits::RequestPurpose;
use super::proxy;
use super::renewal;
use super::wire::{self, Malformed, RestResult};

/// How long looking up an address or connecting to one may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

const PROFILE: &str = "profile";
const SCOPE: &str = "scope";
const PRESENCE: &str = "method.get";

impl DoctorPort for Client {
    fn setup(&self) -> Setup {
        let origin = self.access.portal().origin();
        let (proxied, (peer, port)) = match proxy::of(self.access.portal()) {
            Some(proxy) => (true, proxy),
            None => {
                let host = origin.host_str().unwrap_or_default().to_owned();
                (false, (host, origin.port_or_known_default().unwrap_or_default()))
            }
        };
        let rate = self.throttle.rate();
        Setup {
            url: origin.as_str().trim_end_matches('/').to_owned(),
            encrypted: origin.scheme() == "https",
            peer,
            port,
            proxied,
            per_second: rate.per_second,
            burst: rate.burst,
        }
    }

    fn renewable(&self) -> Result<(), Problem> {
        match &self.access {
            Access::Webhook(_) => Ok(()),
            Access::Application(application) => {
                renewal::check_renewable(application).map_err(|failure| failure.error.into())
            }
        }
    }

    async fn resolve(&self) -> Result<Vec<String>, Problem> {
        let setup = self.setup();
        let (whom, Setup { peer, port, proxied, .. }) = (setup.whom(), setup);
        // The name of an IPv6 address has brackets in a URL, and none here.
        let name = peer.trim_start_matches('[').trim_end_matches(']');
        let help = if proxied {
            "check the proxy's name in HTTPS_PROXY"
        } else {
            "check the portal's host and the network's DNS"
        };
        let problem = |why: String| Problem::new(format!("{whom} has no address: {why}")).help(help);
        match timeout_at(self.soon(), lookup_host((name, port))).await {
            Ok(Ok(found)) => {
                let mut addresses: Vec<String> = found.map(|address| address.ip().to_string()).collect();
                addresses.dedup();
                if addresses.is_empty() { Err(problem("the host does not exist".to_owned())) } else { Ok(addresses) }
            }
            Ok(Err(error)) => Err(problem(error.to_string())),
            Err(_) => Err(problem("no answer in time".to_owned())),
        }
    }

    async fn connect(&self, addresses: &[String]) -> Result<String, Problem> {
        let setup = self.setup();
        let (whom, Setup { port, proxied, .. }, until) = (setup.whom(), setup, self.soon());
        let attempts = addresses.iter().map(|address| {
            Box::pin(async move {
                match timeout_at(until, TcpStream::connect((address.as_str(), port))).await {
                    Ok(Ok(_)) => Ok(address.clone()),
                    Ok(Err(error)) => Err(error.to_string()),
                    Err(_) => Err("no answer in time".to_owned()),
                }
            })
        });
        let first = future::select_ok(attempts).await;
        first.map(|(address, _)| address).map_err(|why| {
            let help = if proxied {
                "check the address in HTTPS_PROXY"
            } else {
                "check the network and its firewall; if you need a proxy, set HTTPS_PROXY"
            };
            Problem::new(format!("{whom} does not accept connections on port {port}: {why}")).help(help)
        })
    }

    async fn greet(&self) -> Result<Greeting, PortalError> {
        let deadline = self.deadlines.of_request(RequestPurpose::Read, Instant::now());
        // Below /rest/ nothing is cached on the way, and without credentials nothing is there.
        let mut url = self.access.portal().origin().clone();
        url.set_path("/rest/");
        let response = http::send(self.transport.downloads.get(url), deadline.until)
            .await
            .map_err(|why| error::broken(self.access.redactor(), self.access.host(), &why, deadline).error)?;
        let ahead = response.date.and_then(|date| ahead(&date, Timestamp::now()));
        Ok(Greeting { ahead })
    }

    async fn inquire(&self, methods: &[String]) -> Result<Inquiry, PortalError> {
        let questions: Vec<Question<'_>> = [PROFILE, SCOPE, batch::RIGHTS_METHOD]
            .into_iter()
            .map(|method| Question { method, name: None })
            .chain(methods.iter().map(|name| Question { method: PRESENCE, name: Some(name) }))
            .collect();
        let (answers, operating) = match self.ask_together(&questions).await {
            Err(failure) if failure.class() == Class::NoBatch => (self.ask_singly(&questions).await, None),
            other => other.map_err(|failure| failure.error)?,
        };
        let mut answers = answers.into_iter();
        let mut next =
            || answers.next().unwrap_or_else(|| Err(self.unread("batch", "it does not answer every question")));
        Ok(Inquiry {
            caller: next().and_then(|answer| self.caller(&answer)),
            scopes: next().and_then(|answer| self.scopes(answer)),
            administrator: next().and_then(|answer| {
                wire::truth(&answer)
                    .ok_or_else(|| self.unread(batch::RIGHTS_METHOD, "the result is neither yes nor no"))
            }),
            methods: methods
                .iter()
                .map(|method| (method.clone(), next().and_then(|answer| self.presence(&answer))))
                .collect(),
            operating,
        })
    }
}

/// One question about the caller or the portal.
struct Question<'a> {
    method: &'static str,
    /// Its parameter, if it has one.
    name: Option<&'a str>,
}

type DoctorAnswer = Result<Value, Problem>;

impl Client {
    /// The time until which to wait for an address or a connection.
    fn soon(&self) -> Instant {
        let now = Instant::now();
        self.deadlines.of_request(RequestPurpose::Read, now).until.min(now + CONNECT_TIMEOUT)
    }

    /// One answer for each question, in one request, and the most time that a method has used up.
    async fn ask_together(&self, questions: &[Question<'_>]) -> Result<(Vec<DoctorAnswer>, Option<f64>), RequestError> {
        let command = |(index, question): (usize, &Question<'_>)| {
            let name = question.name.map(|name| format!("?name={name}")).unwrap_or_default();
            (batch::key(index), Value::String(format!("{}{name}", question.method)))
        };
        let cmd: Map<String, Value> = questions.iter().enumerate().map(command).collect();
        let read = |answered: RestResult| {
            let mut answers = BatchAnswers::read(answered.result).map_err(|why| self.malformed("batch", &why))?;
            let operating = answers.operating();
            let answer = |(index, question): (usize, &Question<'_>)| match answers.take(&batch::key(index)) {
                Part::Result(answered) => Ok(answered.result),
                Part::Error(body) => Err(error::refused(&self.access, None, &body).error.into()),
                Part::Nothing => Err(self.unread(question.method, "the batch does not mention it")),
            };
            Ok((questions.iter().enumerate().map(answer).collect(), operating))
        };
        self.ask("batch", &json!({"halt": 0, "cmd": cmd}), read).await
    }

    /// One answer for each question, in a request each, for portals that refuse batches.
    async fn ask_singly(&self, questions: &[Question<'_>]) -> Vec<DoctorAnswer> {
        let mut answers = Vec::with_capacity(questions.len());
        for Question { method, name } in questions {
            let parameters = name.map_or(json!({}), |name| json!({ "name": name }));
            let answer = self.ask(method, &parameters, |answered| Ok(answered.result)).await;
            answers.push(answer.map_err(|failure| failure.error.into()));
        }
        answers
    }

    fn caller(&self, answer: &Value) -> Result<String, Problem> {
        let field = |name: &str| match answer.get(name) {
            Some(Value::String(text)) => self.access.quote(text),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let id = field("ID");
        if id.is_empty() {
            return Err(self.unread(PROFILE, "there is no field `ID`"));
        }
        let name = format!("{} {}", field("NAME"), field("LAST_NAME"));
        Ok(if name.trim().is_empty() { format!("user {id}") } else { format!("user {id}, {}", name.trim()) })
    }

    fn scopes(&self, answer: Value) -> Result<Vec<String>, Problem> {
        let scopes = wire::members(answer).ok_or_else(|| self.unread(SCOPE, "the result is not a list"))?;
        Ok(scopes.iter().filter_map(|(_, scope)| scope.as_str()).map(|scope| self.access.quote(scope)).collect())
    }

    fn presence(&self, answer: &Value) -> Result<Presence, Problem> {
        let field = |name| answer.get(name).and_then(wire::truth);
        match (field("isExisting"), field("isAvailable")) {
            (Some(false), _) => Ok(Presence::Absent),
            (Some(true), Some(true)) => Ok(Presence::Available),
            (Some(true), Some(false)) => Ok(Presence::Withheld),
            _ => Err(self.unread(PRESENCE, "it does not say whether the method exists and can be called")),
        }
    }

    fn unread(&self, method: &str, why: &str) -> Problem {
        self.malformed(method, &Malformed(why.to_owned())).error.into()
    }
}

/// The seconds by which the clock behind a `Date` header is ahead of `now`.
fn ahead(date: &str, now: Timestamp) -> Option<i64> {
    let theirs = rfc2822::parse(date).ok()?.timestamp();
    Some(theirs.as_second() - now.as_second())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn a_date_header_tells_how_far_the_clocks_are_apart() {
        let now: Timestamp = "2026-11-02T10:00:00Z".parse().unwrap();
        for (date, expected) in [
            ("Mon, 02 Nov 2026 10:00:00 GMT", Some(0)),
            ("Mon, 02 Nov 2026 10:02:00 GMT", Some(120)),
            ("Mon, 02 Nov 2026 09:00:00 GMT", Some(-3600)),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(ahead(date, now), expected, "{date}");
        }
    }
}
