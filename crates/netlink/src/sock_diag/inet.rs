//! Sockets of IPv4 and IPv6: what to ask for, and the row that the kernel gives for each.
//!
//! ```text
//! struct inet_diag_req_v2 (56 bytes)            struct inet_diag_msg (72 bytes, then attributes)
//!  0 family  1 protocol  2 extensions  3 pad     0 family  1 state  2 timer  3 retransmits
//!  4 states (bit mask)                           4 struct inet_diag_sockid
//!  8 struct inet_diag_sockid                    52 expires  56 receive queue  60 send queue
//!                                               64 user id  68 inode
//! struct inet_diag_sockid (48 bytes)
//!  0 local port  2 remote port  4 local address (16)  20 remote address (16)  36 interface  40 cookie (8)
//! ```
//!
//! Ports and addresses are in network order, everything else in host order.

use super::filter::Filter;
use super::{AF_INET, AF_INET6, BY_FAMILY};
use crate::DecodeError;
use crate::attribute::{AttributeWriter, Attributes};
use crate::message::{ACK, DUMP, Message, Request};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Length of `struct inet_diag_sockid`.
const ID_LEN: usize = 48;
/// Length of `struct inet_diag_req_v2`.
const REQUEST_LEN: usize = 8 + ID_LEN;
/// Length of `struct inet_diag_msg`.
const ROW_LEN: usize = 72;
/// `INET_DIAG_NOCOOKIE` twice: any socket with these endpoints.
pub const NO_COOKIE: u64 = u64::MAX;
/// `INET_DIAG_REQ_BYTECODE`.
const REQUEST_FILTER: u16 = 1;
/// `INET_DIAG_REQ_PROTOCOL`, for protocol numbers over 255.
const REQUEST_PROTOCOL: u16 = 3;

/// A transport protocol that `sock_diag` knows.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Protocol {
    /// `IPPROTO_TCP`.
    Tcp,
    /// `IPPROTO_UDP`.
    Udp,
    /// `IPPROTO_MPTCP`: Multipath TCP connections, not their subflows, which are among TCP's.
    Mptcp,
}

/// A state as the kernel numbers it (`include/net/tcp_states.h`); a number that it does not have yet is kept.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct State(pub u8);

#[allow(missing_docs, reason = "the names are RFC 9293's, the numbers the kernel's")]
impl State {
    pub const ESTABLISHED: Self = Self(1);
    pub const SYN_SENT: Self = Self(2);
    /// A half-open connection that has a full socket (simultaneous open).
    pub const SYN_RECV: Self = Self(3);
    pub const FIN_WAIT1: Self = Self(4);
    pub const FIN_WAIT2: Self = Self(5);
    pub const TIME_WAIT: Self = Self(6);
    /// Closed: of TCP, a socket that is bound and neither listens nor connects; of UDP, one that is not connected.
    pub const CLOSE: Self = Self(7);
    pub const CLOSE_WAIT: Self = Self(8);
    pub const LAST_ACK: Self = Self(9);
    pub const LISTEN: Self = Self(10);
    pub const CLOSING: Self = Self(11);
    /// A connection request that waits for the last acknowledgement. Shown as [`SYN_RECV`](Self::SYN_RECV) in rows.
    pub const NEW_SYN_RECV: Self = Self(12);
    /// Only in requests: sockets that are bound and in no other table (Linux 6.8). Their rows show
    /// [`CLOSE`](Self::CLOSE).
    pub const BOUND_INACTIVE: Self = Self(13);
}

/// A set of states, as a bit mask.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct States(u32);

impl States {
    /// Every state, also those that a later kernel adds.
    pub const ALL: Self = Self(u32::MAX);

    /// No state.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// This set and `state`.
    #[must_use]
    pub const fn with(self, state: State) -> Self {
        Self(self.0 | bit(state))
    }

    /// This set without `state`.
    #[must_use]
    pub const fn without(self, state: State) -> Self {
        Self(self.0 & !bit(state))
    }

