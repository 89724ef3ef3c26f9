//! What the keeper tells of itself, as it is read from its file: a text that is a status is written as one that reads
//! the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| iphelper::fuzzing::keeper_status(bytes));
