//! The classes as C's structures. What is not known is 0, a window scale all bits; counters are cut to their members' bits.

use super::bandwidth_switches;
use crate::memory::gaps::{self, Given};
use crate::raw::{
    TCP_ESTATS_BANDWIDTH_ROD_v0, TCP_ESTATS_BANDWIDTH_RW_v0, TCP_ESTATS_DATA_ROD_v0, TCP_ESTATS_DATA_RW_v0,
    TCP_ESTATS_FINE_RTT_ROD_v0, TCP_ESTATS_OBS_REC_ROD_v0, TCP_ESTATS_PATH_ROD_v0, TCP_ESTATS_REC_ROD_v0,
    TCP_ESTATS_SEND_BUFF_ROD_v0, TCP_ESTATS_SND_CONG_ROD_v0, TCP_ESTATS_SND_CONG_ROS_v0,
    TCP_ESTATS_SYN_OPTS_ROS_v0, ULONG64,
};
use iphelper::tcp::estats::{TcpEstats, TcpEstatsCollection, TcpEstatsSwitch};
use std::time::Duration;

/// A class of statistics.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Class {
    SynOptions,
    Data,
    SendCongestion,
    Path,
    SendBuffer,
    Receive,
    ObservedReceiver,
    Bandwidth,
    FineRtt,
}

impl Class {
    /// The class's one switch; none for those with no switch or with two.
    pub(super) fn switch(self) -> Option<TcpEstatsSwitch> {
        Some(match self {
            Self::SynOptions | Self::Bandwidth => return None,
            Self::Data => TcpEstatsSwitch::Data,
            Self::SendCongestion => TcpEstatsSwitch::SendCongestion,
            Self::Path => TcpEstatsSwitch::Path,
            Self::SendBuffer => TcpEstatsSwitch::SendBuffer,
            Self::Receive => TcpEstatsSwitch::Receive,
            Self::ObservedReceiver => TcpEstatsSwitch::ObservedReceiver,
            Self::FineRtt => TcpEstatsSwitch::FineRtt,
        })
    }

    /// The sizes of switch, static part and dynamic part; 0 for a part that the class does not have.
    pub(super) fn sizes(self) -> [usize; 3] {
        let rw = match self {
            Self::SynOptions => 0,
            Self::Bandwidth => size_of::<TCP_ESTATS_BANDWIDTH_RW_v0>(),
            // The structures of all other classes are one BOOLEAN.
            _ => size_of::<TCP_ESTATS_DATA_RW_v0>(),
        };
        let (ros, rod) = match self {
            Self::SynOptions => (size_of::<TCP_ESTATS_SYN_OPTS_ROS_v0>(), 0),
            Self::Data => (0, size_of::<TCP_ESTATS_DATA_ROD_v0>()),
            Self::SendCongestion => {
                (size_of::<TCP_ESTATS_SND_CONG_ROS_v0>(), size_of::<TCP_ESTATS_SND_CONG_ROD_v0>())
            }
            Self::Path => (0, size_of::<TCP_ESTATS_PATH_ROD_v0>()),
            Self::SendBuffer => (0, size_of::<TCP_ESTATS_SEND_BUFF_ROD_v0>()),
            Self::Receive => (0, size_of::<TCP_ESTATS_REC_ROD_v0>()),
            Self::ObservedReceiver => (0, size_of::<TCP_ESTATS_OBS_REC_ROD_v0>()),
            Self::Bandwidth => (0, size_of::<TCP_ESTATS_BANDWIDTH_ROD_v0>()),
            Self::FineRtt => (0, size_of::<TCP_ESTATS_FINE_RTT_ROD_v0>()),
        };
        [rw, ros, rod]
    }

