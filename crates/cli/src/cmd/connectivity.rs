//! `iph connectivity`.

use crate::exit::{Exit, Failure};
use crate::interface_name;
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use iphelper::connectivity::{ConnectivityCost, ConnectivityHint};
use iphelper::interface::InterfaceLevel;
use iphelper::{ErrorKind, Host, InterfaceIndex, InterfaceLuid};
use serde::Serialize;
use std::io::Write;

/// Tell how far packets get, and what that costs
///
/// Of the host, and over each interface. Nothing is sent to find it out: "internet" is a default route whose router is not
/// known to be away, "local" an address, "none" neither, or an interface that is down. Where NetworkManager checks, a
/// captive portal is "constrained". The cost is NetworkManager's, too: "fixed" where the network is metered.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iph connectivity
  iph connectivity wlan0
  iph connectivity --json | jq -r .level")]
pub(crate) struct Args {
    /// A name, an alternative name, an index or a LUID (0x...); all if not given
    #[arg(value_name = "NAME|INDEX|LUID")]
    interface: Option<String>,

    /// Print one object, see docs/json.md
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct OfHost {
    level: String,
    cost: Option<String>,
    interfaces: Vec<OfInterface>,
}

#[derive(Serialize)]
struct OfInterface {
    luid: String,
    index: u32,
    interface: String,
    level: String,
    cost: Option<String>,
}

impl OfInterface {
    fn new(luid: InterfaceLuid, index: InterfaceIndex, name: &str, hint: ConnectivityHint) -> Self {
        Self {
            luid: luid.0.to_string(),
            index: index.0,
            interface: name.to_owned(),
            level: hint.level.to_string(),
            cost: hint.cost.as_ref().map(ConnectivityCost::to_string),
        }
    }
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        if let Some(interface) = &self.interface {
            let names = interface_name::find(&host, interface)?;
            let hint = host.interface_connectivity_hint(names.luid)?;
            let row = OfInterface::new(names.luid, names.index, &names.name, hint);
            return if self.json { document(&row) } else { print(&[], &[row]) };
        }
        let hint = host.connectivity_hint()?;
        let mut interfaces = Vec::new();
        for row in host.interfaces(InterfaceLevel::NormalWithoutStatistics)? {
            match host.interface_connectivity_hint(row.luid) {
                Ok(hint) => interfaces.push(OfInterface::new(row.luid, row.index, &row.name, hint)),
                // It went meanwhile.
                Err(error) if error.kind() == ErrorKind::InterfaceNotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        let (level, cost) = (hint.level.to_string(), hint.cost.as_ref().map(ConnectivityCost::to_string));
        if self.json {
            return document(&OfHost { level, cost, interfaces });
        }
        print(&[("the host".to_owned(), level, known(cost.as_deref()))], &interfaces)
    }
}

fn document(document: &impl Serialize) -> Result<Exit, Failure> {
    let mut out = json::stdout();
    json::write(&mut out, document)?;
    out.flush()?;
    Ok(Exit::Success)
}

fn print(host: &[(String, String, String)], interfaces: &[OfInterface]) -> Result<Exit, Failure> {
    let mut table = table::new(&["Of", "Packets reach", "Cost"], &[], output::width());
    for (of, level, cost) in host {
        let _ = table.add_row([of, level, cost]);
    }
    for row in interfaces {
        let _ = table.add_row([
            sanitize(&row.interface).into_owned(),
            row.level.clone(),
            known(row.cost.as_deref()),
        ]);
    }
    let mut out = output::people();
    table::write(&mut out, &table)?;
    out.flush()?;
    Ok(Exit::Success)
}

fn known(cost: Option<&str>) -> String {
    cost.unwrap_or("unknown").to_owned()
}
