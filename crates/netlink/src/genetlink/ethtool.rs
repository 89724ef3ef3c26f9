//! What drivers know of their links (`ethtool`, see `Documentation/networking/ethtool-netlink.rst`): speed, features,
//! wake-on-LAN, time stamps.
//!
//! Bit sets travel in their compact form, without the names of their bits; those come once from [`feature_names`].

mod timestamp;

pub use timestamp::{
    TimestampConfig, TimestampInfo, kind, receive, timestamp_config, timestamp_info, transmit,
};

use super::{answer, attributes, request};
use crate::DecodeError;
use crate::attribute::{Attribute, AttributeWriter, Attributes};
use crate::message::{ACK, DUMP, Message, Request};

/// The family's name.
pub const NAME: &[u8] = b"ethtool";
/// The multicast group that announces what was changed by ethtool requests (`ETHTOOL_MCGRP_MONITOR_NAME`).
pub const MONITOR: &[u8] = b"monitor";
const VERSION: u8 = 1;

// The requests' numbers; those of the answers used here are the same.
const STRSET_GET: u8 = 1;
const LINKMODES_GET: u8 = 4;
const WOL_GET: u8 = 9;
const FEATURES_GET: u8 = 11;

/// The first attribute of every message: which link.
const HEADER: u16 = 1;
const HEADER_DEV_INDEX: u16 = 1;
const HEADER_FLAGS: u16 = 3;
/// `ETHTOOL_FLAG_COMPACT_BITSETS`.
const COMPACT_BITSETS: u32 = 1;

const LINKMODES_SPEED: u16 = 5;
const WOL_MODES: u16 = 2;
const FEATURES_ACTIVE: u16 = 4;

const STRSET_STRINGSETS: u16 = 2;
const STRINGSETS_STRINGSET: u16 = 1;
const STRINGSET_ID: u16 = 1;
const STRINGSET_STRINGS: u16 = 3;
const STRINGS_STRING: u16 = 1;
const STRING_INDEX: u16 = 1;
const STRING_VALUE: u16 = 2;
/// The string set of the features' names.
const SET_FEATURES: u32 = 4;

const BITSET_VALUE: u16 = 4;
const BITSET_MASK: u16 = 5;

/// A request for the speed of one link, or of all with `None`: see [`Speed`].
#[must_use]
pub fn speed(family: u16, link: Option<u32>) -> Request {
    about(family, LINKMODES_GET, link)
}

/// A request for the features of one link, or of all with `None`: see [`Features`].
#[must_use]
pub fn features(family: u16, link: Option<u32>) -> Request {
    about(family, FEATURES_GET, link)
}

/// A request for wake-on-LAN of one link, or of all with `None`: see [`WakeOnLan`]. Needs `CAP_NET_ADMIN`.
#[must_use]
pub fn wake_on_lan(family: u16, link: Option<u32>) -> Request {
    about(family, WOL_GET, link)
}

/// A request for the names of the bits of [`Features`]: see [`feature_name_list`].
#[must_use]
pub fn feature_names(family: u16) -> Request {
    let mut names = request(family, STRSET_GET, VERSION, ACK);
    let _ = names.attribute_nested(HEADER, |_| {}).attribute_nested(STRSET_STRINGSETS, |sets| {
        let _ = sets.attribute_nested(STRINGSETS_STRINGSET, |set| {
            let _ = set.attribute_u32(STRINGSET_ID, SET_FEATURES);
        });
    });
    names
}

fn about(family: u16, command: u8, link: Option<u32>) -> Request {
    let mut about = request(family, command, VERSION, if link.is_some() { ACK } else { DUMP });
    let _ = about.attribute_nested(HEADER, |header| {
        if let Some(index) = link {
            let _ = header.attribute_u32(HEADER_DEV_INDEX, index);
        }
        let _ = header.attribute_u32(HEADER_FLAGS, COMPACT_BITSETS);
    });
    about
}

/// The speed of a link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Speed {
    /// The link.
    pub index: u32,
    /// Millions of bits per second; `None`: the driver does not know.
    pub megabits: Option<u32>,
}

impl Speed {
    /// Reads a message; `None` if it is about something else.
    pub fn parse(message: &Message<'_>) -> Result<Option<Self>, DecodeError> {
        let Some(attributes) = answer(message, LINKMODES_GET)? else {
            return Ok(None);
        };
        let (mut index, mut megabits) = (None, None);
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                HEADER => index = device(&attribute)?,
                // SPEED_UNKNOWN is -1; drivers also say 0 while there is no carrier.
                LINKMODES_SPEED => {
                    megabits = Some(attribute.u32()?).filter(|speed| !matches!(*speed, 0 | u32::MAX))
                }
                _ => {}
            }
        }
        Ok(index.map(|index| Self { index, megabits }))
    }
}

