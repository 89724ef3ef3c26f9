//! `iph tcp list`.

use crate::cmd::socket_list::{Listed, Listing};
use crate::exit::{Exit, Failure};
use crate::filter;
use crate::output::table::Table;
use crate::output::{connections, json};
use iphelper::Host;
use iphelper::tcp::{TcpConnection, TcpQuery};
use serde::Serialize;

/// List TCP connections and listeners
///
/// All of them, or those that meet every filter word. The owner's process is looked up unless --no-owners says
/// otherwise; without root, only your own processes can be seen. Rows are ordered by local end, then remote end.
/// Connections of IPv6 sockets to IPv4 addresses are listed as IPv4; a `::` listener that also takes IPv4 is listed in
/// both families.
#[derive(Debug, clap::Args)]
#[command(visible_alias = "ls", after_help = help())]
pub(crate) struct Args {
    #[command(flatten)]
    list: Listing,
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
        self.list.run::<TcpConnection>()
    }
}

impl Listed for TcpConnection {
    fn read(host: &Host, query: &TcpQuery) -> iphelper::Result<Vec<Self>> {
        host.tcp_connections(query)
    }

    fn table(host: &Host, rows: &[Self], width: Option<u16>) -> Table {
        connections::table(host, rows, width)
    }

    fn document(&self) -> impl Serialize {
        json::Connection::from(self)
    }

    fn is_hidden(&self) -> bool {
        self.owner.is_none() && self.inode.is_some()
    }
}
