//! Standard output: tables for people, JSON for programs.

pub(crate) mod changes;
pub(crate) mod connections;
pub(crate) mod endpoints;
pub(crate) mod json;
pub(crate) mod style;
pub(crate) mod table;

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};
use std::os::fd::AsFd;
use style::QUIET;

/// Standard output for people: buffered, escape sequences taken off where they would not be understood.
pub(crate) type Output = BufWriter<anstream::AutoStream<StdoutLock<'static>>>;

/// Opens standard output for people.
pub(crate) fn people() -> Output {
    BufWriter::new(anstream::AutoStream::auto(io::stdout().lock()))
}

/// Says on standard error that nothing was changed, deleted or whatever was to be `done`, if this is a dry run.
pub(crate) fn tell_dry_run(is_dry_run: bool, done: &str) {
    if is_dry_run {
        let _ = writeln!(anstream::stderr(), "{QUIET}dry run: nothing was {done}{QUIET:#}");
    }
}

/// The width of standard output's terminal.
pub(crate) fn width() -> Option<u16> {
    width_of(io::stdout())
}

/// A terminal's width; `None` for what is no terminal, so that nothing is cut or folded in a pipe.
pub(crate) fn width_of(stream: impl IsTerminal + AsFd) -> Option<u16> {
    if !stream.is_terminal() {
        return None;
    }
    let columns = rustix::termios::tcgetwinsize(stream).map_or(0, |size| size.ws_col);
    // A terminal that does not know its size says 0.
    Some(if columns == 0 { 80 } else { columns })
}
