//! What is stamped, beside what `ethtool` shows, and that a change is told.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper::timestamp::{HardwareTimestamps, TimestampCapabilities};
use iphelper::{ErrorKind, Host, InterfaceIndex};
use iphelper_testkit::{isolated, run, try_run, unprivileged};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// `ethtool -T`, as far as links of this kernel go: no hardware, and software that may stamp.
fn shown(name: &str) -> (bool, bool) {
    let text = run(&format!("ethtool -T {name}"));
    assert!(text.contains("PTP Hardware Clock: none"), "{text}");
    assert!(text.contains("Hardware Transmit Timestamp Modes: none"), "{text}");
    assert!(text.contains("Hardware Receive Filter Modes: none"), "{text}");
    (text.contains("software-receive"), text.contains("software-transmit"))
}

fn agrees(capabilities: &TimestampCapabilities, name: &str) {
    let software = (capabilities.software.all_receive, capabilities.software.tagged_transmit);
    assert_eq!(software, shown(name), "{name}");
    assert_eq!(capabilities.hardware, HardwareTimestamps::default(), "{name}");
    assert_eq!(capabilities.clock, None, "{name}");
}

#[test]
fn what_is_stamped_is_what_ethtool_shows() {
    isolated(|| {
        let _ = run("ip link add e0 type veth peer name e1");
        let _ = run("ip link add b0 type bridge");
        let mut names = vec!["lo", "e0", "b0"];
        match try_run("ip tuntap add t0 mode tun") {
            Ok(_) => names.push("t0"),
            Err(error) => eprintln!("skipped: no TUN interface here: {error}"),
        }
        let host = Host::open().unwrap();
        let mut kinds = Vec::new();
        for name in names {
            let luid = host.interface_named(name).unwrap().luid;
            let ask = || {
                let possible = host.timestamp_capabilities(luid).unwrap();
                agrees(&possible, name);
                assert_eq!(host.active_timestamp_capabilities(luid).unwrap(), possible, "{name}");
                let clock = host.hardware_cross_timestamp(luid).unwrap_err();
                assert_eq!(clock.kind(), ErrorKind::NotSupported);
                possible
            };
            kinds.push(unprivileged(ask));
            let _ = ask();
        }
        kinds.dedup();
        assert!(kinds.len() > 1, "links that differ: {kinds:?}");
        let nobody = host.timestamp_capabilities(InterfaceIndex(0x7FFF)).unwrap_err();
        assert_eq!(nobody.kind(), ErrorKind::InterfaceNotFound);
    });
}

#[test]
fn a_change_is_told_until_the_registration_ends() {
    isolated(|| {
        let host = Host::open().unwrap();
        let (tell, told) = channel();
        let registration = host.notify_timestamp_change(move || tell.send(()).unwrap()).unwrap();
        let _ = run("ip link add e0 type veth peer name e1");
        told.recv_timeout(Duration::from_secs(60)).expect("an interface came");
        let _ = run("ip link del e0");
        told.recv_timeout(Duration::from_secs(60)).expect("an interface went");
        registration.cancel();
        assert_eq!(told.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Disconnected));
    });
}
