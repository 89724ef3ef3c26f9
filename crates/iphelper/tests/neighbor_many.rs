//! A table of 100,000 neighbours, read whole.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper::neighbor::{NeighborFlush, PhysicalAddress};
use iphelper::{Family, Host};
use iphelper_testkit::{eventually, isolated, run};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::{Command, Stdio};

iphelper_testkit::private_user_namespace!();

const OF_EACH_FAMILY: u32 = 50_000;

#[test]
fn none_is_missing_and_none_is_twice() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e0 up");
        let mut expected = BTreeMap::new();
        let mut batch = String::new();
        for number in 1..=OF_EACH_FAMILY {
            let [_, a, b, c] = number.to_be_bytes();
            let physical = PhysicalAddress::new(&[2, 0, 0, a, b, c]).unwrap();
            let v6 = Ipv6Addr::from_bits(0x2001_0db8_u128 << 96 | u128::from(number));
            for address in [IpAddr::from(Ipv4Addr::new(10, a, b, c)), v6.into()] {
                writeln!(batch, "neigh add {address} lladdr {physical} dev e0").unwrap();
                let _ = expected.insert(address, physical);
            }
        }
        let mut ip = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        ip.stdin.take().unwrap().write_all(batch.as_bytes()).unwrap();
        assert!(ip.wait().unwrap().success(), "ip -batch");

        let host = Host::open().unwrap();
        let read = || {
            let rows = host.neighbors(None).unwrap();
            let rows = rows.into_iter().filter(|row| row.name == "e0" && !row.address.is_multicast());
            rows.map(|row| (row.address, row.physical_address)).collect::<Vec<_>>()
        };
        let is_whole = |rows: &[(IpAddr, PhysicalAddress)]| {
            rows.len() == expected.len() && rows.iter().all(|(key, value)| expected.get(key) == Some(value))
        };
        // Other namespaces' neighbours are in the same tables of the kernel, see docs/linux-mechanisms.md: who else runs
        // tests now, and what the ones before left, may disturb a reading, and not each.
        let mut rows = Vec::new();
        eventually("a reading that nobody disturbs", || {
            rows = read();
            is_whole(&rows)
        });
        assert!(rows.is_sorted_by_key(|row| (Family::of(&row.0), row.0)));
        for address in ["10.0.0.1", "2001:db8::c350"] {
            let row = host.neighbor(host.interface_named("e0").unwrap().index, address.parse().unwrap());
            assert_eq!(Some(&row.unwrap().physical_address), expected.get(&address.parse().unwrap()));
        }
        let which = NeighborFlush { permanent: true, ..NeighborFlush::default() };
        let mut flushed = 0;
        eventually("all are flushed", || {
            flushed += host.flush_neighbors(&which).unwrap().len();
            flushed >= expected.len()
        });
    });
}
