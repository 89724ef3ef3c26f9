//! What the kernel knows of a TCP connection beyond its row: `struct tcp_info`, memory, congestion control.
//!
//! The kernel appends to `struct tcp_info` and never moves a field, so that the length of what came tells which fields
//! there are: those of a later kernel are `None` on an earlier one.

use super::inet::SocketRow;
use crate::DecodeError;
use crate::attribute::Attribute;

/// Types of the attributes that answer: `INET_DIAG_INFO`, `INET_DIAG_CONG`, `INET_DIAG_SKMEMINFO`,
/// `INET_DIAG_BBRINFO`.
const ATTRIBUTE_INFO: u16 = 2;
const ATTRIBUTE_CONGESTION: u16 = 4;
const ATTRIBUTE_MEMORY: u16 = 7;
const ATTRIBUTE_BBR: u16 = 16;

/// `struct tcp_info` (`include/uapi/linux/tcp.h`), borrowed from the receive buffer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TcpInfo<'a>(&'a [u8]);

/// Names the fields: what each is, its type and its offset.
macro_rules! fields {
    ($($(#[$about:meta])* $name:ident: $type:ty = $offset:literal;)*) => {$(
        $(#[$about])*
        #[must_use]
        pub fn $name(&self) -> Option<$type> {
            self.bytes($offset).map(<$type>::from_ne_bytes)
        }
    )*};
}

impl<'a> TcpInfo<'a> {
    /// The structure, as long as this kernel has it.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn bytes<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.0.get(offset..)?.first_chunk().copied()
    }

    fn byte(&self, offset: usize) -> Option<u8> {
        self.0.get(offset).copied()
    }

    /// `TCPI_OPT_WSCALE` with both shifts: that of the peer's windows, and that of one's own. `None` unless both ends
    /// offered to scale.
    #[must_use]
    pub fn window_scales(&self) -> Option<(u8, u8)> {
        const SCALED: u8 = 4;
        let shifts = self.byte(6)?;
        let (low, high) = (shifts & 0xF, shifts >> 4);
        // Bit fields of four bits each, whose order follows the order of bytes.
        let scales = if cfg!(target_endian = "little") { (low, high) } else { (high, low) };
        (self.byte(5)? & SCALED != 0).then_some(scales)
    }

    /// The options that are in use: `TCPI_OPT_*` as bits.
    #[must_use]
    pub fn options(&self) -> Option<u8> {
        self.byte(5)
    }

    /// `TCP_CA_*`: 0 open, 1 disorder, 2 congestion window reduced, 3 recovery, 4 loss.
    #[must_use]
    pub fn congestion_state(&self) -> Option<u8> {
        self.byte(1)
    }

    /// How often the retransmission timer has expired since the peer last acknowledged something new.
    #[must_use]
    pub fn retransmits(&self) -> Option<u8> {
        self.byte(2)
    }

    /// Whether the program did not send enough for [`delivery_rate`](Self::delivery_rate) to be that of the path.
    #[must_use]
    pub fn delivery_rate_app_limited(&self) -> Option<bool> {
        const FIRST_BIT: u8 = if cfg!(target_endian = "little") { 1 } else { 0x80 };
        self.byte(7).map(|bits| bits & FIRST_BIT != 0)
    }

    fields! {
        /// The retransmission time-out, microseconds.
        rto: u32 = 8;
        /// The delayed acknowledgement's time-out, microseconds.
        ato: u32 = 12;
        /// The largest segment that is sent, bytes.
        snd_mss: u32 = 16;
        /// The largest segment that the peer is thought to send, bytes.
        rcv_mss: u32 = 20;
        /// Segments that are sent and not acknowledged.
        unacked: u32 = 24;
        /// Of these, those that the peer has out of order.
        sacked: u32 = 28;
        /// Of these, those taken for lost.
        lost: u32 = 32;
        /// Segments that were sent again and are under way.
        retrans: u32 = 36;
        /// Milliseconds since data was sent.
        last_data_sent: u32 = 44;
        /// Milliseconds since data came.
        last_data_recv: u32 = 52;
        /// Milliseconds since an acknowledgement came.
        last_ack_recv: u32 = 56;
        /// The path's MTU, bytes.
        pmtu: u32 = 60;
        /// The receive window's limit for the time being, bytes.
        rcv_ssthresh: u32 = 64;
        /// Smoothed round-trip time, microseconds; 0 before the first sample.
        rtt: u32 = 68;
        /// Mean deviation of it, microseconds.
        rttvar: u32 = 72;
        /// Slow start ends at this congestion window, segments; 2³¹ − 1 where nothing was lost yet.
        snd_ssthresh: u32 = 76;
        /// The congestion window, segments.
        snd_cwnd: u32 = 80;
        /// The segment size that is advertised, bytes.
        advmss: u32 = 84;
        /// How many segments may overtake one before that is taken for lost.
        reordering: u32 = 88;
        /// The receiver's own estimate of the round-trip time, microseconds.
        rcv_rtt: u32 = 92;
        /// The receive buffer's measure, bytes that the program takes in one round trip.
        rcv_space: u32 = 96;
        /// Segments that were sent again, ever.
        total_retrans: u32 = 100;
        /// Pacing, bytes each second; all bits: unlimited.
        pacing_rate: u64 = 104;
        /// The limit of pacing, bytes each second; all bits: none.
        max_pacing_rate: u64 = 112;
        /// Sum of the changes of SND.UNA.
        bytes_acked: u64 = 120;
        /// Sum of the changes of RCV.NXT.
        bytes_received: u64 = 128;
        /// Segments sent, all kinds.
        segs_out: u32 = 136;
        /// Segments received, all kinds.
        segs_in: u32 = 140;
        /// Bytes that wait to be sent for the first time.
        notsent_bytes: u32 = 144;
        /// The least round-trip time within `tcp_min_rtt_wlen` seconds, microseconds; all bits before the first sample.
        min_rtt: u32 = 148;
        /// Segments received that carry data.
        data_segs_in: u32 = 152;
        /// Segments sent that carry data, those sent again among them.
        data_segs_out: u32 = 156;
        /// What the peer got, bytes each second by the latest sample; 0 before the first.
        delivery_rate: u64 = 160;
        /// Microseconds in which there was something to send or unacknowledged.
        busy_time: u64 = 168;
        /// Of these, those in which the peer's window was too small.
        rwnd_limited: u64 = 176;
        /// Of these, those in which the send buffer was too small.
        sndbuf_limited: u64 = 184;
        /// Segments that the peer got.
        delivered: u32 = 192;
        /// Of these, those acknowledged with the news of congestion (ECE).
        delivered_ce: u32 = 196;
        /// Data bytes sent, those sent again among them.
        bytes_sent: u64 = 200;
        /// Data bytes sent again.
        bytes_retrans: u64 = 208;
        /// Duplicates that the peer told of (D-SACK).
        dsack_dups: u32 = 216;
        /// How often segments were seen to overtake each other.
        reord_seen: u32 = 220;
        /// Segments received out of order (Linux 5.4).
        rcv_ooopack: u32 = 224;
        /// The peer's window, bytes (Linux 5.4).
        snd_wnd: u32 = 228;
        /// One's own window as it was advertised, bytes (Linux 6.2).
        rcv_wnd: u32 = 232;
        /// How often the connection tried another path (Linux 6.2).
        rehash: u32 = 236;
        /// Retransmission time-outs (Linux 6.7).
        total_rto: u16 = 240;
        /// Recoveries from time-outs, one under way among them (Linux 6.7).
        total_rto_recoveries: u16 = 242;
        /// Milliseconds in such recoveries (Linux 6.7).
        total_rto_time: u32 = 244;
        /// Segments received with the mark of congestion (Linux 6.18).
        received_ce: u32 = 248;
    }
}

/// Memory of a socket (`INET_DIAG_SKMEMINFO`), bytes but for the last.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SocketMemory {
    /// Taken by what was received.
    pub receive_used: u32,
    /// The receive buffer.
    pub receive_buffer: u32,
    /// Taken by what was sent and is not yet off the device.
    pub transmit_used: u32,
    /// The send buffer.
    pub send_buffer: u32,
    /// Kept for later.
    pub forward: u32,
    /// Taken by what is to be sent, and what may have to be sent again.
    pub write_queued: u32,
    /// Taken by options.
    pub options: u32,
    /// What came while the program held the socket.
    pub backlog: u32,
    /// Packets thrown away.
    pub drops: u32,
}

