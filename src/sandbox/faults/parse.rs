//! Scripts of failures, read from text.

use std::str::FromStr;
use std::time::Duration;

use super::super::methods;
use super::super::wire::CallRefusal;
use super::rule::{Cut, FaultAction, FaultRule, Faults, On, When};
use super::script::names;
use super::words::{RuleWords, SpecError, SpecWord, quoted, rules};
use crate::text;

const JSON: &str = "application/json";
/// The longest delay; clients do not wait longer.
const MAX_DELAY: Duration = Duration::from_secs(3600);

/// The largest side of an image, in pixels.
const MAX_SIDE: u16 = 1000;

/// A function that reads the words after an action's own.
type ReadAction = fn(&mut RuleWords) -> Result<FaultAction, SpecError>;

/// The actions: the word for each, and what reads the words after it.
const ACTIONS: [(&str, ReadAction); 23] = [
    ("status", |words| Ok(instead(answer(words)?))),
    ("status-after", |words| Ok(afterwards(answer(words)?))),
    ("error", |words| Ok(instead(refused(words)?))),
    ("error-after", |words| Ok(afterwards(refused(words)?))),
    ("html", |words| Ok(FaultAction::Html(status(words)?))),
    ("image", image),
    ("html-after", |words| Ok(FaultAction::HtmlAfter(status(words)?))),
    ("delay", |words| Ok(FaultAction::Delay(delay(&words.next("a time such as 250ms or 1.5s")?)?))),
    ("drop-before", |_| Ok(FaultAction::DropBefore)),
    ("drop-after", |_| Ok(FaultAction::DropAfter)),
    ("drop-during", |_| Ok(FaultAction::DropDuring)),
    ("truncate", |words| Ok(FaultAction::TruncateBody(words.number("a number of bytes", 0, usize::MAX)?))),
    ("tear", |words| Ok(FaultAction::TearBody(words.number("a number of bytes", 0, usize::MAX)?))),
    ("empty", |_| Ok(FaultAction::EmptyBody)),
    ("cut", cut),
    ("refuse", refuse),
    ("no-batch", |_| Ok(FaultAction::NotAllowedInBatch)),
    ("no-inner", |words| {
        let method = optional(words).map(|word| method(&word.text, &word)).transpose()?;
        Ok(FaultAction::NotAllowedInside { method })
    }),
    ("rate-limited", |words| {
        Ok(FaultAction::RateLimited(words.number("a number of times, at least 1", 1, u64::MAX)?))
    }),
    ("time-limit", |_| Ok(FaultAction::TimeLimit)),
    ("overload", |_| Ok(FaultAction::Overload)),
    ("expired-token", |_| Ok(FaultAction::ExpiredToken)),
    ("disk-full", |_| Ok(FaultAction::DiskFull)),
];

/// Rules are separated by `;` or by the end of a line; `#` begins a comment. A rule names the requests, which of them
/// fail (all, if it does not say), and what goes wrong. Words with spaces are quoted as in JSON.
///
/// ```text
/// REQUESTS  any | write | download | METHOD | inner:METHOD      METHOD may begin with *, as in *.add
/// WHICH     every | N | N+ | P% | P%@SEED                        the n-th, from the n-th on, by chance
/// ACTION    status CODE [BODY [TYPE]]    error CODE ERROR [TEXT]    html CODE       the answer, without effect
///           image WIDTHxHEIGHT                                                      a grey one in its place
///           status-after …               error-after …              html-after …    the answer, after the effect
///           delay TIME   drop-before   drop-after   drop-during
///           truncate N   tear N   empty   cut N [unanswered]
///           refuse METHOD CODE ERROR [TEXT]   disk-full
///           no-batch   no-inner [METHOD]                                            batches, commands inside them
///           rate-limited N   time-limit   overload   expired-token
/// ```
///
/// # Examples
///
/// ```
/// use brandctl::sandbox::Faults;
/// let faults: Faults = "batch 2 drop-after; download 5%@7 html 502".parse()?;
/// assert_eq!(faults.rules.len(), 2);
/// assert_eq!(faults.to_string(), "batch 2 drop-after; download 5%@7 html 502");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl FromStr for Faults {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        Ok(Self { rules: rules(text)?.into_iter().map(rule).collect::<Result<_, _>>()? })
    }
}

