//! What an echo request can come to.

use crate::types::Family;
use std::fmt;

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $number:literal $windows:literal $text:literal,)*) => {
        /// What an echo request came to: the answer, what a router or host says of it, or that nobody said anything.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum EchoStatus {
            $($(#[$doc])* #[doc = concat!("\n\nWindows: `", $windows, "`, ", $number, ".")] #[doc(alias = $windows)] $name,)*
        }

        impl EchoStatus {
            /// All of them, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The number over IPv6, and but for [`DestinationProhibited`](Self::DestinationProhibited) over IPv4.
            const fn number(self) -> u32 {
                match self {
                    $(Self::$name => $number,)*
                }
            }
        }

        impl fmt::Display for EchoStatus {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self {
                    $(Self::$name => $text,)*
                })
            }
        }
    };
}

statuses! {
    /// The destination answered.
    Success = 0 "IP_SUCCESS" "answered",
    /// No route leads there: ICMP unreachable codes 0, 6, 11; ICMPv6 code 0. Also this host's own routes.
    DestinationNetUnreachable = 11002 "IP_DEST_NET_UNREACHABLE" "network unreachable",
    /// Nobody there, says the last router: ICMP codes 1, 7, 8, 12; ICMPv6 code 3.
    DestinationHostUnreachable = 11003 "IP_DEST_HOST_UNREACHABLE" "host unreachable",
    /// The destination does not know ICMP: ICMP code 2.
    DestinationProtocolUnreachable = 11004 "IP_DEST_PROT_UNREACHABLE" "protocol unreachable",
    /// A router or host forbids it: ICMP codes 9, 10, 13, 14, 15; ICMPv6 codes 1, 5, 6. Over IPv4 Windows has no number of
    /// its own for it: 11003.
    DestinationProhibited = 11004 "IP_DEST_PROHIBITED" "forbidden by a router or the host",
    /// Nobody listens: ICMP code 3, ICMPv6 code 4.
    DestinationPortUnreachable = 11005 "IP_DEST_PORT_UNREACHABLE" "port unreachable",
    /// This host had no room to send it.
    NoResources = 11006 "IP_NO_RESOURCES" "no room to send it",
    /// An option is not understood: ICMPv6 parameter problem, code 2.
    BadOption = 11007 "IP_BAD_OPTION" "option not understood",
    /// Too large for a link on the way: ICMP code 4, ICMPv6 packet too big, or a link of this host.
    PacketTooBig = 11009 "IP_PACKET_TOO_BIG" "packet too big",
    /// Nobody answered in time.
    TimedOut = 11010 "IP_REQ_TIMED_OUT" "no answer in time",
    /// The route that the request prescribed does not work: ICMP code 5.
    BadRoute = 11012 "IP_BAD_ROUTE" "prescribed route failed",
    /// The hops were used up on the way: ICMP and ICMPv6 time exceeded, code 0.
    TtlExpiredInTransit = 11013 "IP_TTL_EXPIRED_TRANSIT" "time to live used up on the way",
    /// Pieces were missing at the destination: time exceeded, code 1.
    TtlExpiredInReassembly = 11014 "IP_TTL_EXPIRED_REASSEM" "pieces did not arrive in time",
    /// A header is wrong: ICMP parameter problem; ICMPv6's with a code unknown here.
    ParameterProblem = 11015 "IP_PARAM_PROBLEM" "header not understood",
    /// A router was too busy (ICMP type 4, which routers do not send any more).
    SourceQuench = 11016 "IP_SOURCE_QUENCH" "router too busy",
    /// No request can go to this address.
    BadDestination = 11018 "IP_BAD_DESTINATION" "not an address to send to",
    /// Unreachable for a reason that is not known here.
    DestinationUnreachable = 11040 "IP_DEST_UNREACHABLE" "destination unreachable",
    /// Time exceeded with a code that is not known here.
    TimeExceeded = 11041 "IP_TIME_EXCEEDED" "time exceeded",
    /// A header field is wrong: ICMPv6 parameter problem, code 0.
    BadHeader = 11042 "IP_BAD_HEADER" "header field not understood",
    /// A header is not known: ICMPv6 parameter problem, code 1.
    UnrecognizedNextHeader = 11043 "IP_UNRECOGNIZED_NEXT_HEADER" "next header not known",
    /// An ICMP error of a type that is not known here.
    IcmpError = 11044 "IP_ICMP_ERROR" "ICMP error",
    /// The source's scope ends before the destination: ICMPv6 code 2.
    DestinationScopeMismatch = 11045 "IP_DEST_SCOPE_MISMATCH" "beyond the scope of the source address",
    /// This host did not send it: a packet filter, a route that throws packets away.
    GeneralFailure = 11050 "IP_GENERAL_FAILURE" "not sent by this host",
}

