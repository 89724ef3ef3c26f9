//! Time stamps of packets: what a link can make (`TSINFO`), and what its hardware makes now (`TSCONFIG`, Linux 6.14).

use super::{BITSET_VALUE, Bits, HEADER, about, bits, device};
use crate::DecodeError;
use crate::genetlink::answer;
use crate::message::{Message, Request};

const TSINFO_GET: u8 = 25;
const TSINFO_GET_REPLY: u8 = 26;
const TSINFO_TIMESTAMPING: u16 = 2;
const TSINFO_TX_TYPES: u16 = 3;
const TSINFO_RX_FILTERS: u16 = 4;
const TSINFO_PHC_INDEX: u16 = 5;

const TSCONFIG_GET: u8 = 46;
const TSCONFIG_GET_REPLY: u8 = 47;
const TSCONFIG_TX_TYPES: u16 = 3;
const TSCONFIG_RX_FILTERS: u16 = 4;

/// Bits of [`TimestampInfo::kinds`] (`SOF_TIMESTAMPING_*`, as numbers of bits).
pub mod kind {
    /// The hardware stamps what it sends.
    pub const TX_HARDWARE: u32 = 0;
    /// The driver stamps what it sends.
    pub const TX_SOFTWARE: u32 = 1;
    /// The hardware stamps what it receives.
    pub const RX_HARDWARE: u32 = 2;
    /// The kernel stamps what it receives.
    pub const RX_SOFTWARE: u32 = 3;
}

/// Ways of stamping what is sent (`HWTSTAMP_TX_*`). Number 0 is "off".
pub mod transmit {
    /// What asks for it.
    pub const ON: u32 = 1;
    /// As `ON`; the time goes into the packet itself, of `Sync` messages.
    pub const ONESTEP_SYNC: u32 = 2;
    /// As `ONESTEP_SYNC`, and of peer delay responses.
    pub const ONESTEP_P2P: u32 = 3;
}

/// What of the received is stamped (`HWTSTAMP_FILTER_*`). Number 0 is "nothing".
pub mod receive {
    /// Everything.
    pub const ALL: u32 = 1;
    /// Events of PTP version 2 over UDP.
    pub const PTP_V2_L4_EVENT: u32 = 6;
    /// Events of PTP version 2 over anything.
    pub const PTP_V2_EVENT: u32 = 12;
}

/// A request for what one link can stamp, or all links with `None`: see [`TimestampInfo`].
#[must_use]
pub fn timestamp_info(family: u16, link: Option<u32>) -> Request {
    about(family, TSINFO_GET, link)
}

/// A request for what one link's hardware stamps now, or all links' with `None`: see [`TimestampConfig`].
#[must_use]
pub fn timestamp_config(family: u16, link: Option<u32>) -> Request {
    about(family, TSCONFIG_GET, link)
}

/// What a link can stamp.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TimestampInfo<'a> {
    /// The link.
    pub index: u32,
    /// Who stamps what: see [`kind`].
    pub kinds: Bits<'a>,
    /// How the hardware can stamp what is sent: see [`transmit`].
    pub transmit: Bits<'a>,
    /// What of the received the hardware can stamp: see [`receive`].
    pub receive: Bits<'a>,
    /// The number of the hardware's clock, `/dev/ptpN`.
    pub clock: Option<u32>,
}

impl<'a> TimestampInfo<'a> {
    /// Reads a message; `None` if it is about something else.
    pub fn parse(message: &Message<'a>) -> Result<Option<Self>, DecodeError> {
        let Some(attributes) = answer(message, TSINFO_GET_REPLY)? else {
            return Ok(None);
        };
        let mut index = None;
        let none = Bits::default();
        let mut info = Self { index: 0, kinds: none, transmit: none, receive: none, clock: None };
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                HEADER => index = device(&attribute)?,
                TSINFO_TIMESTAMPING => info.kinds = bits(attribute.nested(), BITSET_VALUE)?,
                TSINFO_TX_TYPES => info.transmit = bits(attribute.nested(), BITSET_VALUE)?,
                TSINFO_RX_FILTERS => info.receive = bits(attribute.nested(), BITSET_VALUE)?,
                TSINFO_PHC_INDEX => info.clock = Some(attribute.u32()?),
                _ => {}
            }
        }
        Ok(index.map(|index| Self { index, ..info }))
    }
}

/// What a link's hardware stamps now. One bit is set in each.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TimestampConfig<'a> {
    /// The link.
    pub index: u32,
    /// How it stamps what is sent: see [`transmit`].
    pub transmit: Bits<'a>,
    /// What of the received it stamps: see [`receive`].
    pub receive: Bits<'a>,
}

