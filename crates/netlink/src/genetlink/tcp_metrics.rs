//! What TCP remembers of the hosts that it talked to, for the next connection (`include/uapi/linux/tcp_metrics.h`).
//!
//! There is an entry for each pair of source and destination; the table has room for a limited number, and the oldest go.

use super::{answer, request};
use crate::DecodeError;
use crate::attribute::{Attribute, AttributeWriter, Attributes};
use crate::message::{ACK, DUMP, Message, Request};
use std::net::IpAddr;
use std::time::Duration;

/// The family's name.
pub const NAME: &[u8] = b"tcp_metrics";
const VERSION: u8 = 1;

const GET: u8 = 1;
const DELETE: u8 = 2;

const ADDRESS_V4: u16 = 1;
const ADDRESS_V6: u16 = 2;
const AGE: u16 = 3;
const VALUES: u16 = 6;
const SOURCE_V4: u16 = 11;
const SOURCE_V6: u16 = 12;

// Values are numbered from 1, in the order of `enum tcp_metric_index`.
const RTT_US: u16 = 6;
const RTT_VAR_US: u16 = 7;

/// What TCP remembers of one destination.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TcpMetrics {
    /// The other host.
    pub destination: IpAddr,
    /// The address of this host on those connections; `None` before Linux 3.14.
    pub source: Option<IpAddr>,
    /// How long ago a connection last told something.
    pub age: Option<Duration>,
    /// The smoothed round-trip time; `None`: not measured.
    pub round_trip: Option<Duration>,
    /// Its mean deviation; `None`: not measured.
    pub deviation: Option<Duration>,
}

/// Asks for all entries, of both families.
#[must_use]
pub fn dump(family: u16) -> Request {
    request(family, GET, VERSION, DUMP)
}

/// Forgets all entries of one destination, whatever their source. Needs `CAP_NET_ADMIN`; `ESRCH` if there is none.
#[must_use]
pub fn forget(family: u16, destination: IpAddr) -> Request {
    let mut forget = request(family, DELETE, VERSION, ACK);
    match destination {
        IpAddr::V4(address) => drop(forget.attribute(ADDRESS_V4, &address.octets())),
        IpAddr::V6(address) => drop(forget.attribute(ADDRESS_V6, &address.octets())),
    }
    forget
}

impl TcpMetrics {
    /// Reads a message; `None` if it is about something else.
    pub fn parse(message: &Message<'_>) -> Result<Option<Self>, DecodeError> {
        let Some(attributes) = answer(message, GET)? else { return Ok(None) };
        let (mut destination, mut source, mut age) = (None, None, None);
        let mut values = (None, None);
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                ADDRESS_V4 => destination = Some(attribute.ipv4()?.into()),
                ADDRESS_V6 => destination = Some(attribute.ipv6()?.into()),
                SOURCE_V4 => source = Some(attribute.ipv4()?.into()),
                SOURCE_V6 => source = Some(attribute.ipv6()?.into()),
                AGE => age = Some(Duration::from_millis(attribute.u64()?)),
                VALUES => values = times(attribute.nested())?,
                _ => {}
            }
        }
        let (round_trip, deviation) = values;
        Ok(destination.map(|destination| Self { destination, source, age, round_trip, deviation }))
    }
}

/// Round-trip time and deviation, which the kernel keeps in parts of a microsecond (an eighth and a quarter).
fn times(values: Attributes<'_>) -> Result<(Option<Duration>, Option<Duration>), DecodeError> {
    let microseconds = |value: &Attribute<'_>, parts| {
        value.u32().map(|value| Some(Duration::from_micros(u64::from(value / parts))))
    };
    let (mut round_trip, mut deviation) = (None, None);
    for value in values {
        let value = value?;
        match value.kind {
            RTT_US => round_trip = microseconds(&value, 8)?,
            RTT_VAR_US => deviation = microseconds(&value, 4)?,
            _ => {}
        }
    }
    Ok((round_trip, deviation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::captured::message;
    use crate::message::Messages;
    use proptest::prelude::*;

    const FAMILY: u16 = 27;

    #[cfg(target_endian = "little")]
    #[test]
    fn entries_of_the_kernel_are_read() {
        use crate::captured::bytes;

        // `ip tcp_metrics`: 10.9.0.2 age 0.304sec cwnd 12 rtt 55us rttvar 55us source 10.9.0.1
        let payload = bytes(include_str!("../../captured/tcp-metrics-inet.hex"));
        let time = |microseconds| Some(Duration::from_micros(microseconds));
        let read = TcpMetrics {
            destination: "10.9.0.2".parse().unwrap(),
            source: Some("10.9.0.1".parse().unwrap()),
            age: time(304_000),
            round_trip: time(55),
            deviation: time(55),
        };
        assert_eq!(TcpMetrics::parse(&message(FAMILY, &payload)), Ok(Some(read)));
        // fd09::2 age 0.304sec cwnd 12 rtt 47us rttvar 47us source fd09::1
        let payload = bytes(include_str!("../../captured/tcp-metrics-inet6.hex"));
        let read = TcpMetrics {
            destination: "fd09::2".parse().unwrap(),
            source: Some("fd09::1".parse().unwrap()),
            age: time(304_000),
            round_trip: time(47),
            deviation: time(47),
        };
        assert_eq!(TcpMetrics::parse(&message(FAMILY, &payload)), Ok(Some(read)));
    }

    #[test]
    fn an_entry_without_a_measurement_has_no_times() {
        let mut payload = vec![GET, VERSION, 0, 0];
        let _ = payload.attribute(ADDRESS_V4, &[192, 0, 2, 1]).attribute_u64(AGE, 5);
        let read = TcpMetrics::parse(&message(FAMILY, &payload)).unwrap().unwrap();
        assert_eq!((read.source, read.round_trip, read.deviation), (None, None, None));
        assert_eq!(read.age, Some(Duration::from_millis(5)));
        assert_eq!(TcpMetrics::parse(&message(FAMILY, &[DELETE, 1, 0, 0])), Ok(None));
        assert_eq!(TcpMetrics::parse(&message(FAMILY, &[GET, 1, 0, 0])), Ok(None), "of nobody");
    }

    #[test]
    fn one_destination_is_forgotten_by_its_address() {
        assert!(dump(FAMILY).is_dump());
        for (address, kind, len) in [("192.0.2.1", ADDRESS_V4, 4), ("2001:db8::1", ADDRESS_V6, 16)] {
            let bytes = forget(FAMILY, address.parse().unwrap()).finish(1).to_vec();
            let message = Messages::new(&bytes).next().unwrap().unwrap();
            let (fixed, mut attributes) = message.split::<4>("genlmsghdr").unwrap();
            assert_eq!(fixed[0], DELETE);
            let attribute = attributes.next().unwrap().unwrap();
            assert_eq!((attribute.kind, attribute.payload.len()), (kind, len));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(mut payload in proptest::collection::vec(any::<u8>(), 1..200)) {
            payload[0] = GET;
            let _ = TcpMetrics::parse(&message(FAMILY, &payload));
        }
    }
}
