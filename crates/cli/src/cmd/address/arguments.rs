//! What names an address on the command line, and its values.

use crate::end::split_scope;
use crate::exit::Failure;
use crate::{interface_name, units};
use iphelper::address::{self, PrefixOrigin, SuffixOrigin};
use iphelper::{Family, Host, InterfaceLuid};
use std::net::IpAddr;

/// An address, the zone after its `%`, and the length after its `/`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Address {
    pub(super) ip: IpAddr,
    zone: Option<String>,
    pub(super) length: Option<u8>,
}

/// Reads an address, with the length of its prefix or without.
pub(super) fn address(text: &str) -> Result<Address, String> {
    const EXAMPLES: &str = "give an address such as 192.0.2.5/24, 2001:db8::5/64 or fe80::5%eth0";
    let (text, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let (address, zone) = split_scope(text)?;
    let ip: IpAddr = address.parse().map_err(|_| EXAMPLES.to_owned())?;
    if ip.is_ipv4() && zone.is_some() {
        return Err("an IPv4 address has no zone: give --interface".to_owned());
    }
    let bits = Family::of(&ip).address_bits();
    let length = match length {
        Some(length) => Some(
            length
                .parse()
                .ok()
                .filter(|length| *length <= bits)
                .ok_or_else(|| format!("the length of the prefix is a number from 0 to {bits}"))?,
        ),
        None => None,
    };
    Ok(Address { ip, zone, length })
}

/// Reads a time for which an address stays.
pub(super) fn lifetime(text: &str) -> Result<address::Lifetime, String> {
    if text == "forever" {
        return Ok(address::Lifetime::INFINITE);
    }
    let time = units::duration(text).map_err(|error| format!("{error}, or forever"))?;
    u32::try_from(time.as_secs())
        .ok()
        .filter(|seconds| *seconds < u32::MAX && time.subsec_nanos() == 0)
        .map(address::Lifetime::from_secs)
        .ok_or_else(|| "give whole seconds, at most 136 years, or forever".to_owned())
}

/// Where both halves come from.
pub(super) type Origin = (PrefixOrigin, SuffixOrigin);

/// Reads where an address comes from: a word for both halves, or one for each with a comma.
pub(super) fn origin(text: &str) -> Result<Origin, String> {
    let (prefix, suffix) = text.split_once(',').unwrap_or((text, text));
    let prefixes = [
        PrefixOrigin::Other,
        PrefixOrigin::Manual,
        PrefixOrigin::WellKnown,
        PrefixOrigin::Dhcp,
        PrefixOrigin::RouterAdvertisement,
    ];
    let suffixes = [
        SuffixOrigin::Other,
        SuffixOrigin::Manual,
        SuffixOrigin::WellKnown,
        SuffixOrigin::Dhcp,
        SuffixOrigin::LinkLayerAddress,
        SuffixOrigin::Random,
    ];
    let prefix = prefixes.into_iter().find(|it| it.to_string() == prefix);
    let suffix = suffixes.into_iter().find(|it| it.to_string() == suffix);
    prefix.zip(suffix).ok_or_else(|| {
        "give manual, dhcp, well_known or other, or two words such as router_advertisement,random".to_owned()
    })
}

/// The arguments that name one address.
#[derive(Debug, clap::Args)]
pub(super) struct Name {
    /// The address; /24 is the length of its prefix, a zone (%eth0) the interface
    #[arg(value_parser = address)]
    pub(super) address: Address,

    /// The interface: a name, an alternative name, an index or a LUID (0x...)
    #[arg(long, short, visible_alias = "dev", value_name = "NAME")]
    interface: Option<String>,
}

impl Name {
    /// The interface that they name.
    pub(super) fn interface(&self, host: &Host) -> Result<InterfaceLuid, Failure> {
        let find = |name: &str| Ok::<_, Failure>(interface_name::find(host, name)?.luid);
        let option = self.interface.as_deref().map(find).transpose()?;
        let zone = self.address.zone.as_deref().map(find).transpose()?;
        match (option, zone) {
            (Some(option), Some(zone)) if option != zone => {
                Err(Failure::usage("--interface and the zone of the address name two interfaces"))
            }
            (Some(luid), _) | (None, Some(luid)) => Ok(luid),
            (None, None) => Err(Failure::usage(
                "say on which interface: --interface eth0 (`iph interface list` shows the interfaces)",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_lengths_and_zones_where_they_can() {
        let read = address("192.0.2.5/24").unwrap();
        assert_eq!((read.ip, read.length, read.zone), ("192.0.2.5".parse().unwrap(), Some(24), None));
        let read = address("fe80::5%eth0/64").unwrap_or_else(|_| address("fe80::5%eth0").unwrap());
        assert_eq!(read.zone.as_deref(), Some("eth0"));
        for (text, reason) in [
            ("192.0.2.5/33", "0 to 32"),
            ("2001:db8::/129", "0 to 128"),
            ("192.0.2.5/x", "number"),
            ("eth0", "192.0.2.5/24"),
            ("192.0.2.5%eth0", "--interface"),
        ] {
            assert!(address(text).unwrap_err().contains(reason), "{text}");
        }
    }

    #[test]
    fn times_and_origins_have_words() {
        assert_eq!(lifetime("forever"), Ok(address::Lifetime::INFINITE));
        assert_eq!(lifetime("1h"), Ok(address::Lifetime::from_secs(3600)));
        assert!(lifetime("soon").unwrap_err().contains("forever"));
        assert!(lifetime("1500ms").is_err());
        assert_eq!(origin("dhcp"), Ok((PrefixOrigin::Dhcp, SuffixOrigin::Dhcp)));
        let advertised = (PrefixOrigin::RouterAdvertisement, SuffixOrigin::Random);
        assert_eq!(origin("router_advertisement,random"), Ok(advertised));
        assert!(origin("router_advertisement").is_err(), "no word of the second half");
    }
}
