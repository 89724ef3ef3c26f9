//! `NotifyAddrChange` and `CancelIPChangeNotify` by many threads while addresses change.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper_capi::error::last_error;
use iphelper_capi::notification::overlapped::{cancel_ip_change_notify, notify_addr_change};
use iphelper_capi::raw::{ERROR_IO_PENDING, HANDLE, OVERLAPPED, STATUS_CANCELLED, STATUS_PENDING};
use iphelper_testkit::{isolated, run};
use std::sync::atomic::{AtomicBool, Ordering};

iphelper_testkit::private_user_namespace!();

#[test]
fn requests_come_and_go_while_addresses_change() {
    isolated(|| {
        let _ = run("ip link set lo up");
        let done = AtomicBool::new(false);
        let outcomes = std::thread::scope(|scope| {
            let changing = scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    let _ = run("ip address add 192.0.2.1/32 dev lo");
                    let _ = run("ip address del 192.0.2.1/32 dev lo");
                }
            });
            let requesting: Vec<_> = (0..4)
                .map(|thread| {
                    scope.spawn(move || {
                        let mut outcomes = [0; 2];
                        for round in 0..60 {
                            // SAFETY: numbers and null pointers.
                            let mut request: OVERLAPPED = unsafe { std::mem::zeroed() };
                            let mut handle: HANDLE = std::ptr::null_mut();
                            let request = &raw mut request;
                            // SAFETY: both live until the request is done or cancelled, which it is below.
                            let code = unsafe { notify_addr_change(&raw mut handle, request) };
                            assert_eq!(code, ERROR_IO_PENDING);
                            if (round + thread) % 3 == 0 {
                                std::thread::sleep(std::time::Duration::from_millis(2));
                            }
                            // SAFETY: as above.
                            let cancelled = unsafe { cancel_ip_change_notify(request) };
                            // SAFETY: nobody writes it any more, whichever way it ended.
                            let status = unsafe { (&raw const (*request).Internal).read() };
                            assert_ne!(status, STATUS_PENDING.cast_unsigned() as usize, "it is done");
                            let is_cancelled = status == STATUS_CANCELLED.cast_unsigned() as usize;
                            assert_eq!(cancelled == 1, is_cancelled);
                            assert!(is_cancelled || last_error::get() == 1168);
                            outcomes[usize::from(is_cancelled)] += 1;
                        }
                        outcomes
                    })
                })
                .collect();
            let outcomes: Vec<[u32; 2]> =
                requesting.into_iter().map(|thread| thread.join().unwrap()).collect();
            done.store(true, Ordering::Release);
            changing.join().unwrap();
            outcomes
        });
        let [told, cancelled] = outcomes.iter().fold([0, 0], |[a, b], [c, d]| [a + c, b + d]);
        assert_eq!(told + cancelled, 240);
        assert!(cancelled > 0, "every request was told before its cancel, so this test has tested little");
    });
}