    /// Whether no state is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

const fn bit(state: State) -> u32 {
    match 1_u32.checked_shl(state.0 as u32) {
        Some(bit) => bit,
        None => 0,
    }
}

/// `INET_DIAG_INFO` in a request: `struct tcp_info` and what an upper protocol says of itself, for each row. Costs
/// about 300 bytes a row.
pub const EXTENSION_INFO: u8 = 1 << 1;
/// `INET_DIAG_VEGASINFO` in a request: what the congestion control knows, in an attribute of its own kind.
pub const EXTENSION_CONGESTION_INFO: u8 = 1 << 2;
/// `INET_DIAG_CONG` in a request: the name of the congestion control.
pub const EXTENSION_CONGESTION: u8 = 1 << 3;
/// `INET_DIAG_SKMEMINFO` in a request: the socket's memory.
pub const EXTENSION_MEMORY: u8 = 1 << 6;

/// Type of the attribute that says whether an IPv6 socket takes IPv6 alone, in rows that listen or are closed.
const ATTRIBUTE_V6_ONLY: u16 = 11;
/// Type of the attribute that an upper protocol writes, `INET_DIAG_ULP_INFO`; needs [`EXTENSION_INFO`].
const ATTRIBUTE_UPPER_PROTOCOL: u16 = 19;
/// `INET_ULP_INFO_NAME` in it.
const UPPER_PROTOCOL_NAME: u16 = 1;
/// `INET_ULP_INFO_MPTCP` in it, `MPTCP_SUBFLOW_ATTR_FLAGS` in that, and `MPTCP_SUBFLOW_FLAG_*` (`linux/mptcp.h`).
const UPPER_PROTOCOL_MPTCP: u16 = 3;
const SUBFLOW_FLAGS: u16 = 8;
const SUBFLOW_PEER_CAPABLE: u32 = 1 << 0;
const SUBFLOW_JOINED: u32 = 1 << 2 | 1 << 3;
const SUBFLOW_CONNECTED: u32 = 1 << 7;

/// The identity of one socket: endpoints, interface and cookie.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SocketId {
    /// `AF_INET` or `AF_INET6`, as in the row.
    pub family: u8,
    /// Local address; of the row's family.
    pub local: IpAddr,
    /// Local port.
    pub local_port: u16,
    /// Remote address; of the row's family.
    pub remote: IpAddr,
    /// Remote port.
    pub remote_port: u16,
    /// The interface that the socket is bound to; 0 for none.
    pub interface: u32,
    /// The socket's number, given out once while the kernel runs.
    pub cookie: u64,
}

impl SocketId {
    pub(super) fn write(&self, protocol: Protocol, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&[self.family, protocol.byte(), 0, 0]);
        bytes.extend_from_slice(&States::ALL.0.to_ne_bytes());
        bytes.extend_from_slice(&self.local_port.to_be_bytes());
        bytes.extend_from_slice(&self.remote_port.to_be_bytes());
        bytes.extend_from_slice(&address_field(self.local));
        bytes.extend_from_slice(&address_field(self.remote));
        bytes.extend_from_slice(&self.interface.to_ne_bytes());
        bytes.extend_from_slice(&self.cookie.to_ne_bytes());
    }

    /// Asks for the row of this one socket, with the attributes of `extensions`. The answer is that row and an
    /// acknowledgement, or the errno `ENOENT`.
    #[must_use]
    pub fn request(&self, protocol: Protocol, extensions: u8) -> Request {
        let mut body = Vec::with_capacity(REQUEST_LEN);
        self.write(protocol, &mut body);
        if let Some(byte) = body.get_mut(2) {
            *byte = extensions;
        }
        let mut request = Request::new(BY_FAMILY, ACK, &body);
        protocol.append(&mut request);
        request
    }
}

impl Protocol {
    const fn number(self) -> u32 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Mptcp => 262,
        }
    }

    /// The number where it fits a byte, else 0: then an attribute carries it.
    fn byte(self) -> u8 {
        u8::try_from(self.number()).unwrap_or(0)
    }

    fn append(self, request: &mut Request) {
        if self.byte() == 0 {
            let _ = request.attribute_u32(REQUEST_PROTOCOL, self.number());
        }
    }
}

