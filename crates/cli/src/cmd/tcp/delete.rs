//! `iph tcp delete`.

use crate::cmd::tcp::selection::{Selection, Word};
use crate::confirm;
use crate::exit::{self, Exit, Failure};
use crate::filter;
use crate::output::connections::{self, Names};
use crate::output::style::{BAD, GOOD, QUIET};
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use anstyle::Style;
use iphelper::tcp::{DeleteOptions, TcpConnection};
use iphelper::{ErrorKind, Host};
use std::io::Write;

/// Delete TCP connections at once, whoever owns them
///
/// Takes the two ends of one connection, local end first, or filter words that must all hold. Both programs learn of it
/// as of a broken connection: this side's gets ECONNABORTED, the peer a reset. A listener's remote end is `0.0.0.0:0` or
/// `[::]:0`.
///
/// Only the very connections that were listed are deleted: one that is made on the same ends in between lives. What
/// matches is listed and a question asked first; where nobody can be asked, --yes is needed. The connection that your
/// own terminal comes over is left out of a filter's matches, and deleted only if its ends are named.
///
/// Needs root (CAP_NET_ADMIN); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(after_help = help())]
pub(crate) struct Args {
    /// LOCAL REMOTE, or filter words
    #[arg(value_name = "LOCAL REMOTE | FILTER", required = true)]
    words: Vec<Word>,

    /// Do not ask
    #[arg(short, long)]
    yes: bool,

    /// List what would be deleted, but delete nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Also delete the TCP subflows of Multipath TCP connections; the programs notice about a minute later
    #[arg(long)]
    mptcp_subflows: bool,

    /// Print an array of outcomes, see docs/json.md
    #[arg(long)]
    json: bool,
}

fn help() -> String {
    format!(
        "{}\n\nExamples:\n  sudo iph tcp delete 127.0.0.1:4444 127.0.0.1:51234\n  \
         sudo iph tcp delete '[fe80::1%eth0]:80' '[fe80::2%eth0]:51234'\n  \
         sudo iph tcp delete port:443 state:established process:nginx remote:10.0.0.0/8\n  \
         iph tcp delete remote-port:6667 --dry-run",
        filter::HELP
    )
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let selection = Selection::try_from(self.words.clone())?;
        let host = Host::open()?;
        let rows = selection.find_to_delete(&host)?;
        if self.dry_run {
            self.list(&host, &rows)?;
            return Ok(Exit::Success);
        }
        let options = DeleteOptions { mptcp_subflows: self.mptcp_subflows, ..DeleteOptions::default() };
        // Deleting nothing tells whether this caller may delete, before anybody is asked.
        let _ = host.delete_tcp_connections(&[], options)?;
        if !self.yes {
            ask(&host, &rows)?;
        }
        let outcomes = host.delete_tcp_connections(&rows, options)?;
        self.report(&host, &rows, &outcomes)
    }

    /// What would be deleted.
    fn list(&self, host: &Host, rows: &[TcpConnection]) -> Result<(), Failure> {
        if self.json {
            let mut out = json::stdout();
            let outcome = |row| json::Outcome { connection: row, outcome: "would_delete", error: None };
            json::write_array(&mut out, rows.iter().map(json::Connection::from).map(outcome))?;
            out.flush()?;
        } else {
            let mut out = output::people();
            table::write(&mut out, &connections::table(host, rows, output::width()))?;
            out.flush()?;
        }
        output::tell_dry_run(true, "deleted");
        Ok(())
    }

    /// The outcome of each connection: on standard output what became of it, on standard error why one failed.
    fn report(
        &self,
        host: &Host,
        rows: &[TcpConnection],
        outcomes: &[iphelper::Result<()>],
    ) -> Result<Exit, Failure> {
        let pairs = || rows.iter().zip(outcomes);
        if self.json {
            let mut out = json::stdout();
            let objects = pairs().map(|(row, outcome)| json::Outcome {
                connection: row.into(),
                outcome: Fate::of(outcome).json(),
                error: outcome.as_ref().err().map(exit::explain),
            });
            json::write_array(&mut out, objects)?;
            out.flush()?;
        } else {
            let mut names = Names::new(host);
            let mut out = output::people();
            for (row, outcome) in pairs() {
                let (style, word) = Fate::of(outcome).people();
                let ends = format!("{} -> {}", names.end(row.local), names.end(row.remote));
                let owner = row
                    .owner
                    .as_ref()
                    .map_or_else(String::new, |owner| format!("  {} ({})", sanitize(&owner.name), owner.pid));
                writeln!(out, "{style}{word}{style:#}  {ends}  {}{owner}", row.state)?;
            }
            out.flush()?;
            drop(out);
            let mut err = anstream::stderr().lock();
            for (row, outcome) in pairs().filter(|(_, outcome)| Fate::of(outcome) == Fate::Failed) {
                if let Err(error) = outcome {
                    let ends = format!("{} -> {}", names.end(row.local), names.end(row.remote));
                    let _ = writeln!(err, "iph: {ends}: {}", exit::explain(error));
                }
            }
        }
        Ok(exit_of(outcomes))
    }
}

