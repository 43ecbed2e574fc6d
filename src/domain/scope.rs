//! Scopes: lists of globs that select entries by code, as in `owns`, `ignore`, `protect` and `--only`.

use std::fmt;

use globset::{Glob, GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};

use super::asset::{Address, Kind};
use super::finding::Finding;

/// The characters with a special meaning in a glob.
const SPECIAL: [char; 7] = ['*', '?', '[', ']', '{', '}', '\\'];

/// The longest pattern. Codes have at most 255 characters; a much longer pattern is a mistake, or too expensive to
/// match.
const MAX_PATTERN_BYTES: usize = 1024;

/// Codes that have nothing in common: a pattern that matches all of them matches everything.
const PROBES: [&str; 9] = ["a", "z", "0", "-", "_", "~", "Q9", "acme-call", "m/n"];

/// A glob over codes, as it was written.
///
/// `*`, `?`, `[a-z]` and `{a,b}` have their usual meaning, `*` matches `/` too, and upper and lower case differ. The
/// prefix `icon/` or `logo/` narrows it to one kind.
#[derive(Clone)]
pub(crate) struct Pattern {
    text: String,
    kind: Option<Kind>,
    glob: Glob,
    /// Absent when the pattern has no wildcard: most of a long list are plain codes, and compiling them takes long.
    matcher: Option<GlobMatcher>,
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Self, PatternError> {
        let fail = |reason| PatternError { pattern: text.to_owned(), reason };
        let narrowed = text.split_once('/').and_then(|(kind, code)| Some((Kind::named(kind)?, code)));
        let (kind, code) = narrowed.map_or((None, text), |(kind, code)| (Some(kind), code));
        if code.is_empty() {
            return Err(fail(PatternFault::Empty));
        }
        if code.len() > MAX_PATTERN_BYTES {
            return Err(fail(PatternFault::TooLong));
        }
        if let Some(slip) = mistaken_kind(kind, code) {
            return Err(fail(slip));
        }
        let glob = GlobBuilder::new(code)
            .literal_separator(false)
            .case_insensitive(false)
            .backslash_escape(true)
            .build()
            .map_err(|error| fail(PatternFault::Glob(error.kind().to_string())))?;
        let matcher = if code.contains(SPECIAL) {
            // Compiling panics on a glob whose automaton would be too large; building a set returns an error instead.
            GlobSetBuilder::new().add(glob.clone()).build().map_err(|_| fail(PatternFault::TooLarge))?;
            Some(glob.compile_matcher())
        } else {
            None
        };
        Ok(Self { text: text.to_owned(), kind, glob, matcher })
    }

    /// The pattern that matches only this entry, narrowed to its kind; `None` when no pattern can, because the
    /// code is empty or longer than any that a portal keeps.
    pub(crate) fn exactly(address: &Address) -> Option<Self> {
        let code = address.code.as_str();
        let mut text = format!("{}/", address.kind);
        // After a kind, `icons/…` is treated as a mistake; with its first letter escaped, it is an ordinary code.
        if mistaken_kind(Some(address.kind), code).is_some() {
            text.push('\\');
        }
        for character in code.chars() {
            if SPECIAL.contains(&character) {
                text.push('\\');
            }
            text.push(character);
        }
        Self::parse(&text).ok().filter(|pattern| pattern.matches(address))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The kind to which it is narrowed.
    pub(crate) const fn kind(&self) -> Option<Kind> {
        self.kind
    }

    /// Whether it matches this entry.
    pub(crate) fn matches(&self, address: &Address) -> bool {
        self.kind.is_none_or(|kind| kind == address.kind) && self.matches_code(address.code.as_str())
    }

    /// Whether it matches every code, of both kinds or of its kind: `*`, `**`, `icon/*`, `?*` and the like.
    pub(crate) fn is_everything(&self) -> bool {
        self.text.contains('*') && PROBES.iter().all(|probe| self.matches_code(probe))
    }

    fn matches_code(&self, code: &str) -> bool {
        self.matcher.as_ref().map_or_else(|| self.glob.glob() == code, |matcher| matcher.is_match(code))
    }
}

/// The error in a code that begins like a kind, given the kind that the pattern is narrowed to.
fn mistaken_kind(narrowed: Option<Kind>, code: &str) -> Option<PatternFault> {
    let (word, _) = code.split_once('/')?;
    if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.plural() == word) {
        return Some(PatternFault::Plural(kind));
    }
    // `protect: ["Logo/x"]` would be taken for a code with a slash, and protect nothing.
    let is_meant = |kind: &Kind| [kind.name(), kind.plural()].iter().any(|name| name.eq_ignore_ascii_case(word));
    let meant = Kind::ALL.into_iter().find(is_meant).filter(|_| narrowed.is_none())?;
    Some(PatternFault::Case(word.to_owned(), meant))
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

/// The error for text that is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is not a pattern: {reason}")]
pub(crate) struct PatternError {
    pattern: String,
    reason: PatternFault,
}

impl PatternError {
    /// The reason, without naming the pattern: one clause, lower case.
    pub(crate) fn reason(&self) -> String {
        self.reason.to_string()
    }

