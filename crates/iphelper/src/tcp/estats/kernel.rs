//! What Linux knows of a connection beyond RFC 4898.

use super::{EstatsMember, member};
use std::fmt;
use std::time::Duration;

/// How the congestion control takes what it sees.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum CongestionState {
    /// Nothing is missing.
    Open,
    /// Something is out of order, or was sent twice.
    Disorder,
    /// The window is being made smaller: congestion was told of, or this host has none of its own resources left.
    WindowReduced,
    /// Something was lost and is sent again.
    Recovery,
    /// A time-out: all that is not acknowledged counts as lost.
    Loss,
    /// A state that this library does not know.
    Other(u8),
}

impl From<u8> for CongestionState {
    /// From `TCP_CA_*`.
    fn from(number: u8) -> Self {
        match number {
            0 => Self::Open,
            1 => Self::Disorder,
            2 => Self::WindowReduced,
            3 => Self::Recovery,
            4 => Self::Loss,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for CongestionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::Disorder => f.write_str("disorder"),
            Self::WindowReduced => f.write_str("window_reduced"),
            Self::Recovery => f.write_str("recovery"),
            Self::Loss => f.write_str("loss"),
            Self::Other(number) => write!(f, "{number}"),
        }
    }
}

macro_rules! extras {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)*) => {
        /// What Linux knows of a connection beyond RFC 4898. `None` where this kernel does not tell it.
        #[derive(Clone, Debug, Default, Eq, PartialEq)]
        #[non_exhaustive]
        pub struct KernelEstats {
            /// The name of the congestion control (`INET_DIAG_CONG`).
            pub congestion_algorithm: Option<String>,
            /// How it takes what it sees (`tcpi_ca_state`).
            pub congestion_state: Option<CongestionState>,
            $($(#[$doc])* pub $name: Option<$type>,)*
        }

        impl KernelEstats {
            pub(super) fn members(&self) -> Vec<EstatsMember> {
                vec![$(member(stringify!($name), self.$name),)*]
            }
        }
    };
}

extras! {
    /// The congestion window, segments (`tcpi_snd_cwnd`).
    congestion_window_segments: u64,
    /// How fast the kernel lets the connection send, bytes each second; `u64::MAX`: without limit
    /// (`tcpi_pacing_rate`).
    pacing_rate: u64,
    /// The limit of that which the program set (`SO_MAX_PACING_RATE`); `u64::MAX`: none (`tcpi_max_pacing_rate`).
    max_pacing_rate: u64,
    /// How fast the peer got what was sent, bytes each second by the latest sample; `None` before the first
    /// (`tcpi_delivery_rate`).
    delivery_rate: u64,
    /// Whether that is the program's own rate, which sent less than the path would take.
    delivery_rate_application_limited: bool,
    /// BBR's estimate of the path, bytes each second (`bbr_bw_lo`, `bbr_bw_hi`).
    bbr_bandwidth: u64,
    /// BBR's shortest round-trip time (`bbr_min_rtt`).
    bbr_min_rtt: Duration,
    /// Segments that the peer got (`tcpi_delivered`).
    segments_delivered: u64,
    /// Of these, those whose acknowledgement told of congestion (`tcpi_delivered_ce`).
    segments_delivered_with_congestion: u64,
    /// How long there was something to send or to be acknowledged (`tcpi_busy_time`).
    busy_time: Duration,
    /// How much of that the send buffer was too small (`tcpi_sndbuf_limited`).
    send_buffer_limited_time: Duration,
    /// Segments sent and not acknowledged (`tcpi_unacked`).
    segments_unacknowledged: u64,
    /// Of these, those that the peer has out of order (`tcpi_sacked`).
    segments_selectively_acknowledged: u64,
    /// Of these, those that count as lost (`tcpi_lost`).
    segments_lost: u64,
    /// Of these, those under way a second time (`tcpi_retrans`).
    segments_retransmitting: u64,
    /// How often segments were seen to overtake each other (`tcpi_reord_seen`).
    reordering_events: u64,
    /// Segments received out of order (`tcpi_rcv_ooopack`).
    segments_received_out_of_order: u64,
    /// How often the connection tried another path (`tcpi_rehash`).
    path_changes: u64,
    /// How long it recovered from time-outs (`tcpi_total_rto_time`).
    timeout_recovery_time: Duration,
    /// The path's MTU, bytes (`tcpi_pmtu`).
    path_mtu: u64,
    /// The largest segment that the peer is thought to send, bytes (`tcpi_rcv_mss`).
    receive_mss: u64,
    /// The receiver's own estimate of the round-trip time; `None` before the first (`tcpi_rcv_rtt`).
    receive_rtt: Duration,
    /// What the program reads in one round trip, bytes, by which the receive buffer grows (`tcpi_rcv_space`).
    receive_space: u64,
    /// The receive window's limit for the time being, bytes (`tcpi_rcv_ssthresh`).
    receive_window_threshold: u64,
    /// The time-out of the acknowledgement that is held back (`tcpi_ato`).
    delayed_ack_timeout: Duration,
    /// How long ago data was sent (`tcpi_last_data_sent`).
    since_data_sent: Duration,
    /// How long ago data came (`tcpi_last_data_recv`).
    since_data_received: Duration,
    /// How long ago an acknowledgement came (`tcpi_last_ack_recv`).
    since_ack_received: Duration,
    /// Whether time stamps are in use (`TCPI_OPT_TIMESTAMPS`).
    timestamps: bool,
    /// Whether selective acknowledgements are in use (`TCPI_OPT_SACK`).
    selective_acknowledgements: bool,
    /// Whether the ends agreed on congestion notification (`TCPI_OPT_ECN`).
    ecn: bool,
    /// Whether a packet came that allows it (`TCPI_OPT_ECN_SEEN`).
    ecn_seen: bool,
    /// Whether data came or went with the SYN (`TCPI_OPT_SYN_DATA`).
    syn_data: bool,
    /// The receive buffer, bytes of kernel memory (`SK_MEMINFO_RCVBUF`).
    receive_buffer: u64,
    /// What of it is taken (`SK_MEMINFO_RMEM_ALLOC`).
    receive_buffer_used: u64,
    /// The send buffer, bytes of kernel memory (`SK_MEMINFO_SNDBUF`).
    send_buffer: u64,
    /// What of it is taken (`SK_MEMINFO_WMEM_QUEUED`).
    send_buffer_used: u64,
    /// Packets that found no room in the socket (`SK_MEMINFO_DROPS`).
    drops: u64,
}
