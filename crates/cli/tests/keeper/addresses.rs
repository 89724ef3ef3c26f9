//! The keeper keeps what hangs on addresses: the ways to the prefixes of skipped ones, and a sysctl that a program which
//! was killed has raised.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::keeper_support::Keeper;
use crate::support::iph;
use iphelper_testkit::{eventually, isolated, run, set_sysctl, sysctl};

#[test]
fn the_way_to_the_prefix_of_a_skipped_address_comes_and_goes_with_it() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e0 up");
        let _ = run("ip link set e1 up");
        // The kernel takes all routes away with the last address.
        let _ = run("ip addr add 198.51.100.1/24 dev e0");
        let _keeper = Keeper::start();
        let way = || run("ip route show 192.0.2.0/24 proto 106");
        let _ = iph("address add 192.0.2.5/24 --interface e0 --skip-as-source").ok();
        assert!(way().contains("dev e0"), "at once");
        // The kernel takes routes away with the link's being up, and brings those alone back that it made.
        let _ = run("ip link set e0 down");
        assert_eq!(way(), "");
        let _ = run("ip link set e0 up");
        eventually("the way is back", || way().contains("dev e0"));
        let _ = run("ip addr add 192.0.2.6/24 dev e0");
        eventually("the kernel's own takes its place", || way().is_empty());
        let _ = run("ip addr del 192.0.2.6/24 dev e0");
        eventually("the way is back", || way().contains("dev e0"));
        let _ = run("ip addr del 192.0.2.5/32 dev e0");
        eventually("the way is gone", || way().is_empty());
    });
}

#[test]
fn a_sysctl_that_a_killed_program_has_raised_is_put_back() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _keeper = Keeper::start();
        let all = iph("interface list --json").json();
        let e0 = all.as_array().unwrap().iter().find(|row| row["name"] == "e0").unwrap();
        let luid: u64 = e0["luid"].as_str().unwrap().parse().unwrap();
        let index = e0["index"].as_u64().unwrap();
        // What a program writes before it adds an address that may be used at once, and has no time to take back.
        let tag = (luid >> 31) & u64::from(u32::MAX);
        set_sysctl("ipv6/conf/e0/optimistic_dad", "1");
        let marker = format!("throw 0.0.0.{index} table 1768974352 proto 105 metric 604 window {tag}");
        let _ = run(&format!("ip route add {marker}"));
        eventually("it is put back", || sysctl("ipv6/conf/e0/optimistic_dad") == "0");
        eventually("and forgotten", || run("ip route show table 1768974352").trim().is_empty());
    });
}
