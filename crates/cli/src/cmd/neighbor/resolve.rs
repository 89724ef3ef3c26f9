//! `iph neighbor resolve`.

use super::arguments::{Address, address, interface, source};
use super::rows::write;
use crate::exit::{Exit, Failure};
use iphelper::Host;
use std::net::IpAddr;

/// Ask for a neighbour's physical address
///
/// By ARP or neighbour solicitation, with the kernel's own time-out: three times with a second between, unless somebody
/// has changed that. What was learned is forgotten first; a permanent neighbour is the answer as it is. Nobody answers:
/// code 3.
///
/// Needs nothing. Without root nothing can be forgotten: one that was confirmed a moment ago is the answer, and one in
/// doubt is asked after five seconds.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iph neighbor resolve 192.0.2.1
  iph neighbor resolve fe80::1%eth0
  iph neighbor resolve 192.0.2.1 --interface eth0 --json | jq -r '.[].physical_address'")]
pub(crate) struct Args {
    /// The neighbour's address; a zone (%eth0) is the interface
    #[arg(value_parser = address)]
    address: Address,

    /// The interface to ask on; without it, that of the route to the address
    #[arg(long, short, visible_alias = "dev", value_name = "NAME")]
    interface: Option<String>,

    /// An address of this host, whose interface is the one to ask on
    #[arg(long, value_name = "ADDRESS", value_parser = source)]
    from: Option<IpAddr>,

    /// Print an array of the one neighbour, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let interface = interface(&host, &self.address, self.interface.as_deref())?;
        let row = host.resolve_neighbor(self.address.ip, interface.map(Into::into), self.from)?;
        write(&[row], self.json)?;
        Ok(Exit::Success)
    }
}
