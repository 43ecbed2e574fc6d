//! The ids of the manifest's own checks. Those of the art rules, which a manifest can tune, are in the rulebook.

macro_rules! checks {
    ($($name:ident $id:literal $what:literal)*) => {
        $(pub(super) const $name: &str = $id;)*

        /// The checks of the manifest itself, each with what it means. They are errors, but for the last, and no manifest can lower them.
        pub(crate) const CHECKS: &[(&str, &str)] = &[$(($id, $what)),*];
    };
}

checks! {
    TEXT "manifest-text" "the file is no UTF-8 text, or too large"
    YAML "manifest-yaml" "the text is no YAML that brandctl reads"
    EMPTY "manifest-empty" "the manifest holds nothing, which is never taken as wanting nothing"
    SECRET "manifest-secret" "a webhook is written in the manifest"
    VERSION "manifest-version" "`version` is missing, wrong or newer than this brandctl"
    DUPLICATE_KEY "duplicate-key" "a key is written twice in one mapping"
    UNKNOWN_KEY "unknown-key" "a key that means nothing"
    MISSING_KEY "missing-key" "a key that has to be there"
    WRONG_TYPE "wrong-type" "a value of another type than its key takes"
    BAD_VALUE "bad-value" "a value of the right type that cannot be meant"
    BAD_PATTERN "bad-pattern" "a glob that matches nothing or cannot be read"
    BAD_PATH "bad-path" "a path that leads out of the repository or is not portable"
    UNKNOWN_RULE "unknown-rule" "`rules` names a rule that does not exist"
    FIXED_RULE "unyielding-rule" "`rules` lowers a rule that the portal itself enforces"
    PRUNE_UNSTATED "prune-unstated" "`owns` has a bare `*`, and `policy.prune` is not written out"
    CODE_SYNTAX "code-syntax" "a code that the portal or brandctl cannot keep"
    CODE_OUTSIDE_OWNS "code-outside-owns" "a declared code that `owns` does not match"
    CODE_IGNORED "code-ignored" "a declared code that `ignore` matches"
    CODE_CASE_TWINS "code-case-twins" "two codes of one kind that differ only by case"
    TOO_MANY "too-many-findings" "there is more to say than anybody reads"
}
