//! What a raw socket receives, as it is read for answers to echo requests: any bytes are a message that lies within
//! them, or none.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| iphelper::fuzzing::icmp(bytes));
