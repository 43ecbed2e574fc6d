//! `brandctl completions`

use clap::Args;
use clap::builder::PossibleValuesParser;
use clap_complete::env::Shells;

use super::complete::VARIABLE;
use super::exit::Exit;
use super::output;
use super::settings::Globals;

/// Print a shell completion script for brandctl's commands, options, codes and runs
///
/// bash: add `source <(brandctl completions bash)` to ~/.bashrc.
/// zsh: add the same with `zsh` to ~/.zshrc, after compinit.
/// fish: `brandctl completions fish > ~/.config/fish/completions/brandctl.fish`.
/// elvish: add `eval (brandctl completions elvish | slurp)` to ~/.config/elvish/rc.elv.
/// PowerShell: add `brandctl completions powershell | Out-String | Invoke-Expression` to $PROFILE.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:\n  brandctl completions bash\n  brandctl completions fish > brandctl.fish\n\nExit codes: 0 printed, 1 unknown shell."
)]
pub(super) struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL", value_parser = PossibleValuesParser::new(Shells::builtins().names()))]
    shell: String,
}

pub(super) fn run(_: &Globals, arguments: &Arguments) -> Exit {
    let shells = Shells::builtins();
    let mut script = Vec::new();
    let written = shells
        .completer(&arguments.shell)
        .map(|shell| shell.write_registration(VARIABLE, "brandctl", "brandctl", "brandctl", &mut script));
    match written {
        Some(Ok(())) => output::data(&String::from_utf8_lossy(&script), Exit::Success),
        Some(Err(_)) | None => Exit::Error,
    }
}
