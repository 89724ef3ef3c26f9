//! Conditions that the kernel tests before it sends a row: a typed expression and its compiler to `inet_diag` bytecode.
//!
//! The bytecode is a sequence of tests, each followed by its operands:
//!
//! ```text
//! struct inet_diag_bc_op   0 code  1 yes (distance to the next test)  2 no (distance where this one fails)
//! ```
//!
//! Distances count from the test's own first byte, forward only. Arriving exactly at the end accepts the socket,
//! arriving four bytes behind it rejects it. The kernel checks a program before it runs it: each distance must lead to
//! a test, to the end or to the reject position (`net/ipv4/inet_diag.c`).

use super::{AF_INET, AF_INET6};
use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// The longest program that is made. The kernel's check of a program takes time by the square of its length.
const MAX_LEN: usize = 8 * 1024;
const OP_LEN: usize = 4;

const JUMP: u8 = 1;
const LOCAL_PORT_AT_LEAST: u8 = 2;
const LOCAL_PORT_AT_MOST: u8 = 3;
const REMOTE_PORT_AT_LEAST: u8 = 4;
const REMOTE_PORT_AT_MOST: u8 = 5;
const AUTOMATIC_PORT: u8 = 6;
const LOCAL_HOST: u8 = 7;
const REMOTE_HOST: u8 = 8;
const DEVICE: u8 = 9;
const MARK: u8 = 10;
const CGROUP: u8 = 13;

/// One test of a socket.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Condition {
    /// The local port is in the range.
    LocalPort(RangeInclusive<u16>),
    /// The remote port is in the range.
    RemotePort(RangeInclusive<u16>),
    /// The local address begins with so many bits of this one. An IPv4 prefix also fits IPv4-mapped addresses of IPv6
    /// sockets; an IPv6 prefix fits them where their 128 bits do.
    LocalAddress(IpAddr, u8),
    /// The remote address begins with so many bits of this one, as [`LocalAddress`](Self::LocalAddress).
    RemoteAddress(IpAddr, u8),
    /// Bound to the interface with this index; 0 for none.
    Device(u32),
    /// The mark has these bits under the mask. The kernel refuses the test to callers without `CAP_NET_ADMIN`.
    Mark {
        /// What the bits that count must be; bits outside the mask never fit.
        value: u32,
        /// The bits that count.
        mask: u32,
    },
    /// The kernel chose the local port: the program did not bind the socket to one. Half-open and TIME_WAIT sockets
    /// pass.
    AutomaticPort,
    /// The program bound the socket to its local port: the opposite.
    RequestedPort,
    /// In the control group with this id (cgroup v2). Half-open and TIME_WAIT sockets are in none.
    Cgroup(u64),
}

/// A filter in conjunctive form: each clause must hold, a clause holds if one of its alternatives does, an
/// alternative holds if all of its conditions do.
///
/// Three fixed levels, not a tree: nothing here recurses, however long a caller's filter is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Filter {
    program: Vec<u8>,
    /// Positions of tests whose failure rejects the socket.
    rejects: Vec<usize>,
}

/// A filter that is longer than the kernel should be asked to check.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FilterTooLong;

impl fmt::Display for FilterTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a filter in the kernel has at most {MAX_LEN} bytes")
    }
}

impl std::error::Error for FilterTooLong {}

impl Filter {
    /// The filter that every socket passes.
    #[must_use]
    pub const fn new() -> Self {
        Self { program: Vec::new(), rejects: Vec::new() }
    }

    /// Adds a clause: one of `alternatives` must hold as well. On error the filter is as before.
    pub fn require(&mut self, alternatives: &[&[Condition]]) -> Result<(), FilterTooLong> {
        let (start, rejects) = (self.program.len(), self.rejects.len());
        self.append(alternatives);
        if self.program.len() > MAX_LEN {
            self.program.truncate(start);
            self.rejects.truncate(rejects);
            self.link();
            return Err(FilterTooLong);
        }
        self.link();
        Ok(())
    }

    /// The program, empty for the filter that every socket passes.
    #[must_use]
    pub fn program(&self) -> &[u8] {
        &self.program
    }

    fn append(&mut self, alternatives: &[&[Condition]]) {
        let mut done = Vec::new();
        let last = alternatives.len().saturating_sub(1);
        if alternatives.is_empty() {
            let jump = self.test(JUMP, &[]);
            self.rejects.push(jump);
        }
        for (position, conditions) in alternatives.iter().enumerate() {
            let mut fails = Vec::new();
            for condition in *conditions {
                self.condition(condition, &mut fails);
                if self.program.len() > MAX_LEN {
                    return;
                }
            }
            if position == last {
                self.rejects.append(&mut fails);
            } else {
                done.push(self.test(JUMP, &[]));
                let next = self.program.len();
                for fail in fails {
                    self.aim(fail, next);
                }
            }
        }
        let end = self.program.len();
        for jump in done {
            self.aim(jump, end);
        }
    }

