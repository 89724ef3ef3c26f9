//! The calling thread's network: after `setns`, after `fork`, on many threads.
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one proof for all: each pointer is NULL or points to a live variable of its type, and each buffer has the \
              size that is said"
)]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper_capi::error::Win32;
use iphelper_capi::raw::*;
use iphelper_capi::{interface, memory, notification};
use iphelper_testkit::{NetNs, eventually, forked, in_child, isolated, run};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::ffi::c_void;
use std::os::fd::AsFd;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Barrier, Mutex};

iphelper_testkit::private_user_namespace!();

/// `GetNumberOfInterfaces`.
fn interfaces() -> u32 {
    let mut number = 0;
    // SAFETY: the variable lives.
    assert_eq!(unsafe { interface::number_of_interfaces(&raw mut number) }, 0);
    number
}

/// A call that reads a table and frees it, in the other generation.
fn table() -> u32 {
    let mut table = null_mut();
    // SAFETY: the variable lives; the table is freed once.
    unsafe {
        assert_eq!(interface::if_table2::<Win32>(&raw mut table), 0);
        let rows = (*table).NumEntries;
        memory::free_mib_table(table.cast());
        rows
    }
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn a_thread_that_moves_sees_its_new_namespace() {
    let (small, large) = (NetNs::new(), NetNs::new());
    let _ = large.sh("ip link add e0 type veth peer name e1");
    std::thread::scope(|scope| {
        let _ = scope.spawn(|| {
            for _ in 0..3 {
                for (namespace, expected) in [(&small, 1), (&large, 3)] {
                    move_into_link_name_space(
                        namespace.descriptor().as_fd(),
                        Some(LinkNameSpaceType::Network),
                    )
                    .unwrap();
                    assert_eq!((interfaces(), table()), (expected, expected));
                }
            }
        });
    });
}

#[test]
fn a_child_uses_sockets_of_its_own_and_the_parent_keeps_its() {
    isolated(|| {
        assert_eq!(interfaces(), 1);
        assert!(forked(|| interfaces() == 1 && table() == 1));
        assert_eq!(interfaces(), 1, "nothing of the child's answers came here");
    });
}

#[test]
fn a_child_of_busy_threads_does_not_wait_for_their_locks() {
    isolated(|| {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                // Threads that come and go take the shared lock each time.
                let _ = scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        std::thread::scope(|inner| drop(inner.spawn(table).join()));
                        let mut handle = null_mut();
                        // SAFETY: the variable lives, and the function, too.
                        unsafe {
                            let code = notification::notify_ip_interface_change::<Win32>(
                                0,
                                Some(ignore),
                                null_mut(),
                                0,
                                &raw mut handle,
                            );
                            assert_eq!(code, 0);
                            assert_eq!(notification::cancel::<Win32>(handle), 0);
                        }
                    }
                });
            }
            for _ in 0..20 {
                assert!(forked(|| interfaces() == 1 && table() == 1), "a child hangs or fails");
            }
            stop.store(true, Ordering::Relaxed);
        });
    });
}

#[test]
fn threads_of_one_namespace_share_descriptors() {
    // In a process of its own: other tests have descriptors, too.
    in_child("threads_of_one_namespace_share_descriptors", &["env"], share_descriptors);
}

fn share_descriptors() {
    isolated(|| {
        const THREADS: usize = 50;
        let _ = table();
        let before = descriptors();
        // The threads stay until all have called, and the descriptors are counted.
        let (called, counted) = (Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                let _ = scope.spawn(|| {
                    let _ = interfaces();
                    let _ = called.wait();
                    let _ = counted.wait();
                });
            }
            let _ = called.wait();
            let after = descriptors();
            let _ = counted.wait();
            assert!(after < before + THREADS, "{before} descriptors, with {THREADS} threads {after}");
        });
    });
}

#[test]
fn a_namespace_ends_with_the_thread_that_used_it() {
    let (here, there) = (NetNs::new(), NetNs::new());
    here.veth("e0", &there, "e1");
    assert_eq!(there.run(interfaces), 2);
    drop(there);
    // Its end of the pair goes with it, and so does this one.
    here.run(|| eventually("the other namespace is gone", || !run("ip link show").contains("e0")));
}

unsafe extern "system" fn ignore(_: *mut c_void, _: *mut MIB_IPINTERFACE_ROW, _: i32) {}

/// What the callback of [`callbacks_get_keys_and_context`] was given.
static TOLD: Mutex<Vec<Told>> = Mutex::new(Vec::new());

/// Context, the row's keys, what happened.
type Told = (usize, Option<(u16, u32, u64)>, i32);

unsafe extern "system" fn tell(context: *mut c_void, row: *mut MIB_IPINTERFACE_ROW, kind: i32) {
    // SAFETY: NULL or the row of this call.
    let keys = unsafe { row.as_ref() }.map(|row| (row.Family, row.InterfaceIndex, row.InterfaceLuid.Value.0));
    TOLD.lock().unwrap().push((context.addr(), keys, kind));
}

#[test]
fn callbacks_get_keys_and_context() {
    isolated(|| {
        let mut handle = null_mut();
        let context = std::ptr::without_provenance_mut(4711);
        // SAFETY: the variable lives, and the function, too.
        unsafe {
            let notify = notification::notify_ip_interface_change::<Win32>;
            assert_eq!(notify(2, Some(tell), context, 1, &raw mut handle), 0);
        }
        assert!(!handle.is_null());
        let told = |count: usize| eventually("callbacks", || TOLD.lock().unwrap().len() >= count);
        told(1);
        assert_eq!(*TOLD.lock().unwrap(), [(4711, None, MibInitialNotification)]);
        let _ = run("ip link set lo mtu 1400");
        told(2);
        let mut luid = NET_LUID::default();
        // SAFETY: as above.
        assert_eq!(unsafe { iphelper_capi::convert::index_to_luid::<Win32>(1, &raw mut luid) }, 0);
        let keys = Some((AF_INET, 1, luid.Value.0));
        assert_eq!(
            TOLD.lock().unwrap()[1],
            (4711, keys, MibParameterNotification),
            "IPv4 alone was asked for"
        );
        // A child has the handle and no registration; its cancel leaves the parent's alone.
        let number = handle.addr();
        // SAFETY: no handle of the child's.
        assert!(forked(move || unsafe {
            notification::cancel::<Win32>(std::ptr::without_provenance_mut(number)) == ERROR_INVALID_PARAMETER
        }));
        let _ = run("ip link set lo mtu 1500");
        told(3);
        // SAFETY: the handle is cancelled once.
        assert_eq!(unsafe { notification::cancel::<Win32>(handle) }, 0);
        let count = TOLD.lock().unwrap().len();
        let _ = run("ip link set lo mtu 1400");
        let mut second = null_mut();
        static LATER: AtomicU32 = AtomicU32::new(0);
        unsafe extern "system" fn count_later(_: *mut c_void, _: *mut MIB_IPINTERFACE_ROW, _: i32) {
            let _ = LATER.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: as above. A later registration is told of a later change, by when an earlier one would have been.
        unsafe {
            let notify = notification::notify_ip_interface_change::<Win32>;
            assert_eq!(notify(2, Some(count_later), null_mut(), 0, &raw mut second), 0);
            assert_ne!(second, handle, "handles are not given out again");
            let _ = run("ip link set lo mtu 1300");
            eventually("the later callback", || LATER.load(Ordering::Relaxed) > 0);
            assert_eq!(notification::cancel::<Win32>(second), 0);
        }
        assert_eq!(TOLD.lock().unwrap().len(), count, "called after its cancel");
    });
}
