//! The rules of the packet filter, step by step.

use super::super::settings::Property;
use super::sources;
use crate::backend::linux::link::address_family;
use crate::types::Family;
use iphelper_netlink::nf_tables::{AddressType, Comparison, Expressions, Fib, Meta, Register, Verdict};

/// Drops what came in on a strong interface for an address of another. Judged at the input hook, behind address
/// translation; what IPsec delivers may be for an address of another interface. Loopback carries what this host sends to
/// its own addresses.
pub(super) fn strong_receive(family: Family) -> Expressions {
    let local = (AddressType::Local as u32).to_ne_bytes();
    of_family(family)
        .meta(Meta::InputIndex, Register::R1)
        .compare(Register::R1, Comparison::NotEqual, &LOOPBACK.to_ne_bytes())
        .look_up(Register::R1, &Property::StrongReceive.set_name(family))
        .meta(Meta::Decrypted, Register::R1)
        .compare(Register::R1, Comparison::Equal, &[0])
        .address_type(Fib::Destination, Register::R1)
        .compare(Register::R1, Comparison::Equal, &local)
        .address_type(Fib::DestinationOnInput, Register::R1)
        .compare(Register::R1, Comparison::NotEqual, &local)
        .verdict(Verdict::Drop)
}

/// Refuses what is about to leave with an address of a strong interface by another one.
pub(super) fn strong_source(family: Family) -> Expressions {
    let (offset, len) = match family {
        Family::V4 => (12, 4),
        Family::V6 => (8, 16),
    };
    let steps = of_family(family)
        .meta(Meta::OutputIndex, Register::R1)
        .compare(Register::R1, Comparison::NotEqual, &LOOPBACK.to_ne_bytes())
        .network_header(offset, len, Register::R1)
        .look_up(Register::R1, &sources(family));
    refuse_others_source(steps)
}

/// Refuses what is about to leave by a strong interface with the address of another one.
pub(super) fn strong_way(family: Family) -> Expressions {
    let steps = of_family(family)
        .meta(Meta::OutputIndex, Register::R1)
        .compare(Register::R1, Comparison::NotEqual, &LOOPBACK.to_ne_bytes())
        .look_up(Register::R1, &Property::StrongSend.set_name(family))
        .address_type(Fib::Source, Register::R1)
        .compare(Register::R1, Comparison::Equal, &(AddressType::Local as u32).to_ne_bytes());
    refuse_others_source(steps)
}

/// Lets what came in on an interface that forwards pass.
pub(super) fn forwards(family: Family) -> Expressions {
    of_family(family)
        .meta(Meta::InputIndex, Register::R1)
        .look_up(Register::R1, &Property::Forwarding.set_name(family))
        .verdict(Verdict::Return)
}

/// Drops what is for others, before the kernel answers in a router's place (hop limit, redirects, packets too big). A mark
/// may make an address local (transparent proxies).
pub(super) fn for_others(family: Family) -> Expressions {
    of_family(family)
        .address_type(Fib::DestinationByMark, Register::R1)
        .compare(Register::R1, Comparison::Equal, &(AddressType::Unicast as u32).to_ne_bytes())
        .verdict(Verdict::Drop)
}

/// IPsec in tunnel mode may encrypt a packet with any source.
fn refuse_others_source(steps: Expressions) -> Expressions {
    steps
        .to_be_encrypted(Register::R1)
        .compare(Register::R1, Comparison::Equal, &[0])
        .address_type(Fib::SourceOnOutput, Register::R1)
        .compare(Register::R1, Comparison::NotEqual, &(AddressType::Local as u32).to_ne_bytes())
        .reject_no_route()
}

/// The index of `lo`, in each namespace.
const LOOPBACK: u32 = 1;

/// Steps for packets of one family alone.
pub(super) fn of_family(family: Family) -> Expressions {
    let number = address_family(family);
    Expressions::new().meta(Meta::Protocol, Register::R1).compare(Register::R1, Comparison::Equal, &[number])
}

/// What becomes of packets that leave by a guarded interface.
pub(super) fn guard_rules(family: Family, onlink: &str) -> Vec<(Expressions, String)> {
    let (offset, len) = match family {
        Family::V4 => (16, 4),
        Family::V6 => (24, 16),
    };
    let mut rules = vec![
        (
            of_family(family)
                .network_header(offset, len, Register::R1)
                .look_up(Register::R1, onlink)
                .verdict(Verdict::Return),
            "prefixes of its routes, link-local, multicast".to_owned(),
        ),
        (
            // The packet that IPsec makes of it is judged by its own destination.
            Expressions::new()
                .to_be_encrypted(Register::R1)
                .compare(Register::R1, Comparison::Equal, &[1])
                .verdict(Verdict::Return),
            "not yet encrypted".to_owned(),
        ),
    ];
    if family == Family::V4 {
        rules.push((
            Expressions::new()
                .address_type(Fib::Destination, Register::R1)
                .compare(Register::R1, Comparison::Equal, &(AddressType::Broadcast as u32).to_ne_bytes())
                .verdict(Verdict::Return),
            "broadcasts".to_owned(),
        ));
    }
    rules.push((Expressions::new().reject_no_route(), "only a default route leads there".to_owned()));
    rules
}
