//! `/etc/gai.conf`, as it is read for the order of destinations: any file makes a table that has an answer for every
//! address.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| iphelper::fuzzing::address_policy(bytes));
