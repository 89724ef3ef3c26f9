//! Datagrams, acknowledgements, ends of dumps.
#![no_main]

use iphelper_netlink::attribute::Attributes;
use iphelper_netlink::message::Messages;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|datagram: &[u8]| {
    for message in Messages::new(datagram).flatten() {
        let _ = message.acknowledgement();
        let _ = message.done();
        if let Ok((_, attributes)) = message.split::<16>("16 bytes") {
            for attribute in attributes.flatten() {
                let _ =
                    (attribute.u8(), attribute.u16(), attribute.u32(), attribute.u64(), attribute.c_bytes());
                assert!(attribute.nested().count() <= attribute.payload.len());
            }
        }
    }
    assert!(Attributes::new(datagram).count() <= datagram.len());
});
