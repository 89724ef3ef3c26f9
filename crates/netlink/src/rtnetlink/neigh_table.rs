//! Neighbour tables: how ARP and neighbour discovery behave on each link (`struct ndtmsg`, `NDTA_*`, `NDTPA_*`).
//!
//! One dump has a message for each table (`arp_cache`, `ndisc_cache`) with the parameters of new links, and then one for
//! each link.

use crate::DecodeError;
use crate::attribute::{AttributeWriter, Attributes};
use crate::message::{ACK, DUMP, Message, Request};
use std::time::Duration;

/// `RTM_NEWNEIGHTBL`: a table, or one link's parameters in it.
pub const NEW_NEIGHBOR_TABLE: u16 = 64;
/// `RTM_GETNEIGHTBL`: asks for the tables.
pub const GET_NEIGHBOR_TABLE: u16 = 66;
/// `RTM_SETNEIGHTBL`: changes a table, or one link's parameters in it. The kernel announces that to nobody.
pub const SET_NEIGHBOR_TABLE: u16 = 67;

/// Length of `struct ndtmsg`.
const FIXED_LEN: usize = 4;

const NAME: u16 = 1;
const PARMS: u16 = 6;

const IFINDEX: u16 = 1;
const REACHABLE_TIME: u16 = 3;
const BASE_REACHABLE_TIME: u16 = 4;
const RETRANS_TIME: u16 = 5;
const DELAY_PROBE_TIME: u16 = 7;
const APP_PROBES: u16 = 9;
const UNICAST_PROBES: u16 = 10;
const MULTICAST_PROBES: u16 = 11;
const MULTICAST_REPROBES: u16 = 17;

/// A request for the table of one address family (`AF_INET`, `AF_INET6`), or of all with 0.
#[must_use]
pub fn dump(family: u8) -> Request {
    Request::new(GET_NEIGHBOR_TABLE, DUMP, &[family, 0, 0, 0])
}

/// How neighbours are resolved and watched on one link.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct NeighborParameters {
    /// `AF_INET` or `AF_INET6`.
    pub family: u8,
    /// The link; `None`: what new links begin with.
    pub index: Option<u32>,
    /// How long a confirmed neighbour counts as reachable; drawn from 0.5 to 1.5 times the base.
    pub reachable_time: Option<Duration>,
    /// What `reachable_time` is drawn around.
    pub base_reachable_time: Option<Duration>,
    /// Time between two solicitations.
    pub retransmit_time: Option<Duration>,
    /// How long a neighbour in doubt is used before it is probed.
    pub delay_probe_time: Option<Duration>,
    /// How often a program is asked, before the kernel asks by itself.
    pub app_probes: Option<u32>,
    /// How often a neighbour in doubt is asked itself.
    pub unicast_probes: Option<u32>,
    /// How often all are asked for a neighbour that is sought.
    pub multicast_probes: Option<u32>,
    /// How often all are asked for a neighbour in doubt.
    pub multicast_reprobes: Option<u32>,
}

impl NeighborParameters {
    /// Reads a message; `None` if it is about something else.
    pub fn parse(message: &Message<'_>) -> Result<Option<Self>, DecodeError> {
        if message.header.kind != NEW_NEIGHBOR_TABLE {
            return Ok(None);
        }
        let ([family, ..], attributes) = message.split::<FIXED_LEN>("ndtmsg")?;
        for attribute in attributes {
            let attribute = attribute?;
            if attribute.kind == PARMS {
                return Self::read(*family, attribute.nested()).map(Some);
            }
        }
        Ok(None)
    }

    fn read(family: u8, attributes: Attributes<'_>) -> Result<Self, DecodeError> {
        let mut parameters = Self { family, ..Self::default() };
        for attribute in attributes {
            let attribute = attribute?;
            let time = || attribute.u64().map(|milliseconds| Some(Duration::from_millis(milliseconds)));
            match attribute.kind {
                IFINDEX => parameters.index = Some(attribute.u32()?),
                REACHABLE_TIME => parameters.reachable_time = time()?,
                BASE_REACHABLE_TIME => parameters.base_reachable_time = time()?,
                RETRANS_TIME => parameters.retransmit_time = time()?,
                DELAY_PROBE_TIME => parameters.delay_probe_time = time()?,
                APP_PROBES => parameters.app_probes = Some(attribute.u32()?),
                UNICAST_PROBES => parameters.unicast_probes = Some(attribute.u32()?),
                MULTICAST_PROBES => parameters.multicast_probes = Some(attribute.u32()?),
                MULTICAST_REPROBES => parameters.multicast_reprobes = Some(attribute.u32()?),
                _ => {}
            }
        }
        Ok(parameters)
    }
}

