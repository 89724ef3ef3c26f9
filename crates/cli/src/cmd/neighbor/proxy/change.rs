//! `iph neighbor proxy add` and `delete`.

use super::write;
use crate::exit::{Exit, Failure};
use crate::interface_name;
use crate::output;
use iphelper::{Host, Prefix};

/// Answer for addresses on behalf of those who have them
///
/// For each address of a prefix, at most 4,096; all or nothing. The kernel answers with this host's physical address while
/// packets that come in on the interface are forwarded, and the route to the address leads over another one. IPv6 asks
/// for net.ipv6.conf.NAME.proxy_ndp besides. Prints the rows.
///
/// Needs root (CAP_NET_ADMIN); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo iph neighbor proxy add 192.0.2.64/28 --interface eth0
  iph neighbor proxy add 2001:db8::7 --interface eth0 --dry-run")]
pub(crate) struct Add {
    #[command(flatten)]
    range: Range,
}

/// Answer for addresses no more
///
/// For each address of a prefix; all or nothing. Prints the rows as they were.
///
/// Needs root (CAP_NET_ADMIN); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "del",
    after_help = "\
Examples:
  sudo iph neighbor proxy delete 192.0.2.64/28 --interface eth0
  iph neighbor proxy delete 2001:db8::7 --interface eth0 --dry-run"
)]
pub(crate) struct Delete {
    #[command(flatten)]
    range: Range,
}

/// The addresses, and what both commands know.
#[derive(Debug, clap::Args)]
struct Range {
    /// A prefix, such as 192.0.2.64/28, or an address
    #[arg(value_parser = prefix)]
    prefix: Prefix,

    /// The interface: a name, an alternative name, an index or a LUID (0x...)
    #[arg(long, short, visible_alias = "dev", value_name = "NAME")]
    interface: String,

    /// Check everything and say what would be done, but do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Print an array of objects, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Add {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let Range { prefix, interface, dry_run, json } = self.range;
        let host = Host::open()?;
        let interface = interface_name::find(&host, &interface)?.luid;
        let rows = if dry_run {
            host.plan_create_proxy_neighbors(interface, prefix)
        } else {
            host.create_proxy_neighbors(interface, prefix)
        }?;
        write(&rows, json)?;
        output::tell_dry_run(dry_run, "added");
        Ok(Exit::Success)
    }
}

impl Delete {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let Range { prefix, interface, dry_run, json } = self.range;
        let host = Host::open()?;
        let interface = interface_name::find(&host, &interface)?.luid;
        let rows = if dry_run {
            host.plan_delete_proxy_neighbors(interface, prefix)
        } else {
            host.delete_proxy_neighbors(interface, prefix)
        }?;
        write(&rows, json)?;
        output::tell_dry_run(dry_run, "deleted");
        Ok(Exit::Success)
    }
}

/// Reads a prefix, or an address alone.
fn prefix(text: &str) -> Result<Prefix, String> {
    crate::prefix::prefix(text, "give a prefix such as 192.0.2.64/28, or an address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_a_prefix_or_an_address() {
        assert_eq!(prefix("192.0.2.64/28").unwrap().len(), 28);
        assert_eq!(prefix("2001:db8::7").unwrap().len(), 128);
        assert!(prefix("eth0").unwrap_err().contains("192.0.2.64/28"));
        assert!(prefix("192.0.2.65/28").unwrap_err().contains("192.0.2.64/28"), "bits beyond the length");
    }
}
