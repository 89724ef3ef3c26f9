//! `iph man`.

use crate::exit::{self, Exit, Failure};
use crate::output::json;
use crate::sanitize::sanitize;
use clap_mangen::Man;
use roff::{Roff, bold, roman};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Chapter 1 of the manual: commands of users, as `ip` would be if it did not need root to change things.
const SECTION: &str = "1";
const MANUAL: &str = "User Commands";

/// Write iph's manual pages to a folder
///
/// One page for each command: iph.1, iph-route.1, iph-route-list.1 and so on, from the same text as --help. The folder is
/// made if it is not there; pages of the same names are replaced. Prints the name of each file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iph man ~/.local/share/man/man1
  sudo iph man /usr/local/share/man/man1    # then: man iph-route-list
  iph man pages && man -l pages/iph.1")]
pub(crate) struct Args {
    /// The folder
    directory: PathBuf,
}

impl Args {
    pub(crate) fn run(self, command: clap::Command) -> Result<Exit, Failure> {
        let failed = |path: &Path, error: &io::Error| {
            let is_forbidden = error.kind() == io::ErrorKind::PermissionDenied;
            let exit = if is_forbidden { Exit::Permission } else { Exit::Failure };
            Failure::new(exit, format!("writing {}: {error}", sanitize(&path.to_string_lossy())))
        };
        std::fs::create_dir_all(&self.directory).map_err(|error| failed(&self.directory, &error))?;
        // `help` would have a page for each command once more.
        let mut command = command.disable_help_subcommand(true);
        command.build();
        let mut out = json::stdout();
        let mut waiting = vec![(command, None)];
        while let Some((command, parent)) = waiting.pop() {
            let page = Page { name: name(&command), parent, command: &command };
            let path = self.directory.join(format!("{}.{SECTION}", page.name));
            std::fs::write(&path, page.render()?).map_err(|error| failed(&path, &error))?;
            writeln!(out, "{}", path.display())?;
            let commands: Vec<_> =
                command.get_subcommands().filter(|it| !it.is_hide_set()).cloned().collect();
            waiting.extend(commands.into_iter().rev().map(|it| (it, Some(page.name.clone()))));
        }
        out.flush()?;
        Ok(Exit::Success)
    }
}

/// `iph-route-list`.
fn name(command: &clap::Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

struct Page<'a> {
    name: String,
    parent: Option<String>,
    command: &'a clap::Command,
}

impl Page<'_> {
    fn render(&self) -> io::Result<Vec<u8>> {
        // Without a date: pages of one version are the same whenever they are made. An empty one would be left out of the
        // line, and what follows take its place.
        let man = Man::new(self.command.clone()).section(SECTION).manual(MANUAL).date(" ");
        let man = man.source(format!("iph {}", env!("CARGO_PKG_VERSION"))).title(self.name.to_uppercase());
        let mut page = Vec::new();
        man.render_title(&mut page)?;
        man.render_name_section(&mut page)?;
        man.render_synopsis_section(&mut page)?;
        man.render_description_section(&mut page)?;
        if self.command.get_subcommands().any(|it| !it.is_hide_set()) {
            man.render_subcommands_section(&mut page)?;
        }
        man.render_options_section(&mut page)?;
        let mut rest = Roff::default();
        // The line lengths and indents of --help mean something: its examples and tables stay as they are.
        let help = self.command.get_after_help().map(ToString::to_string).unwrap_or_default();
        as_they_are(&mut rest, &help);
        as_they_are(&mut rest, &exit::HELP.replacen("Exit codes", "Exit status", 1));
        self.see_also(&mut rest);
        rest.to_writer(&mut page)?;
        Ok(page)
    }

    fn see_also(&self, page: &mut Roff) {
        let commands = self.command.get_subcommands().filter(|it| !it.is_hide_set()).map(name);
        let mut line = Vec::new();
        for name in self.parent.clone().into_iter().chain(commands) {
            if !line.is_empty() {
                line.push(roman(", "));
            }
            line.extend([bold(name), roman(format!("({SECTION})"))]);
        }
        let _ = page.control("SH", ["SEE ALSO"]).text(line);
    }
}

/// Paragraphs with a heading of their own, line by line.
fn as_they_are(page: &mut Roff, text: &str) {
    for (number, paragraph) in text.split("\n\n").filter(|it| !it.trim().is_empty()).enumerate() {
        let mut lines = paragraph.lines().peekable();
        let heading = lines.next_if(|line| !line.starts_with(' ') && line.ends_with(':'));
        let title = heading.map(|it| it.trim_end_matches(':').to_uppercase());
        let _ = match &title {
            Some(title) => page.control("SH", [title.as_str()]),
            None if number == 0 => page.control("SH", ["NOTES"]),
            None => page.control("PP", []),
        };
        let _ = page.control("nf", []);
        for line in lines {
            let _ = page.text([roman(line)]);
        }
        let _ = page.control("fi", []);
    }
}
