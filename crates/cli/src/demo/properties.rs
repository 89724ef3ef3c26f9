//! Chapter: properties of an interface, changed with the library and read back from the kernel.

use super::failed;
use super::kernel::Value;
use super::stage::CABLE;
use super::story::{Story, WIDTH};
use crate::exit::Failure;
use crate::output::table;
use iphelper::ip_interface::{IpInterfaceChange, RouterDiscoveryBehavior};
use iphelper::{Family, Host, InterfaceLuid};
use std::time::Duration;

/// What is shown: a name, and where the kernel keeps it.
type Shown = (&'static str, Value);

pub(super) fn play(story: &mut Story, host: &Host) -> Result<(), Failure> {
    let key = host.interface_named(CABLE)?.luid;
    story.chapter("An interface's IP properties: SetIpInterfaceEntry, and what the kernel says")?;
    v6(story, host, key)?;
    v4(story, host, key)?;
    nothing_by_halves(story, host, key)
}

fn v6(story: &mut Story, host: &Host, key: InterfaceLuid) -> Result<(), Failure> {
    let forwarding = Value::Sysctl("ipv6/conf/*/force_forwarding");
    let mut shown = vec![
        ("MTU", Value::Sysctl("ipv6/conf/*/mtu")),
        ("DAD transmits", Value::Sysctl("ipv6/conf/*/dad_transmits")),
        ("Router discovery", Value::Sysctl("ipv6/conf/*/accept_ra")),
    ];
    let mut change = IpInterfaceChange {
        nl_mtu: Some(1400),
        dad_transmits: Some(3),
        router_discovery_behavior: Some(RouterDiscoveryBehavior::Disabled),
        ..IpInterfaceChange::default()
    };
    let mut options = "--mtu 1400 --dad-transmits 3 \\\n       --router-discovery disabled".to_owned();
    // Linux forwards IPv6 by interface from 6.17 on.
    if forwarding.read().is_some() {
        shown.push(("Forwarding", forwarding));
        change.forwarding_enabled = Some(true);
        options.push_str(" --forwarding true");
    }
    story.command(&format!("iph interface set {CABLE} --ipv6 {options}"))?;
    before_and_after(story, &shown, || host.set_ip_interface(Family::V6, key, &change).map(drop))
}

fn v4(story: &mut Story, host: &Host, key: InterfaceLuid) -> Result<(), Failure> {
    let shown = [
        ("MTU", Value::LinkMtu),
        ("Forwarding", Value::Sysctl("ipv4/conf/*/forwarding")),
        ("Reachable time", Value::Sysctl("ipv4/neigh/*/base_reachable_time_ms")),
        ("Retransmit time", Value::Sysctl("ipv4/neigh/*/retrans_time_ms")),
    ];
    let change = IpInterfaceChange {
        nl_mtu: Some(1400),
        forwarding_enabled: Some(true),
        base_reachable_time: Some(Duration::from_secs(15)),
        retransmit_time: Some(Duration::from_millis(500)),
        ..IpInterfaceChange::default()
    };
    story.command(&format!(
        "iph interface set {CABLE} --ipv4 --mtu 1400 --forwarding true \\\n       \
         --base-reachable-time 15s --retransmit-time 500ms"
    ))?;
    before_and_after(story, &shown, || host.set_ip_interface(Family::V4, key, &change).map(drop))
}

/// A call with one wrong value: nothing of it is done.
fn nothing_by_halves(story: &mut Story, host: &Host, key: InterfaceLuid) -> Result<(), Failure> {
    let forwarding = Value::Sysctl("ipv4/conf/*/forwarding");
    let change = IpInterfaceChange {
        nl_mtu: Some(1),
        forwarding_enabled: Some(false),
        ..IpInterfaceChange::default()
    };
    story.command(&format!("iph interface set {CABLE} --ipv4 --forwarding false --mtu 1"))?;
    match host.set_ip_interface(Family::V4, key, &change) {
        Ok(_) => return Err(failed("setting an MTU of 1", "it was accepted")),
        Err(error) => story.bad("refused: ", error.reason().unwrap_or("without a reason"))?,
    }
    let now = forwarding.read().unwrap_or_default();
    story.good("all or nothing: ", &format!("{} is {now} as before", forwarding.name()))?;
    Ok(())
}

/// Makes a change and shows the kernel's values from before it and after it.
fn before_and_after(
    story: &mut Story,
    shown: &[Shown],
    change: impl FnOnce() -> iphelper::Result<()>,
) -> Result<(), Failure> {
    story.flush()?;
    let read =
        || shown.iter().map(|(_, value)| value.read().unwrap_or_else(|| "-".to_owned())).collect::<Vec<_>>();
    let before = read();
    change()?;
    let after = read();
    let headings = ["Property", "Where the kernel keeps it", "Before", "After"];
    let mut table = table::new(&headings, &[2, 3], Some(WIDTH));
    for (((name, value), before), after) in shown.iter().zip(before).zip(after) {
        let _ = table.add_row([(*name).to_owned(), value.name(), before, after]);
    }
    Ok(story.table(&table)?)
}