fn rule(mut words: RuleWords) -> Result<FaultRule, SpecError> {
    let on = on(&words.next("which requests")?)?;
    let when = match words.next_if(|text| text == "every" || text.starts_with(|c: char| c.is_ascii_digit())) {
        Some(word) => when(&word)?,
        None => When::Every,
    };
    let action = action(&mut words)?;
    words.finish()?;
    Ok(FaultRule { on, when, action })
}

fn on(word: &SpecWord) -> Result<On, SpecError> {
    Ok(match word.text.as_str() {
        "any" => On::Any,
        "write" => On::Write,
        "download" => On::Download,
        text => match text.strip_prefix("inner:") {
            Some(pattern) => On::Inner(method(pattern, word)?),
            None => On::Method(method(text, word)?),
        },
    })
}

/// Reads a pattern that matches at least one method; any other would never apply.
fn method(pattern: &str, word: &SpecWord) -> Result<String, SpecError> {
    let pattern = pattern.to_ascii_lowercase();
    if methods::names().any(|name| names(&pattern, name)) {
        return Ok(pattern);
    }
    let known: Vec<&str> = ["any", "write", "download", "*.add", "*.get", "*.list", "*.delete"]
        .into_iter()
        .chain(methods::names())
        .collect();
    let hint = did_you_mean(&pattern, &known).unwrap_or_else(|| {
        "; expected any, write, download, a method such as crm.timeline.icon.add, or the end of one such as *.add"
            .to_owned()
    });
    word.place.error(format!("{} is not a method of this portal{hint}", quoted(&pattern)))
}

fn when(word: &SpecWord) -> Result<When, SpecError> {
    let text = word.text.as_str();
    let parsed = if text == "every" {
        Some(When::Every)
    } else if let Some((chance, seed)) = text.split_once('%') {
        let seed = match seed.strip_prefix('@') {
            Some(seed) => seed.parse().ok(),
            None => seed.is_empty().then_some(0),
        };
        per_million(chance).zip(seed).map(|(per_million, seed)| When::Probability { per_million, seed })
    } else if let Some(first) = text.strip_suffix('+') {
        first.parse().ok().filter(|first| *first > 0).map(When::From)
    } else {
        text.parse().ok().filter(|number| *number > 0).map(When::Nth)
    };
    match parsed {
        Some(when) => Ok(when),
        None => word.place.error(format!(
            "{} is not a selection of requests: expected every, 3 (the third), 3+ (from the third on), 2.5% (at random) or 2.5%@7 (with a seed)",
            quoted(text)
        )),
    }
}

/// Percent with at most four decimals, above 0 and at most 100.
fn per_million(percent: &str) -> Option<u32> {
    let (whole, decimals) = percent.split_once('.').unwrap_or((percent, "0"));
    if decimals.is_empty() || decimals.len() > 4 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole: u32 = whole.parse().ok().filter(|whole| *whole <= 100)?;
    let per_million = whole * 10_000 + format!("{decimals:0<4}").parse::<u32>().ok()?;
    (1..=1_000_000).contains(&per_million).then_some(per_million)
}

fn action(words: &mut RuleWords) -> Result<FaultAction, SpecError> {
    let name = words.next("what goes wrong")?;
    if let Some((_, read)) = ACTIONS.iter().find(|(known, _)| *known == name.text) {
        return read(words);
    }
    let known = ACTIONS.map(|(name, _)| name);
    let hint = did_you_mean(&name.text, &known).unwrap_or_else(|| format!("; expected one of {}", known.join(", ")));
    name.place.error(format!("{} is not an action{hint}", quoted(&name.text)))
}

fn cut(words: &mut RuleWords) -> Result<FaultAction, SpecError> {
    let after = words.number("a number of commands", 0, usize::MAX)?;
    let unanswered = words.next_if(|text| text == "unanswered").is_some();
    Ok(FaultAction::CutBatch { after, answer: if unanswered { Cut::Close } else { Cut::Partial } })
}

