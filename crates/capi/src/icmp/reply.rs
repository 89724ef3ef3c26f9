//! Answers in the caller's buffer: structures first, then what they point to.

use crate::memory::gaps;
use crate::raw::{ICMP_ECHO_REPLY, ICMPV6_ECHO_REPLY, IP_OPTION_INFORMATION, IPV6_ADDRESS_EX};
use crate::sockaddr;
use iphelper::Family;
use iphelper::icmp::EchoReply;
use std::ffi::c_void;
use std::net::IpAddr;

/// A caller's buffer, which may be written until the request is done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Buffer {
    family: Family,
    /// Its address, exposed: a request that does not wait is finished by another thread.
    start: usize,
    size: usize,
}

impl Buffer {
    /// `None` for NULL, and for one that has no room for an answer.
    pub(super) fn new(family: Family, start: *mut c_void, size: u32) -> Option<Self> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let buffer = Self { family, start: start.expose_provenance(), size };
        (!start.is_null() && size >= buffer.least()).then_some(buffer)
    }

    pub(super) fn family(&self) -> Family {
        self.family
    }

    pub(super) fn room(&self) -> usize {
        self.size
    }

    /// The size of an answer without data.
    pub(super) fn least(&self) -> usize {
        match self.family {
            Family::V4 => size_of::<ICMP_ECHO_REPLY>(),
            Family::V6 => size_of::<ICMPV6_ECHO_REPLY>(),
        }
    }

    pub(super) fn size_of(&self, reply: &EchoReply) -> usize {
        self.least() + reply.data.len() + reply.ip_options.len()
    }

    /// Whether there is room for an answer with so much data.
    pub(super) fn takes(&self, data: usize) -> bool {
        self.size - self.least() >= data
    }

    /// Writes answers that fit, and gives their number.
    ///
    /// # Safety
    /// The buffer may be written, and the answers fit.
    pub(super) unsafe fn write(&self, replies: &[EchoReply]) -> u32 {
        let start = self.pointer();
        let mut used = self.least() * replies.len();
        let mut append = |bytes: &[u8]| {
            // SAFETY: the caller's promise; each place is behind the last one.
            let place = unsafe { start.add(used) };
            // SAFETY: as above.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len()) };
            used += bytes.len();
            place
        };
        for (position, reply) in replies.iter().enumerate() {
            let status = reply.status.ip_status(self.family);
            let round_trip_time = u32::try_from(reply.round_trip_time.as_millis()).unwrap_or(u32::MAX);
            match self.family {
                Family::V4 => {
                    let count = if position == 0 { replies.len() } else { 0 };
                    let options = append(&reply.ip_options);
                    let data = append(&reply.data);
                    let nothing = std::ptr::null_mut();
                    let row = ICMP_ECHO_REPLY {
                        Address: match reply.address {
                            Some(IpAddr::V4(address)) => sockaddr::ipv4_number(address),
                            _ => 0,
                        },
                        Status: status,
                        RoundTripTime: round_trip_time,
                        DataSize: u16::try_from(reply.data.len()).unwrap_or(u16::MAX),
                        // Windows' own use of the member: what IcmpParseReplies finds.
                        Reserved: u16::try_from(count).unwrap_or(u16::MAX),
                        Data: if reply.data.is_empty() { nothing } else { data.cast() },
                        Options: IP_OPTION_INFORMATION {
                            Ttl: reply.ttl.unwrap_or(0),
                            Tos: reply.tos.unwrap_or(0),
                            Flags: 0,
                            OptionsSize: u8::try_from(reply.ip_options.len()).unwrap_or(0),
                            OptionsData: if reply.ip_options.is_empty() { nothing.cast() } else { options },
                        },
                    };
                    // SAFETY: as above.
                    unsafe { gaps::write(start.cast::<ICMP_ECHO_REPLY>().add(position), row) };
                }
                Family::V6 => {
                    // There is one, with its data behind it.
                    let _data = append(&reply.data);
                    let octets = match reply.address {
                        Some(IpAddr::V6(address)) => address.octets(),
                        _ => [0; 16],
                    };
                    // SAFETY: as above.
                    unsafe { self.write6(octets, reply.scope_id, status, round_trip_time) };
                }
            }
        }
        u32::try_from(replies.len()).unwrap_or(u32::MAX)
    }

    /// Writes why there is no answer.
    ///
    /// # Safety
    /// The buffer may be written.
    pub(super) unsafe fn fail(&self, status: u32) {
        match self.family {
            Family::V4 => {
                let row = ICMP_ECHO_REPLY { Status: status, ..Default::default() };
                // SAFETY: the caller's promise, and there is room for one.
                unsafe { gaps::write(self.pointer().cast::<ICMP_ECHO_REPLY>(), row) };
            }
            // SAFETY: as above.
            Family::V6 => unsafe { self.write6([0; 16], 0, status, 0) },
        }
    }

    unsafe fn write6(&self, octets: [u8; 16], scope_id: u32, status: u32, round_trip_time: u32) {
        let mut words = [0; 8];
        for (word, [a, b]) in words.iter_mut().zip(octets.as_chunks::<2>().0) {
            // In network order, as all of a socket address.
            *word = u16::from_ne_bytes([*a, *b]);
        }
        let address =
            IPV6_ADDRESS_EX { sin6_port: 0, sin6_flowinfo: 0, sin6_addr: words, sin6_scope_id: scope_id };
        let row = ICMPV6_ECHO_REPLY { Address: address, Status: status, RoundTripTime: round_trip_time };
        // SAFETY: the caller's promise, and there is room for one.
        unsafe { gaps::write(self.pointer().cast::<ICMPV6_ECHO_REPLY>(), row) };
    }

    /// How many answers [`write`](Self::write) wrote, or the status of [`fail`](Self::fail).
    ///
    /// # Safety
    /// The buffer may be read.
    pub(super) unsafe fn parse(&self) -> Result<u32, u32> {
        let (count, status) = match self.family {
            Family::V4 => {
                // SAFETY: the caller's promise.
                let row = unsafe { self.pointer().cast::<ICMP_ECHO_REPLY>().read_unaligned() };
                (row.Reserved.into(), row.Status)
            }
            Family::V6 => {
                // SAFETY: as above.
                let row = unsafe { self.pointer().cast::<ICMPV6_ECHO_REPLY>().read_unaligned() };
                let words = row.Address.sin6_addr;
                (u32::from(words != [0; 8]), row.Status)
            }
        };
        if count > 0 { Ok(count) } else { Err(status) }
    }

    fn pointer(&self) -> *mut u8 {
        std::ptr::with_exposed_provenance_mut(self.start)
    }
}
