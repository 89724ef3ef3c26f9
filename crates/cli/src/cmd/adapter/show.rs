//! `iph adapter show`.

use super::list::joined;
use crate::exit::{Exit, Failure};
use crate::interface_name;
use crate::output::style::NAME;
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use iphelper::Host;
use iphelper::adapter::{Adapter, AdapterIp, AdapterQuery, DhcpLease};
use std::io::Write;

/// Show an interface with all that belongs to it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iph adapter show eth0
  iph adapter show eth0 --json | jq .dhcp.expires")]
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
        let names = interface_name::find(&host, &self.interface)?;
        let adapter = host.adapter(names.luid, &AdapterQuery::default())?;
        if self.json {
            let mut out = json::stdout();
            json::write(&mut out, &json::Adapter::from(&adapter))?;
            out.flush()?;
        } else {
            print(&adapter)?;
        }
        Ok(Exit::Success)
    }
}

fn print(adapter: &Adapter) -> Result<(), Failure> {
    let interface = &adapter.interface;
    let mut out = output::people();
    writeln!(
        out,
        "{NAME}{}{NAME:#}  index {}  LUID {}",
        sanitize(&interface.name),
        interface.index,
        interface.luid
    )?;
    writeln!(out)?;
    let mut table = table::new(&["Property", "Value"], &[], output::width());
    for (property, value) in properties(adapter) {
        let _ = table.add_row([property.to_owned(), sanitize(&value).into_owned()]);
    }
    table::write(&mut out, &table)?;
    out.flush()?;
    Ok(())
}

fn properties(adapter: &Adapter) -> Vec<(&'static str, String)> {
    let interface = &adapter.interface;
    let metric = |ip: Option<&AdapterIp>| ip.map_or("-".to_owned(), |ip| ip.metric.to_string());
    let mut rows = vec![
        ("GUID", interface.guid.to_string()),
        ("Description", interface.description.clone()),
        ("State", interface.oper_status.to_string()),
        ("MTU", interface.mtu.to_string()),
        ("IPv4 metric", metric(adapter.ipv4.as_ref())),
        ("IPv6 metric", metric(adapter.ipv6.as_ref())),
    ];
    for row in &adapter.unicast_addresses {
        let text = format!(
            "{}/{} {} ({}, valid {})",
            row.address, row.on_link_prefix_length, row.dad_state, row.prefix_origin, row.valid_lifetime
        );
        rows.push(("Address", text));
    }
    rows.extend(adapter.anycast_addresses.iter().map(|row| ("Anycast address", row.address.to_string())));
    rows.push(("Groups", joined(adapter.multicast_addresses.iter().map(|row| row.address.to_string()))));
    rows.push(("Prefixes", joined(adapter.prefixes(None).iter().map(ToString::to_string))));
    for gateway in &adapter.gateways {
        rows.push(("Router", format!("{} metric {}", gateway.address, gateway.system_metric)));
    }
    match &adapter.dns {
        Some(dns) => {
            rows.push(("Name servers", joined(dns.servers.iter().map(ToString::to_string))));
            let domain = |domain: &iphelper::dns::DnsDomain| {
                format!("{}{}", if domain.routing_only { "~" } else { "" }, domain.name)
            };
            rows.push(("Domains", joined(dns.domains.iter().map(domain))));
        }
        None => rows.push(("Name servers", "unknown".to_owned())),
    }
    match &adapter.dhcp {
        Some(lease) => rows.extend(of_lease(lease)),
        None => rows.push(("DHCP lease", "none that is known".to_owned())),
    }
    if let Some(client) = &adapter.dhcpv6 {
        let duid = client.duid.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":");
        rows.push(("DHCPv6 client", format!("{duid} ({})", client.client)));
    }
    rows
}

/// What people are told of a lease.
pub(super) fn of_lease(lease: &DhcpLease) -> Vec<(&'static str, String)> {
    let left = match lease.remaining() {
        Some(left) if left.is_infinite() => "for ever".to_owned(),
        Some(left) => format!("{left} left"),
        None => "for how long is unknown".to_owned(),
    };
    let server = lease.server.map_or("unknown".to_owned(), |server| server.to_string());
    vec![
        ("DHCP lease", format!("{} {left} ({})", lease.address, lease.client)),
        ("DHCP server", server),
        ("WINS servers", joined(lease.wins_servers.iter().map(ToString::to_string))),
    ]
}