fn address_field(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V6(v6) => v6.octets(),
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        }
    }
}

/// Asks for the rows of all sockets of one family and protocol that are in one of `states` and pass `filter`.
///
/// An `AF_INET` dump has the sockets of that family alone: IPv4 connections of `AF_INET6` sockets are in the other
/// dump, with IPv4-mapped addresses.
#[must_use]
pub fn dump(family: u8, protocol: Protocol, states: States, extensions: u8, filter: &Filter) -> Request {
    let mut body = Vec::with_capacity(REQUEST_LEN);
    body.extend_from_slice(&[family, protocol.byte(), extensions, 0]);
    body.extend_from_slice(&states.0.to_ne_bytes());
    body.resize(REQUEST_LEN - size_of_val(&NO_COOKIE), 0);
    body.extend_from_slice(&NO_COOKIE.to_ne_bytes());
    let mut request = Request::new(BY_FAMILY, DUMP, &body);
    if !filter.program().is_empty() {
        let _ = request.attribute(REQUEST_FILTER, filter.program());
    }
    protocol.append(&mut request);
    request
}

/// One socket, borrowed from the receive buffer. Its attributes are read only when asked for.
#[derive(Clone, Copy, Debug)]
pub struct SocketRow<'a> {
    fixed: &'a [u8; ROW_LEN],
    attributes: &'a [u8],
}

impl<'a> SocketRow<'a> {
    /// Reads a message of type [`BY_FAMILY`].
    #[inline]
    pub fn parse(message: &Message<'a>) -> Result<Self, DecodeError> {
        let (fixed, attributes) = message.payload.split_first_chunk().ok_or(DecodeError::new(
            "inet_diag_msg",
            ROW_LEN,
            message.payload.len(),
        ))?;
        Ok(Self { fixed, attributes })
    }

    #[inline]
    fn bytes<const AT: usize, const N: usize>(&self) -> [u8; N] {
        const { assert!(AT + N <= ROW_LEN) };
        self.fixed.split_at(AT).1.first_chunk().copied().unwrap_or([0; N])
    }

    #[inline]
    fn u32_at<const AT: usize>(&self) -> u32 {
        u32::from_ne_bytes(self.bytes::<AT, 4>())
    }

    /// `AF_INET` or `AF_INET6`: the family of the socket, not of the connection.
    #[inline]
    #[must_use]
    pub fn family(&self) -> u8 {
        self.bytes::<0, 1>()[0]
    }

    /// The state.
    #[inline]
    #[must_use]
    pub fn state(&self) -> State {
        State(self.bytes::<1, 1>()[0])
    }

    /// Local port.
    #[inline]
    #[must_use]
    pub fn local_port(&self) -> u16 {
        u16::from_be_bytes(self.bytes::<4, 2>())
    }

    /// Remote port; 0 while listening.
    #[inline]
    #[must_use]
    pub fn remote_port(&self) -> u16 {
        u16::from_be_bytes(self.bytes::<6, 2>())
    }

    /// Local address: IPv4 for `AF_INET`, IPv6 (perhaps IPv4-mapped) for all else.
    #[inline]
    #[must_use]
    pub fn local_address(&self) -> IpAddr {
        if self.family() == AF_INET {
            Ipv4Addr::from(self.bytes::<8, 4>()).into()
        } else {
            Ipv6Addr::from(self.bytes::<8, 16>()).into()
        }
    }

    /// Remote address, as [`local_address`](Self::local_address); unspecified while listening.
    #[inline]
    #[must_use]
    pub fn remote_address(&self) -> IpAddr {
        if self.family() == AF_INET {
            Ipv4Addr::from(self.bytes::<24, 4>()).into()
        } else {
            Ipv6Addr::from(self.bytes::<24, 16>()).into()
        }
    }

    /// The interface that the socket is bound to; 0 for none.
    #[inline]
    #[must_use]
    pub fn interface(&self) -> u32 {
        self.u32_at::<40>()
    }

    /// The socket's number, given out once while the kernel runs.
    #[inline]
    #[must_use]
    pub fn cookie(&self) -> u64 {
        u64::from_ne_bytes(self.bytes::<44, 8>())
    }

