//! The keeper makes anew what others take away, tells who they are, and remembers what was set.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::keeper_support::{Keeper, RuleManager};
use crate::support::iph;
use iphelper_testkit::uplinks::{Bound, Uplinks, Way};
use iphelper_testkit::{eventually, run, try_run};
use std::time::{Duration, Instant};

/// Flushes all that is ours out of the routing tables and rules, as `ip` can.
const FLUSH: &str = "ip rule flush && ip -6 rule flush; \
    ip rule add lookup main pref 32766; ip -6 rule add lookup main pref 32766; \
    ip rule add lookup default pref 32767; \
    for table in $(ip route show table all proto 105 | sed 's/.*table \\([0-9]*\\).*/\\1/' | sort -u); do \
    ip route flush table $table; done; \
    ip -6 route flush table 1768974337 2>/dev/null || true";

fn flush(uplinks: &Uplinks, commands: &str) {
    uplinks.host.run(|| {
        let mut shell = std::process::Command::new("sh");
        let output = shell.args(["-c", commands]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    });
}

/// What tells the state, one line each.
fn objects(uplinks: &Uplinks) -> Vec<String> {
    let text = uplinks.host.run(|| {
        [
            "ip rule",
            "ip -6 rule",
            "ip route show table all proto 105",
            "ip -6 route show table all proto 105",
            "nft list ruleset",
        ]
        .map(|command| try_run(command).unwrap_or_default())
        .concat()
    });
    // Sets made in one go and one after the other are listed in different orders.
    let mut lines: Vec<_> = text.lines().map(|line| line.trim().to_owned()).collect();
    lines.retain(|line| !line.contains("iphelper-lock"));
    lines.sort_unstable();
    lines
}

#[test]
fn whatever_is_flushed_is_restored_from_memory() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        let _ = iph("interface set e0 --ipv4 --ipv6 --disable-default-routes true").ok();
        let _ = iph("interface set e1 --ipv4 --weak-host-send false").ok();
        let _ = iph("interface set e1 --ipv4 --metric 30").ok();
    });
    let _keeper = uplinks.host.run(Keeper::start);
    let before = objects(&uplinks);
    let all = format!("nft flush ruleset; {FLUSH}");
    for (what, commands) in [
        ("the packet filter", "nft flush ruleset"),
        ("rules and routes", FLUSH),
        ("both, filter first", &all),
        ("both, filter last", &format!("{FLUSH}; nft flush ruleset")),
        ("once more", &all),
    ] {
        flush(&uplinks, commands);
        let flushed = Instant::now();
        while objects(&uplinks) != before && flushed.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(objects(&uplinks), before, "{what}");
        eprintln!("{what}: back after {:?} at most", flushed.elapsed());
        for ipv6 in [false, true] {
            assert!(matches!(uplinks.udp(ipv6, Bound::Device("e0")), Way::Refused(_)), "{what}, {ipv6}");
            assert_eq!(uplinks.udp(ipv6, Bound::Free), Way::E1, "{what}, {ipv6}");
        }
    }
    // What is switched off by who may stays off.
    uplinks.host.run(|| {
        let _ = iph("interface set e0 --ipv4 --ipv6 --disable-default-routes false").ok();
        let _ = iph("interface set e1 --ipv4 --weak-host-send true --automatic-metric true").ok();
    });
    let gone = || objects(&uplinks).iter().all(|line| !line.contains("proto 105") && !line.contains("32765"));
    eventually("nothing of ours is left", gone);
    std::thread::sleep(Duration::from_millis(50));
    assert!(gone(), "{:#?}", objects(&uplinks));
    assert_eq!(uplinks.udp(false, Bound::Free), Way::E0);
}

#[test]
fn a_strong_interface_works_again_after_its_link_flapped() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        let _ = iph("interface set e1 --ipv4 --weak-host-send false --weak-host-receive false").ok();
    });
    let _keeper = uplinks.host.run(Keeper::start);
    let address = Bound::Address(Uplinks::address(1, false));
    assert_eq!(uplinks.udp(false, address), Way::E1);
    for round in 0..5 {
        uplinks.host.run(|| {
            let _ = run("ip link set e1 down");
            let _ = run("ip link set e1 up");
            // The kernel forgot it; whoever made it makes it again.
            let _ = run("ip route add default via 10.0.2.1 metric 200");
        });
        eventually("packets from its address leave by it", || uplinks.udp(false, address) == Way::E1);
        // The carrier alone.
        let _ = uplinks.routers[1].sh("ip link set near down");
        let _ = uplinks.routers[1].sh("ip link set near up");
        // What is sent before the kernel has come to the carrier is lost.
        eventually("the carrier is back", || uplinks.host.sh("ip link show dev e1").contains("state UP"));
        eventually("the route back is there", || {
            let _ = uplinks.host.run(|| try_run("ip route replace default via 10.0.2.1 metric 200"));
            uplinks.udp(false, address) == Way::E1
        });
        assert!(!matches!(uplinks.udp(false, Bound::Device("e1")), Way::E0), "round {round}");
    }
}

