//! The files of DHCP clients: of any bytes, in every client's format, comes a lease that an interface can have.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| iphelper::fuzzing::lease(bytes));
