//! What each field of the kernel's is as a member.
//!
//! Checked against the kernel's sources: `net/ipv4/tcp.c` (`tcp_get_info`), `tcp_diag.c`, `tcp_input.c`, `tcp_timer.c`. Where
//! its count is another than RFC 4898 means, the member is not filled.

use crate::tcp::estats::{
    BandwidthEstats, CongestionState, DataEstats, FineRttEstats, KernelEstats, ObservedReceiverEstats,
    PathEstats, ReceiveEstats, SendBufferEstats, SendCongestionEstats, SynOptionEstats, TcpEstats,
};
use iphelper_netlink::DecodeError;
use iphelper_netlink::sock_diag::inet::{SocketRow, State};
use iphelper_netlink::sock_diag::tcp_info::TcpInfo;
use std::time::Duration;

/// `TCP_INFINITE_SSTHRESH`: no threshold yet.
const NO_THRESHOLD: u32 = 0x7fff_ffff;
const BITS: u64 = 8;

pub(super) fn estats(row: &SocketRow<'_>, info: &TcpInfo<'_>) -> Result<TcpEstats, DecodeError> {
    let bbr = row.bbr()?;
    let sampled = info.rtt().filter(|rtt| *rtt != 0);
    let smoothed_rtt = micros(sampled);
    let rtt_variation = sampled.and(micros(info.rttvar()));
    let min_rtt = micros(info.min_rtt().filter(|rtt| *rtt != u32::MAX));
    let ce_received = wide(info.received_ce());
    let mss = wide(info.snd_mss());
    let scales = info.window_scales();
    let limited = info.delivery_rate_app_limited();
    let rate = info.delivery_rate().filter(|rate| *rate != 0);
    let estimate = match (bbr, limited) {
        (Some(bbr), _) => Some(bbr.bandwidth).filter(|bandwidth| *bandwidth != 0),
        (None, Some(false)) => rate,
        (None, _) => None,
    };
    let (retransmit_queue, unsent_queue) = send_queues(row, info);
    let recoveries = info.total_rto_recoveries().map(u64::from);
    Ok(TcpEstats {
        syn_options: SynOptionEstats {
            active_open: (row.state() == State::SYN_SENT).then_some(true),
            mss_sent: wide(info.advmss()),
            ..SynOptionEstats::default()
        },
        data: DataEstats {
            data_bytes_out: info.bytes_sent(),
            data_segments_out: wide(info.data_segs_out()),
            data_segments_in: wide(info.data_segs_in()),
            segments_out: wide(info.segs_out()),
            segments_in: wide(info.segs_in()),
            bytes_acknowledged: info.bytes_acked(),
            bytes_received: info.bytes_received(),
            ..DataEstats::default()
        },
        send_congestion: SendCongestionEstats {
            receiver_limited_time: info.rwnd_limited().map(Duration::from_micros),
            congestion_window: product(info.snd_cwnd(), info.snd_mss()),
            slow_start_threshold: match info.snd_ssthresh() {
                Some(NO_THRESHOLD) => Some(u32::MAX.into()),
                segments => product(segments, info.snd_mss()),
            },
            ..SendCongestionEstats::default()
        },
        path: PathEstats {
            timeouts: recoveries,
            subsequent_timeouts: recoveries
                .and_then(|first| info.total_rto().map(|all| u64::from(all).saturating_sub(first))),
            current_timeouts: info.retransmits().map(u64::from),
            segments_retransmitted: wide(info.total_retrans()),
            bytes_retransmitted: info.bytes_retrans(),
            ce_received,
            retransmit_threshold: wide(info.reordering()),
            dsack_duplicates: wide(info.dsack_dups()),
            smoothed_rtt,
            rtt_variation,
            min_rtt,
            retransmit_timeout: micros(info.rto()),
            mss,
            ..PathEstats::default()
        },
        send_buffer: SendBufferEstats { retransmit_queue, unsent_queue, ..SendBufferEstats::default() },
        receive: ReceiveEstats {
            window_sent: wide(info.rcv_wnd()),
            ce_received,
            unread_queue: Some(unread(row)),
            window_scale_sent: scales.map(|(_, own)| own.into()),
            ..ReceiveEstats::default()
        },
        observed_receiver: ObservedReceiverEstats {
            window_received: wide(info.snd_wnd()),
            window_scale_received: scales.map(|(peer, _)| peer.into()),
            ..ObservedReceiverEstats::default()
        },
        bandwidth: BandwidthEstats {
            outbound: estimate.map(|bytes| bytes.saturating_mul(BITS)),
            ..BandwidthEstats::default()
        },
        fine_rtt: FineRttEstats { rtt_variation, min_rtt, smoothed_rtt, ..FineRttEstats::default() },
        kernel: kernel(row, info)?,
    })
}