#[test]
fn who_deletes_our_rules_is_named_and_does_not_win() {
    let uplinks = Uplinks::new();
    let _ = uplinks.host.run(|| iph("interface set e0 --ipv4 --disable-default-routes true")).ok();
    let keeper = uplinks.host.run(Keeper::start);
    let rules = || uplinks.host.sh("ip rule");
    let before = rules();
    let mut manager = uplinks.host.run(RuleManager::new);
    let begun = Instant::now();
    eventually("a fight of many rounds", || {
        manager.delete_foreign_rules();
        // Never open: what no rule turns away the filter stops.
        let way = uplinks.udp(false, Bound::Device("e0"));
        assert!(matches!(way, Way::Refused(_)), "{way:?}");
        manager.deleted >= 24
    });
    eprintln!("{} rules deleted in {:?}", manager.deleted, begun.elapsed());
    eventually("the rules stand again", || rules() == before);
    let contest = || {
        let status = uplinks.host.run(|| keeper.status());
        let all = status["contests"].as_array().unwrap().clone();
        all.into_iter().find(|it| it["what"] == "policy rules of IPv4 deleted")
    };
    eventually("the status names it", || {
        contest().is_some_and(|contest| contest["process"] == std::process::id())
    });
    let told = contest().unwrap();
    assert!(told["times"].as_u64().unwrap() >= 4, "{told}");
    assert!(told["advice"].as_str().unwrap().contains("protocol 105"), "{told}");
    let text =
        uplinks.host.run(|| iph(&format!("keeper status --status-directory {}", keeper.folder()))).ok();
    assert!(text.contains("contest: policy rules of IPv4 deleted by "), "{text}");
}

/// Runs a shell script with a `/run` of its own, in which the package has made its folder. `iph` is `$IPH`.
fn with_private_run(uplinks: &Uplinks, script: &str) -> String {
    uplinks.host.run(|| {
        let all = format!("mount -t tmpfs none /run\nmkdir -m 700 /run/iphelper\nquiet() {{ $IPH \"$@\" > /dev/null; }}\n{script}");
        let mut unshare = std::process::Command::new("unshare");
        let unshare = unshare.args(["--mount", "sh", "-ec", &all]).env("IPH", env!("CARGO_BIN_EXE_iph"));
        let output = unshare.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}\n{stderr}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    })
}

#[test]
fn without_a_keeper_the_next_call_restores_from_the_copy() {
    let uplinks = Uplinks::new();
    let count = |when: &str| format!("echo {when}: $(ls -A /run/iphelper | wc -l)\n");
    let told = with_private_run(
        &uplinks,
        &format!(
            "quiet interface set e0 --ipv4 --ipv6 --disable-default-routes true\n{}\
             stat -c %a:%u /run/iphelper/*\n\
             quiet interface set e1 --ipv4 --metric 30\n\
             (ip rule; ip -6 rule; ip route show table all proto 105; nft list ruleset) | sort > /run/before\n\
             nft flush ruleset\n{FLUSH}\n\
             ! ip rule | grep -q 32765\n\
             quiet interface set e1 --ipv6 --dad-transmits 2\n\
             (ip rule; ip -6 rule; ip route show table all proto 105; nft list ruleset) | sort > /run/after\n\
             sort /run/before | diff - /run/after\n",
            count("set")
        ),
    );
    assert!(told.contains("set: 1\n600:0\n"), "{told}");
    for ipv6 in [false, true] {
        assert!(matches!(uplinks.udp(ipv6, Bound::Device("e0")), Way::Refused(_)), "{ipv6}");
        assert_eq!(uplinks.udp(ipv6, Bound::Free), Way::E1, "{ipv6}");
    }
    let uplinks = Uplinks::new();
    let told = with_private_run(
        &uplinks,
        &format!(
            "quiet interface set e0 --ipv4 --disable-default-routes true\n\
             quiet interface set e0 --ipv4 --disable-default-routes false\n{}\
             quiet interface set e1 --ipv6 --dad-transmits 2\n\
             echo rules: $(ip rule | grep -c 32765)\n",
            count("unset")
        ),
    );
    assert_eq!(told, "unset: 0\nrules: 0\n", "what was switched off stays off");
}