/// Lists what would be deleted and asks.
fn ask(host: &Host, rows: &[TcpConnection]) -> Result<(), Failure> {
    if !confirm::can_ask() {
        return Err(Failure::usage(format!(
            "{} would be deleted, and nobody is at a terminal to be asked: add --yes (or --dry-run to see what)",
            count(rows.len())
        )));
    }
    // As wide as the terminal that the question is on, which standard output need not be.
    let width = output::width_of(std::io::stderr());
    let _ = table::write(&mut anstream::stderr().lock(), &connections::table(host, rows, width));
    confirm::confirm(&format!("Delete {}?", count(rows.len())))
}

fn count(connections: usize) -> String {
    match connections {
        1 => "1 connection".to_owned(),
        several => format!("{several} connections"),
    }
}

/// What became of a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    Deleted,
    /// It ended by itself between the look at the table and the deletion.
    Gone,
    Failed,
}

impl Fate {
    fn of(outcome: &iphelper::Result<()>) -> Self {
        match outcome {
            Ok(()) => Self::Deleted,
            Err(error) if error.kind() == ErrorKind::NotFound => Self::Gone,
            Err(_) => Self::Failed,
        }
    }

    fn json(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Gone => "gone",
            Self::Failed => "failed",
        }
    }

    fn people(self) -> (Style, &'static str) {
        match self {
            Self::Deleted => (GOOD, "deleted"),
            Self::Gone => (QUIET, "gone   "),
            Self::Failed => (BAD, "failed "),
        }
    }
}

/// The exit code of many outcomes. What ended by itself needs no deletion: it is a failure only if nothing else was
/// there to delete.
fn exit_of(outcomes: &[iphelper::Result<()>]) -> Exit {
    let fates = || outcomes.iter().map(Fate::of);
    let failures =
        || outcomes.iter().filter(|o| Fate::of(o) == Fate::Failed).filter_map(|o| o.as_ref().err());
    match (fates().any(|fate| fate == Fate::Deleted), failures().next()) {
        (true, None) => Exit::Success,
        (true, Some(_)) => Exit::Partial,
        (false, None) => Exit::NotFound,
        (false, Some(first)) => {
            let exit = Exit::of(first.kind());
            if failures().all(|error| Exit::of(error.kind()) == exit) { exit } else { Exit::Failure }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iphelper::Error;

    #[test]
    fn the_exit_code_sums_up_the_outcomes() {
        let failed = |kind| Err(Error::new(kind, "deleting a connection"));
        let gone = || failed(ErrorKind::NotFound);
        let refused = || failed(ErrorKind::NotSupported);
        for (outcomes, exit) in [
            (vec![Ok(()), Ok(())], Exit::Success),
            (vec![Ok(()), gone()], Exit::Success),
            (vec![gone(), gone()], Exit::NotFound),
            (vec![Ok(()), refused()], Exit::Partial),
            (vec![refused(), refused()], Exit::NotSupported),
            (vec![gone(), refused()], Exit::NotSupported),
            (vec![refused(), failed(ErrorKind::Other)], Exit::Failure),
        ] {
            assert_eq!(exit_of(&outcomes), exit, "{outcomes:?}");
        }
    }
}
