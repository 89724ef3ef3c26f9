//! What one process sets, and a keeper obeys or keeps, is told to a listener in another.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use crate::keeper_support::Keeper;
use crate::support::iph;
use iphelper::notification::{ChangeKind, IpInterfaceChanges};
use iphelper::{Family, Host};
use iphelper_testkit::{eventually, isolated, run, set_sysctl};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::time::{Duration, Instant};

/// Less than the time between two looks at what the kernel does not announce.
const ANNOUNCED: Duration = Duration::from_millis(2500);
/// What it does not announce is promised within 5 s; the rest is for a busy machine.
const FOUND: Duration = Duration::from_secs(8);

fn pair(name: &str, peer: &str, up: bool) {
    let _ = run(&format!("ip link add {name} type veth peer name {peer}"));
    for end in [name, peer] {
        set_sysctl(&format!("ipv6/conf/{end}/accept_dad"), "0");
        if up {
            let _ = run(&format!("ip link set {end} up"));
        }
    }
}

/// Takes changes until one of a parameter of this row came.
fn expect(changes: &mut IpInterfaceChanges, time: Duration, family: Family, name: &str, what: &str) {
    let deadline = Instant::now() + time;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let ready = poll(
            &mut [PollFd::new(changes, PollFlags::IN)],
            Some(&Timespec::try_from(left).expect("a short time")),
        );
        assert_eq!(ready, Ok(1), "{what}: no change of {name} over {family} after {time:?}");
        let change = changes.try_next().unwrap().expect("readable");
        if (change.kind, change.family, change.name.as_str()) == (ChangeKind::Parameter, family, name) {
            return;
        }
    }
}

fn settle(changes: &mut IpInterfaceChanges) {
    let pause = Timespec::try_from(Duration::from_millis(400)).unwrap();
    while poll(&mut [PollFd::new(&*changes, PollFlags::IN)], Some(&pause)) == Ok(1) {
        let _ = changes.try_next().unwrap();
    }
}

const ADVERTISING: [&str; 9] = [
    "--forwarding true",
    "--advertising true",
    "--advertise-default-route true",
    "--managed-address-configuration true",
    "--other-stateful-configuration true",
    "--max-advertisement-interval 9s",
    "--managed-address-configuration false",
    "--advertise-default-route false",
    "--advertising false",
];

#[test]
fn what_is_advertised_is_announced_to_other_processes() {
    isolated(|| {
        pair("lan", "peer", true);
        let _keeper = Keeper::start();
        let mut changes = Host::open().unwrap().ip_interface_changes(None).unwrap();
        settle(&mut changes);
        for options in ADVERTISING {
            let _ = iph(&format!("interface set lan --ipv6 {options}")).ok();
            expect(&mut changes, ANNOUNCED, Family::V6, "lan", options);
            settle(&mut changes);
        }
    });
}

/// The kernel announces nothing of an interface that is down, so a listener looks.
#[test]
fn of_an_interface_that_is_down_it_is_found() {
    isolated(|| {
        pair("dead", "peer", false);
        let _keeper = Keeper::start();
        let mut changes = Host::open().unwrap().ip_interface_changes(None).unwrap();
        settle(&mut changes);
        for options in
            ["--forwarding true --advertising true", "--advertise-default-route true", "--metric 40"]
        {
            let _ = iph(&format!("interface set dead --ipv6 {options}")).ok();
            expect(&mut changes, FOUND, Family::V6, "dead", options);
            settle(&mut changes);
        }
    });
}

/// What is set is in routes and in the packet filter; whoever takes it away changes the properties, too.
#[test]
fn what_a_keeper_restores_reads_as_it_did_and_what_is_lost_without_one_is_told() {
    isolated(|| {
        pair("e0", "peer", true);
        let keeper = Keeper::start();
        let _ = iph("interface set e0 --ipv4 --metric 40 --disable-default-routes true").ok();
        let host = Host::open().unwrap();
        let index = host.interface_named("e0").unwrap().index;
        let row = || host.ip_interface(Family::V4, index).unwrap();
        assert_eq!((row().metric, row().disable_default_routes), (40, true));
        let flush = "ip route flush table 1768974352; ip route flush table 1768974338; nft flush ruleset";
        let markers = || run("ip route show table 1768974352");
        for command in flush.split("; ") {
            let _ = run(command);
        }
        eventually("the keeper restores it", || markers().contains("metric 401"));
        eventually("and the filter", || run("nft list tables").contains("inet iphelper\n"));
        assert_eq!((row().metric, row().disable_default_routes), (40, true));
        keeper.kill();
        let mut changes = host.ip_interface_changes(None).unwrap();
        settle(&mut changes);
        for command in flush.split("; ") {
            let _ = run(command);
        }
        expect(&mut changes, FOUND, Family::V4, "e0", "what is set is gone");
        eventually("nothing is set", || {
            let row = row();
            row.use_automatic_metric && !row.disable_default_routes
        });
    });
}
