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