    /// Appends the tests of one condition; the positions of those whose failure is the condition's go to `fails`.
    fn condition(&mut self, condition: &Condition, fails: &mut Vec<usize>) {
        match condition {
            Condition::LocalPort(range) => {
                fails.push(self.port(LOCAL_PORT_AT_LEAST, *range.start()));
                fails.push(self.port(LOCAL_PORT_AT_MOST, *range.end()));
            }
            Condition::RemotePort(range) => {
                fails.push(self.port(REMOTE_PORT_AT_LEAST, *range.start()));
                fails.push(self.port(REMOTE_PORT_AT_MOST, *range.end()));
            }
            Condition::LocalAddress(address, len) => fails.push(self.host(LOCAL_HOST, *address, *len)),
            Condition::RemoteAddress(address, len) => fails.push(self.host(REMOTE_HOST, *address, *len)),
            Condition::Device(index) => fails.push(self.test(DEVICE, &index.to_ne_bytes())),
            Condition::Mark { value, mask } => {
                let mut operands = [0; 8];
                let (first, second) = operands.split_at_mut(4);
                first.copy_from_slice(&value.to_ne_bytes());
                second.copy_from_slice(&mask.to_ne_bytes());
                fails.push(self.test(MARK, &operands));
            }
            Condition::AutomaticPort => fails.push(self.test(AUTOMATIC_PORT, &[])),
            Condition::RequestedPort => {
                // Where the test holds, the next jump is the failure; where it does not, it leads beyond that.
                let test = self.test(AUTOMATIC_PORT, &[]);
                fails.push(self.test(JUMP, &[]));
                self.aim(test, self.program.len());
            }
            Condition::Cgroup(id) => fails.push(self.test(CGROUP, &id.to_ne_bytes())),
        }
    }

    /// A comparison with a port, which stands in the `no` field of a second test's place, in host order.
    fn port(&mut self, code: u8, port: u16) -> usize {
        let [low, high] = port.to_ne_bytes();
        self.test(code, &[0, 0, low, high])
    }

    /// `struct inet_diag_hostcond`: family, bits, two bytes of padding, port (-1: any), address.
    fn host(&mut self, code: u8, address: IpAddr, len: u8) -> usize {
        let any_port = (-1_i32).to_ne_bytes();
        let mut operands = [0; 24];
        let (head, field) = operands.split_at_mut(8);
        let (family, used, bits) = match address {
            IpAddr::V4(v4) => {
                let (used, _) = field.split_at_mut(4);
                used.copy_from_slice(&v4.octets());
                (AF_INET, 12, 32)
            }
            IpAddr::V6(v6) => {
                field.copy_from_slice(&v6.octets());
                (AF_INET6, 24, 128)
            }
        };
        head.copy_from_slice(&[
            family,
            len.min(bits),
            0,
            0,
            any_port[0],
            any_port[1],
            any_port[2],
            any_port[3],
        ]);
        self.test(code, operands.get(..used).unwrap_or_default())
    }

    /// Appends one test; where its failure leads is set later.
    fn test(&mut self, code: u8, operands: &[u8]) -> usize {
        let position = self.program.len();
        let len = u8::try_from(OP_LEN + operands.len()).unwrap_or(u8::MAX);
        self.program.extend_from_slice(&[code, len, 0, 0]);
        self.program.extend_from_slice(operands);
        position
    }

    fn aim(&mut self, test: usize, target: usize) {
        let distance = u16::try_from(target.saturating_sub(test)).unwrap_or(u16::MAX);
        if let Some(field) = self.program.get_mut(test + 2..test + 4) {
            field.copy_from_slice(&distance.to_ne_bytes());
        }
    }