fn kernel(row: &SocketRow<'_>, info: &TcpInfo<'_>) -> Result<KernelEstats, DecodeError> {
    let bbr = row.bbr()?;
    let memory = row.memory()?;
    let option = |bit: u8| info.options().map(|options| options & bit != 0);
    let rate = info.delivery_rate().filter(|rate| *rate != 0);
    let millis = |time: Option<u32>| time.map(|time| Duration::from_millis(time.into()));
    Ok(KernelEstats {
        congestion_algorithm: row.congestion()?.map(|name| String::from_utf8_lossy(name).into_owned()),
        congestion_state: info.congestion_state().map(CongestionState::from),
        congestion_window_segments: wide(info.snd_cwnd()),
        pacing_rate: info.pacing_rate(),
        max_pacing_rate: info.max_pacing_rate(),
        delivery_rate: rate,
        delivery_rate_application_limited: rate.and(info.delivery_rate_app_limited()),
        bbr_bandwidth: bbr.map(|bbr| bbr.bandwidth),
        bbr_min_rtt: micros(bbr.map(|bbr| bbr.min_rtt).filter(|rtt| *rtt != u32::MAX)),
        segments_delivered: wide(info.delivered()),
        segments_delivered_with_congestion: wide(info.delivered_ce()),
        busy_time: info.busy_time().map(Duration::from_micros),
        send_buffer_limited_time: info.sndbuf_limited().map(Duration::from_micros),
        segments_unacknowledged: wide(info.unacked()),
        segments_selectively_acknowledged: wide(info.sacked()),
        segments_lost: wide(info.lost()),
        segments_retransmitting: wide(info.retrans()),
        reordering_events: wide(info.reord_seen()),
        segments_received_out_of_order: wide(info.rcv_ooopack()),
        path_changes: wide(info.rehash()),
        timeout_recovery_time: millis(info.total_rto_time()),
        path_mtu: wide(info.pmtu()),
        receive_mss: wide(info.rcv_mss()),
        receive_rtt: micros(info.rcv_rtt().filter(|rtt| *rtt != 0)),
        receive_space: wide(info.rcv_space()),
        receive_window_threshold: wide(info.rcv_ssthresh()),
        delayed_ack_timeout: micros(info.ato()),
        since_data_sent: millis(info.last_data_sent()),
        since_data_received: millis(info.last_data_recv()),
        since_ack_received: millis(info.last_ack_recv()),
        timestamps: option(1),
        selective_acknowledgements: option(2),
        ecn: option(8),
        ecn_seen: option(16),
        syn_data: option(32),
        receive_buffer: memory.map(|memory| memory.receive_buffer.into()),
        receive_buffer_used: memory.map(|memory| memory.receive_used.into()),
        send_buffer: memory.map(|memory| memory.send_buffer.into()),
        send_buffer_used: memory.map(|memory| memory.write_queued.into()),
        drops: memory.map(|memory| memory.drops.into()),
    })
}

fn wide(number: Option<u32>) -> Option<u64> {
    number.map(u64::from)
}

fn micros(time: Option<u32>) -> Option<Duration> {
    time.map(|time| Duration::from_micros(time.into()))
}

fn product(segments: Option<u32>, bytes: Option<u32>) -> Option<u64> {
    Some(u64::from(segments?) * u64::from(bytes?))
}

/// Data bytes that are sent and not acknowledged, and those not sent yet.
///
/// The kernel counts sequence numbers, of which SYN and FIN have one each: a SYN at the beginning of what is not
/// acknowledged, a FIN at the end of what is not sent.
fn send_queues(row: &SocketRow<'_>, info: &TcpInfo<'_>) -> (Option<u64>, Option<u64>) {
    let Some(unsent) = wide(info.notsent_bytes()) else { return (None, None) };
    let sent = u64::from(row.send_queue()).saturating_sub(unsent);
    let (sent, unsent) = match row.state() {
        State::SYN_SENT | State::SYN_RECV => (sent.saturating_sub(1), unsent),
        State::FIN_WAIT1 | State::CLOSING | State::LAST_ACK if unsent > 0 => (sent, unsent - 1),
        State::FIN_WAIT1 | State::CLOSING | State::LAST_ACK => (sent.saturating_sub(1), unsent),
        _ => (sent, unsent),
    };
    (Some(sent), Some(unsent))
}