    /// The fix, where it is known.
    pub(crate) fn help(&self) -> Option<String> {
        match &self.reason {
            PatternFault::Empty => Some("write `*` to match every code".to_owned()),
            PatternFault::Plural(kind) => Some(format!("write `{kind}/…`: a pattern takes the singular")),
            PatternFault::Case(_, kind) => Some(format!("write `{kind}/…`: write a kind in lower case")),
            PatternFault::Glob(_) => Some("to match `[` or `{` itself, write it in brackets: `[[]`, `[{]`".to_owned()),
            PatternFault::TooLong | PatternFault::TooLarge => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum PatternFault {
    #[error("it matches no code")]
    Empty,
    #[error("it is longer than {MAX_PATTERN_BYTES} bytes")]
    TooLong,
    #[error("it has too many alternatives")]
    TooLarge,
    #[error("`{}/` is not a kind", .0.plural())]
    Plural(Kind),
    #[error("`{}/` is not a kind", .0)]
    Case(String, Kind),
    #[error("{0}")]
    Glob(String),
}

/// A list of patterns; an entry is in it when one of them matches.
#[derive(Clone, Default)]
pub struct Scope {
    patterns: Vec<Pattern>,
    set: GlobSet,
}

impl Scope {
    /// The scope of these patterns, in their order.
    /// When all of them together are too large to compile, the error names the first.
    pub(crate) fn new(patterns: Vec<Pattern>) -> Result<Self, PatternError> {
        let mut builder = GlobSetBuilder::new();
        for pattern in &patterns {
            builder.add(pattern.glob.clone());
        }
        match builder.build() {
            Ok(set) => Ok(Self { patterns, set }),
            Err(_) => Err(PatternError {
                pattern: patterns.first().map(|pattern| pattern.text.clone()).unwrap_or_default(),
                reason: PatternFault::TooLarge,
            }),
        }
    }

    /// The patterns, in their order.
    pub(crate) fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// Whether one of the patterns matches this entry.
    pub(crate) fn matches(&self, address: &Address) -> bool {
        self.matching(address).next().is_some()
    }

    /// The patterns that match this entry, in their order.
    pub(crate) fn matching(&self, address: &Address) -> impl Iterator<Item = &Pattern> {
        let kind = address.kind;
        self.set
            .matches(address.code.as_str())
            .into_iter()
            .filter_map(|index| self.patterns.get(index))
            .filter(move |pattern| pattern.kind.is_none_or(|only| only == kind))
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.patterns).finish()
    }
}

impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        self.patterns == other.patterns
    }
}

impl Eq for Scope {}

/// Finds the patterns of the option `option` that match none of `entries`: they are probably typing errors.
/// `entries_are` names the entries after "matches no"; `help` says how codes are spelt.
pub(crate) fn unmatched<'a>(
    option: &str,
    patterns: &[Pattern],
    entries: impl Iterator<Item = &'a Address> + Clone,
    entries_are: &str,
    help: &str,
) -> Vec<Finding> {
    let unmatched = patterns.iter().filter(|pattern| !entries.clone().any(|address| pattern.matches(address)));
    let finding = |pattern| {
        Finding::error("only-matches-nothing", format!("`{option} {pattern}` matches no {entries_are}")).help(help)
    };
    unmatched.map(finding).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::asset::Code;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    fn scope(patterns: &[&str]) -> Scope {
        Scope::new(patterns.iter().map(|pattern| Pattern::parse(pattern).unwrap()).collect()).unwrap()
    }

    #[test]
    fn patterns_mean_what_globs_mean() {
        for (pattern, entry, expected) in [
            ("acme-*", "icon/acme-call", true),
            ("acme-*", "logo/acme-call", true),
            ("acme-*", "icon/Acme-call", false),
            ("acme-*", "icon/x-acme-call", false),
            ("acme-*", "icon/acme-", true),
            ("acme-*", "icon/acme-a/b", true),
            ("icon/acme-*", "icon/acme-call", true),
            ("icon/acme-*", "logo/acme-call", false),
            ("logo/acme-*", "logo/acme-call", true),
            ("acme-call", "icon/acme-call", true),
            ("acme-call", "icon/acme-calls", false),
            ("acme.call", "icon/acme-call", false),
            ("acme-?", "icon/acme-1", true),
            ("acme-?", "icon/acme-12", false),
            ("acme-[0-9]", "icon/acme-7", true),
            ("acme-[!0-9]", "icon/acme-7", false),
            ("{acme,shop}-*", "icon/shop-a", true),
            ("a[[]b", "icon/a[b", true),
            ("*", "icon/anything/at all", true),
            ("a*", "icon/a\nb", true),
        ] {
            let pattern_parsed = Pattern::parse(pattern).unwrap();
            assert_eq!(pattern_parsed.matches(&address(entry)), expected, "{pattern} {entry}");
            assert_eq!(scope(&[pattern]).matches(&address(entry)), expected, "{pattern} {entry}, as a list");
        }
    }

    #[test]
    fn only_patterns_that_match_every_code_are_everything() {
        for pattern in ["*", "**", "***", "icon/*", "logo/**", "?*", "*?", "{*}", "{a,*}"] {
            assert!(Pattern::parse(pattern).unwrap().is_everything(), "{pattern}");
        }
        for pattern in ["a*", "*a", "acme-*", "icon/a*", "[a-z]*", "[!a]*", "?", "*-*", "a", "*/*"] {
            assert!(!Pattern::parse(pattern).unwrap().is_everything(), "{pattern}");
        }
    }

    #[test]
    fn a_list_tells_which_patterns_matched() {
        let scope = scope(&["acme-*", "icon/acme-call", "logo/*", "shop"]);
        let matching = |entry| scope.matching(&address(entry)).map(Pattern::as_str).collect::<Vec<_>>();
        assert_eq!(matching("icon/acme-call"), ["acme-*", "icon/acme-call"]);
        assert_eq!(matching("logo/acme-call"), ["acme-*", "logo/*"]);
        assert_eq!(matching("icon/shop"), ["shop"]);
        assert!(matching("icon/shops").is_empty());
        assert!(!Scope::default().matches(&address("icon/a")));
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        let long = "a".repeat(MAX_PATTERN_BYTES + 1);
        for (pattern, expected) in [
            ("", "`` is not a pattern: it matches no code"),
            ("icon/", "`icon/` is not a pattern: it matches no code"),
            ("icons/acme-*", "`icons/acme-*` is not a pattern: `icons/` is not a kind"),
            ("Logo/acme-*", "`Logo/acme-*` is not a pattern: `Logo/` is not a kind"),
            ("ICONS/*", "`ICONS/*` is not a pattern: `ICONS/` is not a kind"),
            ("a[", "`a[` is not a pattern: unclosed character class; missing ']'"),
            ("[z-a]", "`[z-a]` is not a pattern: invalid range; 'z' > 'a'"),
            ("[b-\u{1b}]", "`[b-\u{1b}]` is not a pattern: invalid range; 'b' > '\u{1b}'"),
            ("{a", "`{a` is not a pattern: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)"),
            ("a\\", "`a\\` is not a pattern: dangling '\\'"),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap_err().to_string(), expected);
        }
        assert_eq!(Pattern::parse(&long).unwrap_err().reason(), "it is longer than 1024 bytes");
    }

    #[test]
    fn a_pattern_may_be_as_long_as_the_bound() {
        assert!(Pattern::parse(&"a".repeat(MAX_PATTERN_BYTES)).is_ok());
        assert!(Pattern::parse(&"a".repeat(MAX_PATTERN_BYTES + 1)).is_err());
        assert!(Pattern::parse(&format!("icon/{}", "a".repeat(MAX_PATTERN_BYTES))).is_ok(), "the kind does not count");
    }

    #[test]
    fn a_pattern_is_narrowed_by_its_prefix() {
        for (pattern, kind) in [
            ("acme-*", None),
            ("icon/acme-*", Some(Kind::Icon)),
            ("logo/acme-*", Some(Kind::Logo)),
            ("icon/logo/x", Some(Kind::Icon)),
            ("shop/x", None),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().kind(), kind, "{pattern}");
        }
    }

    #[test]
    fn a_slip_is_answered_with_what_was_meant() {
        for (pattern, meant) in [
            ("", "`*`"),
            ("icons/a", "`icon/…`"),
            ("icon/logos/a", "`logo/…`"),
            ("LOGO/a", "`logo/…`"),
            ("a[", "`[[]`"),
        ] {
            let help = Pattern::parse(pattern).unwrap_err().help().unwrap();
            assert!(help.contains(meant), "{pattern}: {help}");
        }
        assert_eq!(Pattern::parse(&"a".repeat(MAX_PATTERN_BYTES + 1)).unwrap_err().help(), None);
    }

    #[test]
    fn a_list_keeps_its_patterns_in_their_order() {
        let scope = scope(&["shop", "icon/acme-*", "acme-*"]);
        let patterns: Vec<_> = scope.patterns().iter().map(Pattern::as_str).collect();
        assert_eq!(patterns, ["shop", "icon/acme-*", "acme-*"]);
        assert!(!scope.patterns().is_empty());
    }

    #[test]
    fn an_empty_list_means_nothing() {
        for scope in [Scope::default(), scope(&[])] {
            assert!(scope.patterns().is_empty());
            assert!(!scope.matches(&address("icon/a")));
        }
    }

    #[test]
    fn only_patterns_that_match_no_entry_are_reported() {
        let entries = [address("icon/acme-call"), address("logo/shop")];
        let reported = |patterns: &[&str]| {
            let scope = scope(patterns);
            let findings = unmatched("--only", scope.patterns(), entries.iter(), "entry", "codes are case-sensitive");
            findings.into_iter().map(|finding| finding.message).collect::<Vec<_>>()
        };
        assert_eq!(reported(&["acme-*", "logo/*", "*"]), [] as [&str; 0]);
        let expected = ["`--only logo/acme-*` matches no entry", "`--only Shop` matches no entry"];
        assert_eq!(reported(&["shop", "logo/acme-*", "Shop"]), expected);
    }

    #[test]
    fn a_pattern_of_an_entry_that_no_pattern_can_match_is_none() {
        for code in [String::new(), "a".repeat(MAX_PATTERN_BYTES + 1)] {
            assert!(Pattern::exactly(&Address::new(Kind::Icon, Code::new(code))).is_none());
        }
    }

    #[test]
    fn patterns_and_lists_are_the_same_if_they_are_written_the_same() {
        let pattern = |text| Pattern::parse(text).unwrap();
        assert_eq!(pattern("acme-*"), pattern("acme-*"));
        assert_ne!(pattern("acme-*"), pattern("icon/acme-*"));
        assert_eq!(scope(&["a", "b"]), scope(&["a", "b"]));
        assert_ne!(scope(&["a", "b"]), scope(&["b", "a"]));
        assert_ne!(scope(&["a", "b"]), scope(&["a"]));
    }

    #[test]
    fn hostile_patterns_end_in_an_error_or_a_pattern() {
        for pattern in ["{".repeat(1000), "[".repeat(1000), "{a,b}".repeat(200), "*".repeat(1000), "{*a,".repeat(200)] {
            if let Ok(pattern) = Pattern::parse(&pattern) {
                let _ = pattern.matches(&Address::new(Kind::Icon, Code::new("a".repeat(255))));
            }
        }
    }

    proptest! {
        #[test]
        fn a_pattern_of_an_entry_matches_it_and_no_other(
            code in "(icons?/|logos?/)?[-*?{},!a\\[\\]\\\\ ]{1,12}|\\PC{1,20}",
            other in "[-*?{},!a\\[\\]\\\\ ]{0,12}",
        ) {
            let address = Address::new(Kind::Icon, Code::new(code.clone()));
            let scope = Scope::new(vec![Pattern::exactly(&address).unwrap()]).unwrap();
            prop_assert!(scope.matches(&address));
            prop_assert!(!scope.matches(&Address::new(Kind::Logo, Code::new(code.clone()))));
            prop_assert_eq!(scope.matches(&Address::new(Kind::Icon, Code::new(other.clone()))), code == other);
        }

        #[test]
        fn no_text_panics(text in "[ -~]{0,40}|\\PC{0,10}", code in "\\PC{0,10}") {
            if let Ok(pattern) = Pattern::parse(&text) {
                let address = Address::new(Kind::Icon, Code::new(code));
                let alone = pattern.matches(&address);
                prop_assert_eq!(Scope::new(vec![pattern]).unwrap().matches(&address), alone);
            }
        }
    }
}
