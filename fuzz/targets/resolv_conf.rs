//! `resolv.conf`: any file is written as it was read, and what is set is read back.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| iphelper::fuzzing::resolv_conf(bytes));