    /// Writes the parts that the class has where there is a buffer: switch, static part, dynamic part.
    ///
    /// # Safety
    /// Each buffer is NULL or has as many bytes as [`sizes`](Self::sizes) says.
    pub(super) unsafe fn fill(
        self,
        estats: &TcpEstats,
        switches: TcpEstatsCollection,
        [rw, ros, rod]: [*mut u8; 3],
    ) {
        // SAFETY: the caller's promise; `sizes` has the size of each of these structures.
        unsafe {
            match (self, self.switch()) {
                (_, Some(switch)) => write(rw, u8::from(switches.is_on(switch))),
                (Self::Bandwidth, None) => write(rw, bandwidth_switches(switches)),
                (_, None) => {}
            }
            match self {
                Self::SynOptions => write(ros, syn_options(estats)),
                Self::Data => write(rod, data(estats)),
                Self::SendCongestion => {
                    write(ros, send_congestion_limit(estats));
                    write(rod, send_congestion(estats));
                }
                Self::Path => write(rod, path(estats)),
                Self::SendBuffer => write(rod, send_buffer(estats)),
                Self::Receive => write(rod, receive(estats)),
                Self::ObservedReceiver => write(rod, observed_receiver(estats)),
                Self::Bandwidth => write(rod, bandwidth(estats)),
                Self::FineRtt => write(rod, fine_rtt(estats)),
            }
        }
    }
}

/// Writes a structure where there is a buffer, which need not be aligned.
///
/// # Safety
/// `buffer` is NULL or has room for it.
unsafe fn write<T: Given>(buffer: *mut u8, value: T) {
    if !buffer.is_null() {
        // SAFETY: the caller's promise.
        unsafe { gaps::write(buffer.cast::<T>(), value) };
    }
}

/// The lower half of a counter.
fn low(counter: Option<u64>) -> u32 {
    (counter.unwrap_or(0) & u64::from(u32::MAX)) as u32
}

/// A size or a limit, which does not wrap.
fn most(size: Option<u64>) -> u32 {
    u32::try_from(size.unwrap_or(0)).unwrap_or(u32::MAX)
}

fn long(counter: Option<u64>) -> ULONG64 {
    ULONG64(counter.unwrap_or(0))
}

fn wide(size: Option<u64>) -> usize {
    usize::try_from(size.unwrap_or(0)).unwrap_or(usize::MAX)
}

fn millis(time: Option<Duration>) -> u32 {
    time.map_or(0, |time| u32::try_from(time.as_millis()).unwrap_or(u32::MAX))
}

fn micros(time: Option<Duration>) -> u32 {
    time.map_or(0, |time| u32::try_from(time.as_micros()).unwrap_or(u32::MAX))
}

fn flag(flag: Option<bool>) -> u8 {
    flag.unwrap_or(false).into()
}

/// -1 in a UCHAR where windows are not scaled, as documented.
fn scale(shift: Option<u64>) -> u8 {
    shift.and_then(|shift| u8::try_from(shift).ok()).unwrap_or(u8::MAX)
}

fn syn_options(estats: &TcpEstats) -> TCP_ESTATS_SYN_OPTS_ROS_v0 {
    let it = &estats.syn_options;
    TCP_ESTATS_SYN_OPTS_ROS_v0 {
        ActiveOpen: flag(it.active_open),
        MssRcvd: most(it.mss_received),
        MssSent: most(it.mss_sent),
    }
}

fn data(estats: &TcpEstats) -> TCP_ESTATS_DATA_ROD_v0 {
    let it = &estats.data;
    TCP_ESTATS_DATA_ROD_v0 {
        DataBytesOut: long(it.data_bytes_out),
        DataSegsOut: long(it.data_segments_out),
        DataBytesIn: long(it.data_bytes_in),
        DataSegsIn: long(it.data_segments_in),
        SegsOut: long(it.segments_out),
        SegsIn: long(it.segments_in),
        SoftErrors: low(it.soft_errors),
        SoftErrorReason: low(it.soft_error_reason),
        SndUna: low(it.send_unacknowledged),
        SndNxt: low(it.send_next),
        SndMax: low(it.send_max),
        ThruBytesAcked: long(it.bytes_acknowledged),
        RcvNxt: low(it.receive_next),
        ThruBytesReceived: long(it.bytes_received),
    }
}

fn send_congestion_limit(estats: &TcpEstats) -> TCP_ESTATS_SND_CONG_ROS_v0 {
    TCP_ESTATS_SND_CONG_ROS_v0 { LimCwnd: most(estats.send_congestion.congestion_window_limit) }
}

