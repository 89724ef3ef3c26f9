//! What `iph tcp list` and `iph udp list` have in common.

use crate::exit::{Exit, Failure};
use crate::filter::{self, Word};
use crate::output::style::QUIET;
use crate::output::table::Table;
use crate::output::{self, json, table};
use iphelper::Host;
use iphelper::socket::SocketQuery;
use serde::Serialize;
use std::io::{IsTerminal, Write};

/// A row of a table of sockets.
pub(crate) trait Listed: Sized {
    fn read(host: &Host, query: &SocketQuery) -> iphelper::Result<Vec<Self>>;
    /// The rows for people.
    fn table(host: &Host, rows: &[Self], width: Option<u16>) -> Table;
    /// The row for programs.
    fn document(&self) -> impl Serialize;
    /// Whether a process holds the socket that this caller may not look into.
    fn is_hidden(&self) -> bool;
}

#[derive(Debug, clap::Args)]
pub(crate) struct Listing {
    /// key:value words that must all hold
    #[arg(value_name = "FILTER")]
    filter: Vec<Word>,

    /// Do not look for the processes, which costs most of the time on a busy host
    #[arg(long)]
    no_owners: bool,

    /// Print an array of objects, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Listing {
    pub(crate) fn run<R: Listed>(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let mut query = filter::resolve(&host, &self.filter)?;
        query.owners = !self.no_owners;
        query.ordered = true;
        let rows = R::read(&host, &query)?;
        if self.json {
            let mut out = json::stdout();
            json::write_array(&mut out, rows.iter().map(R::document))?;
            out.flush()?;
            return Ok(Exit::Success);
        }
        let mut out = output::people();
        table::write(&mut out, &R::table(&host, &rows, output::width()))?;
        out.flush()?;
        drop(out);
        let hidden = query.owners && rows.iter().any(R::is_hidden);
        if hidden && std::io::stderr().is_terminal() && !rustix::process::geteuid().is_root() {
            let note = "some processes are other users'; run it with sudo to see them";
            let _ = writeln!(anstream::stderr(), "{QUIET}{note}{QUIET:#}");
        }
        Ok(Exit::Success)
    }
}
