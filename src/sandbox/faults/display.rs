//! Scripts of failures as text, which reads back as the same script.

use std::borrow::Cow;
use std::fmt;

use super::rule::{Cut, FaultAction, FaultRule, Faults, On, When};

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rule) in self.rules.iter().enumerate() {
            write!(f, "{}{rule}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

/// The rule as text that can be parsed again, unless it names a method that does not exist.
impl fmt::Display for FaultRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { on, when, action } = self;
        match on {
            On::Any => f.write_str("any"),
            On::Write => f.write_str("write"),
            On::Download => f.write_str("download"),
            On::Method(pattern) => write!(f, "{}", written(pattern)),
            On::Inner(pattern) => write!(f, "{}", written(&format!("inner:{pattern}"))),
        }?;
        match when {
            When::Every => {}
            When::Nth(number) => write!(f, " {number}")?,
            When::From(number) => write!(f, " {number}+")?,
            When::Probability { per_million, seed } => {
                let percent = format!("{}.{:04}", per_million / 10_000, per_million % 10_000);
                write!(f, " {}%", percent.trim_end_matches('0').trim_end_matches('.'))?;
                if *seed != 0 {
                    write!(f, "@{seed}")?;
                }
            }
        }
        write!(f, " {action}")
    }
}

impl fmt::Display for FaultAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { code, body, content_type } => {
                write!(f, "status {code} {} {}", written(body), written(content_type))
            }
            Self::StatusAfter { code, body, content_type } => {
                write!(f, "status-after {code} {} {}", written(body), written(content_type))
            }
            Self::Html(code) => write!(f, "html {code}"),
            Self::Image { width, height } => write!(f, "image {width}x{height}"),
            Self::HtmlAfter(code) => write!(f, "html-after {code}"),
            Self::Delay(delay) => write!(f, "delay {delay:?}"),
            Self::DropBefore => f.write_str("drop-before"),
            Self::DropAfter => f.write_str("drop-after"),
            Self::DropDuring => f.write_str("drop-during"),
            Self::TruncateBody(length) => write!(f, "truncate {length}"),
            Self::TearBody(length) => write!(f, "tear {length}"),
            Self::EmptyBody => f.write_str("empty"),
            Self::CutBatch { after, answer: Cut::Partial } => write!(f, "cut {after}"),
            Self::CutBatch { after, answer: Cut::Close } => write!(f, "cut {after} unanswered"),
            Self::RefuseCommand { method, code, description, status } => {
                write!(f, "refuse {} {status} {} {}", written(method), written(code), written(description))
            }
            Self::NotAllowedInBatch => f.write_str("no-batch"),
            Self::NotAllowedInside { method: None } => f.write_str("no-inner"),
            Self::NotAllowedInside { method: Some(method) } => write!(f, "no-inner {}", written(method)),
            Self::RateLimited(times) => write!(f, "rate-limited {times}"),
            Self::TimeLimit => f.write_str("time-limit"),
            Self::Overload => f.write_str("overload"),
            Self::ExpiredToken => f.write_str("expired-token"),
            Self::DiskFull => f.write_str("disk-full"),
        }
    }
}

/// A word as it is written in a script.
fn written(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, ';' | '#' | '"');
    if !text.is_empty() && text.chars().all(is_plain) {
        text.into()
    } else {
        // A string is always representable.
        serde_json::Value::from(text).to_string().into()
    }
}
