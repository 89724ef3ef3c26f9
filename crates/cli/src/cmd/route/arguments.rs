//! What names a route on the command line, and the values of its properties.

use crate::exit::{Exit, Failure};
use crate::interface_name;
use crate::prefix::prefix;
use crate::units;
use iphelper::best_route::BestRouteQuery;
use iphelper::route::{RouteKey, RouteProtocol, RouteTables};
use iphelper::{ErrorKind, Family, Host, InterfaceLuid, Prefix};
use std::net::IpAddr;
use std::time::Duration;

/// A destination: a prefix, or every address of a family that other arguments tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Destination {
    Default,
    Prefix(Prefix),
}

/// Reads `default`, an address or a prefix.
pub(super) fn destination(text: &str) -> Result<Destination, String> {
    if text == "default" {
        return Ok(Destination::Default);
    }
    prefix(text, "give a prefix such as 203.0.113.0/24, an address, or default").map(Destination::Prefix)
}

/// Reads the address of a router.
pub(super) fn next_hop(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| "give the address of a router, such as 192.0.2.1".to_owned())
}

/// Reads a table: a number, or one of the names that every Linux knows.
pub(super) fn table(text: &str) -> Result<u32, String> {
    match text {
        "main" => Ok(iphelper::route::MAIN_TABLE),
        "local" => Ok(iphelper::route::LOCAL_TABLE),
        "default" => Ok(253),
        number => number.parse().map_err(|_| "give main, local or the number of a table".to_owned()),
    }
}

/// Reads one or all tables.
pub(super) fn tables(text: &str) -> Result<RouteTables, String> {
    match text {
        "all" => Ok(RouteTables::All),
        one => table(one)
            .map(RouteTables::One)
            .map_err(|_| "give main, local, all or the number of a table".to_owned()),
    }
}

/// Reads a protocol by its word.
pub(super) fn protocol(text: &str) -> Result<RouteProtocol, String> {
    RouteProtocol::all().find(|protocol| protocol.to_string() == text).ok_or_else(|| {
        let words: Vec<_> = RouteProtocol::all().map(|protocol| protocol.to_string()).collect();
        format!("give one of {}", words.join(", "))
    })
}

/// Reads how long a route stays.
pub(super) fn lifetime(text: &str) -> Result<Lifetime, String> {
    match text {
        "forever" => Ok(Lifetime(None)),
        time => units::duration(time)
            .map(|time| Lifetime(Some(time)))
            .map_err(|error| format!("{error}, or forever")),
    }
}

/// How long a route stays; `None`: for ever.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetime(pub(super) Option<Duration>);

/// The arguments that name one route.
#[derive(Debug, clap::Args)]
pub(super) struct Name {
    /// A prefix, an address, or `default` for every address of the next hop's family
    #[arg(value_parser = destination)]
    destination: Destination,

    /// The router; none: the destination is on the link
    #[arg(long, short = 'v', visible_alias = "via", value_name = "ADDRESS", value_parser = next_hop)]
    next_hop: Option<IpAddr>,

    /// The interface: a name, an alternative name, an index or a LUID (0x...); without it the one whose link the next hop is on
    #[arg(long, short, visible_alias = "dev", value_name = "NAME", required_unless_present = "next_hop")]
    interface: Option<String>,

    /// With `default` and no next hop: every IPv6 address, not every IPv4 address
    #[arg(long, short = '6')]
    ipv6: bool,

    /// The table: main, local or a number
    #[arg(long, value_parser = table, value_name = "TABLE")]
    pub(super) table: Option<u32>,
}

impl Name {
    /// The key that they make.
    pub(super) fn key(&self, host: &Host) -> Result<RouteKey, Failure> {
        let family = match (self.destination, self.next_hop) {
            (Destination::Prefix(prefix), _) => Family::of(&prefix.address()),
            (Destination::Default, Some(_)) if self.ipv6 => Family::V6,
            (Destination::Default, Some(hop)) => Family::of(&hop),
            (Destination::Default, None) if self.ipv6 => Family::V6,
            (Destination::Default, None) => Family::V4,
        };
        let destination = match self.destination {
            Destination::Prefix(prefix) => prefix,
            Destination::Default => Prefix::any(family),
        };
        let interface = match (&self.interface, self.next_hop) {
            (Some(name), _) => interface_name::find(host, name)?.luid,
            (None, Some(hop)) => link_of(host, hop)?,
            (None, None) => return Err(Failure::usage("name the interface: --interface NAME")),
        };
        let key =
            RouteKey::new(destination, self.next_hop.unwrap_or(Prefix::any(family).address()), interface);
        Ok(self.table.map_or(key, |table| key.in_table(table)))
    }
}

/// The interface on whose link a router is.
fn link_of(host: &Host, hop: IpAddr) -> Result<InterfaceLuid, Failure> {
    let nowhere = || {
        Failure::new(
            Exit::NotFound,
            format!("{hop} is on no link that is known here; name the interface: --interface NAME"),
        )
    };
    // Every link has such addresses.
    if matches!(hop, IpAddr::V6(hop) if hop.is_unicast_link_local()) {
        return Err(Failure::usage(format!(
            "{hop} may be on any link; name the interface: --interface NAME"
        )));
    }
    match host.best_route(hop, &BestRouteQuery::default()) {
        Ok(best) if best.route.next_hop.is_unspecified() => Ok(best.luid),
        Ok(_) => Err(nowhere()),
        Err(error) if matches!(error.kind(), ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable) => {
            Err(nowhere())
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_prefixes_without_further_bits() {
        assert_eq!(destination("default"), Ok(Destination::Default));
        assert_eq!(destination("10.0.0.0/8"), Ok(Destination::Prefix("10.0.0.0/8".parse().unwrap())));
        assert_eq!(destination("2001:db8::1"), Ok(Destination::Prefix("2001:db8::1/128".parse().unwrap())));
        assert!(destination("10.1.2.3/8").unwrap_err().contains("10.0.0.0/8"));
        for text in ["", "10.0.0.0/33", "eth0", "10.0.0.0/", "/8"] {
            assert!(destination(text).is_err(), "{text}");
        }
    }

    #[test]
    fn words_read_back() {
        for known in RouteProtocol::all() {
            assert_eq!(protocol(&known.to_string()), Ok(known));
        }
        assert!(protocol("static").unwrap_err().contains("netmgmt"));
        assert_eq!(tables("all"), Ok(RouteTables::All));
        assert_eq!((table("main"), table("100")), (Ok(254), Ok(100)));
        assert!(table("all").is_err() && lifetime("soon").is_err());
        assert_eq!(lifetime("forever").unwrap().0, None);
    }
}
