//! `iph dns show`.

use super::list::servers;
use crate::exit::{Exit, Failure};
use crate::interface_name;
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use iphelper::Host;
use iphelper::dns::InterfaceDnsSettings;
use std::io::Write;

/// Show the DNS settings of one interface
///
/// Without systemd-resolved there is one list for the host. It is an interface's where no other one but loopback is up.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A name, an alternative name, an index or a LUID (0x...)
    #[arg(value_name = "NAME|INDEX|LUID")]
    interface: String,

    /// Print one object, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let settings = host.interface_dns(interface_name::find(&host, &self.interface)?.luid)?;
        if self.json {
            let mut out = json::stdout();
            json::write(&mut out, &json::InterfaceDns::from(&settings))?;
            out.flush()?;
        } else {
            print(&settings)?;
        }
        Ok(Exit::Success)
    }
}

fn print(settings: &InterfaceDnsSettings) -> Result<(), Failure> {
    let names = |routing_only| {
        let names: Vec<_> =
            settings.domain_names(routing_only).map(|name| sanitize(name).into_owned()).collect();
        names.join(" ")
    };
    let all_names = match settings.unconstrained_queries {
        None => "unknown",
        Some(true) => "yes",
        Some(false) => "no",
    };
    let mut table = table::new(&["Property", "Value"], &[], output::width());
    for (property, value) in [
        ("interface", sanitize(&settings.name).into_owned()),
        ("servers", servers(&settings.servers)),
        ("search", names(false)),
        ("routing", names(true)),
        ("all-names", all_names.to_owned()),
        ("llmnr", settings.llmnr.to_string()),
        ("mdns", settings.multicast_dns.to_string()),
        ("tls", settings.dns_over_tls.to_string()),
    ] {
        let _ = table.add_row([property.to_owned(), value]);
    }
    let mut out = output::people();
    table::write(&mut out, &table)?;
    out.flush()?;
    Ok(())
}
