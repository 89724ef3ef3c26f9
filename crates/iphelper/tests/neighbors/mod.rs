//! Two hosts on one link, for the tests of neighbours; `ip` as the witness of the table.
#![allow(dead_code, reason = "each test program uses a part")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use iphelper::neighbor::{Neighbor, PhysicalAddress};
use iphelper::{Family, Host, InterfaceIndex};
use iphelper_testkit::{NetNs, set_sysctl};
use serde_json::Value;
use std::net::IpAddr;

/// What both families' tests do with addresses of their own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) family: Family,
    /// `e0`'s.
    pub(crate) near: &'static str,
    /// `p0`'s: answers.
    pub(crate) far: &'static str,
    /// Nobody's, on the link.
    pub(crate) nobody: &'static str,
    /// Nobody's, behind no route.
    pub(crate) off_link: &'static str,
    pub(crate) len: u8,
}

pub(crate) const BOTH: [Addresses; 2] = [
    Addresses {
        family: Family::V4,
        near: "192.0.2.1",
        far: "192.0.2.2",
        nobody: "192.0.2.9",
        off_link: "203.0.113.5",
        len: 24,
    },
    Addresses {
        family: Family::V6,
        near: "2001:db8::1",
        far: "2001:db8::2",
        nobody: "2001:db8::9",
        off_link: "2001:db8:9::5",
        len: 64,
    },
];

/// This host with the interface `e0`, and another on the same link with `p0`. Nobody is solicited by the kernels
/// themselves: no duplicate detection, no router solicitation.
pub(crate) struct Lan {
    pub(crate) near: NetNs,
    pub(crate) far: NetNs,
    pub(crate) host: Host,
    pub(crate) index: InterfaceIndex,
    /// `p0`'s.
    pub(crate) physical: PhysicalAddress,
}

impl Lan {
    pub(crate) fn new() -> Self {
        let (near, far) = (NetNs::new(), NetNs::new());
        for host in [&near, &far] {
            host.run(|| {
                set_sysctl("ipv6/conf/default/accept_dad", "0");
                set_sysctl("ipv6/conf/default/router_solicitations", "0");
            });
        }
        near.veth("e0", &far, "p0");
        let physical = "02:00:5e:00:53:02";
        let _ = far.sh(&format!("ip link set p0 address {physical}"));
        // The other host is not to ask for this one either, once it has answered: that would tell who it is.
        for table in ["arp_cache", "ndisc_cache"] {
            let _ = far.sh(&format!("ip ntable change name {table} dev p0 delay_probe 2000000000"));
        }
        for it in BOTH {
            add(&near, &format!("{}/{}", it.near, it.len), "e0");
            add(&far, &format!("{}/{}", it.far, it.len), "p0");
        }
        let host = near.run(|| Host::open().expect("opening the host"));
        let index = host.interface_named("e0").unwrap().index;
        Self { near, far, host, index, physical: physical.parse().unwrap() }
    }

    /// Gives the other host a further address, which answers at once.
    pub(crate) fn give(&self, address: &str, it: Addresses) {
        add(&self.far, &format!("{address}/{}", it.len), "p0");
    }

    pub(crate) fn row(&self, address: &str) -> Neighbor {
        self.host.neighbor(self.index, ip(address)).unwrap_or_else(|error| panic!("{address}: {error}"))
    }

    /// Waits until the kernel has asked for a neighbour in vain, and knows it. It takes such an entry away when it tidies up, which
    /// it does more often the more neighbours all namespaces have together; then it is asked anew.
    pub(crate) fn ask_in_vain(&self, address: &str) {
        iphelper_testkit::eventually("nobody answers", || match self.shown(address) {
            Some((state, _)) => state == "FAILED",
            None => {
                let ask = format!("ip neigh add {address} dev e0 use");
                let _ = self.near.run(|| iphelper_testkit::try_run(&ask));
                false
            }
        });
    }

    /// State and physical address of one neighbour of `e0` as `ip` shows it; `None` if it does not.
    pub(crate) fn shown(&self, address: &str) -> Option<(String, String)> {
        let rows = self.near.run(|| shown("dev e0"));
        rows.into_iter().find(|row| row.1 == address).map(|row| (row.2, row.3))
    }
}

/// Adds an address, and waits until it can be used and is answered for. The kernel comes to an IPv6 address some time after
/// it was added: until then the host has not joined the group that the questions for it go to.
pub(crate) fn add(host: &NetNs, address_and_len: &str, device: &str) {
    let _ = host.sh(&format!("ip addr add {address_and_len} dev {device}"));
    host.addresses_settle(&[device]);
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn physical(text: &str) -> PhysicalAddress {
    text.parse().unwrap()
}

/// Interface, address, state and physical address of the neighbours of this thread's namespace as `ip` shows them, of
/// every state, in the order of our tables.
pub(crate) fn shown(which: &str) -> Vec<(String, String, String, String)> {
    let mut rows = Vec::new();
    for digit in [4, 6] {
        let text = iphelper_testkit::run(&format!("ip -{digit} -json neigh show nud all {which}"));
        let Value::Array(shown) = serde_json::from_str(&text).unwrap() else { continue };
        for row in shown {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            let state = row["state"][0].as_str().unwrap_or("NONE").to_owned();
            // `ip` leaves the interface out where it was asked for.
            let device = if row["dev"].is_null() { "e0".to_owned() } else { text("dev") };
            rows.push((device, text("dst"), state, text("lladdr")));
        }
    }
    rows.retain(|row| !ip(&row.1).is_unspecified());
    rows
}