/// Data bytes that wait to be read. A FIN that came and was not read yet counts as one more in the kernel's number.
fn unread(row: &SocketRow<'_>) -> u64 {
    let queue = u64::from(row.receive_queue());
    match row.state() {
        State::CLOSE_WAIT | State::LAST_ACK | State::CLOSING => queue.saturating_sub(1),
        _ => queue,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iphelper_netlink::message::Messages;
    use iphelper_netlink::sock_diag::BY_FAMILY;

    /// The members of a row in `state` with these queues and a `tcp_info` of `len` bytes with these bytes in it.
    fn decoded(state: State, queues: (u32, u32), len: usize, fields: &[(usize, &[u8])]) -> TcpEstats {
        let mut row = [0; 72];
        (row[0], row[1]) = (2, state.0);
        row[56..60].copy_from_slice(&queues.0.to_ne_bytes());
        row[60..64].copy_from_slice(&queues.1.to_ne_bytes());
        let mut info = vec![0; len];
        for (offset, bytes) in fields {
            info[*offset..*offset + bytes.len()].copy_from_slice(bytes);
        }
        let message = crate::backend::linux::socket::scripted::message(BY_FAMILY, 0, 1, &row);
        let message = Messages::new(&message).next().unwrap().unwrap();
        estats(&SocketRow::parse(&message).unwrap(), &TcpInfo::new(&info)).unwrap()
    }

    #[test]
    fn what_a_kernel_does_not_tell_is_not_known() {
        let old = decoded(State::ESTABLISHED, (0, 0), 104, &[]);
        assert_eq!((old.path.timeouts, old.path.ce_received, old.receive.window_sent), (None, None, None));
        assert_eq!((old.path.smoothed_rtt, old.path.rtt_variation), (None, None), "no sample");
        assert_eq!((old.send_buffer.retransmit_queue, old.bandwidth.outbound), (None, None));
        assert_eq!(old.path.segments_retransmitted, Some(0));
        assert_eq!(old.receive.window_scale_sent, None);
        let none = decoded(State::ESTABLISHED, (0, 0), 0, &[]);
        assert_eq!(none.kernel.ecn, None);
        assert_eq!(
            none.members().iter().filter(|member| member.value.is_some()).count(),
            1,
            "the row's queue"
        );
    }

    #[test]
    fn time_outs_are_told_apart() {
        let ne = u16::to_ne_bytes;
        let fields = [(240, &ne(5)[..]), (242, &ne(2)[..]), (2, &[3][..])];
        let path = decoded(State::ESTABLISHED, (0, 0), 252, &fields).path;
        assert_eq!(
            (path.timeouts, path.subsequent_timeouts, path.current_timeouts),
            (Some(2), Some(3), Some(3))
        );
    }

    #[test]
    fn queues_hold_data_alone() {
        let queues = |state, received, sent, unsent: u32| {
            let estats = decoded(state, (received, sent), 252, &[(144, &unsent.to_ne_bytes())]);
            let buffer = estats.send_buffer;
            (
                estats.receive.unread_queue.unwrap(),
                buffer.retransmit_queue.unwrap(),
                buffer.unsent_queue.unwrap(),
            )
        };
        assert_eq!(queues(State::ESTABLISHED, 10, 30, 12), (10, 18, 12));
        assert_eq!(queues(State::SYN_SENT, 0, 1, 0), (0, 0, 0), "the SYN");
        assert_eq!(queues(State::FIN_WAIT1, 10, 31, 13), (10, 18, 12), "a FIN that waits");
        assert_eq!(queues(State::LAST_ACK, 0, 1, 0), (0, 0, 0), "a FIN that was sent");
        assert_eq!(queues(State::CLOSE_WAIT, 11, 30, 12), (10, 18, 12), "the peer's FIN");
        assert_eq!(queues(State::CLOSING, 0, 0, 5), (0, 0, 4), "numbers of two moments");
    }

    #[test]
    fn a_threshold_that_nothing_set_is_all_bits() {
        let fields = [(16, &1448_u32.to_ne_bytes()[..]), (76, &NO_THRESHOLD.to_ne_bytes()[..])];
        let congestion = decoded(State::ESTABLISHED, (0, 0), 252, &fields).send_congestion;
        assert_eq!(congestion.slow_start_threshold, Some(u32::MAX.into()));
        let fields = [(16, &1448_u32.to_ne_bytes()[..]), (76, &7_u32.to_ne_bytes()[..])];
        let congestion = decoded(State::ESTABLISHED, (0, 0), 252, &fields).send_congestion;
        assert_eq!(congestion.slow_start_threshold, Some(7 * 1448));
    }
}
