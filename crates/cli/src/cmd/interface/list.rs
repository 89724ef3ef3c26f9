//! `iph interface list`.

use crate::exit::{Exit, Failure};
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use iphelper::Host;
use iphelper::interface::{AdminStatus, Interface, InterfaceLevel, OperStatus};
use iphelper::ip_interface::IpInterface;
use iphelper::{ErrorKind, Family};
use std::collections::BTreeMap;
use std::io::Write;

/// List the interfaces
///
/// One line for each interface, ordered by index, loopback among them. Where IPv4 and IPv6 differ, both values stand
/// there with a slash between; a dash says that the interface does not have the family.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "ls",
    after_help = "\
Examples:
  iph interface list
  iph interface list --json | jq -r '.[] | select(.ipv4.forwarding_enabled) | .name'"
)]
pub(crate) struct Args {
    /// Print an array of the objects that `iph interface show --json` prints
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let interfaces = host.interfaces(InterfaceLevel::NormalWithoutStatistics)?;
        let v4 = rows(&host, Family::V4)?;
        let v6 = rows(&host, Family::V6)?;
        let joined = interfaces.iter().map(|interface| {
            let index = interface.index.0;
            (interface, v4.get(&index), v6.get(&index))
        });
        if self.json {
            let mut out = json::stdout();
            let objects = joined.map(|(interface, v4, v6)| {
                json::Interface::new(interface.luid, interface.index, &interface.name, v4, v6)
            });
            json::write_array(&mut out, objects)?;
            out.flush()?;
        } else {
            print(joined)?;
        }
        Ok(Exit::Success)
    }
}

/// The rows of one family by index; none where the host does not have the family at all.
fn rows(host: &Host, family: Family) -> Result<BTreeMap<u32, IpInterface>, Failure> {
    match host.ip_interfaces(Some(family)) {
        Ok(rows) => Ok(rows.into_iter().map(|row| (row.index.0, row)).collect()),
        Err(error) if error.kind() == ErrorKind::NotSupported => Ok(BTreeMap::new()),
        Err(error) => Err(error.into()),
    }
}

fn print<'a>(
    joined: impl Iterator<Item = (&'a Interface, Option<&'a IpInterface>, Option<&'a IpInterface>)>,
) -> Result<(), Failure> {
    let headings = ["Index", "Name", "State", "MTU", "Forwarding", "Metric", "Physical address"];
    let mut table = table::new(&headings, &[0], output::width());
    for (interface, v4, v6) in joined {
        let state = match interface.admin_status {
            AdminStatus::Down => "disabled".to_owned(),
            // As `ip` has it, and administrators know it.
            AdminStatus::Up if interface.oper_status == OperStatus::LowerLayerDown => "no carrier".to_owned(),
            AdminStatus::Up => interface.oper_status.to_string(),
        };
        let both = |value: fn(&IpInterface) -> String| match (v4.map(value), v6.map(value)) {
            (None, None) => "-".to_owned(),
            (Some(v4), Some(v6)) if v4 == v6 => v4,
            (v4, v6) => format!("{}/{}", v4.as_deref().unwrap_or("-"), v6.as_deref().unwrap_or("-")),
        };
        let _ = table.add_row([
            interface.index.to_string(),
            sanitize(&interface.name).into_owned(),
            state,
            both(|row| row.nl_mtu.to_string()),
            both(|row| if row.forwarding_enabled { "on" } else { "off" }.to_owned()),
            both(|row| row.metric.to_string()),
            match interface.physical_address {
                none if none.is_empty() => "-".to_owned(),
                some => some.to_string(),
            },
        ]);
    }
    let mut out = output::people();
    table::write(&mut out, &table)?;
    out.flush()?;
    Ok(())
}