fn send_congestion(estats: &TcpEstats) -> TCP_ESTATS_SND_CONG_ROD_v0 {
    let it = &estats.send_congestion;
    TCP_ESTATS_SND_CONG_ROD_v0 {
        SndLimTransRwin: low(it.receiver_limited_transitions),
        SndLimTimeRwin: millis(it.receiver_limited_time),
        SndLimBytesRwin: wide(it.receiver_limited_bytes),
        SndLimTransCwnd: low(it.congestion_limited_transitions),
        SndLimTimeCwnd: millis(it.congestion_limited_time),
        SndLimBytesCwnd: wide(it.congestion_limited_bytes),
        SndLimTransSnd: low(it.sender_limited_transitions),
        SndLimTimeSnd: millis(it.sender_limited_time),
        SndLimBytesSnd: wide(it.sender_limited_bytes),
        SlowStart: low(it.slow_start),
        CongAvoid: low(it.congestion_avoidance),
        OtherReductions: low(it.other_reductions),
        CurCwnd: most(it.congestion_window),
        MaxSsCwnd: most(it.max_slow_start_window),
        MaxCaCwnd: most(it.max_congestion_avoidance_window),
        CurSsthresh: most(it.slow_start_threshold),
        MaxSsthresh: most(it.max_slow_start_threshold),
        MinSsthresh: most(it.min_slow_start_threshold),
    }
}

fn path(estats: &TcpEstats) -> TCP_ESTATS_PATH_ROD_v0 {
    let it = &estats.path;
    TCP_ESTATS_PATH_ROD_v0 {
        FastRetran: low(it.fast_retransmits),
        Timeouts: low(it.timeouts),
        SubsequentTimeouts: low(it.subsequent_timeouts),
        CurTimeoutCount: low(it.current_timeouts),
        AbruptTimeouts: low(it.abrupt_timeouts),
        PktsRetrans: low(it.segments_retransmitted),
        BytesRetrans: low(it.bytes_retransmitted),
        DupAcksIn: low(it.duplicate_acks_in),
        SacksRcvd: low(it.sacks_received),
        SackBlocksRcvd: low(it.sack_blocks_received),
        CongSignals: low(it.congestion_signals),
        PreCongSumCwnd: low(it.pre_congestion_window_sum),
        PreCongSumRtt: millis(it.pre_congestion_rtt_sum),
        PostCongSumRtt: millis(it.post_congestion_rtt_sum),
        PostCongCountRtt: low(it.post_congestion_rtt_count),
        EcnSignals: low(it.ecn_signals),
        EceRcvd: low(it.ce_received),
        SendStall: low(it.send_stalls),
        // Windows never has another value.
        QuenchRcvd: 0,
        RetranThresh: low(it.retransmit_threshold),
        SndDupAckEpisodes: low(it.duplicate_ack_episodes),
        SumBytesReordered: low(it.bytes_reordered),
        NonRecovDa: low(it.non_recovery_duplicate_acks),
        NonRecovDaEpisodes: low(it.non_recovery_episodes),
        AckAfterFr: 0,
        DsackDups: low(it.dsack_duplicates),
        SampleRtt: millis(it.sample_rtt),
        SmoothedRtt: millis(it.smoothed_rtt),
        RttVar: millis(it.rtt_variation),
        MaxRtt: millis(it.max_rtt),
        MinRtt: millis(it.min_rtt),
        SumRtt: millis(it.rtt_sum),
        CountRtt: low(it.rtt_count),
        CurRto: millis(it.retransmit_timeout),
        MaxRto: millis(it.max_retransmit_timeout),
        MinRto: millis(it.min_retransmit_timeout),
        CurMss: most(it.mss),
        MaxMss: most(it.max_mss),
        MinMss: most(it.min_mss),
        SpuriousRtoDetections: low(it.spurious_timeouts),
    }
}

fn send_buffer(estats: &TcpEstats) -> TCP_ESTATS_SEND_BUFF_ROD_v0 {
    let it = &estats.send_buffer;
    TCP_ESTATS_SEND_BUFF_ROD_v0 {
        CurRetxQueue: wide(it.retransmit_queue),
        MaxRetxQueue: wide(it.max_retransmit_queue),
        CurAppWQueue: wide(it.unsent_queue),
        MaxAppWQueue: wide(it.max_unsent_queue),
    }
}