fn image(words: &mut RuleWords) -> Result<FaultAction, SpecError> {
    let word = words.next("a size such as 24x24")?;
    let size = word.text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    match size {
        Some((width @ 1..=MAX_SIDE, height @ 1..=MAX_SIDE)) => Ok(FaultAction::Image { width, height }),
        _ => word.place.error(format!(
            "{} is not a size such as 24x24, with sides of at most {MAX_SIDE} pixels",
            quoted(&word.text)
        )),
    }
}

fn refuse(words: &mut RuleWords) -> Result<FaultAction, SpecError> {
    let word = words.next("a method, or the end of one such as *.add")?;
    let method = method(&word.text, &word)?;
    let CallRefusal { status, code, description } = refusal(words)?;
    Ok(FaultAction::RefuseCommand { method, code: code.into(), description: description.into(), status })
}

/// The status, the body and the content type of any answer.
fn answer(words: &mut RuleWords) -> Result<(u16, String, String), SpecError> {
    let code = status(words)?;
    let body = optional(words).map_or_else(String::new, |word| word.text);
    Ok((code, body, content_type(words)?))
}

/// The same for an answer that refuses as a portal does.
fn refused(words: &mut RuleWords) -> Result<(u16, String, String), SpecError> {
    let refusal = refusal(words)?;
    Ok((refusal.status, refusal.envelope().to_string(), JSON.to_owned()))
}

fn instead((code, body, content_type): (u16, String, String)) -> FaultAction {
    FaultAction::Status { code, body, content_type }
}

fn afterwards((code, body, content_type): (u16, String, String)) -> FaultAction {
    FaultAction::StatusAfter { code, body, content_type }
}

/// An HTTP status that ends a request.
fn status(words: &mut RuleWords) -> Result<u16, SpecError> {
    words.number("an HTTP status from 200 to 599", 200, 599)
}

fn refusal(words: &mut RuleWords) -> Result<CallRefusal, SpecError> {
    let status = status(words)?;
    let code = words.next("an error code")?.text;
    let text = optional(words).map_or_else(String::new, |word| word.text);
    Ok(CallRefusal::new(status, &code, &text))
}

/// A content type that is valid in a header.
fn content_type(words: &mut RuleWords) -> Result<String, SpecError> {
    match optional(words) {
        None => Ok(JSON.to_owned()),
        Some(word) if word.text.contains('/') && word.text.bytes().all(|byte| matches!(byte, b' '..=b'~')) => {
            Ok(word.text)
        }
        Some(word) => word.place.error(format!(
            "{} is not a content type such as text/html; a body with spaces must be quoted as a whole",
            quoted(&word.text)
        )),
    }
}

fn optional(words: &mut RuleWords) -> Option<SpecWord> {
    words.next_if(|_| true)
}

fn delay(word: &SpecWord) -> Result<Duration, SpecError> {
    let split = word.text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.text.len());
    let (number, unit) = word.text.split_at(split);
    let unit = match unit {
        "s" => Some(1.0),
        "ms" => Some(1e-3),
        "us" | "µs" => Some(1e-6),
        "ns" => Some(1e-9),
        _ => None,
    };
    let seconds = number.parse::<f64>().ok().zip(unit).map(|(number, unit)| number * unit);
    match seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).filter(|delay| *delay <= MAX_DELAY) {
        Some(delay) => Ok(delay),
        None => {
            word.place.error(format!("{} is not a time such as 250ms or 1.5s, at most an hour", quoted(&word.text)))
        }
    }
}