#[test]
fn a_keeper_that_starts_restores_from_the_copy_and_keeps_it_up() {
    let uplinks = Uplinks::new();
    let told = with_private_run(
        &uplinks,
        &format!(
            "quiet interface set e0 --ipv4 --disable-default-routes true\n\
             quiet interface set e1 --ipv4 --metric 30\n\
             nft flush ruleset\n{FLUSH}\n\
             $IPH keeper & keeper=$!\n\
             for n in $(seq 6000); do ip rule | grep -q 32765 && break; sleep 0.01; done\n\
             ip route add 192.0.2.0/24 via 10.0.2.1 metric 5\n\
             for n in $(seq 6000); do ip route | grep -q 'metric 35' && break; sleep 0.01; done\n\
             # Not while it changes something: then there is no copy, and what the kernel has counts alone.\n\
             for n in $(seq 6000); do\n\
                 kill -STOP $keeper\n\
                 while grep -h ^State: /proc/$keeper/task/*/status | grep -qv T; do sleep 0.01; done\n\
                 ls /run/iphelper/*.state > /dev/null 2>&1 && break\n\
                 kill -CONT $keeper; sleep 0.01\n\
             done\n\
             kill -9 $keeper; wait $keeper || true\n\
             nft flush ruleset\n{FLUSH}\n\
             quiet interface set e1 --ipv6 --dad-transmits 2\n\
             quiet interface set e1 --ipv4 --automatic-metric true\n\
             ip route show 192.0.2.0/24\n"
        ),
    );
    assert!(told.contains("via 10.0.2.1") && told.contains("metric 5"), "moved back where it was: {told}");
    assert!(matches!(uplinks.udp(false, Bound::Device("e0")), Way::Refused(_)));
}

#[test]
fn who_cannot_reach_the_copy_makes_it_out_of_date() {
    let uplinks = Uplinks::new();
    if uplinks.host.run(|| try_run("setpriv --reuid 65534 --clear-groups true")).is_err() {
        eprintln!("skipped: this user namespace has no other user");
        return;
    }
    let told = with_private_run(
        &uplinks,
        "quiet interface set e0 --ipv4 --disable-default-routes true\n\
         cp $IPH /run/iph; chmod 755 /run /run/iph\n\
         setpriv --reuid 65534 --clear-groups --inh-caps +net_admin --ambient-caps +net_admin \
             /run/iph interface set e0 --ipv4 --disable-default-routes false > /dev/null\n\
         ls /run/iphelper | wc -l\n\
         quiet interface set e1 --ipv6 --dad-transmits 2\n\
         ip rule | grep -c 32765 || true\n\
         quiet interface set e1 --ipv4 --metric 30\n\
         quiet interface set e1 --ipv4 --automatic-metric true\n\
         ip route show table all proto 105 | wc -l\n\
         ls /run/iphelper | wc -l\n",
    );
    assert_eq!(told, "1\n0\n0\n0\n", "what was switched off stays off, and the note goes");
}

#[test]
fn the_doctor_names_who_flushes_the_filter() {
    let uplinks = Uplinks::new();
    let told = with_private_run(
        &uplinks,
        "quiet interface set e0 --ipv4 --disable-default-routes true\n\
         $IPH keeper & keeper=$!\n\
         for n in $(seq 6000); do $IPH keeper status > /dev/null 2>&1 && break; sleep 0.01; done\n\
         for n in 1 2 3; do\n\
             nft delete table inet iphelper\n\
             for n in $(seq 6000); do nft list table inet iphelper > /dev/null 2>&1 && break; sleep 0.01; done\n\
         done\n\
         for n in $(seq 6000); do $IPH keeper status | grep -q contest && break; sleep 0.01; done\n\
         $IPH doctor || true\n\
         kill $keeper; wait $keeper || true\n",
    );
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("our part of the packet filter deleted or changed by nft (process "), "{told}");
    assert!(told.contains("let it delete its own tables"), "{told}");
}
