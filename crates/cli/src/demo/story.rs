//! How the demo speaks: numbered chapters, short lines, at most 80 columns.

use crate::output::style::{BAD, GOOD, HEADING, NAME, QUIET};
use crate::output::table::{self, Table};
use crate::output::{self, Output};
use std::io::{self, Write};

/// The widest line, so that the story looks the same on every terminal.
pub(super) const WIDTH: u16 = 77;

/// Standard output, one chapter after the other.
pub(super) struct Story {
    out: Output,
    chapters: u32,
}

impl Story {
    pub(super) fn new() -> Self {
        Self { out: output::people(), chapters: 0 }
    }

    /// Begins a chapter.
    pub(super) fn chapter(&mut self, title: &str) -> io::Result<()> {
        self.chapters += 1;
        if self.chapters > 1 {
            writeln!(self.out)?;
        }
        writeln!(self.out, "{HEADING}{}. {title}{HEADING:#}", self.chapters)
    }

    /// A line of the story.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return writeln!(self.out);
        }
        writeln!(self.out, "   {text}")
    }

    /// A command that does what the demo does next.
    pub(super) fn command(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out)?;
        self.command_below(text)
    }

    /// Another command, right below one.
    pub(super) fn command_below(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "   {QUIET}${QUIET:#} {NAME}{text}{NAME:#}")
    }

    /// Something that went as it should.
    pub(super) fn good(&mut self, what: &str, result: &str) -> io::Result<()> {
        writeln!(self.out, "   {what}{GOOD}{result}{GOOD:#}")
    }

    /// Something that was refused or broke, on purpose.
    pub(super) fn bad(&mut self, what: &str, result: &str) -> io::Result<()> {
        writeln!(self.out, "   {what}{BAD}{result}{BAD:#}")
    }

    /// A table, as far in as the lines.
    pub(super) fn table(&mut self, table: &Table) -> io::Result<()> {
        let mut text = Vec::new();
        table::write(&mut text, table)?;
        for line in String::from_utf8_lossy(&text).lines() {
            writeln!(self.out, "   {line}")?;
        }
        Ok(())
    }

    /// Shows what was told so far: the next step may take a moment.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    pub(super) fn end(mut self) -> io::Result<()> {
        self.chapter("That was all of it")?;
        self.line("The private network ends with this program. Now look at your own:")?;
        for command in ["iph interface list", "iph tcp list", "iph watch", "iph --help"] {
            self.command_below(command)?;
        }
        self.out.flush()
    }
}