impl SocketMemory {
    /// `None` for an attribute that is too short.
    fn parse(attribute: &Attribute<'_>) -> Option<Self> {
        let (words, _) = attribute.payload.as_chunks::<4>();
        let mut words = words.iter().map(|word| u32::from_ne_bytes(*word));
        let mut next = || words.next();
        Some(Self {
            receive_used: next()?,
            receive_buffer: next()?,
            transmit_used: next()?,
            send_buffer: next()?,
            forward: next()?,
            write_queued: next()?,
            options: next()?,
            backlog: next()?,
            // Linux 4.10.
            drops: next().unwrap_or(0),
        })
    }
}

/// What BBR knows of a path (`INET_DIAG_BBRINFO`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Bbr {
    /// The largest delivery rate of the latest round trips, bytes each second.
    pub bandwidth: u64,
    /// The least round-trip time of the latest ten seconds, microseconds; all bits before the first sample.
    pub min_rtt: u32,
    /// Pacing by the bandwidth times this, in 256ths.
    pub pacing_gain: u32,
    /// The congestion window by what fits on the path times this, in 256ths.
    pub cwnd_gain: u32,
}

impl Bbr {
    /// `None` for an attribute that is too short.
    fn parse(attribute: &Attribute<'_>) -> Option<Self> {
        let (words, _) = attribute.payload.as_chunks::<4>();
        let mut words = words.iter().map(|word| u32::from_ne_bytes(*word));
        let (low, high) = (words.next()?, words.next()?);
        Some(Self {
            bandwidth: u64::from(high) << 32 | u64::from(low),
            min_rtt: words.next()?,
            pacing_gain: words.next()?,
            cwnd_gain: words.next()?,
        })
    }
}

