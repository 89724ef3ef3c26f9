//! Counters of a link (`struct rtnl_link_stats64`).

use crate::DecodeError;
use crate::attribute::Attribute;

/// Octets of the counters that are read; every kernel has them, newer ones append.
const LEN: usize = 24 * 8;

/// Counters of a link since it was made (`Documentation/networking/statistics.rst`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LinkStatistics {
    /// Packets received.
    pub rx_packets: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Octets received.
    pub rx_bytes: u64,
    /// Octets sent.
    pub tx_bytes: u64,
    /// Packets received in error.
    pub rx_errors: u64,
    /// Packets not sent for errors.
    pub tx_errors: u64,
    /// Packets received and dropped, those in [`rx_missed_errors`](Self::rx_missed_errors) left out.
    pub rx_dropped: u64,
    /// Packets dropped on the way out.
    pub tx_dropped: u64,
    /// Multicast packets received, where the driver counts them.
    pub multicast: u64,
    /// Packets that the host had no room for.
    pub rx_missed_errors: u64,
}

impl LinkStatistics {
    pub(super) fn parse(attribute: &Attribute<'_>) -> Result<Self, DecodeError> {
        let bytes = attribute.array::<LEN>()?;
        let mut counters = bytes.chunks_exact(8).map(|counter| {
            // Chunks of eight bytes, so this is never 0 for a lack of bytes.
            counter.first_chunk().map_or(0, |counter| u64::from_ne_bytes(*counter))
        });
        let mut next = || counters.next().unwrap_or_default();
        let mut statistics = Self {
            rx_packets: next(),
            tx_packets: next(),
            rx_bytes: next(),
            tx_bytes: next(),
            rx_errors: next(),
            tx_errors: next(),
            rx_dropped: next(),
            tx_dropped: next(),
            multicast: next(),
            rx_missed_errors: 0,
        };
        // collisions, and rx_{length,over,crc,frame,fifo}_errors, all of which rx_errors holds too.
        statistics.rx_missed_errors = counters.nth(6).unwrap_or_default();
        Ok(statistics)
    }
}
