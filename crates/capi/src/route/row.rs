//! A route as `MIB_IPFORWARD_ROW2`, and what such a row asks for.
//!
//! `Age`, which Linux does not keep, is 0. `SitePrefixLength` is 0: Linux has no sites. `Publish` and
//! `AutoconfigureAddress` are FALSE.

use crate::error::Code;
use crate::raw::{IP_ADDRESS_PREFIX, MIB_IPFORWARD_ROW2, NET_LUID, ULONG64};
use crate::{key, sockaddr};
use iphelper::route::{NewRoute, Route, RouteChange, RouteKey, RouteKind, RouteOrigin, RouteProtocol};
use iphelper::{Error, ErrorKind, Family, Prefix};
use std::net::IpAddr;
use std::time::Duration;

/// A lifetime without end.
const FOREVER: u32 = u32::MAX;
/// A site prefix length, metric and protocol that are none.
const NO_SITE: u8 = u8::MAX;
const NO_METRIC: u32 = u32::MAX;
const NO_PROTOCOL: i32 = -1;

/// What `InitializeIpForwardEntry` leaves.
pub(super) const INITIAL: MIB_IPFORWARD_ROW2 = MIB_IPFORWARD_ROW2 {
    InterfaceLuid: NET_LUID { Value: ULONG64(0) },
    InterfaceIndex: 0,
    // SAFETY: made of numbers, for which zero bytes are a value.
    DestinationPrefix: unsafe { std::mem::zeroed() },
    // SAFETY: as above.
    NextHop: unsafe { std::mem::zeroed() },
    SitePrefixLength: NO_SITE,
    ValidLifetime: FOREVER,
    PreferredLifetime: FOREVER,
    Metric: NO_METRIC,
    Protocol: NO_PROTOCOL,
    Loopback: 1,
    AutoconfigureAddress: 1,
    Publish: 1,
    Immortal: 1,
    Age: 0,
    Origin: 0,
};

/// The row of a route.
pub(crate) fn of(route: &Route) -> MIB_IPFORWARD_ROW2 {
    let lifetime = route.valid_lifetime.map_or(FOREVER, seconds);
    let index = route.index.map_or(0, |index| index.0);
    let is_of_a_link = matches!(route.next_hop, IpAddr::V6(hop) if hop.is_unicast_link_local());
    MIB_IPFORWARD_ROW2 {
        InterfaceLuid: route.luid.map_or(NET_LUID { Value: ULONG64(0) }, key::luid),
        InterfaceIndex: index,
        DestinationPrefix: IP_ADDRESS_PREFIX {
            Prefix: sockaddr::write(route.destination.address(), 0),
            PrefixLength: route.destination.len(),
        },
        NextHop: sockaddr::write(route.next_hop, if is_of_a_link { index } else { 0 }),
        SitePrefixLength: 0,
        ValidLifetime: lifetime,
        PreferredLifetime: lifetime,
        Metric: route.metric,
        Protocol: route.protocol.number().cast_signed(),
        Loopback: (route.kind == RouteKind::Local).into(),
        AutoconfigureAddress: 0,
        Publish: 0,
        Immortal: route.valid_lifetime.is_none().into(),
        Age: route.age.map_or(0, seconds),
        Origin: match route.origin {
            RouteOrigin::WellKnown => 1,
            RouteOrigin::Dhcp => 2,
            RouteOrigin::RouterAdvertisement => 3,
            RouteOrigin::SixToFour => 4,
            _ => 0,
        },
    }
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(FOREVER)
}

