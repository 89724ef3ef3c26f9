//! How long a path MTU is kept, for all interfaces of a family.

use crate::lan::{Lan, nothing};
use iphelper::ErrorKind;
use iphelper::ip_interface::IpInterfaceChange;
use iphelper::types::{Family, InterfaceIndex};
use iphelper_testkit::sysctl;
use std::time::Duration;

const MS: fn(u64) -> Duration = Duration::from_millis;

#[test]
fn the_time_that_a_path_mtu_is_kept() {
    let lan = Lan::new();
    let set = |family, time| lan.host.set_path_mtu_discovery_timeout(family, time);
    set(Family::V4, MS(299_001)).unwrap();
    assert_eq!(lan.sysctl("ipv4/route/mtu_expires"), "300", "rounded up to seconds");
    assert_eq!(lan.row(Family::V4).path_mtu_discovery_timeout, Some(Duration::from_secs(300)));
    let lo = lan.host.ip_interface(Family::V4, InterfaceIndex(1)).unwrap();
    assert_eq!(lo.path_mtu_discovery_timeout, Some(Duration::from_secs(300)), "one value for all");
    // As it is: no change, also for an interface.
    set(Family::V4, Duration::from_secs(300)).unwrap();
    let same = IpInterfaceChange { path_mtu_discovery_timeout: Some(MS(299_500)), ..nothing() };
    assert!(lan.set(Family::V4, &same).unwrap().is_empty());

    for time in [Duration::ZERO, Duration::MAX] {
        let error = set(Family::V4, time).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{time:?}: {error}");
    }
    assert_eq!(lan.sysctl("ipv4/route/mtu_expires"), "300");

    if lan.near.run(|| std::fs::exists("/proc/sys/net/ipv6/route/mtu_expires").unwrap()) {
        set(Family::V6, Duration::from_secs(301)).unwrap();
        assert_eq!(lan.sysctl("ipv6/route/mtu_expires"), "301");
        assert_eq!(lan.row(Family::V6).path_mtu_discovery_timeout, Some(Duration::from_secs(301)));
        assert_eq!(lan.sysctl("ipv4/route/mtu_expires"), "300", "each family has its own");
    } else {
        let error = set(Family::V6, Duration::from_secs(301)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
        assert_eq!(lan.row(Family::V6).path_mtu_discovery_timeout, None);
    }
}

/// Says that the process is the one that [`user_namespaces_hide_the_time_of_ipv6_paths`] started.
const IN_USER_NAMESPACE: &str = "IPHELPER_TEST_IN_USER_NAMESPACE";

#[test]
fn user_namespaces_hide_the_time_of_ipv6_paths() {
    let output = std::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "--net"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "path_mtu::in_a_user_namespace_the_time_of_ipv6_paths_is_hidden", "--ignored"])
        .env(IN_USER_NAMESPACE, "1")
        .output()
        .unwrap();
    let (shown, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if error.contains("unshare failed") {
        eprintln!("skipped: no user namespace here: {error}");
        return;
    }
    assert!(output.status.success() && shown.contains("1 passed"), "{shown}{error}");
}

#[test]
#[ignore = "run by the test above, in a user namespace"]
fn in_a_user_namespace_the_time_of_ipv6_paths_is_hidden() {
    if std::env::var_os(IN_USER_NAMESPACE).is_none() {
        eprintln!("skipped: not started by user_namespaces_hide_the_time_of_ipv6_paths");
        return;
    }
    if std::fs::exists("/proc/sys/net/ipv6/route/mtu_expires").unwrap() {
        eprintln!("skipped: this kernel shows it");
        return;
    }
    let host = iphelper::Host::open().unwrap();
    let error = host.set_path_mtu_discovery_timeout(Family::V6, Duration::from_secs(300)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported, "{error}");
    assert!(error.to_string().contains("user namespaces"), "{error}");
    host.set_path_mtu_discovery_timeout(Family::V4, Duration::from_secs(300)).unwrap();
    assert_eq!(sysctl("ipv4/route/mtu_expires"), "300");
}
