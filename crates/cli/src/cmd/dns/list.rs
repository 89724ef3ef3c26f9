//! `iph dns list`.

use crate::exit::{Exit, Failure};
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use iphelper::dns::{Dns, DnsServer, Resolver};
use iphelper::{Host, InterfaceIndex};
use std::io::Write;

/// Show who resolves names here, and the servers and domains of the host and of each interface
///
/// "reached" are servers of the host that packets reach over an interface, by the routes now.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print one object, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let dns = host.dns()?;
        // An interface that went meanwhile has a number and no name.
        let name = |index: InterfaceIndex| host.interface_names(index).map(|names| names.name).ok();
        if self.json {
            let mut out = json::stdout();
            json::write(&mut out, &json::Dns::new(&dns, name))?;
            out.flush()?;
            return Ok(Exit::Success);
        }
        print(&dns, name)
    }
}

fn print(dns: &Dns, name: impl Fn(InterfaceIndex) -> Option<String>) -> Result<Exit, Failure> {
    let mut out = output::people();
    writeln!(out, "Host name: {}", sanitize(&dns.host_name))?;
    if let Some(domain) = &dns.domain_name {
        writeln!(out, "Domain: {}", sanitize(domain))?;
    }
    writeln!(out, "Resolver: {}\n", resolver(&dns.resolver))?;
    let mut table = table::new(&["Of", "Servers", "Reached", "Domains"], &[], output::width());
    let domains = |domains: &[iphelper::dns::DnsDomain]| {
        join(domains.iter().map(|domain| sanitize(&domain.to_string()).into_owned()))
    };
    let _ =
        table.add_row(["the host".to_owned(), servers(&dns.servers), String::new(), domains(&dns.domains)]);
    for of in &dns.interfaces {
        let name = name(of.index).unwrap_or_else(|| of.index.to_string());
        let _ = table.add_row([
            sanitize(&name).into_owned(),
            servers(&of.servers),
            servers(&of.reached),
            domains(&of.domains),
        ]);
    }
    table::write(&mut out, &table)?;
    out.flush()?;
    Ok(Exit::Success)
}

pub(super) fn servers(servers: &[DnsServer]) -> String {
    join(servers.iter().map(|server| sanitize(&server.to_string()).into_owned()))
}

fn join(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(" ")
}

fn resolver(resolver: &Resolver) -> String {
    match resolver {
        Resolver::Resolved => "systemd-resolved".to_owned(),
        Resolver::File { path, exists, manager, forwarder } => {
            let path = path.to_string_lossy();
            let mut text = format!("the C library, by {}", sanitize(&path));
            if !exists {
                // A link that leads nowhere, perhaps.
                let link =
                    manager.as_deref().map_or_else(String::new, |link| format!("{}, ", sanitize(link)));
                text = format!("{text} ({link}not there: it asks 127.0.0.1)");
            } else if let Some(manager) = manager {
                text = format!("{text} ({})", sanitize(manager));
            }
            if let Some(list) = forwarder {
                text = format!(
                    "{text}, and a forwarder that asks those of {}",
                    sanitize(&list.to_string_lossy())
                );
            }
            text
        }
        _ => "another one".to_owned(),
    }
}