/// The features that are switched on for a link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Features<'a> {
    /// The link.
    pub index: u32,
    /// Bits whose names come from [`feature_names`].
    pub active: Bits<'a>,
}

impl<'a> Features<'a> {
    /// Reads a message; `None` if it is about something else.
    pub fn parse(message: &Message<'a>) -> Result<Option<Self>, DecodeError> {
        let Some(attributes) = answer(message, FEATURES_GET)? else {
            return Ok(None);
        };
        let (mut index, mut active) = (None, Bits::default());
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                HEADER => index = device(&attribute)?,
                FEATURES_ACTIVE => active = bits(attribute.nested(), BITSET_VALUE)?,
                _ => {}
            }
        }
        Ok(index.map(|index| Self { index, active }))
    }
}

/// The ways in which a link can wake the computer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WakeOnLan<'a> {
    /// The link.
    pub index: u32,
    /// `WAKE_*`: what the hardware can do, switched on or not.
    pub supported: Bits<'a>,
}

impl<'a> WakeOnLan<'a> {
    /// Reads a message; `None` if it is about something else. A dump leaves out links that cannot wake anybody.
    pub fn parse(message: &Message<'a>) -> Result<Option<Self>, DecodeError> {
        let Some(attributes) = answer(message, WOL_GET)? else {
            return Ok(None);
        };
        let (mut index, mut supported) = (None, Bits::default());
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                HEADER => index = device(&attribute)?,
                WOL_MODES => supported = bits(attribute.nested(), BITSET_MASK)?,
                _ => {}
            }
        }
        Ok(index.map(|index| Self { index, supported }))
    }
}

/// The names in an answer to [`feature_names`], each with the number of its bit.
pub fn feature_name_list<'a>(message: &Message<'a>) -> Result<Vec<(u32, &'a [u8])>, DecodeError> {
    let mut names = Vec::new();
    let sets = answer(message, STRSET_GET)?.into_iter().flatten();
    for set in within(sets, STRSET_STRINGSETS) {
        for strings in within(set?, STRINGSETS_STRINGSET) {
            for list in within(strings?, STRINGSET_STRINGS) {
                for string in within(list?, STRINGS_STRING) {
                    names.extend(string_of(string?)?);
                }
            }
        }
    }
    Ok(names)
}

fn string_of(attributes: Attributes<'_>) -> Result<Option<(u32, &[u8])>, DecodeError> {
    let (mut index, mut value) = (None, None);
    for attribute in attributes {
        let attribute = attribute?;
        match attribute.kind {
            STRING_INDEX => index = Some(attribute.u32()?),
            STRING_VALUE => value = Some(attribute.c_bytes()),
            _ => {}
        }
    }
    Ok(index.zip(value))
}

/// The contents of those attributes that are of type `kind`.
fn within<'a>(
    attributes: impl Iterator<Item = Result<Attribute<'a>, DecodeError>>,
    kind: u16,
) -> impl Iterator<Item = Result<Attributes<'a>, DecodeError>> {
    attributes.filter_map(move |attribute| match attribute {
        Ok(attribute) if attribute.kind == kind => Some(Ok(attribute.nested())),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}

/// The link that a message of the group [`MONITOR`] is about, whatever has changed of it.
pub fn changed_link(message: &Message<'_>) -> Result<Option<u32>, DecodeError> {
    // Every notification of the family begins with the same header (`ETHTOOL_A_*_HEADER`).
    for attribute in attributes(message)? {
        let attribute = attribute?;
        if attribute.kind == HEADER {
            return device(&attribute);
        }
    }
    Ok(None)
}

/// A set of small numbers (`ETHTOOL_A_BITSET_*`, compact), 32 in each word in host order.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Bits<'a> {
    words: &'a [u8],
}

impl<'a> Bits<'a> {
    /// A set of words of 32 numbers each, in host order.
    #[must_use]
    pub const fn from_words(words: &'a [u8]) -> Self {
        Self { words }
    }

    /// Whether `bit` is in the set.
    #[must_use]
    pub fn contains(&self, bit: u32) -> bool {
        let word =
            usize::try_from(bit / 32).ok().and_then(|position| self.words.chunks_exact(4).nth(position));
        word.and_then(|word| word.first_chunk())
            .is_some_and(|word| u32::from_ne_bytes(*word) >> (bit % 32) & 1 != 0)
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|byte| *byte == 0)
    }
}