/// The route that a row names.
///
/// # Safety
/// `row` is NULL or may be read.
pub(super) unsafe fn key(row: *const MIB_IPFORWARD_ROW2) -> Result<RouteKey, Code> {
    if row.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    // SAFETY: the caller's promise; only the key is read.
    let (luid, index, prefix, next_hop) = unsafe {
        (
            (&raw const (*row).InterfaceLuid).read_unaligned(),
            (&raw const (*row).InterfaceIndex).read_unaligned(),
            (&raw const (*row).DestinationPrefix).read_unaligned(),
            (&raw const (*row).NextHop).read_unaligned(),
        )
    };
    let address = sockaddr::read(&prefix.Prefix)?.ip;
    let destination = Prefix::new(address, prefix.PrefixLength)?;
    let next_hop = sockaddr::read(&next_hop)?.ip;
    // IPv4 by an IPv6 router is what Linux has and Windows has not.
    let fits = next_hop.is_ipv4() == address.is_ipv4() || address.is_ipv4();
    if destination.address() != address || !fits {
        return Err(Code::INVALID_PARAMETER);
    }
    Ok(RouteKey::new(destination, next_hop, key::interface(luid, index)?))
}

/// The route that a row asks to make.
///
/// # Safety
/// `row` is NULL or may be read.
pub(super) unsafe fn new(row: *const MIB_IPFORWARD_ROW2) -> Result<NewRoute, Code> {
    // SAFETY: the caller's promise; each member is made of numbers.
    let (key, row) = unsafe { (key(row)?, row.read_unaligned()) };
    let lifetime = checked(&row, &key)?;
    if row.Metric == NO_METRIC {
        return Err(Code::INVALID_PARAMETER);
    }
    Ok(NewRoute {
        metric: row.Metric,
        protocol: protocol(row.Protocol)?.unwrap_or(RouteProtocol::NetMgmt),
        valid_lifetime: lifetime,
        ..NewRoute::new(key.destination, key.next_hop, key.interface)
    })
}

/// What a row asks to change.
///
/// # Safety
/// `row` is not NULL and may be read.
pub(super) unsafe fn change(row: *const MIB_IPFORWARD_ROW2) -> Result<RouteChange, Code> {
    // SAFETY: the caller's promise; each member is made of numbers.
    let (key, row) = unsafe { (key(row)?, row.read_unaligned()) };
    let lifetime = checked(&row, &key)?;
    Ok(RouteChange {
        metric: (row.Metric != NO_METRIC).then_some(row.Metric),
        protocol: protocol(row.Protocol)?,
        valid_lifetime: Some(lifetime),
    })
}

/// The lifetime of a row whose other members are as they may be.
///
/// Booleans are TRUE as Initialize leaves them, or FALSE as in a row of zeros, which many programs begin with: Linux
/// publishes no route, makes none of an address, and ends one by its lifetime alone, whatever they say.
fn checked(row: &MIB_IPFORWARD_ROW2, key: &RouteKey) -> Result<Option<Duration>, Code> {
    if [row.Loopback, row.AutoconfigureAddress, row.Publish, row.Immortal].iter().any(|flag| *flag > 1) {
        return Err(Code::INVALID_PARAMETER);
    }
    match row.SitePrefixLength {
        0 | NO_SITE => {}
        length if length > key.destination.len() => return Err(Code::INVALID_PARAMETER),
        _ => return Err(Code::NOT_SUPPORTED),
    }
    if row.PreferredLifetime > row.ValidLifetime {
        return Err(Code::INVALID_PARAMETER);
    }
    // A route that ends, and before that is no longer preferred, is no route of Linux'.
    let both = (row.ValidLifetime, row.PreferredLifetime);
    match both {
        (FOREVER, FOREVER) => Ok(None),
        (valid, preferred) if valid == preferred => {
            if Family::of(&key.destination.address()) == Family::V4 {
                return Err(Code::NOT_SUPPORTED);
            }
            Ok(Some(Duration::from_secs(valid.into())))
        }
        _ => Err(Code::NOT_SUPPORTED),
    }
}

