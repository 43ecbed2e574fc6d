//! `brandctl man`

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;

use crate::store::files::{Durability, Folder, refuse_link, refuse_way_out};
use crate::text;

use super::exit::Exit;
use super::output;
use super::settings::Globals;

/// Print a manual page
///
/// Prints the page of brandctl, or of one of its commands. To read it: `brandctl man plan | man -l -`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brandctl man\n  brandctl man plan\n  brandctl man log add\n  brandctl man --all ./man1                  one file per command: brandctl.1, brandctl-plan.1, …\n\nExit codes: 0 printed or written, 1 error."
)]
pub(super) struct Arguments {
    /// The command to print the page of
    #[arg(value_name = "COMMAND", conflicts_with = "all")]
    command: Vec<String>,
    /// Write every page to DIR, which is created if it does not exist
    #[arg(long, value_name = "DIR")]
    all: Option<PathBuf>,
}

pub(super) fn run(_: &Globals, arguments: &Arguments, mut program: Command) -> Exit {
    program = program.disable_help_subcommand(true);
    program.build();
    if let Some(folder) = &arguments.all {
        return match write_all(&program, folder) {
            Ok(()) => Exit::Success,
            Err(error) => {
                output::complain(&format!("the manual pages cannot be written to {}: {error}", folder.display()));
                Exit::Error
            }
        };
    }
    let mut command = &program;
    for name in &arguments.command {
        let Some(found) = command.find_subcommand(name) else {
            let whole = arguments.command.join(" ");
            output::complain(&format!("there is no command `{}`: see `brandctl --help`", text::escape(&whole)));
            return Exit::Error;
        };
        command = found;
    }
    match page(command) {
        Ok(page) => output::data(&page, Exit::Success),
        Err(error) => {
            output::complain(&format!("the page cannot be created: {error}"));
            Exit::Error
        }
    }
}

/// The page of a command. Its header and footer are the usual ones: the name in capitals, the program with its version.
/// It has no date, so that the same version always gives the same page.
fn page(command: &Command) -> io::Result<String> {
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render(&mut page)?;
    let title = man.get_filename().trim_end_matches(".1").to_uppercase();
    // clap_mangen leaves out what is empty, so that what follows takes its place.
    let header = format!(".TH {title} 1 \"\" \"brandctl {}\" \"User Commands\"", env!("CARGO_PKG_VERSION"));
    let page = String::from_utf8_lossy(&page);
    let lines = page.lines().map(|line| if line.starts_with(".TH ") { header.as_str() } else { line });
    Ok(lines.flat_map(|line| [line, "\n"]).collect())
}

fn write_all(program: &Command, folder: &Path) -> io::Result<()> {
    refuse_way_out(folder)?;
    let folder = Folder::at(folder);
    folder.make_all()?;
    let mut left = vec![program];
    while let Some(command) = left.pop() {
        let man = Man::new(command.clone());
        let path = folder.path_of(man.get_filename());
        refuse_link(&path).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
        folder.replace(&man.get_filename(), page(command)?.as_bytes(), Durability::Unsynced)?;
        left.extend(command.get_subcommands().filter(|command| !command.is_hide_set()));
    }
    Ok(())
}
