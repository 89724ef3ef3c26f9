//! The kernel's counters of `/proc/net`: any text has counters or none.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| iphelper::fuzzing::counters(bytes));