    /// Aims what rejects a socket at the position behind the end, which moves with each clause.
    fn link(&mut self) {
        let reject = self.program.len() + OP_LEN;
        for position in 0..self.rejects.len() {
            if let Some(test) = self.rejects.get(position).copied() {
                self.aim(test, reject);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    /// What the kernel compares a program with.
    #[derive(Clone, Debug)]
    struct Socket {
        local: (IpAddr, u16),
        remote: (IpAddr, u16),
        device: u32,
        mark: u32,
        cgroup: u64,
        automatic: bool,
    }

    fn u16_at(program: &[u8], at: usize) -> u16 {
        u16::from_ne_bytes([program[at], program[at + 1]])
    }

    fn u32_at(program: &[u8], at: usize) -> u32 {
        u32::from_ne_bytes(program[at..at + 4].try_into().unwrap())
    }

    /// The kernel's check before it runs a program: every distance leads to a test, to the end or to the reject position.
    fn check(program: &[u8]) -> Result<(), String> {
        let mut starts = Vec::new();
        let mut at = 0;
        while at < program.len() {
            starts.push(at);
            let least = match program[at] {
                JUMP | AUTOMATIC_PORT => 4,
                LOCAL_PORT_AT_LEAST..=REMOTE_PORT_AT_MOST | DEVICE => 8,
                LOCAL_HOST | REMOTE_HOST => match program[at + 4] {
                    AF_INET if program[at + 5] <= 32 => 16,
                    AF_INET6 if program[at + 5] <= 128 => 28,
                    other => return Err(format!("family {other} at {at}")),
                },
                MARK | CGROUP => 12,
                other => return Err(format!("code {other} at {at}")),
            };
            if usize::from(program[at + 1]) != least {
                return Err(format!("yes at {at}"));
            }
            at += least;
        }
        if at != program.len() {
            return Err("the last test is cut off".into());
        }
        for start in &starts {
            let distance = usize::from(u16_at(program, start + 2));
            let target = start + distance;
            let known = starts.contains(&target) || target == at || target == at + 4;
            if distance < 4 || distance % 4 != 0 || !known {
                return Err(format!("no at {start} leads to {target}"));
            }
        }
        Ok(())
    }

    fn words(address: IpAddr) -> [u8; 16] {
        match address {
            IpAddr::V6(v6) => v6.octets(),
            IpAddr::V4(v4) => {
                let mut field = [0; 16];
                field[..4].copy_from_slice(&v4.octets());
                field
            }
        }
    }

    fn same_bits(left: &[u8], right: &[u8], bits: u8) -> bool {
        (0..usize::from(bits)).all(|bit| {
            let mask = 0x80 >> (bit % 8);
            left[bit / 8] & mask == right[bit / 8] & mask
        })
    }

    /// The kernel's interpreter, in our own words.
    fn run(program: &[u8], socket: &Socket) -> bool {
        let mut at = 0;
        while at < program.len() {
            let host = |(address, port): (IpAddr, u16)| {
                let wanted = u32_at(program, at + 8).cast_signed();
                if wanted != -1 && wanted != i32::from(port) {
                    return false;
                }
                let (family, bits) = (program[at + 4], program[at + 5]);
                let wanted = &program[at + 12..];
                let field = words(address);
                match (family, address) {
                    (AF_INET, IpAddr::V6(v6)) => {
                        v6.to_ipv4_mapped().is_some() && same_bits(&field[12..], wanted, bits)
                    }
                    (AF_INET, IpAddr::V4(_)) | (AF_INET6, IpAddr::V6(_)) => same_bits(&field, wanted, bits),
                    _ => false,
                }
            };
            let holds = match program[at] {
                LOCAL_PORT_AT_LEAST => socket.local.1 >= u16_at(program, at + 6),
                LOCAL_PORT_AT_MOST => socket.local.1 <= u16_at(program, at + 6),
                REMOTE_PORT_AT_LEAST => socket.remote.1 >= u16_at(program, at + 6),
                REMOTE_PORT_AT_MOST => socket.remote.1 <= u16_at(program, at + 6),
                AUTOMATIC_PORT => socket.automatic,
                LOCAL_HOST => host(socket.local),
                REMOTE_HOST => host(socket.remote),
                DEVICE => socket.device == u32_at(program, at + 4),
                MARK => socket.mark & u32_at(program, at + 8) == u32_at(program, at + 4),
                CGROUP => socket.cgroup == u64::from_ne_bytes(program[at + 4..at + 12].try_into().unwrap()),
                _ => false,
            };
            let no = usize::from(u16_at(program, at + 2));
            at += if holds { usize::from(program[at + 1]) } else { no };
        }
        at == program.len()
    }

    /// What a condition means, said without a program.
    fn holds(condition: &Condition, socket: &Socket) -> bool {
        let begins = |address: IpAddr, prefix: IpAddr, len: u8| match (address, prefix) {
            (IpAddr::V6(v6), IpAddr::V4(prefix)) => {
                v6.to_ipv4_mapped().is_some_and(|v4| same_bits(&v4.octets(), &prefix.octets(), len))
            }
            (IpAddr::V4(v4), IpAddr::V4(prefix)) => same_bits(&v4.octets(), &prefix.octets(), len),
            (IpAddr::V6(v6), IpAddr::V6(prefix)) => same_bits(&v6.octets(), &prefix.octets(), len),
            (IpAddr::V4(_), IpAddr::V6(_)) => false,
        };
        match condition {
            Condition::LocalPort(range) => range.contains(&socket.local.1),
            Condition::RemotePort(range) => range.contains(&socket.remote.1),
            Condition::LocalAddress(prefix, len) => begins(socket.local.0, *prefix, *len),
            Condition::RemoteAddress(prefix, len) => begins(socket.remote.0, *prefix, *len),
            Condition::Device(index) => socket.device == *index,
            Condition::Mark { value, mask } => socket.mark & mask == *value,
            Condition::AutomaticPort => socket.automatic,
            Condition::RequestedPort => !socket.automatic,
            Condition::Cgroup(id) => socket.cgroup == *id,
        }
    }

    // Few values, so that conditions often hold.
    fn any_address() -> impl Strategy<Value = IpAddr> {
        prop_oneof![
            (0..4_u8).prop_map(|last| Ipv4Addr::new(10, 0, 0, last).into()),
            (0..4_u8).prop_map(|last| Ipv4Addr::new(10, 0, 0, last).to_ipv6_mapped().into()),
            (0..4_u16).prop_map(|last| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last).into()),
            Just(Ipv6Addr::UNSPECIFIED.into()),
        ]
    }

    fn any_prefix() -> impl Strategy<Value = (IpAddr, u8)> {
        (any_address(), prop_oneof![Just(0), Just(8), Just(30), Just(31), Just(32), Just(127), Just(128)])
            .prop_map(|(address, len)| (address, if address.is_ipv4() { len.min(32) } else { len }))
    }

    fn any_condition() -> impl Strategy<Value = Condition> {
        let range = || (0..6_u16, 0..6_u16).prop_map(|(start, end)| start..=end);
        prop_oneof![
            range().prop_map(Condition::LocalPort),
            range().prop_map(Condition::RemotePort),
            any_prefix().prop_map(|(address, len)| Condition::LocalAddress(address, len)),
            any_prefix().prop_map(|(address, len)| Condition::RemoteAddress(address, len)),
            (0..3_u32).prop_map(Condition::Device),
            (0..4_u32, 0..4_u32).prop_map(|(value, mask)| Condition::Mark { value, mask }),
            Just(Condition::AutomaticPort),
            Just(Condition::RequestedPort),
            (0..3_u64).prop_map(Condition::Cgroup),
        ]
    }

    fn any_socket() -> impl Strategy<Value = Socket> {
        (any_address(), any_address(), 0..6_u16, 0..6_u16, 0..3_u32, 0..4_u32, 0..3_u64, any::<bool>())
            .prop_map(|(local, remote, local_port, remote_port, device, mark, cgroup, automatic)| Socket {
                local: (local, local_port),
                remote: (remote, remote_port),
                device,
                mark,
                cgroup,
                automatic,
            })
    }

    type Clause = Vec<Vec<Condition>>;

    fn build(clauses: &[Clause]) -> Filter {
        let mut filter = Filter::new();
        for clause in clauses {
            let alternatives: Vec<&[Condition]> = clause.iter().map(Vec::as_slice).collect();
            filter.require(&alternatives).unwrap();
        }
        filter
    }

    proptest! {
        #[test]
        fn a_program_means_what_its_conditions_say(
            clauses in proptest::collection::vec(
                proptest::collection::vec(proptest::collection::vec(any_condition(), 0..3), 0..4), 0..4),
            socket in any_socket(),
        ) {
            let filter = build(&clauses);
            prop_assert_eq!(check(filter.program()), Ok(()));
            let expected = clauses.iter().all(|clause| {
                clause.iter().any(|all| all.iter().all(|condition| holds(condition, &socket)))
            });
            prop_assert_eq!(run(filter.program(), &socket), expected);
        }
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn ports_are_compared_in_host_order() {
        let filter = build(&[vec![vec![Condition::LocalPort(1000..=u16::MAX)]]]);
        assert_eq!(filter.program(), [2, 8, 20, 0, 0, 0, 0xe8, 3, 3, 8, 12, 0, 0, 0, 0xff, 0xff]);
    }

    #[test]
    fn a_clause_without_alternatives_lets_nothing_through() {
        let filter = build(&[vec![]]);
        assert_eq!(check(filter.program()), Ok(()));
        assert_eq!(filter.program().len(), 4);
    }

    #[test]
    fn a_filter_that_is_too_long_is_refused_and_stays_as_it_was() {
        let mut filter = build(&[vec![vec![Condition::Device(3)]]]);
        let before = filter.clone();
        let many = vec![Condition::LocalAddress(Ipv6Addr::LOCALHOST.into(), 200); 10_000];
        assert_eq!(filter.require(&[&many]), Err(FilterTooLong));
        let alternatives: Vec<&[Condition]> = many.chunks(1).collect();
        assert_eq!(filter.require(&alternatives), Err(FilterTooLong));
        assert_eq!(filter, before);
        assert_eq!(check(filter.program()), Ok(()));
    }
}
