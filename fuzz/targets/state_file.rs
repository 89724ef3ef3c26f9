//! The copy of what is set, as it is read from its file: nothing but routes that remember settings comes out, and they read
//! back as they were written.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| iphelper::fuzzing::state_file(bytes));
