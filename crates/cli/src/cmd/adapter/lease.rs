//! `iph adapter renew` and `iph adapter release`.

use super::show::of_lease;
use crate::exit::{Exit, Failure};
use crate::interface_name;
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use iphelper::Host;
use iphelper::adapter::DhcpLease;
use std::io::Write;

/// Renew the DHCP lease of an interface
///
/// Asks the client that has it, systemd-networkd or NetworkManager, and waits until there is a new lease, 30 s at most.
/// Of other clients it says what to run. Prints the new lease. Behind "release", NetworkManager goes back to its profile.
///
/// Who may ask is up to the client (polkit): root, and often whoever sits at the computer; --dry-run asks nobody.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo iph adapter renew eth0
  iph adapter renew eth0 --dry-run")]
pub(crate) struct Renew {
    #[command(flatten)]
    arguments: Arguments,
}

/// Give up the DHCP lease of an interface
///
/// Asks NetworkManager, which ends IPv4 of the interface until its profile is applied again, and waits until the address is
/// gone, 30 s at most. Of other clients it says what to run. Prints the lease as it was.
///
/// Who may ask is up to the client (polkit); --dry-run asks nobody.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo iph adapter release eth0
  iph adapter release eth0 --dry-run")]
pub(crate) struct Release {
    #[command(flatten)]
    arguments: Arguments,
}

#[derive(Debug, clap::Args)]
struct Arguments {
    /// A name, an alternative name, an index or a LUID (0x...)
    #[arg(value_name = "NAME|INDEX|LUID")]
    interface: String,

    /// Check everything and print the lease, but ask nobody
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Print the lease as an object, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Renew {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let interface = interface_name::find(&host, &self.arguments.interface)?.luid;
        let lease = if self.arguments.dry_run {
            host.plan_renew_address(interface)?
        } else {
            Some(host.renew_address(interface)?)
        };
        self.arguments.print(lease.as_ref(), "renewed")
    }
}

impl Release {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let interface = interface_name::find(&host, &self.arguments.interface)?.luid;
        let lease = if self.arguments.dry_run {
            host.plan_release_address(interface)
        } else {
            host.release_address(interface)
        }?;
        self.arguments.print(Some(&lease), "given up")
    }
}

impl Arguments {
    fn print(&self, lease: Option<&DhcpLease>, done: &str) -> Result<Exit, Failure> {
        if self.json {
            let mut out = json::stdout();
            json::write(&mut out, &lease.map(json::Lease::from))?;
            out.flush()?;
        } else if let Some(lease) = lease {
            let mut table = table::new(&["Property", "Value"], &[], output::width());
            for (property, value) in of_lease(lease) {
                let _ = table.add_row([property.to_owned(), sanitize(&value).into_owned()]);
            }
            let mut out = output::people();
            table::write(&mut out, &table)?;
            out.flush()?;
        } else {
            let mut out = output::people();
            writeln!(out, "no lease now: NetworkManager would ask for one")?;
            out.flush()?;
        }
        output::tell_dry_run(self.dry_run, done);
        Ok(Exit::Success)
    }
}
