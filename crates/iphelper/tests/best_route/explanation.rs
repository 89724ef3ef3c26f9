//! Why a packet takes its route: the steps that are told lead to the kernel's answer.

use super::{E0, E1, disable_defaults, set, strong, words};
use iphelper::best_route::{
    BestRouteQuery, Candidate, CandidateOutcome, RouteExplanation, RuleOutcome, SourceChoice, Transport,
    TransportProtocol,
};
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::route::MAIN_TABLE;
use iphelper::{ErrorKind, Family, Host, InterfaceIndex};
use iphelper_testkit::run;
use iphelper_testkit::uplinks::{Bound, Uplinks, Way};

/// What became of each route of a step's table, by the interface that it leads over.
fn outcomes(explained: &RouteExplanation, table: u32) -> Vec<(u32, u8, CandidateOutcome)> {
    let step = explained.steps.iter().find(|step| step.table == Some(table)).unwrap();
    let row = |candidate: &Candidate| {
        let index = candidate.route.index.map_or(0, |index| index.0);
        (index, candidate.route.destination.len(), candidate.outcome)
    };
    step.candidates.iter().map(row).collect()
}

#[test]
fn an_explanation_tells_why_each_route_lost() {
    use CandidateOutcome::{
        DefaultRouteDisabled, HigherMetric, ShorterPrefix, StrongHost, Suppressed, Taken,
    };
    let uplinks = Uplinks::new();
    let host = uplinks.host.run(|| Host::open().unwrap());
    for (family, ipv6) in [(Family::V4, false), (Family::V6, true)] {
        let server = Uplinks::server_address(ipv6);
        let len = if ipv6 { 64 } else { 25 };
        let explain = |query: &BestRouteQuery| {
            let explained = host.explain_route(server, query).unwrap();
            assert!(explained.agrees, "{family}: {explained:#?}");
            explained
        };
        let any = BestRouteQuery::default();
        let explained = explain(&any);
        assert_eq!(outcomes(&explained, MAIN_TABLE), [(2, 0, Taken), (3, 0, HigherMetric)]);
        assert_eq!(explained.source, SourceChoice::Chosen);
        let rules: Vec<_> = explained.steps.iter().map(|step| (step.rule.as_str(), step.outcome)).collect();
        let local = ("from all lookup local", RuleOutcome::NoRoute);
        assert_eq!(rules, [local, ("from all lookup main", RuleOutcome::Decides)]);
        // The router answered when the scene was made.
        assert_eq!(explained.neighbor.unwrap().address, Uplinks::router_address(0, ipv6));

        let prefsrc = if ipv6 { "2001:db8:1::2" } else { "10.0.1.2" };
        let _ = uplinks.host.sh(&words(&format!("route add PREFIX via GW1 dev e1 src {prefsrc}"), ipv6));
        let explained = explain(&any);
        assert_eq!(
            outcomes(&explained, MAIN_TABLE),
            [(3, len, Taken), (2, 0, ShorterPrefix), (3, 0, ShorterPrefix)]
        );
        assert_eq!(explained.source, SourceChoice::OfRoute);
        let _ = uplinks.host.sh(&words("route delete PREFIX via GW1 dev e1", ipv6));

        uplinks.host.run(|| disable_defaults(family, E0));
        let explained = explain(&any);
        assert_eq!(outcomes(&explained, MAIN_TABLE), [(2, 0, DefaultRouteDisabled), (3, 0, Suppressed)]);
        assert_eq!(outcomes(&explained, 1_768_974_337), [(3, 0, Taken)]);
        let purposes: Vec<_> = explained.steps.iter().filter_map(|step| step.purpose.as_deref()).collect();
        assert_eq!(
            purposes,
            [
                "every route of the main table but its default routes",
                "then the default routes that are allowed"
            ]
        );
        uplinks.host.run(|| {
            set(family, E0, &IpInterfaceChange { disable_default_routes: Some(false), ..Default::default() });
            strong(family, E1);
        });
        let query = BestRouteQuery { source: Some(Uplinks::address(1, ipv6)), ..any };
        let explained = explain(&query);
        assert_eq!(explained.source, SourceChoice::Asked);
        assert_eq!(outcomes(&explained, 0x8000_0003), [(3, 0, Taken)]);
        assert_eq!(outcomes(&explained, MAIN_TABLE), [(2, 0, StrongHost), (3, 0, StrongHost)]);
    }
}

fn carrying(protocol: TransportProtocol, source_port: u16, destination_port: u16) -> BestRouteQuery {
    let port = |port| Some(port).filter(|port| *port != 0);
    let (source_port, destination_port) = (port(source_port), port(destination_port));
    let transport = Some(Transport { protocol, source_port, destination_port });
    BestRouteQuery { transport, ..BestRouteQuery::default() }
}