impl EchoStatus {
    /// Windows' number (`IP_STATUS` of `ipexport.h`) of an answer of this family.
    #[doc(alias = "IP_STATUS")]
    #[must_use]
    pub const fn ip_status(self, family: Family) -> u32 {
        match (self, family) {
            // 11004 is IP_DEST_PROT_UNREACHABLE there.
            (Self::DestinationProhibited, Family::V4) => Self::DestinationHostUnreachable.number(),
            _ => self.number(),
        }
    }

    /// What an ICMP error says (RFC 792, RFC 1812); `None` for a type that is no error.
    #[cfg(target_os = "linux")]
    pub(crate) const fn of_icmp(kind: u8, code: u8) -> Option<Self> {
        Some(match (kind, code) {
            (3, 0 | 6 | 11) => Self::DestinationNetUnreachable,
            (3, 1 | 7 | 8 | 12) => Self::DestinationHostUnreachable,
            (3, 2) => Self::DestinationProtocolUnreachable,
            (3, 3) => Self::DestinationPortUnreachable,
            (3, 4) => Self::PacketTooBig,
            (3, 5) => Self::BadRoute,
            (3, 9 | 10 | 13..=15) => Self::DestinationProhibited,
            (3, _) => Self::DestinationUnreachable,
            (4, _) => Self::SourceQuench,
            (11, 0) => Self::TtlExpiredInTransit,
            (11, 1) => Self::TtlExpiredInReassembly,
            (11, _) => Self::TimeExceeded,
            (12, _) => Self::ParameterProblem,
            _ => return None,
        })
    }

    /// What an ICMPv6 error says (RFC 4443); `None` for a type that is no error.
    #[cfg(target_os = "linux")]
    pub(crate) const fn of_icmpv6(kind: u8, code: u8) -> Option<Self> {
        Some(match (kind, code) {
            (1, 0) => Self::DestinationNetUnreachable,
            (1, 1 | 5 | 6) => Self::DestinationProhibited,
            (1, 2) => Self::DestinationScopeMismatch,
            (1, 3) => Self::DestinationHostUnreachable,
            (1, 4) => Self::DestinationPortUnreachable,
            (1, _) => Self::DestinationUnreachable,
            (2, _) => Self::PacketTooBig,
            (3, 0) => Self::TtlExpiredInTransit,
            (3, 1) => Self::TtlExpiredInReassembly,
            (3, _) => Self::TimeExceeded,
            (4, 0) => Self::BadHeader,
            (4, 1) => Self::UnrecognizedNextHeader,
            (4, 2) => Self::BadOption,
            (4, _) => Self::ParameterProblem,
            (0..=127, _) => Self::IcmpError,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_windows() {
        assert!(EchoStatus::ALL.is_sorted_by_key(|status| status.ip_status(Family::V6)));
        assert_eq!(EchoStatus::DestinationProhibited.ip_status(Family::V4), 11003);
        assert_eq!(EchoStatus::DestinationProhibited.ip_status(Family::V6), 11004);
        assert_eq!(EchoStatus::DestinationProtocolUnreachable.ip_status(Family::V4), 11004);
        assert_eq!(EchoStatus::TtlExpiredInTransit.ip_status(Family::V6), 11013);
    }

    #[test]
    fn every_message_is_an_error_or_none() {
        for (kind, code) in (0..=u8::MAX).flat_map(|kind| (0..=u8::MAX).map(move |code| (kind, code))) {
            assert_eq!(EchoStatus::of_icmp(kind, code).is_some(), matches!(kind, 3 | 4 | 11 | 12), "{kind}");
            assert_eq!(EchoStatus::of_icmpv6(kind, code).is_some(), kind < 128, "{kind}");
        }
        assert_eq!(EchoStatus::of_icmp(5, 1), None, "a redirect is for the routing table");
    }
}