/// A time that a link's parameters hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NeighborTime {
    /// `NDTPA_BASE_REACHABLE_TIME`; the kernel draws the reachable time anew.
    BaseReachable,
    /// `NDTPA_RETRANS_TIME`.
    Retransmit,
    /// `NDTPA_DELAY_PROBE_TIME`.
    DelayProbe,
}

/// A request that sets one time of one link, in milliseconds; the kernel rounds up to its tick.
///
/// `family` is `AF_INET` or `AF_INET6`. The kernel does not know a name of the table for each family, so this does.
#[must_use]
pub fn set(family: u8, index: u32, time: NeighborTime, milliseconds: u64) -> Request {
    const AF_INET: u8 = 2;
    let name: &[u8] = if family == AF_INET { b"arp_cache" } else { b"ndisc_cache" };
    let member = match time {
        NeighborTime::BaseReachable => BASE_REACHABLE_TIME,
        NeighborTime::Retransmit => RETRANS_TIME,
        NeighborTime::DelayProbe => DELAY_PROBE_TIME,
    };
    let mut request = Request::new(SET_NEIGHBOR_TABLE, ACK, &[family, 0, 0, 0]);
    let _ = request.attribute_name(NAME, name).attribute_nested(PARMS, |parameters| {
        let _ = parameters.attribute_u32(IFINDEX, index).attribute_u64(member, milliseconds);
    });
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured::{bytes, message};
    use crate::message::Messages;
    use proptest::prelude::*;

    const TABLE: &str = include_str!("../../captured/neigh-table-arp.hex");
    const LINK: &str = include_str!("../../captured/neigh-table-arp-v0.hex");

    #[cfg(target_endian = "little")]
    #[test]
    fn the_parameters_of_a_link_are_read() {
        let payload = bytes(LINK);
        let link = NeighborParameters::parse(&message(NEW_NEIGHBOR_TABLE, &payload)).unwrap().unwrap();
        assert_eq!((link.family, link.index), (2, Some(7)));
        assert_eq!(link.base_reachable_time, Some(Duration::from_secs(20)));
        assert_eq!(link.retransmit_time, Some(Duration::from_millis(700)));
        assert_eq!(link.delay_probe_time, Some(Duration::from_secs(4)));
        let reachable = link.reachable_time.unwrap();
        assert!((Duration::from_secs(10)..=Duration::from_secs(30)).contains(&reachable), "{reachable:?}");
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn the_parameters_of_new_links_have_no_index() {
        let payload = bytes(TABLE);
        let table = NeighborParameters::parse(&message(NEW_NEIGHBOR_TABLE, &payload)).unwrap().unwrap();
        assert_eq!((table.family, table.index), (2, None));
        assert_eq!(table.base_reachable_time, Some(Duration::from_secs(30)));
        assert_eq!(table.retransmit_time, Some(Duration::from_secs(1)));
        assert_eq!((table.unicast_probes, table.multicast_probes), (Some(3), Some(3)));
        assert_eq!((table.app_probes, table.multicast_reprobes), (Some(0), Some(0)));
    }

    #[test]
    fn other_messages_are_nothing_and_short_ones_an_error() {
        assert_eq!(NeighborParameters::parse(&message(16, &[0; 32])), Ok(None));
        assert_eq!(NeighborParameters::parse(&message(NEW_NEIGHBOR_TABLE, &[2, 0, 0, 0])), Ok(None));
        assert!(NeighborParameters::parse(&message(NEW_NEIGHBOR_TABLE, &[2, 0, 0])).is_err());
        assert!(dump(2).is_dump());
    }

    #[test]
    fn a_change_reads_back_as_parameters() {
        let mut request = set(10, 7, NeighborTime::Retransmit, 300);
        let bytes = request.finish(1).to_vec();
        let sent = Messages::new(&bytes).next().unwrap().unwrap();
        assert_eq!(sent.header.kind, SET_NEIGHBOR_TABLE);
        let link = NeighborParameters::parse(&message(NEW_NEIGHBOR_TABLE, sent.payload)).unwrap().unwrap();
        let expected = NeighborParameters {
            family: 10,
            index: Some(7),
            retransmit_time: Some(Duration::from_millis(300)),
            ..NeighborParameters::default()
        };
        assert_eq!(link, expected);
        let (_, mut attributes) = sent.split::<FIXED_LEN>("ndtmsg").unwrap();
        assert_eq!(attributes.next().unwrap().unwrap().c_bytes(), b"ndisc_cache");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = NeighborParameters::parse(&message(NEW_NEIGHBOR_TABLE, &payload));
        }
    }
}