fn receive(estats: &TcpEstats) -> TCP_ESTATS_REC_ROD_v0 {
    let it = &estats.receive;
    TCP_ESTATS_REC_ROD_v0 {
        CurRwinSent: most(it.window_sent),
        MaxRwinSent: most(it.max_window_sent),
        MinRwinSent: most(it.min_window_sent),
        LimRwin: most(it.window_limit),
        DupAckEpisodes: low(it.duplicate_ack_episodes),
        DupAcksOut: low(it.duplicate_acks_out),
        CeRcvd: low(it.ce_received),
        // Windows never has another value.
        EcnSent: 0,
        EcnNoncesRcvd: 0,
        CurReasmQueue: most(it.reassembly_queue),
        MaxReasmQueue: most(it.max_reassembly_queue),
        CurAppRQueue: wide(it.unread_queue),
        MaxAppRQueue: wide(it.max_unread_queue),
        WinScaleSent: scale(it.window_scale_sent),
    }
}

fn observed_receiver(estats: &TcpEstats) -> TCP_ESTATS_OBS_REC_ROD_v0 {
    let it = &estats.observed_receiver;
    TCP_ESTATS_OBS_REC_ROD_v0 {
        CurRwinRcvd: most(it.window_received),
        MaxRwinRcvd: most(it.max_window_received),
        MinRwinRcvd: most(it.min_window_received),
        WinScaleRcvd: scale(it.window_scale_received),
    }
}

fn bandwidth(estats: &TcpEstats) -> TCP_ESTATS_BANDWIDTH_ROD_v0 {
    let it = &estats.bandwidth;
    TCP_ESTATS_BANDWIDTH_ROD_v0 {
        OutboundBandwidth: long(it.outbound),
        InboundBandwidth: long(it.inbound),
        OutboundInstability: long(it.outbound_instability),
        InboundInstability: long(it.inbound_instability),
        OutboundBandwidthPeaked: flag(it.outbound_peaked),
        InboundBandwidthPeaked: flag(it.inbound_peaked),
    }
}

fn fine_rtt(estats: &TcpEstats) -> TCP_ESTATS_FINE_RTT_ROD_v0 {
    let it = &estats.fine_rtt;
    TCP_ESTATS_FINE_RTT_ROD_v0 {
        RttVar: micros(it.rtt_variation),
        MaxRtt: micros(it.max_rtt),
        MinRtt: micros(it.min_rtt),
        SumRtt: micros(it.smoothed_rtt),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_as_long_as_said() {
        use Class::{
            Bandwidth, Data, FineRtt, ObservedReceiver, Path, Receive, SendBuffer, SendCongestion, SynOptions,
        };
        let classes = [
            SynOptions,
            Data,
            SendCongestion,
            Path,
            SendBuffer,
            Receive,
            ObservedReceiver,
            Bandwidth,
            FineRtt,
        ];
        for class in classes {
            let mut buffers = [[0xA5_u8; 256]; 3];
            let (estats, switches) = (TcpEstats::default(), TcpEstatsCollection::default());
            // SAFETY: no structure is longer than the buffers; then none is written.
            unsafe {
                class.fill(&estats, switches, buffers.each_mut().map(|buffer| buffer.as_mut_ptr().add(1)));
                class.fill(&estats, switches, [std::ptr::null_mut(); 3]);
            }
            for (buffer, size) in buffers.iter().zip(class.sizes()) {
                assert_eq!(buffer[0], 0xA5);
                // Bytes between members may be anything, those behind the structure are nobody's.
                assert!(size == 0 || buffer[1] != 0xA5, "{class:?}");
                assert!(buffer[1 + size..].iter().all(|byte| *byte == 0xA5), "{class:?}");
            }
        }
    }

    #[test]
    fn what_is_not_known_and_what_is_too_long_have_their_form() {
        assert_eq!((scale(None), scale(Some(7)), scale(Some(300))), (255, 7, 255));
        assert_eq!((low(Some(1 << 32 | 5)), most(Some(1 << 32 | 5)), most(None)), (5, u32::MAX, 0));
        assert_eq!(millis(Some(Duration::from_micros(1999))), 1);
        assert_eq!(micros(Some(Duration::from_secs(10_000))), u32::MAX);
        assert_eq!(observed_receiver(&TcpEstats::default()).WinScaleRcvd, 255);
    }
}
