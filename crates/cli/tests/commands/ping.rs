//! `iph ping` over loopback, links and routers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use crate::support;
use crate::support::{command, iph, unprivileged};
use iphelper_testkit::{NetNs, isolated, run, set_sysctl};
use serde_json::Value;
use std::process::Stdio;

/// The objects of `--json`: one a line.
fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn answers_are_told_and_summed_up() {
    isolated(|| {
        for (host, address) in [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("localhost -4", "127.0.0.1")] {
            let told = lines(&iph(&format!("ping {host} -c 3 -i 5ms -w 60s -s 100 --json")).ok());
            assert_eq!(told.len(), 4, "{told:?}");
            for (position, reply) in told[..3].iter().enumerate() {
                assert_eq!((&reply["type"], &reply["status"]), (&"reply".into(), &"success".into()));
                assert_eq!(
                    (&reply["address"], &reply["sequence"]),
                    (&address.into(), &(position + 1).into())
                );
                assert_eq!((&reply["size"], &reply["ttl"]), (&100.into(), &64.into()));
                assert!(reply["round_trip_microseconds"].is_u64() && reply["late"] == false);
            }
            let summary = &told[3];
            assert_eq!((&summary["sent"], &summary["answered"]), (&3.into(), &3.into()));
            assert!(summary["median_microseconds"].as_u64() <= summary["max_microseconds"].as_u64());
        }
        let text = iph("ping localhost -4 --count 1 -w 60s").ok();
        assert!(
            text.starts_with(
                "Asking localhost (127.0.0.1) with 32 octets of data\n1: answered by 127.0.0.1 after "
            ),
            "{text}"
        );
        assert!(text.contains("\n1 sent, 1 answered, 0 % lost; "), "{text}");
    });
}

#[test]
fn what_routers_say_and_silence_are_told_and_are_code_3() {
    let (here, router) = (NetNs::new(), NetNs::new());
    here.veth("e0", &router, "near");
    router.run(|| {
        set_sysctl("ipv4/ip_forward", "1");
        set_sysctl("ipv4/icmp_ratelimit", "0");
        for command in [
            "ip address add 10.0.0.1/24 dev near",
            "ip route add prohibit 10.1.0.0/24",
            "nft add table inet t",
            "nft add chain inet t c { type filter hook forward priority 0 ; }",
            "nft add rule inet t c ip daddr 10.2.0.0/24 drop",
            "ip route add 10.2.0.0/24 dev lo",
        ] {
            let _ = run(command);
        }
    });
    here.run(|| {
        for command in ["ip address add 10.0.0.2/24 dev e0", "ip route add default via 10.0.0.1"] {
            let _ = run(command);
        }
        let said = |arguments: &str| {
            let wait = if arguments.contains(" -w ") { "" } else { "-w 60s" };
            let run = iph(&format!("ping {arguments} {wait} -c 1 --json")).expect(3);
            let told = lines(&run.stdout);
            assert_eq!((told.len(), &told[1]["lost_percent"]), (2, &100.0.into()), "{told:?}");
            (told[0]["status"].as_str().unwrap().to_owned(), told[0]["address"].clone())
        };
        let router: Value = "10.0.0.1".into();
        assert_eq!(said("10.1.0.1"), ("destination_prohibited".to_owned(), router.clone()));
        assert_eq!(said("10.2.0.1 --ttl 1"), ("ttl_expired_in_transit".to_owned(), router));
        assert_eq!(said("10.2.0.1 -w 50ms"), ("timed_out".to_owned(), Value::Null));
        assert_eq!(said("10.0.0.1 -s 1473 --dont-fragment"), ("packet_too_big".to_owned(), Value::Null));
        assert_eq!(said("2001:db8::1"), ("destination_net_unreachable".to_owned(), Value::Null));
        let text = iph("ping 10.2.0.1 -c 1 -w 50ms").expect(3).stdout;
        assert!(text.contains("\n1: no answer in time\n\n1 sent, 0 answered, 100 % lost\n"), "{text}");
        let _ = iph("ping 10.0.0.1 -c 1 -w 60s -s 1472 --dont-fragment --from 10.0.0.2 --interface e0").ok();
    });
}

#[test]
fn mistakes_are_refused_with_their_codes() {
    isolated(|| {
        assert!(iph("ping 127.0.0.1 -i 0").message(2).contains("interval"));
        assert!(iph("ping 127.0.0.1 -s 65508").message(2).contains("65507"));
        assert!(iph("ping 127.0.0.1 -6").message(2).contains("other family"));
        assert!(iph("ping fe80::1%nobody").message(3).contains("nobody"));
        assert!(iph("ping no-such-host.invalid").message(3).contains("no-such-host.invalid"));
        let _ = iph("ping 127.0.0.1 --from 192.0.2.77").message(3);
        for arguments in ["", "127.0.0.1 -c 0", "127.0.0.1 --ttl 0", "::1 -4 -6", "127.0.0.1 --from x"] {
            let _ = iph(&format!("ping {arguments}")).expect(2);
        }
        let message = unprivileged("ping 127.0.0.1").message(4);
        assert!(message.contains("net.ipv4.ping_group_range"), "{message}");
        set_sysctl("ipv4/ping_group_range", "0 0");
        let _ = unprivileged("ping 127.0.0.1 -c 1 -w 60s").ok();
        // What a terminal might obey is escaped.
        let strange = support::run(command("ping").arg("x\u{1b}[31m.invalid")).expect(3);
        assert!(strange.stderr.contains("x\\u{1b}[31m.invalid") && !strange.stderr.contains('\u{1b}'));
    });
}

#[test]
fn it_goes_on_until_it_is_asked_to_end() {
    isolated(|| {
        let mut child =
            command("ping 127.0.0.1 --forever -i 5ms -w 60s --json").stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
        for _ in 0..10 {
            assert!(lines.next().unwrap().unwrap().contains("\"success\""));
        }
        let _ = run(&format!("kill -INT {}", child.id()));
        let last = lines.map(Result::unwrap).last().unwrap();
        assert!(last.contains("\"summary\""), "{last}");
        assert!(child.wait().unwrap().success());
    });
}