/// A protocol; `None` as Initialize leaves it.
fn protocol(number: i32) -> Result<Option<RouteProtocol>, Code> {
    if number == NO_PROTOCOL {
        return Ok(None);
    }
    RouteProtocol::from_number(number.cast_unsigned()).map(Some).ok_or(Code::INVALID_PARAMETER)
}

/// The code of a failure: the pages have one for no such route and no such interface.
pub(super) fn code(error: Error) -> Code {
    match error.kind() {
        ErrorKind::InterfaceNotFound => Code::NOT_FOUND,
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(prefix: &str, next_hop: &str) -> MIB_IPFORWARD_ROW2 {
        let prefix: Prefix = prefix.parse().unwrap();
        MIB_IPFORWARD_ROW2 {
            InterfaceIndex: 1,
            DestinationPrefix: IP_ADDRESS_PREFIX {
                Prefix: sockaddr::write(prefix.address(), 0),
                PrefixLength: prefix.len(),
            },
            NextHop: sockaddr::write(next_hop.parse().unwrap(), 0),
            Metric: 5,
            ..INITIAL
        }
    }

    fn asked(row: MIB_IPFORWARD_ROW2) -> Result<NewRoute, Code> {
        // SAFETY: the row lives.
        unsafe { new(&raw const row) }
    }

    #[test]
    fn an_initialised_row_needs_keys_and_metric() {
        let made = asked(row("10.0.0.0/8", "0.0.0.0")).unwrap();
        assert_eq!((made.metric, made.protocol), (5, RouteProtocol::NetMgmt));
        assert_eq!(made.valid_lifetime, None);
        let wrong = |row| asked(row).unwrap_err();
        assert_eq!(wrong(INITIAL), Code::INVALID_PARAMETER);
        let good = row("10.0.0.0/8", "0.0.0.0");
        for row in [
            MIB_IPFORWARD_ROW2 { Metric: NO_METRIC, ..good },
            MIB_IPFORWARD_ROW2 { Protocol: 0, ..good },
            MIB_IPFORWARD_ROW2 { Publish: 2, ..good },
            MIB_IPFORWARD_ROW2 { SitePrefixLength: 9, ..good },
            MIB_IPFORWARD_ROW2 { ValidLifetime: 5, PreferredLifetime: 6, ..good },
            MIB_IPFORWARD_ROW2 { InterfaceIndex: 0, ..good },
            MIB_IPFORWARD_ROW2 { NextHop: INITIAL.NextHop, ..good },
            row("2001:db8::/32", "10.0.0.1"),
        ] {
            assert_eq!(wrong(row), Code::INVALID_PARAMETER);
        }
        for row in [
            MIB_IPFORWARD_ROW2 { SitePrefixLength: 8, ..good },
            MIB_IPFORWARD_ROW2 { ValidLifetime: 5, PreferredLifetime: 5, ..good },
            MIB_IPFORWARD_ROW2 { ValidLifetime: 6, PreferredLifetime: 5, ..row("2001:db8::/32", "::") },
        ] {
            assert_eq!(wrong(row), Code::NOT_SUPPORTED);
        }
        let zeros = MIB_IPFORWARD_ROW2 { Publish: 0, Immortal: 0, SitePrefixLength: 0, ..good };
        assert!(asked(zeros).is_ok(), "a row of zeros, as many programs begin");
        // SAFETY: NULL is refused.
        assert_eq!(unsafe { new(std::ptr::null()) }.unwrap_err(), Code::INVALID_PARAMETER);
    }

    #[test]
    fn bits_beyond_the_prefix_are_refused() {
        let mut bits = row("10.0.0.0/8", "0.0.0.0");
        bits.DestinationPrefix.Prefix = sockaddr::write("10.0.0.1".parse().unwrap(), 0);
        assert_eq!(asked(bits).unwrap_err(), Code::INVALID_PARAMETER);
        bits.DestinationPrefix.PrefixLength = 33;
        assert_eq!(asked(bits).unwrap_err(), Code::INVALID_PARAMETER);
    }
}
