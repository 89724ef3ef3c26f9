//! The classes of RFC 4898, as Windows has them.
//!
//! Members that Windows always has at 0 (`QuenchRcvd`, `AckAfterFr`, `EcnSent`, `EcnNoncesRcvd`) are left out.

use super::{EstatsMember, member};
use std::time::Duration;

/// A class: Windows' structure, and its members with Windows' names.
macro_rules! classes {
    ($(
        $(#[$about:meta])* $class:ident = $alias:literal {
            $($(#[$doc:meta])* $windows:literal $name:ident: $type:ty,)*
        }
    )*) => {$(
        $(#[$about])*
        #[doc(alias = $alias)]
        #[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
        #[non_exhaustive]
        pub struct $class {
            $($(#[$doc])* #[doc(alias = $windows)] pub $name: Option<$type>,)*
        }

        impl $class {
            pub(super) fn members(&self) -> Vec<EstatsMember> {
                vec![$(member(stringify!($name), self.$name),)*]
            }
        }
    )*};
}

classes! {
    /// What the two ends told each other when they connected.
    SynOptionEstats = "TCP_ESTATS_SYN_OPTS_ROS_v0" {
        /// Whether this end began. Linux tells while it waits for the answer (`SYN_SENT`), and forgets it then.
        "ActiveOpen" active_open: bool,
        /// The largest segment that the peer said it takes, bytes.
        "MssRcvd" mss_received: u64,
        /// The largest segment that this end said it takes, bytes. Linux: `tcpi_advmss`.
        "MssSent" mss_sent: u64,
    }

    /// Bytes and segments, in and out, since the connection was made.
    DataEstats = "TCP_ESTATS_DATA_ROD_v0" {
        /// Data bytes sent, those sent again among them. Linux: `tcpi_bytes_sent`.
        "DataBytesOut" data_bytes_out: u64,
        /// Segments sent with data. Linux: `tcpi_data_segs_out`, of 32 bits.
        "DataSegsOut" data_segments_out: u64,
        /// Data bytes received, those received again among them.
        "DataBytesIn" data_bytes_in: u64,
        /// Segments received with data. Linux: `tcpi_data_segs_in`, of 32 bits.
        "DataSegsIn" data_segments_in: u64,
        /// Segments sent. Linux: `tcpi_segs_out`, of 32 bits.
        "SegsOut" segments_out: u64,
        /// Segments received. Linux: `tcpi_segs_in`, of 32 bits.
        "SegsIn" segments_in: u64,
        /// Segments that failed a check of sequence numbers or time stamps.
        "SoftErrors" soft_errors: u64,
        /// Which check failed last (`TCP_SOFT_ERROR`).
        "SoftErrorReason" soft_error_reason: u64,
        /// The oldest sequence number that is not acknowledged.
        "SndUna" send_unacknowledged: u64,
        /// The next sequence number to send.
        "SndNxt" send_next: u64,
        /// The farthest sequence number that was sent.
        "SndMax" send_max: u64,
        /// Bytes that the peer acknowledged: the way that `SND.UNA` has come, of which SYN and FIN are one each. Linux:
        /// `tcpi_bytes_acked`.
        "ThruBytesAcked" bytes_acknowledged: u64,
        /// The next sequence number to receive.
        "RcvNxt" receive_next: u64,
        /// Bytes received in order: the way that `RCV.NXT` has come, of which a FIN is one. Linux: `tcpi_bytes_received`.
        "ThruBytesReceived" bytes_received: u64,
    }

    /// What limits the sender.
    SendCongestionEstats = "TCP_ESTATS_SND_CONG_ROD_v0" {
        /// The largest congestion window that may be used, bytes (`TCP_ESTATS_SND_CONG_ROS_v0`).
        "LimCwnd" congestion_window_limit: u64,
        /// How often the peer's window became the limit.
        "SndLimTransRwin" receiver_limited_transitions: u64,
        /// How long it was. Linux: `tcpi_rwnd_limited`, by the kernel's clock tick.
        "SndLimTimeRwin" receiver_limited_time: Duration,
        /// Bytes sent meanwhile.
        "SndLimBytesRwin" receiver_limited_bytes: u64,
        /// How often the congestion window became the limit.
        "SndLimTransCwnd" congestion_limited_transitions: u64,
        /// How long it was.
        "SndLimTimeCwnd" congestion_limited_time: Duration,
        /// Bytes sent meanwhile.
        "SndLimBytesCwnd" congestion_limited_bytes: u64,
        /// How often the sender became the limit.
        "SndLimTransSnd" sender_limited_transitions: u64,
        /// How long it was.
        "SndLimTimeSnd" sender_limited_time: Duration,
        /// Bytes sent meanwhile.
        "SndLimBytesSnd" sender_limited_bytes: u64,
        /// How often slow start made the congestion window larger.
        "SlowStart" slow_start: u64,
        /// How often congestion avoidance made the congestion window larger.
        "CongAvoid" congestion_avoidance: u64,
        /// How often it was made smaller for other reasons than congestion.
        "OtherReductions" other_reductions: u64,
        /// The congestion window, bytes. Linux: `tcpi_snd_cwnd` segments of `tcpi_snd_mss` bytes.
        "CurCwnd" congestion_window: u64,
        /// The largest congestion window in slow start, bytes.
        "MaxSsCwnd" max_slow_start_window: u64,
        /// The largest congestion window in congestion avoidance, bytes.
        "MaxCaCwnd" max_congestion_avoidance_window: u64,
        /// The congestion window at which slow start ends, bytes; `u32::MAX` where nothing has set one yet. Linux:
        /// `tcpi_snd_ssthresh` segments of `tcpi_snd_mss` bytes.
        "CurSsthresh" slow_start_threshold: u64,
        /// The largest value of it, the first not counted, bytes.
        "MaxSsthresh" max_slow_start_threshold: u64,
        /// The smallest value of it, bytes.
        "MinSsthresh" min_slow_start_threshold: u64,
    }

    /// Losses, order and times of the path.
    PathEstats = "TCP_ESTATS_PATH_ROD_v0" {
        /// How often segments were sent again for duplicate acknowledgements.
        "FastRetran" fast_retransmits: u64,
        /// Time-outs that began a recovery. Linux: `tcpi_total_rto_recoveries`, of 16 bits, from 6.7.
        "Timeouts" timeouts: u64,
        /// Time-outs after a time-out, the time doubled. Linux: `tcpi_total_rto` less that, from 6.7.
        "SubsequentTimeouts" subsequent_timeouts: u64,
        /// Time-outs since the peer last acknowledged something new. Linux: `tcpi_retransmits`.
        "CurTimeoutCount" current_timeouts: u64,
        /// Time-outs that no duplicate acknowledgement came before.
        "AbruptTimeouts" abrupt_timeouts: u64,
        /// Segments sent again. Linux: `tcpi_total_retrans`.
        "PktsRetrans" segments_retransmitted: u64,
        /// Data bytes sent again. Linux: `tcpi_bytes_retrans`.
        "BytesRetrans" bytes_retransmitted: u64,
        /// Duplicate acknowledgements received.
        "DupAcksIn" duplicate_acks_in: u64,
        /// Segments received with a SACK option.
        "SacksRcvd" sacks_received: u64,
        /// Blocks in these.
        "SackBlocksRcvd" sack_blocks_received: u64,
        /// How often the congestion window was made smaller for congestion.
        "CongSignals" congestion_signals: u64,
        /// Sum of the congestion windows before each, bytes.
        "PreCongSumCwnd" pre_congestion_window_sum: u64,
        /// Sum of the round-trip times before each.
        "PreCongSumRtt" pre_congestion_rtt_sum: Duration,
        /// Sum of the round-trip times after each.
        "PostCongSumRtt" post_congestion_rtt_sum: Duration,
        /// How many these are.
        "PostCongCountRtt" post_congestion_rtt_count: u64,
        /// Segments received with the news of congestion (ECE).
        "EcnSignals" ecn_signals: u64,
        /// Segments received with the mark of congestion (CE) in the IP header. Linux: `tcpi_received_ce`, from 6.18.
        "EceRcvd" ce_received: u64,
        /// How often this host's own shortages counted as congestion.
        "SendStall" send_stalls: u64,
        /// Duplicate acknowledgements after which a segment is sent again. Linux: `tcpi_reordering`, which adapts.
        "RetranThresh" retransmit_threshold: u64,
        /// Times that duplicate acknowledgements began to come.
        "SndDupAckEpisodes" duplicate_ack_episodes: u64,
        /// Bytes that were overtaken.
        "SumBytesReordered" bytes_reordered: u64,
        /// Duplicate acknowledgements that led to no recovery.
        "NonRecovDa" non_recovery_duplicate_acks: u64,
        /// Times of such.
        "NonRecovDaEpisodes" non_recovery_episodes: u64,
        /// Duplicates that the peer told of (D-SACK). Linux: `tcpi_dsack_dups`.
        "DsackDups" dsack_duplicates: u64,
        /// The latest sample of the round-trip time.
        "SampleRtt" sample_rtt: Duration,
        /// The smoothed round-trip time. Linux: `tcpi_rtt`; `None` before the first sample.
        "SmoothedRtt" smoothed_rtt: Duration,
        /// Its variation: the mean deviation. Linux: `tcpi_rttvar`; `None` before the first sample.
        "RttVar" rtt_variation: Duration,
        /// The longest sample.
        "MaxRtt" max_rtt: Duration,
        /// The shortest sample. Linux: `tcpi_min_rtt`, the shortest of the latest `net.ipv4.tcp_min_rtt_wlen` seconds
        /// (300 unless somebody changed it).
        "MinRtt" min_rtt: Duration,
        /// Sum of all samples.
        "SumRtt" rtt_sum: Duration,
        /// How many these are.
        "CountRtt" rtt_count: u64,
        /// The retransmission time-out. Linux: `tcpi_rto`.
        "CurRto" retransmit_timeout: Duration,
        /// The longest value of it.
        "MaxRto" max_retransmit_timeout: Duration,
        /// The shortest value of it.
        "MinRto" min_retransmit_timeout: Duration,
        /// The largest segment that is sent, bytes. Linux: `tcpi_snd_mss`.
        "CurMss" mss: u64,
        /// The largest value of it, bytes.
        "MaxMss" max_mss: u64,
        /// The smallest value of it, bytes.
        "MinMss" min_mss: u64,
        /// Time-outs that proved too early.
        "SpuriousRtoDetections" spurious_timeouts: u64,
    }

    /// What waits to be sent, or to be acknowledged.
    SendBufferEstats = "TCP_ESTATS_SEND_BUFF_ROD_v0" {
        /// Data bytes that are sent and not acknowledged. Linux: `idiag_wqueue` less `tcpi_notsent_bytes`.
        "CurRetxQueue" retransmit_queue: u64,
        /// The largest value of it.
        "MaxRetxQueue" max_retransmit_queue: u64,
        /// Data bytes that wait to be sent for the first time. Linux: `tcpi_notsent_bytes`.
        "CurAppWQueue" unsent_queue: u64,
        /// The largest value of it.
        "MaxAppWQueue" max_unsent_queue: u64,
    }

    /// This end as receiver.
    ReceiveEstats = "TCP_ESTATS_REC_ROD_v0" {
        /// The window that was advertised last, bytes. Linux: `tcpi_rcv_wnd`, from 6.2.
        "CurRwinSent" window_sent: u64,
        /// The largest one.
        "MaxRwinSent" max_window_sent: u64,
        /// The smallest one.
        "MinRwinSent" min_window_sent: u64,
        /// The largest that may be advertised, bytes.
        "LimRwin" window_limit: u64,
        /// Times that duplicate acknowledgements began to be sent.
        "DupAckEpisodes" duplicate_ack_episodes: u64,
        /// Duplicate acknowledgements sent.
        "DupAcksOut" duplicate_acks_out: u64,
        /// As [`ce_received`](PathEstats::ce_received) of the path.
        "CeRcvd" ce_received: u64,
        /// Bytes of sequence space that the data out of order spans.
        "CurReasmQueue" reassembly_queue: u64,
        /// The largest value of it.
        "MaxReasmQueue" max_reassembly_queue: u64,
        /// Data bytes that wait to be read by the program. Linux: `idiag_rqueue`.
        "CurAppRQueue" unread_queue: u64,
        /// The largest value of it.
        "MaxAppRQueue" max_unread_queue: u64,
        /// The shift of this end's windows. `None` where they are not scaled. Linux: `tcpi_rcv_wscale`.
        "WinScaleSent" window_scale_sent: u64,
    }

    /// The peer as receiver.
    ObservedReceiverEstats = "TCP_ESTATS_OBS_REC_ROD_v0" {
        /// The window that the peer advertised last, bytes. Linux: `tcpi_snd_wnd`.
        "CurRwinRcvd" window_received: u64,
        /// The largest one.
        "MaxRwinRcvd" max_window_received: u64,
        /// The smallest one.
        "MinRwinRcvd" min_window_received: u64,
        /// The shift of the peer's windows. `None` where they are not scaled. Linux: `tcpi_snd_wscale`.
        "WinScaleRcvd" window_scale_received: u64,
    }

    /// What the path carries.
    BandwidthEstats = "TCP_ESTATS_BANDWIDTH_ROD_v0" {
        /// The estimate of what the path takes, bits each second. Linux: BBR's own (`bbr_bw`) where BBR controls the
        /// connection, else the latest `tcpi_delivery_rate` unless the program sent too little to find out.
        "OutboundBandwidth" outbound: u64,
        /// The estimate of what comes, bits each second.
        "InboundBandwidth" inbound: u64,
        /// How much the estimate moves, bits each second.
        "OutboundInstability" outbound_instability: u64,
        /// As that, inbound.
        "InboundInstability" inbound_instability: u64,
        /// Whether the estimate has reached its peak.
        "OutboundBandwidthPeaked" outbound_peaked: bool,
        /// As that, inbound.
        "InboundBandwidthPeaked" inbound_peaked: bool,
    }

    /// Round-trip times by the microsecond.
    FineRttEstats = "TCP_ESTATS_FINE_RTT_ROD_v0" {
        /// As [`rtt_variation`](PathEstats::rtt_variation) of the path.
        "RttVar" rtt_variation: Duration,
        /// The longest sample.
        "MaxRtt" max_rtt: Duration,
        /// As [`min_rtt`](PathEstats::min_rtt) of the path.
        "MinRtt" min_rtt: Duration,
        /// The smoothed round-trip time, which Windows calls a sum. Linux: `tcpi_rtt`.
        "SumRtt" smoothed_rtt: Duration,
    }
}
