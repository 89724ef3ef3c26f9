//! What one process sets, and a keeper obeys or keeps, is told to a listener in another.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use crate::keeper_support::Keeper;
use crate::support::iph;
use iphelper::notification::{ChangeKind, IpInterfaceChanges};
use iphelper::{Family, Host};
use iphelper_testkit::{eventually, isolated, run, set_sysctl};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// What the kernel does not announce is promised within 5 s; the rest is for a busy machine.
const FOUND: Duration = Duration::from_secs(60);

fn pair(name: &str, peer: &str, up: bool) {
    let _ = run(&format!("ip link add {name} type veth peer name {peer}"));
    for end in [name, peer] {
        set_sysctl(&format!("ipv6/conf/{end}/accept_dad"), "0");
        if up {
            let _ = run(&format!("ip link set {end} up"));
        }
    }
}

/// Takes changes until one of a parameter of this row came; the names of the rows whose parameters changed before.
fn expect(changes: &mut IpInterfaceChanges, family: Family, name: &str, what: &str) -> Vec<String> {
    let deadline = Instant::now() + FOUND;
    let mut others = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let ready = poll(
            &mut [PollFd::new(changes, PollFlags::IN)],
            Some(&Timespec::try_from(left).expect("a short time")),
        );
        assert_eq!(ready, Ok(1), "{what}: no change of {name} over {family} after {FOUND:?}");
        let change = changes.try_next().unwrap().expect("readable");
        if (change.kind, change.family, change.name.as_str()) == (ChangeKind::Parameter, family, name) {
            return others;
        }
        others.push(change.name);
    }
}

fn settle(changes: &mut IpInterfaceChanges) {
    let pause = Timespec::try_from(Duration::from_millis(400)).unwrap();
    while poll(&mut [PollFd::new(&*changes, PollFlags::IN)], Some(&pause)) == Ok(1) {
        let _ = changes.try_next().unwrap();
    }
}

/// What is set, and what takes it back.
const ADVERTISING: [[&str; 2]; 6] = [
    ["--forwarding true", "--forwarding false"],
    ["--advertising true", "--advertising false"],
    ["--advertise-default-route true", "--advertise-default-route false"],
    ["--managed-address-configuration true", "--managed-address-configuration false"],
    ["--other-stateful-configuration true", "--other-stateful-configuration false"],
    ["--max-advertisement-interval 9s", "--max-advertisement-interval 600s"],
];

/// Sets something of `lan`. Whether the listener is told before it has looked: what changes of `quiet`, whose index is
/// lower, is not announced, so a look that finds both tells of that first.
fn is_announced(changes: &mut IpInterfaceChanges, options: &str) -> bool {
    static TRANSMITS: AtomicU32 = AtomicU32::new(1);
    settle(changes);
    let transmits = TRANSMITS.fetch_add(1, Ordering::Relaxed) + 1;
    set_sysctl("ipv6/conf/quiet/dad_transmits", &transmits.to_string());
    let _ = iph(&format!("interface set lan --ipv6 {options}")).ok();
    let others = expect(changes, Family::V6, "lan", options);
    !others.iter().any(|name| name == "quiet")
}

#[test]
fn what_is_advertised_is_announced_to_other_processes() {
    isolated(|| {
        pair("quiet", "still", true);
        pair("lan", "peer", true);
        let _keeper = Keeper::start();
        let mut changes = Host::open().unwrap().ip_interface_changes(None).unwrap();
        let mut announced = |first: &str, back: &str| {
            // On a busy machine a look may come in between, once or twice.
            for _ in 0..40 {
                if is_announced(&mut changes, first) {
                    return;
                }
                let _ = iph(&format!("interface set lan --ipv6 {back}")).ok();
            }
            panic!("{first}: found by looking alone");
        };
        for [on, off] in ADVERTISING {
            announced(on, off);
        }
        for [on, off] in ADVERTISING.into_iter().rev() {
            announced(off, on);
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
            let _ = expect(&mut changes, Family::V6, "dead", options);
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
        let _ = expect(&mut changes, Family::V4, "e0", "what is set is gone");
        eventually("nothing is set", || {
            let row = row();
            row.use_automatic_metric && !row.disable_default_routes
        });
    });
}