    /// Milliseconds until the running timer ends, 0 without one. Of a TIME_WAIT row: until it is gone.
    #[inline]
    #[must_use]
    pub fn expires(&self) -> u32 {
        self.u32_at::<52>()
    }

    /// Bytes that came and were not read. While listening: connections that wait to be accepted.
    #[inline]
    #[must_use]
    pub fn receive_queue(&self) -> u32 {
        self.u32_at::<56>()
    }

    /// Bytes that are not acknowledged or not sent. While listening: how many connections may wait.
    #[inline]
    #[must_use]
    pub fn send_queue(&self) -> u32 {
        self.u32_at::<60>()
    }

    /// The user id of the socket's creator; 0 in rows without [`inode`](Self::inode), which do not know it.
    #[inline]
    #[must_use]
    pub fn user_id(&self) -> u32 {
        self.u32_at::<64>()
    }

    /// Inode of the socket's file; 0 where it has none any more, or not yet.
    #[inline]
    #[must_use]
    pub fn inode(&self) -> u32 {
        self.u32_at::<68>()
    }

    /// All that the kernel names this socket by.
    #[must_use]
    pub fn id(&self) -> SocketId {
        SocketId {
            family: self.family(),
            local: self.local_address(),
            local_port: self.local_port(),
            remote: self.remote_address(),
            remote_port: self.remote_port(),
            interface: self.interface(),
            cookie: self.cookie(),
        }
    }

