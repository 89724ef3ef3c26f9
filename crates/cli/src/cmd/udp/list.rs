//! `iph udp list`.

use crate::cmd::socket_list::{Listed, Listing};
use crate::exit::{Exit, Failure};
use crate::filter;
use crate::output::table::Table;
use crate::output::{endpoints, json};
use iphelper::Host;
use iphelper::udp::{UdpEndpoint, UdpQuery};
use serde::Serialize;

/// List UDP endpoints
///
/// All of them, or those that meet every filter word. The owner's process is looked up unless --no-owners says
/// otherwise; without root, only your own processes can be seen. The remote end is that of a connected socket. A port is
/// "asked" where the program asked for it, and "chosen" where the kernel gave it one. Rows are ordered by local end. A
/// `::` socket that also takes IPv4 is listed in both families.
#[derive(Debug, clap::Args)]
#[command(visible_alias = "ls", after_help = help())]
pub(crate) struct Args {
    #[command(flatten)]
    list: Listing,
}

fn help() -> String {
    format!(
        "{}\n\nExamples:\n  iph udp list local-port:53\n  iph udp list process:chronyd family:ipv6",
        filter::UDP_HELP
    )
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        self.list.run::<UdpEndpoint>()
    }
}

impl Listed for UdpEndpoint {
    fn read(host: &Host, query: &UdpQuery) -> iphelper::Result<Vec<Self>> {
        host.udp_endpoints(query)
    }

    fn table(host: &Host, rows: &[Self], width: Option<u16>) -> Table {
        endpoints::table(host, rows, width)
    }

    fn document(&self) -> impl Serialize {
        json::Endpoint::from(self)
    }

    fn is_hidden(&self) -> bool {
        self.owner.is_none() && self.inode.is_some()
    }
}
