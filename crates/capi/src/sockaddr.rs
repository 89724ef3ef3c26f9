//! Addresses as C has them: `SOCKADDR_INET`, `SOCKADDR_IN6` and the number of an IPv4 address.

use crate::error::Code;
use crate::key;
use crate::raw::{
    IN_ADDR, IN_ADDR_0, IN6_ADDR, IN6_ADDR_0, SOCKADDR_IN, SOCKADDR_IN6, SOCKADDR_IN6_0, SOCKADDR_INET,
};
use iphelper::Family;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address and its zone, 0 for none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Address {
    pub(crate) ip: IpAddr,
    pub(crate) scope: u32,
}

/// The address in a socket address; [`Code::INVALID_PARAMETER`] for a family that is neither IPv4 nor IPv6.
pub(crate) fn read(address: &SOCKADDR_INET) -> Result<Address, Code> {
    // SAFETY: each member is made of numbers, so that every pattern of bytes is one; the family stands in each.
    let (family, ipv4, ipv6) = unsafe { (address.si_family, address.Ipv4, address.Ipv6) };
    match key::family(family.into())? {
        Family::V4 => Ok(Address { ip: read_ipv4(ipv4.sin_addr).into(), scope: 0 }),
        Family::V6 => Ok(read_in6(&ipv6)),
    }
}

/// As [`read`], and [`Code::INVALID_PARAMETER`] for NULL.
///
/// # Safety
/// `address` is NULL or may be read, as far as its family reaches.
pub(crate) unsafe fn read_pointer(address: *const SOCKADDR_INET) -> Result<Address, Code> {
    if address.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    // SAFETY: the caller's promise. A caller may pass a `SOCKADDR_IN`, which is shorter, so no more is read of one.
    let family = unsafe { (&raw const (*address).si_family).read_unaligned() };
    match key::family(family.into())? {
        Family::V4 => {
            // SAFETY: as above.
            let ipv4 = unsafe { address.cast::<SOCKADDR_IN>().read_unaligned() };
            Ok(Address { ip: read_ipv4(ipv4.sin_addr).into(), scope: 0 })
        }
        Family::V6 => {
            // SAFETY: as above.
            Ok(read_in6(&unsafe { address.cast::<SOCKADDR_IN6>().read_unaligned() }))
        }
    }
}

/// The address in an IPv6 socket address.
pub(crate) fn read_in6(address: &SOCKADDR_IN6) -> Address {
    // SAFETY: both unions are made of numbers.
    let (octets, scope) = unsafe { (address.sin6_addr.u.Byte, address.Anonymous.sin6_scope_id) };
    Address { ip: Ipv6Addr::from(octets).into(), scope }
}

/// A socket address, its port 0. IPv4 has no zone.
pub(crate) fn write(ip: IpAddr, scope: u32) -> SOCKADDR_INET {
    match ip {
        IpAddr::V4(ip) => {
            let mut address = SOCKADDR_INET::default();
            address.Ipv4 = write_in(ip);
            address
        }
        IpAddr::V6(ip) => SOCKADDR_INET { Ipv6: write_in6(ip, scope) },
    }
}

/// An IPv4 socket address, its port 0.
pub(crate) fn write_in(ip: Ipv4Addr) -> SOCKADDR_IN {
    SOCKADDR_IN {
        sin_family: key::family_number(Family::V4),
        sin_port: 0,
        sin_addr: IN_ADDR { S_un: IN_ADDR_0 { S_addr: ipv4_number(ip) } },
        sin_zero: [0; 8],
    }
}

/// An IPv6 socket address, its port 0.
pub(crate) fn write_in6(ip: Ipv6Addr, scope: u32) -> SOCKADDR_IN6 {
    SOCKADDR_IN6 {
        sin6_family: key::family_number(Family::V6),
        sin6_port: 0,
        sin6_flowinfo: 0,
        sin6_addr: IN6_ADDR { u: IN6_ADDR_0 { Byte: ip.octets() } },
        Anonymous: SOCKADDR_IN6_0 { sin6_scope_id: scope },
    }
}

/// The unspecified address of a family, which stands for none.
pub(crate) fn unspecified(family: Family) -> SOCKADDR_INET {
    write(
        match family {
            Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
            Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
        },
        0,
    )
}

/// An IPv4 address as the number that holds it in network order.
pub(crate) fn ipv4_number(ip: Ipv4Addr) -> u32 {
    u32::from_ne_bytes(ip.octets())
}

/// The IPv4 address of such a number.
pub(crate) fn ipv4(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(number.to_ne_bytes())
}

fn read_ipv4(address: IN_ADDR) -> Ipv4Addr {
    // SAFETY: a union of numbers.
    ipv4(unsafe { address.S_un.S_addr })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_back() {
        for (ip, scope) in [("192.0.2.7", 0), ("fe80::1", 3), ("::", 0)] {
            let ip: IpAddr = ip.parse().unwrap();
            let written = write(ip, scope);
            assert_eq!(read(&written), Ok(Address { ip, scope }));
            // SAFETY: the value lives.
            assert_eq!(unsafe { read_pointer(&raw const written) }, Ok(Address { ip, scope }));
        }
        assert_eq!(read(&SOCKADDR_INET::default()), Err(Code::INVALID_PARAMETER));
        // SAFETY: NULL is allowed.
        assert_eq!(unsafe { read_pointer(std::ptr::null()) }, Err(Code::INVALID_PARAMETER));
        assert_eq!(ipv4(ipv4_number(Ipv4Addr::new(10, 1, 2, 3))), Ipv4Addr::new(10, 1, 2, 3));
    }
}