impl<'a> TimestampConfig<'a> {
    /// Reads a message; `None` if it is about something else.
    pub fn parse(message: &Message<'a>) -> Result<Option<Self>, DecodeError> {
        let Some(attributes) = answer(message, TSCONFIG_GET_REPLY)? else {
            return Ok(None);
        };
        let mut index = None;
        let mut config = Self { index: 0, transmit: Bits::default(), receive: Bits::default() };
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                HEADER => index = device(&attribute)?,
                TSCONFIG_TX_TYPES => config.transmit = bits(attribute.nested(), BITSET_VALUE)?,
                TSCONFIG_RX_FILTERS => config.receive = bits(attribute.nested(), BITSET_VALUE)?,
                _ => {}
            }
        }
        Ok(index.map(|index| Self { index, ..config }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::AttributeWriter;
    use crate::captured::message;
    use crate::genetlink::ethtool::HEADER_DEV_INDEX;
    use proptest::prelude::*;

    const FAMILY: u16 = 21;

    fn answer(command: u8, sets: &[(u16, u32)], clock: Option<u32>) -> Vec<u8> {
        let mut payload = vec![command, 1, 0, 0];
        let _ = payload.attribute_nested(HEADER, |header| {
            let _ = header.attribute_u32(HEADER_DEV_INDEX, 2);
        });
        for (kind, value) in sets {
            let _ = payload.attribute_nested(*kind, |set| {
                let _ = set.attribute_u32(2, 18).attribute_u32(BITSET_VALUE, *value);
            });
        }
        if let Some(clock) = clock {
            let _ = payload.attribute_u32(TSINFO_PHC_INDEX, clock);
        }
        payload
    }

    /// What `ethtool -T lo` shows on Linux 6.18: software-transmit, software-receive, software-system-clock, no clock.
    #[cfg(target_endian = "little")]
    #[test]
    fn loopback_is_stamped_by_software_alone() {
        let payload = crate::captured::bytes(include_str!("../../../captured/ethtool-tsinfo.hex"));
        let message = message(FAMILY, &payload);
        let info = TimestampInfo::parse(&message).unwrap().unwrap();
        assert_eq!((info.index, info.clock), (1, None));
        assert!(info.kinds.contains(kind::TX_SOFTWARE) && info.kinds.contains(kind::RX_SOFTWARE));
        assert!(!info.kinds.contains(kind::TX_HARDWARE) && !info.kinds.contains(kind::RX_HARDWARE));
        assert!(info.transmit.is_empty() && info.receive.is_empty());
    }

    #[test]
    fn hardware_with_a_clock_is_read() {
        let sets = [
            (TSINFO_TIMESTAMPING, 0b101_1111),
            (TSINFO_TX_TYPES, 0b11),
            (TSINFO_RX_FILTERS, 0b1_0000_0000_0011),
        ];
        let payload = answer(TSINFO_GET_REPLY, &sets, Some(3));
        let message = message(FAMILY, &payload);
        let info = TimestampInfo::parse(&message).unwrap().unwrap();
        assert_eq!((info.index, info.clock), (2, Some(3)));
        assert!(info.kinds.contains(kind::TX_HARDWARE) && info.kinds.contains(kind::RX_HARDWARE));
        assert!(info.transmit.contains(transmit::ON) && !info.transmit.contains(transmit::ONESTEP_SYNC));
        assert!(info.receive.contains(receive::ALL) && info.receive.contains(receive::PTP_V2_EVENT));
        assert!(!info.receive.contains(receive::PTP_V2_L4_EVENT));
        assert_eq!(TimestampConfig::parse(&message), Ok(None));
    }

    #[test]
    fn what_the_hardware_does_now_is_read() {
        let payload = answer(TSCONFIG_GET_REPLY, &[(TSCONFIG_TX_TYPES, 2), (TSCONFIG_RX_FILTERS, 2)], None);
        let message = message(FAMILY, &payload);
        let config = TimestampConfig::parse(&message).unwrap().unwrap();
        assert_eq!(config.index, 2);
        assert!(config.transmit.contains(transmit::ON) && config.receive.contains(receive::ALL));
        assert_eq!(TimestampInfo::parse(&message), Ok(None));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(mut payload in proptest::collection::vec(any::<u8>(), 1..300)) {
            for command in [TSINFO_GET_REPLY, TSCONFIG_GET_REPLY] {
                payload[0] = command;
                let message = message(FAMILY, &payload);
                let _ = TimestampInfo::parse(&message).map(|info| info.map(|info| info.kinds.contains(40)));
                let _ = TimestampConfig::parse(&message);
            }
        }
    }
}