    /// The attributes.
    #[must_use]
    pub const fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.attributes)
    }

    /// Whether an IPv6 socket takes IPv6 alone (`IPV6_V6ONLY`); `None` where the row does not say, as all do that
    /// neither listen nor are closed.
    pub fn v6_only(&self) -> Result<Option<bool>, DecodeError> {
        if self.family() != AF_INET6 {
            return Ok(None);
        }
        self.find(ATTRIBUTE_V6_ONLY)?.map(|value| value.u8().map(|only| only != 0)).transpose()
    }

    /// Whether this TCP socket is a subflow or the listener of a Multipath TCP socket; needs [`EXTENSION_INFO`] in the
    /// request, and before Linux 6.14 `CAP_NET_ADMIN`.
    ///
    /// Not one whose peer answered without Multipath TCP: such a connection is one TCP connection, and what happens to
    /// that happens to it.
    pub fn is_multipath(&self) -> Result<bool, DecodeError> {
        let Some(about) = self.find(ATTRIBUTE_UPPER_PROTOCOL)? else { return Ok(false) };
        let (mut multipath, mut flags) = (false, None);
        for attribute in about.nested() {
            let attribute = attribute?;
            match attribute.kind {
                UPPER_PROTOCOL_NAME => multipath = attribute.c_bytes() == b"mptcp",
                UPPER_PROTOCOL_MPTCP => {
                    for attribute in attribute.nested() {
                        let attribute = attribute?;
                        if attribute.kind == SUBFLOW_FLAGS {
                            flags = Some(attribute.u32()?);
                        }
                    }
                }
                _ => {}
            }
        }
        let fallen_back = flags.is_some_and(|flags| {
            flags & SUBFLOW_CONNECTED != 0 && flags & (SUBFLOW_PEER_CAPABLE | SUBFLOW_JOINED) == 0
        });
        Ok(multipath && !fallen_back)
    }

    pub(super) fn find(&self, kind: u16) -> Result<Option<crate::attribute::Attribute<'a>>, DecodeError> {
        for attribute in self.attributes() {
            let attribute = attribute?;
            if attribute.kind == kind {
                return Ok(Some(attribute));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Messages;
    use crate::sock_diag::DESTROY;
    use crate::sock_diag::destroy::DestroyBatch;
    use proptest::prelude::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    fn with_row<T>(message: &[u8], test: impl FnOnce(SocketRow<'_>) -> T) -> T {
        let message = Messages::new(message).next().unwrap().unwrap();
        assert_eq!(message.header.kind, BY_FAMILY);
        test(SocketRow::parse(&message).unwrap())
    }

    /// `ss -tane`: ESTAB 127.0.0.1:51234 127.0.0.1:20443 ino:3593908 sk:12baf9 cgroup:/
    #[cfg(target_endian = "little")]
    const ESTABLISHED: &str = "7c0000001400020001000000b42e0000
        02010000c8224fdb7f0000010000000000000000000000007f00000100000000000000000000000000000000f9ba1200
        0000000000000000000000000000000000000000b4d63600
        050008000000000008000f00000000000c00150001000000000000000600160052000000";

    #[test]
    #[cfg(target_endian = "little")]
    fn an_established_row_of_linux_6_18_is_read() {
        with_row(&bytes(ESTABLISHED), |row| {
            assert_eq!((row.family(), row.state()), (AF_INET, State::ESTABLISHED));
            assert_eq!(
                row.id(),
                SocketId {
                    family: AF_INET,
                    local: Ipv4Addr::LOCALHOST.into(),
                    local_port: 51234,
                    remote: Ipv4Addr::LOCALHOST.into(),
                    remote_port: 20443,
                    interface: 0,
                    cookie: 0x12_baf9,
                }
            );
            assert_eq!((row.inode(), row.user_id(), row.expires()), (3_593_908, 0, 0));
            assert_eq!(
                row.attributes().map(|attribute| attribute.unwrap().kind).collect::<Vec<_>>(),
                [8, 15, 21, 22]
            );
            assert_eq!(row.v6_only(), Ok(None));
            assert_eq!(row.is_multipath(), Ok(false));
        });
    }

    /// `ss -tane`: TIME-WAIT 127.0.0.1:51235 127.0.0.1:20443 timer:(timewait,59sec,0) ino:0 sk:12bafa
    #[test]
    #[cfg(target_endian = "little")]
    fn a_time_wait_row_has_neither_inode_nor_user() {
        let message = bytes(
            "600000001400020001000000b42e0000
             02060300c8234fdb7f0000010000000000000000000000007f00000100000000000000000000000000000000faba1200
             000000005cea00000000000000000000000000000000000008000f0000000000",
        );
        with_row(&message, |row| {
            assert_eq!((row.state(), row.inode(), row.expires()), (State::TIME_WAIT, 0, 59_996));
            assert_eq!(row.cookie(), 0x12_bafa);
        });
    }

    /// `ss -tane`: LISTEN *:20080 *:* ino:3593911 sk:12bafd cgroup:/ v6only:0
    #[test]
    #[cfg(target_endian = "little")]
    fn a_dual_stack_listener_says_so() {
        let message = bytes(
            "840000001400020001000000b42e0000
             0a0a00004e700000000000000000000000000000000000000000000000000000000000000000000000000000fdba1200
             0000000000000000000000008000000000000000b7d63600
             050008000000000005000b000000000008000f00000000000c00150001000000000000000600160012000000",
        );
        with_row(&message, |row| {
            assert_eq!((row.family(), row.state()), (AF_INET6, State::LISTEN));
            assert_eq!((row.local_address(), row.local_port()), (Ipv6Addr::UNSPECIFIED.into(), 20080));
            assert_eq!(row.v6_only(), Ok(Some(false)));
        });
    }

    /// The attribute `INET_DIAG_ULP_INFO` of `ss -tnei` for a Multipath TCP client, `flags` in its place.
    #[cfg(target_endian = "little")]
    fn subflow(flags: u8) -> Vec<u8> {
        let mut message = bytes(ESTABLISHED);
        message.extend(bytes(
            "680013000a0001006d707463700000005800030008000100000000000800
             0200157b38d008000800",
        ));
        message.extend([flags, 0, 0, 0]);
        message.extend(bytes(
            "050009000000000005000a000000000008000300010000000c000400cef5c75b66a323870800050001000000
             080006007e660a930600070000000000",
        ));
        message[0] = u8::try_from(message.len()).unwrap();
        message
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_subflow_is_told_from_a_connection_that_fell_back_to_tcp() {
        // As captured, with a peer that speaks it; and as captured of a peer that does not.
        with_row(&subflow(0x83), |row| assert_eq!(row.is_multipath(), Ok(true)));
        with_row(&subflow(0x82), |row| assert_eq!(row.is_multipath(), Ok(false)));
        // Not connected yet: it may still become one.
        with_row(&subflow(0x02), |row| assert_eq!(row.is_multipath(), Ok(true)));
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_dump_asks_for_any_cookie() {
        let states = States::none().with(State::ESTABLISHED);
        let mut request = dump(AF_INET, Protocol::Tcp, states, 0, &Filter::new());
        assert!(request.is_dump());
        let expected = bytes(
            "48000000140001030100000000000000 0206000002000000
             00000000 00000000000000000000000000000000 00000000000000000000000000000000 00000000 ffffffffffffffff",
        );
        assert_eq!(request.finish(1), expected);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_protocol_over_255_goes_into_an_attribute() {
        let mut request = dump(AF_INET6, Protocol::Mptcp, States::ALL, 0, &Filter::new());
        let bytes = request.finish(1);
        assert_eq!(bytes[17], 0);
        assert_eq!(bytes[72..], [8, 0, 3, 0, 6, 1, 0, 0]);
    }

    #[test]
    fn a_batch_is_a_sequence_of_requests_of_which_the_last_is_acknowledged() {
        let id = SocketId {
            family: AF_INET6,
            local: Ipv6Addr::LOCALHOST.into(),
            local_port: 443,
            remote: Ipv6Addr::LOCALHOST.into(),
            remote_port: 50_000,
            interface: 3,
            cookie: 0x0102_0304_0506_0708,
        };
        let mut batch = DestroyBatch::new();
        assert!(batch.is_empty() && batch.finish().is_empty());
        for sequence in 7..10 {
            batch.push(&id, Protocol::Tcp, sequence);
        }
        assert_eq!(batch.len(), 3);
        let bytes = batch.finish().to_vec();
        let messages: Vec<_> = Messages::new(&bytes).map(Result::unwrap).collect();
        assert_eq!(messages.iter().map(|message| message.header.sequence).collect::<Vec<_>>(), [7, 8, 9]);
        assert_eq!(messages.iter().map(|message| message.header.flags).collect::<Vec<_>>(), [1, 1, 1 | ACK]);
        assert!(messages.iter().all(|message| message.header.kind == DESTROY && message.payload.len() == 56));
        // The kernel's row of this socket has the same identity in the same form.
        let payload = messages[0].payload;
        let mut row = [0; ROW_LEN];
        row[0] = payload[0];
        row[4..4 + ID_LEN].copy_from_slice(&payload[8..]);
        assert_eq!(SocketRow { fixed: &row, attributes: &[] }.id(), id);
    }

    #[test]
    fn states_are_bits_and_no_number_overflows() {
        let states = States::none().with(State::LISTEN).with(State(200));
        assert_eq!(states.0, 1 << 10);
        assert!(states.without(State::LISTEN).is_empty());
    }

    proptest! {
        #[test]
        fn any_row_is_read_without_panic(
            fixed in proptest::collection::vec(any::<u8>(), 60..90),
            attributes in proptest::collection::vec(any::<u8>(), 0..120),
        ) {
            let mut message = vec![0; 16];
            message.extend(&fixed);
            message.extend(&attributes);
            let len = u32::try_from(message.len()).unwrap();
            message[..4].copy_from_slice(&len.to_ne_bytes());
            let message = Messages::new(&message).next().unwrap().unwrap();
            if let Ok(row) = SocketRow::parse(&message) {
                let _ = (row.id(), row.state(), row.user_id(), row.inode(), row.expires());
                let _ = (row.v6_only(), row.is_multipath(), row.attributes().count());
            } else {
                prop_assert!(message.payload.len() < ROW_LEN);
            }
        }

        #[test]
        fn any_upper_protocol_is_read_without_panic(inner in proptest::collection::vec(any::<u8>(), 0..80)) {
            let mut attributes = Vec::new();
            let _ = attributes.attribute(ATTRIBUTE_UPPER_PROTOCOL, &inner);
            let _ = SocketRow { fixed: &[0; ROW_LEN], attributes: &attributes }.is_multipath();
        }
    }
}
