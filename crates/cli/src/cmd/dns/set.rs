//! `iph dns set`.

use super::arguments::{Server, domain, domain_or_empty, list, lookup, routing, server, tls};
use crate::exit::{Exit, Failure};
use crate::interface_name;
use crate::output::{self, changes, json};
use clap::builder::BoolishValueParser;
use iphelper::dns::{DnsChange, DnsOverTls, InterfaceDnsChange, LinkLookup};
use iphelper::{Family, Host};
use std::io::Write;

/// Change the DNS settings of one interface, or of the host
///
/// Those of an interface are systemd-resolved's, and last as long as it and the interface do; without it they are the
/// host's, where no other interface but loopback is up. The host's are in resolv.conf, which is replaced whole; one that
/// another program keeps is left alone, with the reason. Where systemd-resolved keeps them, they go to a file of its
/// (resolved.conf.d), and it is reloaded.
///
/// Lists have commas between their items; "none" empties a list. All or nothing; a value equal to the present one is no
/// change. Needs root; --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo iph dns set --servers 192.0.2.53,2001:db8::53 --search corp.example
  sudo iph dns set --host-name web --domain corp.example
  sudo iph dns set wg0 --servers 10.8.0.1 --routing corp.example --all-names no
  iph dns set eth0 --servers 192.0.2.53#dns.example --tls required --dry-run")]
pub(crate) struct Args {
    /// A name, an alternative name, an index or a LUID (0x...); without it the host's settings are changed
    #[arg(value_name = "NAME|INDEX|LUID")]
    interface: Option<String>,

    /// The servers, in the order in which they are asked; with a zone (%eth0), a port (:5353), a name (#dns.example)
    #[arg(long, value_name = "ADDRESS,...", value_delimiter = ',', value_parser = server)]
    servers: Option<Vec<Option<Server>>>,

    /// Replace the IPv4 servers alone
    #[arg(short = '4', long, requires = "servers", conflicts_with = "ipv6")]
    ipv4: bool,

    /// Replace the IPv6 servers alone
    #[arg(short = '6', long, requires = "servers")]
    ipv6: bool,

    /// The domains that are tried behind names
    #[arg(long, value_name = "DOMAIN,...", value_delimiter = ',', value_parser = domain)]
    search: Option<Vec<Option<String>>>,

    /// Of an interface: the domain that is tried first; of the host: its own domain
    #[arg(long, value_name = "DOMAIN", value_parser = domain_or_empty)]
    domain: Option<String>,

    /// The host's name: a label, or a whole name with dots ("web." is one without a domain)
    #[arg(long, value_name = "NAME", conflicts_with = "interface")]
    host_name: Option<String>,

    /// The domains about which the interface's servers are asked, beside those that are tried; "." is all names
    #[arg(long, value_name = "DOMAIN,...", value_delimiter = ',', value_parser = routing)]
    routing: Option<Vec<Option<String>>>,

    /// Ask the interface's servers about names in nobody's domain, too
    #[arg(long, value_name = "BOOL", value_parser = BoolishValueParser::new(), hide_possible_values = true)]
    all_names: Option<bool>,

    /// Look names up on the link by LLMNR: off, resolve or on
    #[arg(long, value_name = "HOW", value_parser = lookup)]
    llmnr: Option<LinkLookup>,

    /// Look names up on the link by multicast DNS: off, resolve or on
    #[arg(long, value_name = "HOW", value_parser = lookup)]
    mdns: Option<LinkLookup>,

    /// Ask the servers over TLS: off, opportunistic or required
    #[arg(long, value_name = "HOW", value_parser = tls)]
    tls: Option<DnsOverTls>,

    /// Check everything and say what would change, but change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Print an array of changes, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let change = self.change(&host)?;
        if change == InterfaceDnsChange::default() && self.host_name.is_none() {
            return Err(Failure::usage(
                "nothing to change: give a setting, such as --servers 192.0.2.53 (see --help)",
            ));
        }
        let changes = match &self.interface {
            Some(interface) => {
                let key = interface_name::find(&host, interface)?.luid;
                if self.dry_run {
                    host.plan_set_interface_dns(key, &change)?
                } else {
                    host.set_interface_dns(key, &change)?
                }
            }
            None => {
                let change = DnsChange { host_name: self.host_name, ..of_host(change)? };
                if self.dry_run { host.plan_set_dns(&change)? } else { host.set_dns(&change)? }
            }
        };
        if self.json {
            let mut out = json::stdout();
            json::write_array(&mut out, changes.iter().map(json::DnsChange::from))?;
            out.flush()?;
        } else {
            changes::print(&changes, "Kept by")?;
        }
        output::tell_dry_run(self.dry_run, "changed");
        Ok(Exit::Success)
    }

    fn change(&self, host: &Host) -> Result<InterfaceDnsChange, Failure> {
        let servers = match &self.servers {
            Some(servers) => {
                let servers = list("--servers", servers)?;
                Some(servers.iter().map(|server| server.resolve(host)).collect::<Result<_, _>>()?)
            }
            None => None,
        };
        let names = |option, names: &Option<Vec<Option<String>>>| {
            names.as_deref().map(|names| list(option, names)).transpose()
        };
        Ok(InterfaceDnsChange {
            servers,
            servers_of: match (self.ipv4, self.ipv6) {
                (true, _) => Some(Family::V4),
                (_, true) => Some(Family::V6),
                _ => None,
            },
            domain: self.domain.clone(),
            search: names("--search", &self.search)?,
            routing: names("--routing", &self.routing)?,
            unconstrained_queries: self.all_names,
            llmnr: self.llmnr,
            multicast_dns: self.mdns,
            dns_over_tls: self.tls,
        })
    }
}

/// The change as one of the host, whose settings are fewer.
fn of_host(change: InterfaceDnsChange) -> Result<DnsChange, Failure> {
    let InterfaceDnsChange { servers, domain, search, .. } = change.clone();
    let of_host = InterfaceDnsChange { servers, domain, search, ..InterfaceDnsChange::default() };
    if of_host != change {
        return Err(Failure::usage(
            "name an interface: the host has --servers of both families, --search, --domain and --host-name alone",
        ));
    }
    let InterfaceDnsChange { servers, domain, search, .. } = of_host;
    Ok(DnsChange { servers, domain, search, ..DnsChange::default() })
}
