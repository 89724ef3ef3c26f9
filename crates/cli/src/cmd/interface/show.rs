//! `iph interface show`.

use crate::exit::{Exit, Failure};
use crate::interface_name;
use crate::output::style::{HEADING, NAME};
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use crate::units::{show_duration, show_interface_identifier};
use iphelper::convert::InterfaceNames;
use iphelper::ip_interface::{IpInterface, Offload};
use iphelper::{ErrorKind, Family, Host};
use std::io::Write;

/// Show every IP property of an interface, of both families
///
/// A property that Windows has and this host cannot know is shown as "unknown" (null in JSON). Names are those of
/// Windows' MIB_IPINTERFACE_ROW; docs/linux-mechanisms.md tells where Linux keeps each.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iph interface show eth0
  iph interface show 2
  iph interface show eth0 --json | jq .ipv6.nl_mtu")]
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
        let v4 = row(&host, Family::V4, &names)?;
        let v6 = row(&host, Family::V6, &names)?;
        if self.json {
            let mut out = json::stdout();
            json::write(
                &mut out,
                &json::Interface::new(names.luid, names.index, &names.name, v4.as_ref(), v6.as_ref()),
            )?;
            out.flush()?;
        } else {
            print(&host, &names, v4.as_ref(), v6.as_ref())?;
        }
        Ok(Exit::Success)
    }
}

/// The interface's row of one family; `None` where it does not have the family. By LUID, so that both rows are of the
/// one interface that the name meant.
fn row(host: &Host, family: Family, names: &InterfaceNames) -> Result<Option<IpInterface>, Failure> {
    match host.ip_interface(family, names.luid) {
        Ok(row) => Ok(Some(row)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotSupported) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn print(
    host: &Host,
    names: &InterfaceNames,
    v4: Option<&IpInterface>,
    v6: Option<&IpInterface>,
) -> Result<(), Failure> {
    let mut out = output::people();
    writeln!(out, "{NAME}{}{NAME:#}  index {}  LUID {}", sanitize(&names.name), names.index, names.luid)?;
    writeln!(out)?;
    let mut table = table::new(&["Property", "IPv4", "IPv6"], &[], output::width());
    for (name, value) in PROPERTIES {
        let cell = |row: Option<&IpInterface>| row.map_or_else(|| "-".to_owned(), value);
        let _ = table.add_row([(*name).to_owned(), cell(v4), cell(v6)]);
    }
    table::write(&mut out, &table)?;
    for (family, row) in [(Family::V4, v4), (Family::V6, v6)] {
        if row.is_none() {
            writeln!(out, "\n{HEADING}{family}{HEADING:#} is not on this interface.")?;
        }
    }
    if let Some(note) = not_followed(host, [v4, v6].into_iter().flatten()) {
        writeln!(out, "\n{note}")?;
    }
    out.flush()?;
    Ok(())
}

/// What is set and needs a keeper, where none runs; nothing where this user cannot know.
fn not_followed<'a>(
    host: &Host,
    mut rows: impl Iterator<Item = &'a IpInterface> + Clone,
) -> Option<&'static str> {
    let advertises = rows.clone().any(|row| row.advertising_enabled);
    let has_policy = rows.any(|row| {
        row.disable_default_routes
            || !row.weak_host_send
            || !row.weak_host_receive
            || !row.use_automatic_metric
    });
    if !(advertises || has_policy) || host.keeper_runs().ok().flatten() != Some(false) {
        return None;
    }
    Some(if advertises {
        "No keeper runs: router advertisements are not sent; start iph keeper."
    } else {
        "No keeper runs: routes and addresses that others add are not followed until the next change with iph; start \
         iph keeper."
    })
}

type Property = (&'static str, fn(&IpInterface) -> String);

/// What people are shown, the settable ones first.
const PROPERTIES: &[Property] = &[
    ("Connected", |row| yes(row.connected)),
    ("MTU", |row| row.nl_mtu.to_string()),
    ("Metric", |row| format!("{}{}", row.metric, if row.use_automatic_metric { " (automatic)" } else { "" })),
    ("Forwarding", |row| on(row.forwarding_enabled)),
    ("Router discovery", |row| row.router_discovery_behavior.to_string()),
    ("DAD transmits", |row| row.dad_transmits.to_string()),
    ("Base reachable time", |row| show_duration(row.base_reachable_time)),
    ("Reachable time", |row| show_duration(row.reachable_time)),
    ("Retransmit time", |row| show_duration(row.retransmit_time)),
    ("Unreachability detection", |row| on(row.use_neighbor_unreachability_detection)),
    ("Path MTU timeout", |row| known(row.path_mtu_discovery_timeout.map(show_duration))),
    ("Interface identifier", |row| show_interface_identifier(row.interface_identifier)),
    ("Link-local address", |row| row.link_local_address_behavior.to_string()),
    ("Link-local timeout", |row| show_duration(row.link_local_address_timeout)),
    ("Default routes ignored", |row| yes(row.disable_default_routes)),
    ("Weak host send", |row| on(row.weak_host_send)),
    ("Weak host receive", |row| on(row.weak_host_receive)),
    ("Advertising", |row| on(row.advertising_enabled)),
    ("Advertise default route", |row| on(row.advertise_default_route)),
    ("Advertisement interval", |row| {
        let bounds = row.min_router_advertisement_interval.zip(row.max_router_advertisement_interval);
        known(bounds.map(|(min, max)| format!("{} to {}", show_duration(min), show_duration(max))))
    }),
    ("Managed addresses (M)", |row| known(row.managed_address_configuration_supported.map(yes))),
    ("Other configuration (O)", |row| known(row.other_stateful_configuration_supported.map(yes))),
    ("Site prefix length", |row| row.site_prefix_length.to_string()),
    ("Zones by level", |row| {
        let zones = row.zone_indices.iter().enumerate().filter(|(_, zone)| **zone != 0);
        zones.map(|(level, zone)| format!("{level}={zone}")).collect::<Vec<_>>().join(" ")
    }),
    ("Neighbor discovery", |row| supported(row.supports_neighbor_discovery)),
    ("Router discovery ability", |row| supported(row.supports_router_discovery)),
    ("Wake-up patterns", |row| known(row.supports_wake_up_patterns.map(supported))),
    ("Max reassembly size", |row| known(row.max_reassembly_size.map(|size| size.to_string()))),
    ("Transmit offload", |row| offload(row.transmit_offload)),
    ("Receive offload", |row| offload(row.receive_offload)),
];

fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

fn on(value: bool) -> String {
    if value { "on" } else { "off" }.to_owned()
}

fn supported(value: bool) -> String {
    if value { "supported" } else { "not supported" }.to_owned()
}

fn known(value: Option<String>) -> String {
    value.unwrap_or_else(|| "unknown".to_owned())
}

fn offload(offload: Offload) -> String {
    let parts = [
        (offload.nl_checksum_supported, "IP checksum"),
        (offload.nl_options_supported, "IP options"),
        (offload.tl_datagram_checksum_supported, "UDP checksum"),
        (offload.tl_stream_checksum_supported, "TCP checksum"),
        (offload.tl_stream_options_supported, "TCP options"),
        (offload.fast_path_compatible, "fast path"),
        (offload.tl_large_send_offload_supported, "large send"),
        (offload.tl_giant_send_offload_supported, "giant send"),
    ];
    let names: Vec<_> = parts.iter().filter(|(there, _)| *there).map(|(_, name)| *name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
