//! `iph route get` beside `ip route get`, and its explanations.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::support::{iph, unprivileged};
use iphelper_testkit::uplinks::Uplinks;
use iphelper_testkit::{isolated, run, try_run};

#[test]
fn the_route_of_a_packet() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        assert_eq!(
            iph("route get 203.0.113.5").ok(),
            "203.0.113.5 goes by 10.0.1.1 over e0, from 10.0.1.2\nroute 0.0.0.0/0, metric 100, table main\n"
        );
        assert_eq!(
            iph("route get 2001:db8:2::77").ok(),
            "2001:db8:2::77 goes over e1, from 2001:db8:2::2\nroute 2001:db8:2::/64, metric 256, table main\n"
        );
        let own = iph("route get 10.0.2.2").ok();
        assert!(own.starts_with("10.0.2.2 is this host's own, on e1, from 10.0.2.2\n"), "{own}");
        let over = iph("route get 203.0.113.5 --interface e1 --json").json();
        assert_eq!((&over["source"], &over["route"]["interface"]), (&"10.0.2.2".into(), &"e1".into()));
        assert_eq!(over["route"]["next_hop"], "10.0.2.1");
        let theirs: serde_json::Value =
            serde_json::from_str(&run("ip -j route get 203.0.113.5 oif e1")).unwrap();
        assert_eq!(theirs[0]["gateway"], over["route"]["next_hop"]);
        assert_eq!(theirs[0]["prefsrc"], over["source"]);
        let linked = iph("route get fe80::77%e1 --json").json();
        assert_eq!(linked["route"]["destination"], "fe80::/64");
        // Who asks for the routes of a host means this, mostly.
        let hint = iph("route show 203.0.113.5").message(3);
        assert!(
            hint.contains("no route to exactly 203.0.113.5/32; `iph route get 203.0.113.5` tells"),
            "{hint}"
        );
        assert!(iph("route show 198.18.0.0/15").message(3).contains("there is no such route"));
        // A mark and a user, of which rules know.
        let _ = run("ip route add default via 10.0.2.1 dev e1 table 100");
        let _ = run("ip rule add fwmark 0x10 lookup 100 pref 100");
        let mut options = vec!["--mark 0x10", "--mark 16"];
        match try_run("ip rule add uidrange 4000-4000 lookup 100 pref 101") {
            Ok(_) => options.push("--uid 4000"),
            Err(error) => eprintln!("skipped: this user namespace has no other user: {error}"),
        }
        for option in options {
            let marked = iph(&format!("route get 203.0.113.5 {option}")).ok();
            assert!(marked.contains(" over e1, ") && marked.ends_with("table 100\n"), "{option}: {marked}");
        }
        let _ = run("ip rule add ipproto tcp dport 443 lookup 100 pref 102");
        for (options, over) in [
            ("--protocol tcp --to-port 443", "e1"),
            ("--protocol tcp --to-port 443 --from-port 4000", "e1"),
            ("--protocol tcp --to-port 80", "e0"),
            ("--protocol udp --to-port 443", "e0"),
            ("--protocol icmp", "e0"),
        ] {
            let found = iph(&format!("route get 203.0.113.5 {options}")).ok();
            assert!(found.contains(&format!(" over {over}, ")), "{options}: {found}");
        }
        assert!(iph("route get 203.0.113.5 --protocol icmp --to-port 3").message(2).contains("no ports"));
    });
}

#[test]
fn an_explanation_in_words() {
    let uplinks = Uplinks::new();
    uplinks.host.run(|| {
        let _ = run("ip route add 203.0.113.0/25 via 10.0.2.1 dev e1 metric 9");
        let told = iph("route get 203.0.113.5 --explain").ok();
        for line in [
            "203.0.113.5 goes by 10.0.2.1 over e1, from 10.0.2.2",
            "Rule 0 (from all lookup local) has no route for it",
            "Rule 32766 (from all lookup main) decides",
            "  203.0.113.0/25 by 10.0.2.1 over e1, metric 9: taken",
            "  default by 10.0.1.1 over e0: loses: a longer prefix covers the destination",
            "Source 10.0.2.2: the kernel's choice for e1",
        ] {
            assert!(told.lines().any(|it| it == line), "{line}\n--\n{told}");
        }
        assert!(told.contains("Neighbour 10.0.2.1 at "), "{told}");

        let _ = iph("interface set e0 --ipv4 --disable-default-routes on").expect(0);
        let _ = iph("interface set e1 --ipv4 --metric 500").expect(0);
        let told = iph("route get 198.51.100.1 --explain").ok();
        for line in [
            "198.51.100.1 goes by 10.0.2.1 over e1, from 10.0.2.2",
            "route 0.0.0.0/0, metric 700 (interface 500 + route 200), table main",
            "  default by 10.0.1.1 over e0: passed over: default routes of its interface are disabled",
        ] {
            assert!(told.lines().any(|it| it == line), "{line}\n--\n{told}");
        }
        let explained = iph("route get 198.51.100.1 --explain --json").json();
        assert_eq!(explained["agrees"], true);
        assert_eq!(explained["best"]["route"]["interface"], "e1");
        let candidates = explained["rules"].as_array().unwrap().iter().flat_map(|it| it["candidates"].as_array().unwrap());
        let outcomes: Vec<&str> = candidates.map(|it| it["outcome"].as_str().unwrap()).collect();
        assert_eq!(outcomes, ["default_route_disabled", "suppressed", "taken"]);

        // The strong host: its source's interface alone.
        let _ = iph("interface set e0 --ipv4 --disable-default-routes off --weak-host-send off").expect(0);
        let told = iph("route get 198.51.100.1 --from 10.0.1.2 --explain").ok();
        for line in [
            "198.51.100.1 goes by 10.0.1.1 over e0, from 10.0.1.2",
            "  default by 10.0.2.1 over e1: not looked at: the source is another interface's, which sends from it alone",
            "Source 10.0.1.2, as asked for",
        ] {
            assert!(told.lines().any(|it| it == line), "{line}\n--\n{told}");
        }
        assert!(told.contains("; it is iphelper's: WeakHostSend is FALSE"), "{told}");
    });
}

#[test]
fn what_has_no_route_is_not_found() {
    isolated(|| {
        let message = iph("route get 203.0.113.5").message(3);
        assert!(message.contains("no route leads there"), "{message}");
        let _ = run("ip rule add to 198.51.100.0/24 prohibit pref 50");
        assert!(iph("route get 198.51.100.1").message(3).contains("prohibits"));
        let told = iph("route get 198.51.100.1 --explain").expect(3);
        assert!(
            told.stdout.contains("Rule 50 (from all to 198.51.100.0/24 prohibit) forbids it"),
            "{told:?}"
        );
        assert!(iph("route get 127.0.0.1 --from 192.0.2.1").message(3).contains("no address of this host"));
        assert!(iph("route get 127.0.0.1 --interface nobody").message(3).contains("no interface is called"));
        for arguments in [
            "203.0.113.0/24",
            "localhost",
            "203.0.113.5 --from e0",
            "203.0.113.5 --mark x",
            "203.0.113.5 --protocol sctp",
            "203.0.113.5 --to-port 443",
            "203.0.113.5 --protocol tcp --to-port 65536",
            "fe80::1%lo --interface lo",
        ] {
            let _ = iph(&format!("route get {arguments}")).expect(2);
        }
        assert!(iph("route get fe80::1").message(2).contains("name the interface"));
        // An ordinary user is told the same.
        assert_eq!(unprivileged("route get 127.0.0.1").ok(), iph("route get 127.0.0.1").ok());
    });
}
