//! The ids of the manifest's own checks. The ids of the art rules, which a manifest can tune, are in the rulebook, and
//! so is the explanation of each id.

macro_rules! checks {
    ($($name:ident $id:literal)*) => {
        $(pub(super) const $name: &str = $id;)*

        /// The ids of the checks of the manifest itself. All but the last are errors, and no manifest can lower them.
        pub(crate) const CHECKS: &[&str] = &[$($id),*];
    };
}

checks! {
    TEXT "manifest-text"
    YAML "manifest-yaml"
    EMPTY "manifest-empty"
    SECRET "manifest-secret"
    VERSION "manifest-version"
    DUPLICATE_KEY "duplicate-key"
    UNKNOWN_KEY "unknown-key"
    MISSING_KEY "missing-key"
    WRONG_TYPE "wrong-type"
    BAD_VALUE "bad-value"
    BAD_PATTERN "bad-pattern"
    BAD_PATH "bad-path"
    UNKNOWN_RULE "unknown-rule"
    FIXED_RULE "unyielding-rule"
    PRUNE_UNSTATED "prune-unstated"
    CODE_SYNTAX "code-syntax"
    CODE_OUTSIDE_OWNS "code-outside-owns"
    CODE_IGNORED "code-ignored"
    CODE_CASE_TWINS "code-case-twins"
    TOO_MANY "too-many-findings"
}