impl<'a> SocketRow<'a> {
    /// `struct tcp_info`, if [`EXTENSION_INFO`](super::inet::EXTENSION_INFO) asked for it and the connection has one: small sockets (`TIME_WAIT`,
    /// requests) have none.
    pub fn tcp_info(&self) -> Result<Option<TcpInfo<'a>>, DecodeError> {
        Ok(self.find(ATTRIBUTE_INFO)?.map(|attribute| TcpInfo::new(attribute.payload)))
    }

    /// The socket's memory; needs [`EXTENSION_MEMORY`](super::inet::EXTENSION_MEMORY).
    pub fn memory(&self) -> Result<Option<SocketMemory>, DecodeError> {
        Ok(self.find(ATTRIBUTE_MEMORY)?.and_then(|attribute| SocketMemory::parse(&attribute)))
    }

    /// The name of the congestion control; needs [`EXTENSION_CONGESTION`](super::inet::EXTENSION_CONGESTION).
    pub fn congestion(&self) -> Result<Option<&'a [u8]>, DecodeError> {
        Ok(self.find(ATTRIBUTE_CONGESTION)?.map(|attribute| attribute.c_bytes()))
    }

    /// What BBR knows, of a connection that it controls; needs
    /// [`EXTENSION_CONGESTION_INFO`](super::inet::EXTENSION_CONGESTION_INFO).
    pub fn bbr(&self) -> Result<Option<Bbr>, DecodeError> {
        Ok(self.find(ATTRIBUTE_BBR)?.and_then(|attribute| Bbr::parse(&attribute)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_stand_where_the_kernel_has_them() {
        // Each byte tells its place, so that each field tells where it was read.
        let bytes: Vec<u8> = (0..=255).collect();
        let info = TcpInfo::new(&bytes);
        let at = |offset: u8| u32::from_ne_bytes([offset, offset + 1, offset + 2, offset + 3]);
        let at64 = |offset: u8| {
            let bytes: Vec<u8> = (offset..offset + 8).collect();
            u64::from_ne_bytes(bytes.try_into().unwrap())
        };
        assert_eq!(info.rto(), Some(at(8)));
        assert_eq!(info.rtt(), Some(at(68)));
        assert_eq!(info.total_retrans(), Some(at(100)));
        assert_eq!(info.pacing_rate(), Some(at64(104)));
        assert_eq!(info.delivery_rate(), Some(at64(160)));
        assert_eq!(info.snd_wnd(), Some(at(228)));
        assert_eq!(info.total_rto(), Some(u16::from_ne_bytes([240, 241])));
        assert_eq!(info.received_ce(), Some(at(248)));
        assert_eq!((info.congestion_state(), info.retransmits()), (Some(1), Some(2)));
        let older = TcpInfo::new(&bytes[..232]);
        assert_eq!((older.snd_wnd(), older.rcv_wnd(), older.total_rto()), (Some(at(228)), None, None));
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn bits_are_read_as_the_compiler_lays_them() {
        let with = |options, scales, limited| {
            let mut bytes = [0; 8];
            (bytes[5], bytes[6], bytes[7]) = (options, scales, limited);
            (TcpInfo::new(&bytes).window_scales(), TcpInfo::new(&bytes).delivery_rate_app_limited())
        };
        assert_eq!(with(7, 0xA7, 1), (Some((7, 10)), Some(true)));
        assert_eq!(with(3, 0, 2), (None, Some(false)));
        assert_eq!(TcpInfo::new(&[]).window_scales(), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
            let attribute = Attribute { kind: 0, payload: &payload };
            let info = TcpInfo::new(&payload);
            prop_assert_eq!(info.received_ce().is_some(), payload.len() >= 252);
            let _ = (info.window_scales(), info.options(), info.delivery_rate_app_limited());
            prop_assert_eq!(SocketMemory::parse(&attribute).is_some(), payload.len() >= 32);
            prop_assert_eq!(Bbr::parse(&attribute).is_some(), payload.len() >= 20);
        }
    }
}