/// The map `kind` of a bit set.
fn bits(attributes: Attributes<'_>, kind: u16) -> Result<Bits<'_>, DecodeError> {
    let mut bits = Bits::default();
    for attribute in attributes {
        let attribute = attribute?;
        if attribute.kind == kind {
            bits.words = attribute.payload;
        }
    }
    Ok(bits)
}

/// The index in a message's header.
fn device(header: &Attribute<'_>) -> Result<Option<u32>, DecodeError> {
    for attribute in header.nested() {
        let attribute = attribute?;
        if attribute.kind == HEADER_DEV_INDEX {
            return attribute.u32().map(Some);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured::message;
    use proptest::prelude::*;

    const FAMILY: u16 = 21;

    #[cfg(target_endian = "little")]
    mod captured {
        use super::*;
        use crate::captured::bytes;

        #[test]
        fn a_speed_is_read() {
            let payload = bytes(include_str!("../../captured/ethtool-linkmodes.hex"));
            let speed = Speed::parse(&message(FAMILY, &payload));
            assert_eq!(speed, Ok(Some(Speed { index: 7, megabits: Some(10_000) })));
        }

        #[test]
        fn features_are_read_by_name() {
            let payload = bytes(include_str!("../../captured/ethtool-features.hex"));
            let features = Features::parse(&message(FAMILY, &payload)).unwrap().unwrap();
            assert_eq!(features.index, 7);
            let payload = bytes(include_str!("../../captured/ethtool-strings.hex"));
            let names = feature_name_list(&message(FAMILY, &payload)).unwrap();
            let active = |name: &[u8]| {
                let (bit, _) = names.iter().find(|(_, other)| *other == name).expect("a name of the list");
                features.active.contains(*bit)
            };
            for on in
                [&b"rx-checksum"[..], b"tx-checksum-ip-generic", b"tx-tcp-segmentation", b"tx-checksum-sctp"]
            {
                assert!(active(on), "{}", String::from_utf8_lossy(on));
            }
            for off in [&b"tx-checksum-ipv4"[..], b"rx-lro", b"rx-gro-hw", b"rx-gro-list", b"hsr-dup-offload"]
            {
                assert!(!active(off), "{}", String::from_utf8_lossy(off));
            }
            assert!(!features.active.contains(64) && !features.active.contains(u32::MAX));
        }
    }

    /// The first bytes of what Linux 6.18 sent for `ethtool -s tap0 speed 1000 duplex full`.
    #[cfg(target_endian = "little")]
    #[test]
    fn an_announcement_names_its_link() {
        let payload = [
            &[5, 1, 0, 0, 0x18, 0, 1, 0x80, 8, 0, 1, 0, 2, 0, 0, 0, 9, 0, 2, 0][..],
            b"tap0\0\0\0\0",
            &[5, 0, 2, 0, 0, 0, 0, 0],
        ];
        assert_eq!(changed_link(&message(FAMILY, &payload.concat())), Ok(Some(2)));
    }

    #[test]
    fn an_unknown_speed_is_none() {
        for unknown in [0, u32::MAX] {
            let mut payload = vec![LINKMODES_GET, 1, 0, 0];
            let _ = payload.attribute_nested(HEADER, |header| {
                let _ = header.attribute_u32(HEADER_DEV_INDEX, 2);
            });
            let _ = payload.attribute_u32(LINKMODES_SPEED, unknown);
            assert_eq!(
                Speed::parse(&message(FAMILY, &payload)),
                Ok(Some(Speed { index: 2, megabits: None }))
            );
        }
    }

    #[test]
    fn wake_on_lan_that_is_off_is_supported_all_the_same() {
        let mut payload = vec![WOL_GET, 1, 0, 0];
        let _ = payload.attribute_nested(HEADER, |header| {
            let _ = header.attribute_u32(HEADER_DEV_INDEX, 2);
        });
        let _ = payload.attribute_nested(WOL_MODES, |modes| {
            // ethtool: "Supports Wake-on: pumbg", "Wake-on: d".
            let _ = modes.attribute_u32(2, 8).attribute_u32(BITSET_VALUE, 0).attribute_u32(BITSET_MASK, 0x2f);
        });
        let wake = WakeOnLan::parse(&message(FAMILY, &payload)).unwrap().unwrap();
        assert_eq!(wake.index, 2);
        assert!(!wake.supported.is_empty() && wake.supported.contains(5) && !wake.supported.contains(4));
    }

    #[test]
    fn requests_name_one_link_or_dump_all() {
        assert!(speed(FAMILY, None).is_dump() && features(FAMILY, None).is_dump());
        assert!(!wake_on_lan(FAMILY, Some(3)).is_dump() && !feature_names(FAMILY).is_dump());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(mut payload in proptest::collection::vec(any::<u8>(), 1..300)) {
            for command in [STRSET_GET, LINKMODES_GET, WOL_GET, FEATURES_GET] {
                payload[0] = command;
                let message = message(FAMILY, &payload);
                let _ = Speed::parse(&message);
                let _ = Features::parse(&message).map(|features| features.map(|row| row.active.contains(40)));
                let _ = WakeOnLan::parse(&message).map(|wake| wake.map(|row| row.supported.is_empty()));
                let _ = feature_name_list(&message);
                let _ = changed_link(&message);
            }
        }
    }
}
