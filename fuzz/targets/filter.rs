//! Filters of sockets: each program that is made passes the check that the kernel makes of it.
#![no_main]

use iphelper_netlink::sock_diag::filter::{Condition, Filter};
use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use std::net::IpAddr;

fn condition(input: &mut Unstructured<'_>) -> Result<Condition> {
    let ports = |input: &mut Unstructured<'_>| Ok(u16::arbitrary(input)?..=u16::arbitrary(input)?);
    Ok(match input.int_in_range(0..=7)? {
        0 => Condition::LocalPort(ports(input)?),
        1 => Condition::RemotePort(ports(input)?),
        2 => Condition::LocalAddress(IpAddr::arbitrary(input)?, u8::arbitrary(input)?),
        3 => Condition::RemoteAddress(IpAddr::arbitrary(input)?, u8::arbitrary(input)?),
        4 => Condition::Device(u32::arbitrary(input)?),
        5 => Condition::Mark { value: u32::arbitrary(input)?, mask: u32::arbitrary(input)? },
        6 => Condition::AutomaticPort,
        _ => Condition::Cgroup(u64::arbitrary(input)?),
    })
}

fuzz_target!(|input: &[u8]| {
    let mut input = Unstructured::new(input);
    let mut filter = Filter::new();
    while !input.is_empty() {
        let mut clause = Vec::new();
        for _ in 0..input.int_in_range(0..=4).unwrap_or(0) {
            let conditions = (0..input.int_in_range(0..=4).unwrap_or(0)).map(|_| condition(&mut input));
            let Ok(conditions) = conditions.collect::<Result<Vec<_>>>() else { return };
            clause.push(conditions);
        }
        let alternatives: Vec<&[Condition]> = clause.iter().map(Vec::as_slice).collect();
        let before = filter.program().to_vec();
        if filter.require(&alternatives).is_err() {
            assert_eq!(filter.program(), before);
        }
        leads_forward(filter.program());
    }
});

/// `struct inet_diag_bc_op` at each test: "yes" leads to the next one or to the end, "no" forward, at most four bytes
/// behind the end.
fn leads_forward(program: &[u8]) {
    let mut at = 0;
    while at < program.len() {
        let [_, yes, no0, no1] = program[at..at + 4] else { unreachable!() };
        let (yes, no) = (usize::from(yes), usize::from(u16::from_ne_bytes([no0, no1])));
        assert!(yes >= 4 && yes % 4 == 0 && at + yes <= program.len(), "yes {yes} at {at}");
        assert!(no % 4 == 0 && at + no <= program.len() + 4, "no {no} at {at}");
        at += yes;
    }
    assert_eq!(at, program.len());
}
