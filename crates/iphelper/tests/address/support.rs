//! What the tests of addresses have in common: a cable, and what `ip` shows.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

use iphelper::address::{NewUnicastAddress, UnicastAddress};
use iphelper::{Family, Host, InterfaceIndex};
use iphelper_testkit::{NetNs, PATIENCE, addresses_settle, run, set_sysctl};
use serde_json::Value;
use std::net::IpAddr;
use std::time::Duration;

pub(crate) const LONG: Duration = PATIENCE;

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// An address of the interface `e0` as `ip` shows it.
pub(crate) fn shown(address: &str) -> Option<Value> {
    let links: Value = serde_json::from_str(&run("ip -json addr show dev e0")).unwrap();
    let all = links[0]["addr_info"].as_array().unwrap().clone();
    all.into_iter().find(|it| it["local"] == address)
}

/// All of the interface as `ip` shows it, as "address/length" in order.
pub(crate) fn all_shown() -> Vec<String> {
    let links: Value = serde_json::from_str(&run("ip -json addr show dev e0")).unwrap();
    let text = |it: &Value| format!("{}/{}", it["local"].as_str().unwrap(), it["prefixlen"]);
    links[0]["addr_info"].as_array().unwrap().iter().map(text).filter(|it| !it.starts_with("fe80")).collect()
}

pub(crate) struct Addresses {
    pub(crate) family: Family,
    pub(crate) one: &'static str,
    pub(crate) two: &'static str,
    pub(crate) peer: &'static str,
    pub(crate) len: u8,
    pub(crate) longer: u8,
    pub(crate) bits: u8,
}

pub(crate) const V4: Addresses = Addresses {
    family: Family::V4,
    one: "192.0.2.1",
    two: "192.0.2.2",
    peer: "192.0.2.9",
    len: 24,
    longer: 28,
    bits: 32,
};
pub(crate) const V6: Addresses = Addresses {
    family: Family::V6,
    one: "2001:db8::1",
    two: "2001:db8::2",
    peer: "2001:db8::9",
    len: 64,
    longer: 80,
    bits: 128,
};

/// This host's `e0` and a peer's `e1`, neither of which looks for duplicates.
pub(crate) fn pair() -> (NetNs, NetNs) {
    let (ours, peer) = (NetNs::new(), NetNs::new());
    for host in [&ours, &peer] {
        host.run(|| set_sysctl("ipv6/conf/default/accept_dad", "0"));
    }
    ours.veth("e0", &peer, "e1");
    for (host, name) in [(&ours, "e0"), (&peer, "e1")] {
        host.addresses_settle(&[name]);
    }
    (ours, peer)
}

/// Adds an address by another program, and waits until it can be used.
pub(crate) fn add(address: &str, len: u8, device: &str) {
    let nodad = if address.contains(':') { "nodad" } else { "" };
    let _ = run(&format!("ip addr add {address}/{len} dev {device} {nodad}"));
    addresses_settle(&[device]);
}

pub(crate) fn e0(host: &Host) -> InterfaceIndex {
    host.interface_named("e0").unwrap().index
}

pub(crate) fn new(host: &Host, address: &str, len: u8) -> NewUnicastAddress {
    NewUnicastAddress { on_link_prefix_length: Some(len), ..NewUnicastAddress::new(e0(host), ip(address)) }
}

pub(crate) fn row(host: &Host, address: &str) -> UnicastAddress {
    host.unicast_address(e0(host), ip(address)).unwrap_or_else(|error| panic!("{address}: {error}"))
}
