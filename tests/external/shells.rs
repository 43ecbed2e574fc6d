//! Completions asked for by the shells that few machines have: fish and zsh.

use crate::shared::shells::{branding, in_shell};

#[test]
fn fish_completes_a_code() {
    let folder = branding();
    let script = "brandctl completions fish | source; complete -C 'brandctl usage acme-pa'";
    let printed = in_shell("fish", &["--no-config"], script, folder.path());
    let words: Vec<_> = printed.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(words, ["acme-paid", "acme-parcel"]);
}

#[test]
fn zsh_takes_the_script_and_registers_it() {
    let folder = branding();
    let script = "autoload -Uz compinit; compinit -u -d ./dump; source <(brandctl completions zsh)
        echo \"registered: $_comps[brandctl]\"";
    let printed = in_shell("zsh", &["-f"], script, folder.path());
    assert!(printed.contains("registered: _clap_dynamic_completer_brandctl"), "{printed}");
}
