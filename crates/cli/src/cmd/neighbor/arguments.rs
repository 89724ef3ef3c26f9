//! What names a neighbour on the command line, and its values.

use crate::end::split_scope;
use crate::exit::Failure;
use crate::interface_name;
use iphelper::neighbor::PhysicalAddress;
use iphelper::{Host, InterfaceLuid};
use std::net::IpAddr;

/// An address and its zone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Address {
    pub(super) ip: IpAddr,
    /// An interface's name or index, after the `%`.
    pub(super) zone: Option<String>,
}

/// Reads an address; a zone is the interface.
pub(super) fn address(text: &str) -> Result<Address, String> {
    let (address, zone) = split_scope(text)?;
    let ip = address
        .parse()
        .map_err(|_| "give an address such as 192.0.2.7, 2001:db8::7 or fe80::7%eth0".to_owned())?;
    match (ip, zone) {
        (IpAddr::V4(_), Some(_)) => Err("an IPv4 address has no zone: give --interface".to_owned()),
        (ip, zone) => Ok(Address { ip, zone }),
    }
}

/// Reads an address of this host.
pub(super) fn source(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| "give an address of this host, such as 192.0.2.1".to_owned())
}

/// Reads a physical address.
fn physical_address(text: &str) -> Result<PhysicalAddress, String> {
    text.parse().map_err(|_| "give pairs of hexadecimal digits, such as 02:00:5e:00:53:07".to_owned())
}

/// The interface that an option or a zone names; `None` if neither does.
pub(super) fn interface(
    host: &Host,
    address: &Address,
    option: Option<&str>,
) -> Result<Option<InterfaceLuid>, Failure> {
    let find = |name: &str| Ok::<_, Failure>(interface_name::find(host, name)?.luid);
    match (option.map(find).transpose()?, address.zone.as_deref().map(find).transpose()?) {
        (Some(option), Some(zone)) if option != zone => {
            Err(Failure::usage("--interface and the zone of the address name two interfaces"))
        }
        (option, zone) => Ok(option.or(zone)),
    }
}

/// The arguments that name one neighbour.
#[derive(Debug, clap::Args)]
pub(super) struct Name {
    /// The neighbour's address; a zone (%eth0) is the interface
    #[arg(value_parser = address)]
    pub(super) address: Address,

    /// The interface: a name, an alternative name, an index or a LUID (0x...)
    #[arg(long, short, visible_alias = "dev", value_name = "NAME")]
    interface: Option<String>,
}

impl Name {
    /// The interface that they name.
    pub(super) fn interface(&self, host: &Host) -> Result<InterfaceLuid, Failure> {
        interface(host, &self.address, self.interface.as_deref())?.ok_or_else(|| {
            Failure::usage(
                "say on which interface: --interface eth0 (`iph interface list` shows the interfaces)",
            )
        })
    }
}

/// The arguments that say what a neighbour is to be like.
#[derive(Debug, clap::Args)]
pub(super) struct Entry {
    #[command(flatten)]
    pub(super) name: Name,

    /// Its physical address, as long as the interface's own
    #[arg(long, short, visible_alias = "mac", value_name = "BYTES", value_parser = physical_address)]
    pub(super) physical_address: PhysicalAddress,

    /// Let it be in doubt: the first packet asks whether it is there, and what it answers is learned
    #[arg(long)]
    pub(super) dynamic: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_zones_where_they_can() {
        let plain = address("192.0.2.7").unwrap();
        assert_eq!((plain.ip, plain.zone), ("192.0.2.7".parse().unwrap(), None));
        let zoned = address("fe80::7%eth0").unwrap();
        assert_eq!((zoned.ip, zoned.zone.as_deref()), ("fe80::7".parse().unwrap(), Some("eth0")));
        for (text, reason) in [("192.0.2.7%eth0", "--interface"), ("eth0", "2001:db8::7"), ("fe80::7%", "%")]
        {
            assert!(address(text).unwrap_err().contains(reason), "{text}");
        }
        assert!(physical_address("02-00-5E-00-53-07").is_ok());
        assert!(physical_address("eth0").unwrap_err().contains("02:00:5e"));
        assert!(source("eth0").is_err());
    }
}
