//! `iph tcp list`.

use crate::exit::{Exit, Failure};
use crate::filter::{self, Word};
use crate::output::connections;
use crate::output::style::QUIET;
use crate::output::{self, json, table};
use iphelper::Host;
use std::io::{IsTerminal, Write};

/// List TCP connections and listeners
///
/// All of them, or those that meet every filter word. The owner's process is looked up unless --no-owners says
/// otherwise; without root, only your own processes can be seen. Rows are ordered by local end, then remote end.
/// Connections of IPv6 sockets to IPv4 addresses are listed as IPv4; a `::` listener that also takes IPv4 is listed in
/// both families.
#[derive(Debug, clap::Args)]
#[command(visible_alias = "ls", after_help = help())]
pub(crate) struct Args {
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

fn help() -> String {
    format!(
        "{}\n\nExamples:\n  iph tcp list state:listen\n  iph tcp list process:nginx remote:10.0.0.0/8\n  \
         iph tcp list port:443 --json | jq -r '.[].remote_address' | sort | uniq -c",
        filter::HELP
    )
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let mut query = filter::resolve(&host, &self.filter)?;
        query.owners = !self.no_owners;
        query.ordered = true;
        let rows = host.tcp_connections(&query)?;
        if self.json {
            let mut out = json::stdout();
            json::write_array(&mut out, rows.iter().map(json::Connection::from))?;
            out.flush()?;
            return Ok(Exit::Success);
        }
        let mut out = output::people();
        table::write(&mut out, &connections::table(&host, &rows, output::width()))?;
        out.flush()?;
        drop(out);
        let hidden = query.owners && rows.iter().any(|row| row.owner.is_none() && row.inode.is_some());
        if hidden && std::io::stderr().is_terminal() && !rustix::process::geteuid().is_root() {
            let note = "some processes are other users'; run it with sudo to see them";
            let _ = writeln!(anstream::stderr(), "{QUIET}{note}{QUIET:#}");
        }
        Ok(Exit::Success)
    }
}
