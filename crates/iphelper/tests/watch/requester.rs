//! Who asked for a change.

use crate::support::{ADD, DELETE, Routes, wait_for, words};
use iphelper::Host;
use iphelper::notification::{Classes, WatchOptions};
use iphelper_testkit::{isolated, run};
use std::io::Write;
use std::process::{Command, Stdio};

#[test]
fn a_change_names_the_process_that_asked_for_it() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e0 up");
        let host = Host::open().unwrap();
        let mut watch = host.watch(WatchOptions::new(Classes::NETWORK)).unwrap();
        let mut incurious = host.watch(WatchOptions::new(Classes::NETWORK).requesters(false)).unwrap();

        // A program that goes on running, and so can be found.
        let mut ip = Command::new("ip");
        let mut ip = ip.args(["-batch", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        let mut input = ip.stdin.take().unwrap();
        for (command, what) in [
            ("route add 203.0.113.0/24 dev e0", "+ route 203.0.113.0/24"),
            ("address add 192.0.2.1/24 dev e0", "+ address 192.0.2.1 e0"),
            ("neighbor add 192.0.2.7 lladdr 02:00:00:00:00:07 dev e0", "+ neighbor 192.0.2.7 e0"),
            ("route del 203.0.113.0/24 dev e0", "- route 203.0.113.0/24"),
        ] {
            writeln!(input, "{command}").unwrap();
            input.flush().unwrap();
            let (event, _) =
                wait_for(what, &mut watch, |event| (words(event) == what).then(|| event.clone()));
            let requester = event.requester.unwrap_or_else(|| panic!("{command}: nobody"));
            let process = requester.process.unwrap_or_else(|| panic!("{command}: {}", requester.port));
            assert_eq!((process.pid, &*process.name), (ip.id(), "ip"), "{command}");
            let (event, _) =
                wait_for(what, &mut incurious, |event| (words(event) == what).then(|| event.clone()));
            assert_eq!(event.requester, None, "it was not asked for");
        }
        drop(input);
        let _ = ip.wait().unwrap();

        // This process itself, by a socket whose port is not its number.
        let mut own = Routes::over("e0");
        for (change, what) in [(ADD, "+ route 10.0.0.1/32"), (DELETE, "- route 10.0.0.1/32")] {
            own.change(change, 1);
            own.flush();
            let (event, _) =
                wait_for(what, &mut watch, |event| (words(event) == what).then(|| event.clone()));
            let process = event.requester.unwrap().process.unwrap();
            assert_eq!(process.pid, std::process::id());
        }

        // What the kernel does by itself.
        own.change(ADD, 2);
        own.flush();
        let _ = run("ip link set e0 down");
        let what = "- route 10.0.0.2/32";
        let (event, _) = wait_for(what, &mut watch, |event| (words(event) == what).then(|| event.clone()));
        assert_eq!(event.requester, None, "nobody asked for it");
    });
}

#[test]
fn a_program_that_has_ended_is_not_made_up() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link set e0 up");
        let mut watch = Host::open().unwrap().watch(WatchOptions::new(Classes::ROUTES)).unwrap();
        for number in 0..10 {
            let _ = run(&format!("ip route add 203.0.113.{number} dev e0"));
            let what = format!("+ route 203.0.113.{number}/32");
            let (event, _) =
                wait_for(&what, &mut watch, |event| (words(event) == what).then(|| event.clone()));
            let requester = event.requester.expect("the kernel tells the port");
            // It may have been seen just before its end.
            assert!(requester.process.is_none_or(|process| &*process.name == "ip"));
        }
    });
}