/// "did you mean", for a word that is similar to one of the known ones.
fn did_you_mean(word: &str, known: &[&str]) -> Option<String> {
    text::nearest(word, known).map(|nearest| format!("; did you mean `{nearest}`?"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Faults, String> {
        text.parse().map_err(|error: SpecError| error.to_string())
    }

    #[test]
    fn rules_are_read() {
        let one = |text: &str| parse(text).unwrap().rules.pop().unwrap();
        let rule = |on, when, action| FaultRule { on, when, action };
        let add = || On::Method("crm.timeline.icon.add".to_owned());
        assert_eq!(one("any drop-after"), rule(On::Any, When::Every, FaultAction::DropAfter));
        assert_eq!(one("CRM.timeline.Icon.ADD every empty"), rule(add(), When::Every, FaultAction::EmptyBody));
        assert_eq!(one("write 3 html 502"), rule(On::Write, When::Nth(3), FaultAction::Html(502)));
        let chance = When::Probability { per_million: 2_500, seed: 7 };
        assert_eq!(one("download 0.25%@7 tear 9"), rule(On::Download, chance, FaultAction::TearBody(9)));
        let inner = On::Inner("*.delete".to_owned());
        let cut = FaultAction::CutBatch { after: 2, answer: Cut::Close };
        assert_eq!(one("inner:*.delete 2+ cut 2 unanswered"), rule(inner, When::From(2), cut));
        assert_eq!(one("any delay 1.5s").action, FaultAction::Delay(Duration::from_millis(1500)));
        let body = "{\"error\":\"X\",\"error_description\":\"no; not # now\"}".to_owned();
        let says = FaultAction::StatusAfter { code: 500, body, content_type: JSON.to_owned() };
        let inside = |method: Option<&str>| FaultAction::NotAllowedInside { method: method.map(str::to_owned) };
        assert_eq!(one("write no-inner"), rule(On::Write, When::Every, inside(None)));
        assert_eq!(one("write 3+ no-inner *.Add"), rule(On::Write, When::From(3), inside(Some("*.add"))));
        assert_eq!(one("any error-after 500 X \"no; not # now\"").action, says);
    }

    #[test]
    fn comments_and_empty_lines_are_ignored() {
        let faults = parse("# a remark\n\n any 1 empty # the first; any 2 empty\r\n;; any 3 empty;").unwrap();
        assert_eq!(faults.to_string(), "any 1 empty; any 3 empty");
        assert_eq!(parse(" # nothing ; \n ").unwrap(), Faults::none());
    }

    #[test]
    fn errors_name_the_place() {
        for (text, message) in [
            ("any", "1:4: the rule ends too early: what goes wrong is missing"),
            ("any 1 drop-aftr", "1:7: `drop-aftr` is not an action; did you mean `drop-after`?"),
            (
                "crm.timeline.icon.ad empty",
                "1:1: `crm.timeline.icon.ad` is not a method of this portal; did you mean `crm.timeline.icon.add`?",
            ),
            ("inner:*.ad empty", "1:1: `*.ad` is not a method of this portal; did you mean `*.add`?"),
            ("dowload empty", "1:1: `dowload` is not a method of this portal; did you mean `download`?"),
            ("any empty\n  any html 99", "2:12: `99` is not an HTTP status from 200 to 599"),
            ("any truncate -1", "1:14: `-1` is not a number of bytes"),
            ("write no-inner *.ad", "1:16: `*.ad` is not a method of this portal; did you mean `*.add`?"),
            ("any rate-limited 0", "1:18: `0` is not a number of times, at least 1"),
            ("any empty; any delay 3", "1:22: `3` is not a time such as 250ms or 1.5s, at most an hour"),
            ("any delay 2h", "1:11: `2h` is not a time such as 250ms or 1.5s, at most an hour"),
            ("any empty any empty", "1:11: the rule should end before `any`; rules are separated by `;` or a new line"),
            (
                "any status 500 {\"a\":1}",
                "1:16: a word with quotes in it must be quoted as a whole, as in JSON: \"say \\\"no\\\"\"",
            ),
            (
                "any status 500 a b",
                "1:18: `b` is not a content type such as text/html; a body with spaces must be quoted as a whole",
            ),
            (
                "any status 500 \"a",
                "1:16: the quotes are not closed on this line, or their content is not a JSON string",
            ),
            ("any status 500 \"a\"b", "1:16: something follows the closing quote: leave a space after it"),
        ] {
            assert_eq!(parse(text).unwrap_err(), message, "{text}");
        }
        let which = "is not a selection of requests: expected every, 3 (the third), 3+ (from the third on), 2.5% (at random) or 2.5%@7 (with a seed)";
        for when in ["0", "0+", "1x", "0%", "101%", "1.%", "1.00001%", "5%7", "5%@x", "99999999999999999999"] {
            assert_eq!(parse(&format!("any {when} empty")).unwrap_err(), format!("1:5: `{when}` {which}"));
        }
        let all = parse("any sleep").unwrap_err();
        assert!(all.ends_with("; expected one of status, status-after, error, error-after, html, image, html-after, delay, drop-before, drop-after, drop-during, truncate, tear, empty, cut, refuse, no-batch, no-inner, rate-limited, time-limit, overload, expired-token, disk-full"), "{all}");
    }

    #[test]
    fn every_action_that_is_named_is_known() {
        for (name, _) in ACTIONS {
            if let Err(error) = parse(&format!("any {name}")) {
                assert!(error.contains("ends too early"), "{error}");
            }
        }
    }

    fn method_name() -> impl Strategy<Value = String> {
        let all: Vec<String> = methods::names().chain(["*.add", "*", "*.icon.list"]).map(str::to_owned).collect();
        prop::sample::select(all)
    }

    fn text() -> impl Strategy<Value = String> + Clone {
        prop_oneof![Just(String::new()), "[a-z]{1,9}", ".{0,20}", Just("a;b #c \"d\"\n\\".to_owned())]
    }

    fn action() -> impl Strategy<Value = FaultAction> {
        let content_type = prop::sample::select(vec![JSON.to_owned(), "text/html; charset=utf-8".to_owned()]);
        let status = (200_u16..600, text(), content_type);
        prop_oneof![
            status.clone().prop_map(|(code, body, content_type)| FaultAction::Status { code, body, content_type }),
            status.prop_map(|(code, body, content_type)| FaultAction::StatusAfter { code, body, content_type }),
            (200_u16..600).prop_map(FaultAction::Html),
            (200_u16..600).prop_map(FaultAction::HtmlAfter),
            (1..=MAX_SIDE, 1..=MAX_SIDE).prop_map(|(width, height)| FaultAction::Image { width, height }),
            (0_u64..=3_600_000_000_000).prop_map(|nanos| FaultAction::Delay(Duration::from_nanos(nanos))),
            any::<usize>().prop_map(FaultAction::TruncateBody),
            any::<usize>().prop_map(FaultAction::TearBody),
            (any::<usize>(), prop::sample::select(vec![Cut::Close, Cut::Partial]))
                .prop_map(|(after, answer)| FaultAction::CutBatch { after, answer }),
            (method_name(), 200_u16..600, text(), text()).prop_map(|(method, status, code, description)| {
                FaultAction::RefuseCommand { method, code, description, status }
            }),
            proptest::option::of(method_name()).prop_map(|method| FaultAction::NotAllowedInside { method }),
            (1..u64::MAX).prop_map(FaultAction::RateLimited),
            prop::sample::select(vec![
                FaultAction::DropBefore,
                FaultAction::DropAfter,
                FaultAction::DropDuring,
                FaultAction::EmptyBody,
                FaultAction::NotAllowedInBatch,
                FaultAction::TimeLimit,
                FaultAction::Overload,
                FaultAction::ExpiredToken,
                FaultAction::DiskFull,
            ]),
        ]
    }

    fn script() -> impl Strategy<Value = Faults> {
        let on = prop_oneof![
            prop::sample::select(vec![On::Any, On::Write, On::Download]),
            method_name().prop_map(On::Method),
            method_name().prop_map(On::Inner),
        ];
        let when = prop_oneof![
            Just(When::Every),
            (1..u64::MAX).prop_map(When::Nth),
            (1..u64::MAX).prop_map(When::From),
            (1..=1_000_000_u32, any::<u64>()).prop_map(|(per_million, seed)| When::Probability { per_million, seed }),
        ];
        let rule = (on, when, action()).prop_map(|(on, when, action)| FaultRule { on, when, action });
        prop::collection::vec(rule, 0..5).prop_map(|rules| Faults { rules })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_it_was(faults in script()) {
            let written = faults.to_string();
            let read = parse(&written);
            prop_assert_eq!(read.as_ref(), Ok(&faults), "{}", written);
            prop_assert_eq!(&parse(&format!("# these\n{written};")), &read);
        }

        #[test]
        fn nothing_panics(text in "([a-z:.*%@+0-9;# \"\\\\\n-]|any |empty ){0,40}") {
            // Everything that is accepted is written as it is read.
            if let Ok(faults) = parse(&text) {
                prop_assert_eq!(parse(&faults.to_string()), Ok(faults));
            }
        }
    }
}