#[test]
fn rules_for_protocols_ports_tunnels_and_groups_are_told() {
    use TransportProtocol::{Icmp, Tcp, Udp};
    let any = BestRouteQuery::default();
    let to_9 = carrying(Udp, 0, 9);
    // What rule 100 looks at; the packets to which it applies, and those to which it does not.
    let icmp = |ipv6| if ipv6 { "ipproto ipv6-icmp" } else { "ipproto icmp" };
    for ipv6 in [false, true] {
        let uplinks = Uplinks::new();
        let server = Uplinks::server_address(ipv6);
        let host = uplinks.host.run(|| Host::open().unwrap());
        let ip = |command: &str| uplinks.host.sh(&words(command, ipv6));
        let _ = ip("route add default via GW1 dev e1 table 100");
        let _ = uplinks.host.sh("ip link set e0 group 7");
        let way = |query: &BestRouteQuery| {
            let explained = host.explain_route(server, query).unwrap();
            assert!(explained.agrees, "{ipv6}: {explained:#?}");
            let step = explained.steps.iter().find(|step| step.priority == 100).unwrap().clone();
            (host.best_route(server, query).unwrap().index, step)
        };
        // Without a protocol IPv4 takes the packet for one of UDP.
        let udp_or_none = if ipv6 { E0 } else { E1 };
        let rules: &[(&str, &[(&BestRouteQuery, InterfaceIndex)])] = &[
            (
                "ipproto udp dport 9",
                &[(&to_9, E1), (&carrying(Udp, 9, 0), E0), (&carrying(Tcp, 0, 9), E0), (&any, E0)],
            ),
            ("ipproto udp", &[(&to_9, E1), (&carrying(Tcp, 0, 9), E0), (&any, udp_or_none)]),
            ("ipproto tcp", &[(&to_9, E0), (&carrying(Tcp, 0, 0), E1), (&any, E0)]),
            (icmp(ipv6), &[(&carrying(Icmp, 0, 0), E1), (&to_9, E0)]),
            (
                "sport 4000-4010",
                &[(&carrying(Tcp, 4010, 80), E1), (&carrying(Tcp, 4011, 80), E0), (&to_9, E0)],
            ),
            ("not dport 9", &[(&to_9, E0), (&carrying(Udp, 0, 10), E1)]),
            ("tun_id 5", &[(&to_9, E0), (&any, E0)]),
            ("l3mdev", &[(&to_9, E0), (&any, E0)]),
        ];
        for (rule, packets) in rules {
            let table = if *rule == "l3mdev" { "" } else { "lookup 100" };
            let _ = ip(&format!("rule add {rule} {table} pref 100"));
            for (query, expected) in *packets {
                let (index, step) = way(query);
                assert_eq!(index, *expected, "{rule}: {query:?}");
                let applies = if index == E1 { RuleOutcome::Decides } else { RuleOutcome::DoesNotApply };
                assert_eq!(step.outcome, applies, "{rule}: {query:?}: {step:?}");
                assert!(!step.rule.contains("..."), "{}", step.rule);
            }
            // In the words of `ip`.
            let (_, step) = way(&to_9);
            let theirs = ip("rule show pref 100");
            assert_eq!(theirs.trim().split_once('\t').unwrap().1.trim(), step.rule);
            // A real datagram to port 9.
            let real = uplinks.udp(ipv6, Bound::Free);
            assert_eq!(real, if way(&to_9).0 == E1 { Way::E1 } else { Way::E0 }, "{rule}");
            let _ = ip("rule delete pref 100");
        }

        // The first route of the table is over an interface of the group: no other of it is taken.
        let _ = ip("rule add lookup main suppress_ifgroup 7 pref 100");
        let _ = ip("rule add lookup 100 pref 200");
        let explained = host.explain_route(server, &any).unwrap();
        assert!(explained.agrees, "{explained:#?}");
        assert_eq!(explained.best.as_ref().unwrap().index, E1);
        let ours = [(2, 0, CandidateOutcome::SuppressedGroup), (3, 0, CandidateOutcome::HigherMetric)];
        assert_eq!(outcomes(&explained, MAIN_TABLE), ours);
        assert_eq!(uplinks.udp(ipv6, Bound::Free), Way::E1);
        let _ = uplinks.host.sh("ip link set e0 group 8");
        assert_eq!(host.best_route(server, &any).unwrap().index, E0);
        assert!(host.explain_route(server, &any).unwrap().agrees);
        let refused = host.best_route(server, &carrying(Icmp, 0, 9)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidParameter);
    }
}

#[test]
fn what_is_passed_over_is_said() {
    let uplinks = Uplinks::new();
    let host = uplinks.host.run(|| Host::open().unwrap());
    let _ = uplinks.host.sh("ip route add default via 10.0.2.1 dev e1 table 100");
    // Down, another interface, a label to go to.
    uplinks.host.run(|| {
        let _ = run("ip rule add pref 200 goto 32766");
        let _ = run("ip rule add to 203.0.113.0/24 lookup 100 pref 300");
        let _ = run("ip route add 203.0.113.0/24 via 10.0.2.1 dev e1 metric 7");
    });
    let query = BestRouteQuery { interface: Some(E0.into()), ..BestRouteQuery::default() };
    let explained = host.explain_route(Uplinks::server_address(false), &query).unwrap();
    assert!(explained.agrees, "{explained:#?}");
    assert!(explained.steps.iter().all(|step| step.priority != 300), "it was skipped");
    let first = outcomes(&explained, MAIN_TABLE)[0];
    assert_eq!(first, (3, 24, CandidateOutcome::OtherInterface));
}
