//! Connectivity hints in C's structure, as a stand-in for NetworkManager has found them out.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper_capi::connectivity::{
    connectivity_hint, interface_connectivity_hint, notify_connectivity_hint_change,
};
use iphelper_capi::error::Win32;
use iphelper_capi::notification::cancel;
use iphelper_capi::raw::*;
use iphelper_testkit::bus::PrivateBus;
use iphelper_testkit::{
    Child, eventually, is_child, isolated, run, serve_network_manager, set_network_manager, set_sysctl,
    with_private_files,
};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicI32, Ordering};

iphelper_testkit::private_user_namespace!();

fn set(device: &str, property: &str, value: &str) {
    set_network_manager(device, property, value).unwrap();
}

/// Level and cost as two digits.
static TOLD: AtomicI32 = AtomicI32::new(-1);

fn digits(hint: &NL_NETWORK_CONNECTIVITY_HINT) -> i32 {
    let limits = (hint.ApproachingDataLimit, hint.OverDataLimit, hint.Roaming);
    assert_eq!(limits, (false, false, false));
    hint.ConnectivityLevel * 10 + hint.ConnectivityCost
}

unsafe extern "system" fn told(_: *const c_void, hint: NL_NETWORK_CONNECTIVITY_HINT) {
    TOLD.store(digits(&hint), Ordering::Release);
}

#[test]
fn portals_and_metered_networks_are_told() {
    const NAME: &str = "portals_and_metered_networks_are_told";
    if is_child(NAME) {
        return serve_network_manager();
    }
    isolated(|| {
        let _ = with_private_files(|| {
            let _ = run("ip link add e0 type veth peer name e1");
            set_sysctl("ipv6/conf/e0/disable_ipv6", "1");
            for command in ["link set e0 up", "link set e1 up", "address add 192.0.2.1/24 dev e0"] {
                let _ = run(&format!("ip {command}"));
            }
            let _ = run("ip route add default via 192.0.2.2");
            eventually("the carrier is known", || run("ip link show e0").contains("state UP"));
            let index = run("ip -o link show dev e0").split(':').next().unwrap().parse().unwrap();
            let Some(_bus) = PrivateBus::start() else { return };
            let hints = || {
                let (mut all, mut one) =
                    <(NL_NETWORK_CONNECTIVITY_HINT, NL_NETWORK_CONNECTIVITY_HINT)>::default();
                // SAFETY: both are live variables.
                let codes = unsafe {
                    (
                        connectivity_hint::<Win32>(&raw mut all),
                        interface_connectivity_hint::<Win32>(index, &raw mut one),
                    )
                };
                assert_eq!(codes, (0, 0));
                (digits(&all), digits(&one))
            };
            assert_eq!(hints(), (30, 30), "internet access at a cost that nobody knows");
            let mut handle: HANDLE = null_mut();
            // SAFETY: a function that may be called at any time, and a live variable.
            let code = unsafe {
                notify_connectivity_hint_change::<Win32>(Some(told), null_mut(), 1, &raw mut handle)
            };
            assert_eq!(code, 0);
            eventually("the initial call", || TOLD.load(Ordering::Acquire) == 30);

            let service = Child::start(NAME);
            eventually("the service takes properties", || {
                set_network_manager("", "Metered", "uint32:1").is_ok()
            });
            eventually("a cost is told", || TOLD.load(Ordering::Acquire) == 32);
            set("e0", "Metered", "uint32:2");
            set("e0", "Ip4Connectivity", "uint32:2");
            set("e0", "State", "uint32:100");
            eventually("a portal is told", || TOLD.load(Ordering::Acquire) == 42);
            assert_eq!(hints(), (42, 41));
            service.kill();
            eventually("what the kernel knows is told", || TOLD.load(Ordering::Acquire) == 30);
            // SAFETY: the registration of above.
            assert_eq!(unsafe { cancel::<Win32>(handle) }, 0);
        });
    });
}
