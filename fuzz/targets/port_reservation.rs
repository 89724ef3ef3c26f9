//! The record of reserved ports, as it is read from its file: what is a record is written as one that reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| iphelper::fuzzing::port_reservation(bytes));
