//! The time and the commit of a report, as people read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::origin::past::ObjectId;
use crate::domain::report::Heading;

/// The name and version of this program.
pub(super) const PROGRAM: &str = concat!("brandctl ", env!("CARGO_PKG_VERSION"));

/// A point in time.
pub(super) struct ShownTime {
    /// In RFC 3339, for programs.
    pub(super) exact: String,
    /// To the minute: `27 November 2026, 15:54 UTC`.
    pub(super) short: String,
}

/// The time at which the command began; `None` if the text is not a time: a journal may come from elsewhere.
pub(super) fn began(heading: &Heading) -> Option<ShownTime> {
    let at: Timestamp = heading.started.as_ref()?.parse().ok()?;
    let short = at.to_zoned(TimeZone::UTC).strftime("%-d %B %Y, %H:%M UTC").to_string();
    Some(ShownTime { exact: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), short })
}

/// The short commit, with a `+` for a changed tree; `None` if the text is not a commit.
pub(super) fn commit(heading: &Heading) -> Option<String> {
    let whole = heading.commit.as_deref()?;
    let name = whole.strip_suffix('+');
    let id = ObjectId::parse(name.unwrap_or(whole))?;
    Some(format!("{}{}", id.short(), if name.is_some() { "+" } else { "" }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_heading_is_short_and_holds_nothing_else() {
        let of = |started: &str, commit: &str| Heading {
            started: Some(started.to_owned()),
            commit: Some(commit.to_owned()),
        };
        let heading = of("2026-11-07T05:04:09Z", &format!("{}+", "3f60c40ab1".repeat(4)));
        let moment = began(&heading).unwrap();
        assert_eq!(
            (moment.exact.as_str(), moment.short.as_str()),
            ("2026-11-07T05:04:09Z", "7 November 2026, 05:04 UTC")
        );
        assert_eq!(commit(&heading).as_deref(), Some("3f60c40ab1+"));
        let hostile = of("<b>", "@octocat");
        assert!(began(&hostile).is_none() && commit(&hostile).is_none());
        assert!(began(&Heading::default()).is_none() && commit(&Heading::default()).is_none());
    }
}
